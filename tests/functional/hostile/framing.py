# SPDX-License-Identifier: GPL-2.0
"""Lengths: RFC 9110 §8.6, RFC 9112 §6.2, §6.3."""

from hostile.case import NEXT, SMUGGLED, Case, escaped, passed, post, refused, request, sized

# Values that are no number, or that some readers take for another one than others (RFC 9110 §8.6:
# 1*DIGIT). Where a reader takes what it can of them, five bytes of the body are a body.
BAD_VALUES = [
    b"",
    b"\t",
    b"-0",
    b"-1",
    b"-5",
    b"+5",
    b"+0",
    b"--5",
    b"0x5",
    b"0X5",
    b"5h",
    b"0b101",
    b"0o5",
    b"5e0",
    b"5.",
    b"5.0",
    b".5",
    b"5_0",
    b"1_000",
    b"1,000",
    b"1'000",
    b"5;",
    b"5;q=1",
    b'"5"',
    b"'5'",
    b"(5)",
    b"5 5",
    b"5\t5",
    b"5 0",
    b"5 bytes",
    b"5,",
    b",5",
    b"5, ",
    b",",
    b"5,5",
    b"5, 5",
    b"5, 6",
    b"6, 5",
    b"0, 5",
    b"5, 0",
    b"5, 5, 5",
    b"5,chunked",
    b"chunked",
    b"five",
    b"NaN",
    b"inf",
    b"null",
    b"5L",
    b"5u",
    b"%35",
    b"\\x35",
    b"${5}",
    # Digits of other scripts, spaces of other character sets.
    b"\xd9\xa5",
    b"\xef\xbc\x95",
    b"\xb2",
    b"5\xa0",
    b"\xa05",
    b"\x855",
    b"\xef\xbb\xbf5",
    # White space that is none here, and other control bytes.
    b"\x0b5",
    b"5\x0b",
    b"\x0c5",
    b"5\x0c",
    b"\x005",
    b"5\x00",
    b"5\x001",
    b"5\x7f",
    b"5\x1f",
    # Beyond 64 bits: what wraps round, or is cut off at the largest, is short.
    b"18446744073709551616",
    b"18446744073709551621",
    b"36893488147419103237",
    b"99999999999999999999",
    b"340282366920938463463374607431768211461",
    b"0000000000000000000000018446744073709551621",
    b"9" * 1000,
]

# Two lines or more, equal or not, in whatever spelling (RFC 9112 §6.3, rule 5; equal ones may be
# taken for one, which strict gateways do not).
REPEATED = {
    "equal": [b"Content-Length: 5", b"Content-Length: 5"],
    "shorter first": [b"Content-Length: 5", b"Content-Length: 40"],
    "longer first": [b"Content-Length: 40", b"Content-Length: 5"],
    "zero first": [b"Content-Length: 0", b"Content-Length: 5"],
    "zero last": [b"Content-Length: 5", b"Content-Length: 0"],
    "equal numbers": [b"Content-Length: 5", b"Content-Length: 05"],
    "three": [b"Content-Length: 5"] * 3,
    "two cases": [b"Content-Length: 5", b"content-length: 0"],
    "apart": [b"Content-Length: 5", b"X: y", b"CONTENT-LENGTH: 0"],
    "empty first": [b"Content-Length:", b"Content-Length: 5"],
    "empty last": [b"Content-Length: 5", b"Content-Length:"],
    "bad last": [b"Content-Length: 5", b"Content-Length: x"],
    "with a list": [b"Content-Length: 5", b"Content-Length: 5, 5"],
}

# Lines that some readers take for the length and others do not.
DISGUISED = {
    "space before the colon": b"Content-Length : 5",
    "tab before the colon": b"Content-Length\t: 5",
    "VT before the colon": b"Content-Length\x0b: 5",
    "NUL before the colon": b"Content-Length\x00: 5",
    "NUL first": b"\x00Content-Length: 5",
    "space first": b" Content-Length: 5",
    "NBSP first": b"\xa0Content-Length: 5",
    "space for the hyphen": b"Content Length: 5",
    "quoted": b'"Content-Length": 5',
    "value folded": b"Content-Length:\r\n 5",
    "value gone on": b"Content-Length: 5\r\n 0",
    "value gone on with a tab": b"Content-Length: 5\r\n\t,0",
    "behind bare LF": b"X: y\nContent-Length: 5",
    "behind bare CR": b"X: y\rContent-Length: 5",
    "behind CR CR LF": b"X: y\r\r\nContent-Length: 5",
    "ended with LF": b"Content-Length: 5\nX: y",
    "LF in the value": b"Content-Length: \n5",
    "CR in the value": b"Content-Length: \r5",
    "equals for the colon": b"Content-Length= 5",
    "semicolon for the colon": b"Content-Length; 5",
    "no colon": b"Content-Length 5",
}

# Names that are not its name: what stands behind the head is no body but the next request.
LOOKALIKES = [
    b"Content_Length",
    b"Content-Lengt",
    b"Content-Lengths",
    b"Content-Length-",
    b"-Content-Length",
    b"Content--Length",
    b"ContentLength",
    b"Content.Length",
    b"X-Content-Length",
    b"Content-Length2",
    b"Content-Length'",
    b"'Content-Length'",
    b"C0ntent-Length",
    b"MContent-Length",
    # What differs from its letters in one bit.
    b"Content-Lengtx",
    b"Content~Length",
]

# Both ways to frame at once (RFC 9112 §6.1: a gateway may refuse it, and strict ones do).
BOTH = {
    "length first": [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
    "coding first": [b"Transfer-Encoding: chunked", b"Content-Length: 5"],
    "length of nothing": [b"Content-Length: 0", b"Transfer-Encoding: chunked"],
    "small letters": [b"content-length: 5", b"transfer-encoding: chunked"],
    "capitals": [b"CONTENT-LENGTH: 5", b"TRANSFER-ENCODING: CHUNKED"],
    "apart": [b"Content-Length: 5", b"X: y", b"Transfer-Encoding: chunked"],
    "bad length": [b"Content-Length: x", b"Transfer-Encoding: chunked"],
    "identity": [b"Content-Length: 5", b"Transfer-Encoding: identity"],
    "unknown coding": [b"Content-Length: 5", b"Transfer-Encoding: x"],
    "empty coding": [b"Content-Length: 5", b"Transfer-Encoding:"],
    "named by Connection": [
        b"Connection: content-length",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
    ],
    "coding named by Connection": [
        b"Connection: transfer-encoding",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
    ],
}

# A request as a body, which is only a body.
INNER = sized(SMUGGLED)

CASES = [
    *(
        refused(f"length {escaped(v)}", post(b"Content-Length: " + v) + b"hello")
        for v in BAD_VALUES
    ),
    *(refused(f"lengths: {id}", post(*lines) + b"hello") for id, lines in REPEATED.items()),
    *(refused(f"length: {id}", post(line) + b"hello") for id, line in DISGUISED.items()),
    *(passed(f"no length: {escaped(n)}", post(n + b": 5")) for n in LOOKALIKES),
    *(refused(f"both: {id}", post(*lines) + b"0\r\n\r\n") for id, lines in BOTH.items()),
    # CL.0: what a server does not take for a body it must not get as a request from anybody else;
    # all that can be done is to pass it on as the body that it is.
    *(
        passed(f"request as a body of {method.decode()}", INNER.replace(b"POST", method, 1))
        for method in (b"POST", b"GET", b"DELETE", b"OPTIONS", b"PUT", b"PATCH", b"TRACE", b"get")
    ),
    passed(
        "request as a body, named by Connection",
        post(b"Connection: content-length", b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED),
        post(b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED),
    ),
    # 0.CL: a length of nothing, and none.
    passed("length 0", post(b"Content-Length: 0")),
    passed("length of many zeros", post(b"Content-Length: " + b"0" * 40)),
    passed(
        "length behind zeros", post(b"Content-Length: 00000000000000000000000005", body=b"hello")
    ),
    passed(
        "length between tabs",
        post(b"Content-Length:\t5\t", body=b"hello"),
        post(b"Content-Length: 5", body=b"hello"),
    ),
    passed("no length at all", post()),
    passed("length that is not octal", post(b"Content-Length: 010", body=b"0123456789")),
    Case(
        "body longer than its length",
        (sized(b"hello") + b"G" + NEXT,),
        (200, 200),
        (sized(b"hello"), b"G" + NEXT),
        closes=False,
    ),
    Case(
        "body much longer than its length",
        (sized(b"hello") + b"{}" + SMUGGLED,),
        (200, 400),
        (sized(b"hello"),),
    ),
    # RFC 9112 §8: what is cut short is not whole.
    *(
        Case(
            f"length {length}, and an end",
            (post(b"Content-Length: %d" % length) + b"hello",),
            (),
            partly=post(b"Content-Length: %d" % length) + b"hello",
            ends=True,
            cut=True,
        )
        for length in (6, 1 << 31, 1 << 32, 1 << 63, (1 << 64) - 1)
    ),
    Case(
        "length in three segments",
        (post(b"Content-Length: 15")[:-2], b"\r\nhello", b"0123456789"),
        (200,),
        (post(b"Content-Length: 15") + b"hello0123456789",),
        closes=False,
    ),
    # HTTP/1.0 frames by length too.
    Case(
        "length in 1.0",
        (post(b"Content-Length: 5", body=b"hello", version=b"HTTP/1.0") + SMUGGLED,),
        (200,),
        (post(b"Content-Length: 5", body=b"hello", version=b"HTTP/1.0"),),
    ),
    refused(
        "two lengths in 1.0",
        post(b"Content-Length: 5", b"Content-Length: 0", version=b"HTTP/1.0") + b"hello",
    ),
    refused(
        "no host beside a length",
        request(b"Content-Length: 5", method=b"POST", host=None) + b"hello",
    ),
]
