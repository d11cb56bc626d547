# SPDX-License-Identifier: GPL-2.0
"""Chunks: RFC 9112 §7.1, their extensions §7.1.1, the trailer section §7.1.2."""

from hostile.case import SMUGGLED, Case, broken, chunked, escaped, passed

END = b"0\r\n\r\n"
HELLO = b"5\r\nhello\r\n"

# What stands in the place of `5` before CRLF, and is no size (1*HEXDIG), or more than 64 bits have.
BAD_SIZES = [
    b"",
    b" ",
    b";",
    b";a=b",
    b" 5",
    b"\t5",
    b"5 ",
    b"5\t",
    b"5  \t ",
    b"+5",
    b"-5",
    b"-0",
    b"-1",
    b"0x5",
    b"0X5",
    b"x5",
    b"\\x5",
    b"5h",
    b"5H",
    b"g",
    b"5g",
    b"G5",
    b"5.0",
    b".5",
    b"5,",
    b"5,5",
    b"5_",
    b"_5",
    b"0_5",
    b"5_5",
    b"5 5",
    b"5 a",
    b'"5"',
    b"'5'",
    b"(5)",
    b"$5",
    b"5=a",
    b"5:a",
    b"5/a",
    b"#5",
    b"%35",
    b"five",
    # Digits of other scripts, spaces of other character sets, control bytes.
    b"\xd9\xa5",
    b"\xef\xbc\x95",
    b"\xb2",
    b"5\xa0",
    b"\xa05",
    b"5\xff",
    b"5\x00",
    b"\x005",
    b"5\x0b",
    b"\x0b5",
    b"5\x0c",
    b"5\x08",
    b"5\x7f",
    b"5\x1b",
    # What wraps round at 64 bits, or is cut off at the largest.
    b"10000000000000000",
    b"10000000000000005",
    b"f0000000000000005",
    b"ffffffffffffffff5",
    b"fffffffffffffffff",
    b"100000000000000000000000000000005",
    # Zeros without end.
    b"0" * 300 + b"5",
]

# Line ends that only some readers know, in bodies that go on as those readers expect.
BAD_LINE_ENDS = {
    "LF behind a size": b"5\nhello\r\n" + END,
    "CR behind a size": b"5\rhello\r\n" + END,
    "CR CR LF behind a size": b"5\r\r\nhello\r\n" + END,
    "LF CR behind a size": b"5\n\rhello\r\n" + END,
    "CR X behind a size": b"5\rXhello\r\n" + END,
    "CR NUL behind a size": b"5\r\0hello\r\n" + END,
    "LF before a size": b"\n5\r\nhello\r\n" + END,
    "CR LF before a size": b"\r\n5\r\nhello\r\n" + END,
    "LF behind data": b"5\r\nhello\n" + END,
    "CR behind data": b"5\r\nhello\r" + END,
    "nothing behind data": b"5\r\nhello" + END,
    "CR CR LF behind data": b"5\r\nhello\r\r\n" + END,
    "LF CR behind data": b"5\r\nhello\n\r" + END,
    "LF LF behind data": b"5\r\nhello\n\n" + END,
    "space behind data": b"5\r\nhello \r\n" + END,
    # A reader that skips two bytes without a look at them.
    "two letters behind data": b"5\r\nhelloXX" + END,
    "two digits behind data": b"5\r\nhello00\r\n\r\n",
    "two line ends behind data": b"5\r\nhello\r\n\r\n" + END,
    "LF behind the last size": b"0\n\r\n",
    "LF behind the last size, and nothing": b"0\n",
    "CR behind the last size": b"0\r\r\n",
    "LF for the last line": b"0\r\n\n",
    "CR X for the last line": b"0\r\n\rX",
    "space for the last line": b"0\r\n \r\n",
    "NUL for the last line": b"0\r\n\0\r\n",
    "data too long": b"5\r\nhello!\r\n" + END,
    "data too short": b"5\r\nhell\r\n" + END,
    "data shorter than the next size": b"9\r\nhello\r\n0\r\n\r\n",
    "second size is bad": HELLO + b"z\r\n" + END,
    "second size is missing": HELLO + b";\r\n" + END,
    "second size is signed": HELLO + b"-5\r\nhello\r\n" + END,
}

# Extensions in which a reader may find an end that others do not.
BAD_EXTENSIONS = {
    "LF": b";a\nhello",
    "LF behind a value": b";a=b\n",
    "LF and a size": b";\n0",
    "CR": b";a\rhello",
    "CR and a letter": b";a\rb",
    "CR CR LF": b";a\r",
    "LF in quotes": b';a="\n"',
    "CR in quotes": b';a="\r"',
    "CR LF in quotes": b';a="\r\n"',
    "quote that does not end": b';a="b',
    "quote alone": b';"',
    "quote behind a quoted string": b';a="b""',
    "quoted end of a quote": b';a="b\\"',
    "backslash at the end of a quote": b';a="\\',
    "NUL": b";a\0b",
    "NUL in quotes": b';a="\0"',
    "SOH": b";\x01",
    "VT": b";\x0b",
    "FF": b";a\x0c=b",
    "DEL": b";a\x7f",
    "escape": b";\x1b[m",
    "behind a word": b" a;b",
    "behind a comma": b",a;b",
    "more than anyone needs": b";a=" + b"b" * 1000,
    "many": b";a" * 500,
    "spaces": b" " * 1000 + b";a",
}

# Extensions that are one (RFC 9112 §7.1.1: what is not known is ignored).
GOOD_EXTENSIONS = [
    b";a",
    b"; a",
    b" ;a",
    b"\t;\ta",
    b";a=b",
    b"; a = b",
    b";a;b;c=d",
    b';a="b"',
    b';a=""',
    b';a="b;c=d"',
    b';a="\\""',
    b';a="\\\\"',
    b';a="0\\r\\n"',
    b';a="\xe4\t "',
    b";a=" + b"b" * 200,
]

# Trailer fields that would change what was decided before (RFC 9110 §6.5.1).
FORBIDDEN = [
    b"Content-Length: 5",
    b"content-length: 0",
    b"CONTENT-LENGTH:5",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding: identity",
    b"Host: b",
    b"HOST: a",
    b"Connection: close",
    b"Connection: x",
    b"Upgrade: h2c",
    b"TE: trailers",
    b"Trailer: x",
    b"Expect: 100-continue",
]

BAD_TRAILERS = {
    "space before the colon": b"X : y\r\n\r\n",
    "length with a space": b"Content-Length : 5\r\n\r\n",
    "tab before the colon": b"X\t: y\r\n\r\n",
    "space first": b" X: y\r\n\r\n",
    "folded": b"X: y\r\n z\r\n\r\n",
    "folded with a tab": b"X: y\r\n\tz\r\n\r\n",
    "LF": b"X: y\n\r\n",
    "LF in a value": b"X: y\nContent-Length: 5\r\n\r\n",
    "CR in a value": b"X: y\rContent-Length: 5\r\n\r\n",
    "CR CR LF": b"X: y\r\r\n\r\n",
    "LF for the empty line": b"X: y\r\n\n",
    "CR for the empty line": b"X: y\r\n\rX: y\r\n\r\n",
    "NUL in a name": b"X\0: y\r\n\r\n",
    "NUL in a value": b"X: \0\r\n\r\n",
    "DEL in a value": b"X: \x7f\r\n\r\n",
    "VT in a value": b"X: \x0b\r\n\r\n",
    "no name": b": y\r\n\r\n",
    "no colon": b"X\r\n\r\n",
    "no colon but a space": b"X y\r\n\r\n",
    "quoted name": b'"X": y\r\n\r\n',
    "name of other letters": b"\xc3\xa9: y\r\n\r\n",
    "a request": b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    "a chunk": b"5\r\nhello\r\n0\r\n\r\n",
    "forbidden one behind others": b"A: b\r\nC: d\r\nHost: b\r\n\r\n",
    "long": b"X: " + b"y" * 9000 + b"\r\n\r\n",
    "many": b"X: y\r\n" * 1500 + b"\r\n",
    "long name": b"X" * 9000 + b": y\r\n\r\n",
}

# What is no such field, however near it comes.
GOOD_TRAILERS = [
    b"X: y\r\n",
    b"X:\r\n",
    b"X:y\r\nX: z\r\n",
    b"Content_Length: 5\r\n",
    b"Content-Length-: 5\r\n",
    b"Content-Lengt: 5\r\n",
    b"Hos: b\r\n",
    b"Hosts: b\r\n",
    b"T: e\r\n",
    b"Expires: never\r\n",
    b"X: \xe4\t:\r\n",
    b"!#$%&'*+-.^_`|~: y\r\n",
    b"X-%s: y\r\n" % (b"Y" * 300),
]

# Sizes that are allowed, of data and of the last chunk.
GOOD_SIZES = [b"5", b"05", b"0000000000000005"]
GOOD_ENDS = [b"0", b"00", b"0000000000000000", b"0;a", b'0;a="b"', b"000;a=b"]


def name(id: object) -> str:
    return f"chunks: {id}"


CASES = [
    *(
        broken(name(f"size {escaped(size)}"), chunked(size + b"\r\nhello\r\n" + END))
        for size in BAD_SIZES
    ),
    *(
        broken(name(f"second size {escaped(size)}"), chunked(HELLO + size + b"\r\n"))
        for size in BAD_SIZES[:12]
    ),
    *(broken(name(id), chunked(body)) for id, body in BAD_LINE_ENDS.items()),
    *(
        broken(name(f"extension: {id}"), chunked(b"5" + extension + b"\r\nhello\r\n" + END))
        for id, extension in BAD_EXTENSIONS.items()
    ),
    *(
        broken(name(f"last extension: {id}"), chunked(b"0" + extension + b"\r\n\r\n"))
        for id, extension in list(BAD_EXTENSIONS.items())[:14]
    ),
    *(
        passed(
            name(f"extension {escaped(extension)}"),
            chunked(b"5" + extension + b"\r\nhello\r\n" + END),
        )
        for extension in GOOD_EXTENSIONS
    ),
    *(
        broken(name(f"trailer {line.decode()}"), chunked(HELLO + b"0\r\n" + line + b"\r\n\r\n"))
        for line in FORBIDDEN
    ),
    *(
        broken(name(f"trailer: {id}"), chunked(HELLO + b"0\r\n" + trailers))
        for id, trailers in BAD_TRAILERS.items()
    ),
    *(
        passed(name(f"trailer {escaped(lines)}"), chunked(HELLO + b"0\r\n" + lines + b"\r\n"))
        for lines in GOOD_TRAILERS
    ),
    *(
        passed(name(f"size {size.decode()}"), chunked(size + b"\r\nhello\r\n" + END))
        for size in GOOD_SIZES
    ),
    *(passed(name(f"end {end.decode()}"), chunked(HELLO + end + b"\r\n\r\n")) for end in GOOD_ENDS),
    passed(name("size in small letters"), chunked(b"a\r\n0123456789\r\n" + END)),
    passed(name("size in capitals"), chunked(b"A\r\n0123456789\r\n" + END)),
    passed(name("data that looks like an end"), chunked(b"5\r\n" + END + b"\r\n" + END)),
    passed(name("data of line ends"), chunked(b"8\r\n\r\n\r\n\r\n\r\n\r\n" + END)),
    passed(
        name("data that is a request"), chunked(b"%x\r\n%s\r\n" % (len(SMUGGLED), SMUGGLED) + END)
    ),
    passed(name("a byte each"), chunked(b"1\r\nx\r\n" * 300 + END)),
    passed(
        name("extensions everywhere"), chunked(b"1;a=b\r\nx\r\n" * 200 + b"0;c\r\nX: y\r\n\r\n")
    ),
    # RFC 9112 §8: what is cut short is not whole.
    *(
        Case(
            name(f"cut behind {escaped(data)}"),
            (chunked(data),),
            (),
            partly=chunked(data),
            ends=True,
            cut=True,
        )
        for data in (
            b"",
            b"5",
            b"5\r",
            b"5\r\n",
            b"5\r\nhel",
            b"5\r\nhello",
            b"5\r\nhello\r\n",
            b"5\r\nhello\r\n0",
            b"5\r\nhello\r\n0\r\n",
            b"0\r\nX: y\r\n",
            b"0\r\nX: y\r\n\r",
            b"7fffffffffffffff\r\nhello",
            b"ffffffffffffffff\r\nhello",
        )
    ),
]
