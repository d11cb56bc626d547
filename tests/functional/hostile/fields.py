# SPDX-License-Identifier: GPL-2.0
"""Field lines: RFC 9110 §5.1, §5.5, RFC 9112 §5."""

from hostile.case import escaped, passed, refused, request

# Bytes that are in no token (RFC 9110 §5.6.2), beside the colon.
SEPARATORS = b'"(),/;<=>?@[\\]{} \t'

# Control bytes, beside tab, CR and LF.
CONTROLS = [0, 1, 2, 7, 8, 0x0B, 0x0C, 0x0E, 0x1A, 0x1B, 0x1F, 0x7F]

HIGH = [b"\x80", b"\x85", b"\xa0", b"\xff", "é".encode(), "\u200b".encode(), "\uff38".encode()]

# Line ends that only some readers know, and lines that are none (RFC 9112 §2.2, §5.1, §5.2).
BAD_LINES = {
    "CR in a value": b"X: a\rb",
    "LF in a value": b"X: a\nb",
    "CR at the end": b"X: a\r",
    "LF at the end": b"X: a\n",
    "CR for a value": b"X:\r",
    "LF for a value": b"X:\n",
    "CR first": b"\rX: y",
    "LF first": b"\nX: y",
    "CR in a name": b"X\rY: z",
    "LF in a name": b"X\nY: z",
    "CR before the colon": b"X\r: y",
    "LF before the colon": b"X\n: y",
    "CR LF before the colon": b"X\r\n: y",
    "LF and a field": b"X: y\nCookie: a=b",
    "CR and a field": b"X: y\rCookie: a=b",
    "LF CR between fields": b"X: y\n\rZ: z",
    "LF and a fold": b"X: y\n z",
    "folded": b"X: y\r\n z",
    "folded with a tab": b"X: y\r\n\tz",
    "folded twice": b"X: y\r\n z\r\n z",
    "folded into nothing": b"X: y\r\n ",
    "folded into a tab": b"X: y\r\n\t",
    "fold for a value": b"X:\r\n y",
    "name folded": b"X\r\n Y: z",
    "folded into a field": b"X: y\r\n Cookie: a=b",
    "empty name": b": y",
    "empty name and value": b":",
    "empty name behind a space": b" : y",
    "two colons and no name": b":: y",
    "no colon": b"X",
    "no colon but a value": b"X y",
    "no colon but host": b"Host",
    "space before the colon": b"X : y",
    "tab before the colon": b"X\t: y",
    "spaces before the colon": b"X \t : y",
    "host with a space": b"Host : a",
    "cookie with a space": b"Cookie : a=b",
    "connection with a space": b"Connection : close",
    "only a space": b" ",
    "only a tab": b"\t",
    "only spaces": b" \t ",
    "a status line": b"HTTP/1.1 200 OK",
    "a request line": b"GET / HTTP/1.1",
    "a chunk": b"5\r\nhello",
    "NUL alone": b"\0",
    "an end that is none": b"X: y\r\n\r",
    "an end of LF": b"X: y\r\n\n",
    "an end of LF LF": b"X: y\n\n",
}

# Allowed, however odd: it passes as it is.
GOOD_LINES = [
    b"!#$%&'*+-.^_`|~: y",
    b"0: 1",
    b"-: -",
    b"_: _",
    b".: y",
    b"X:",
    b"X: ",
    b"X: \t ",
    b"X:y",
    b"X:\ty\t",
    b"X: y \t z",
    b"X::",
    b"X:: y",
    b"X: a: b",
    b'X: "',
    b"X: \\",
    b'X: "\\"',
    b"X: (a",
    b"X: <script>alert(1)</script>",
    b"X: ${jndi:ldap://b/}",
    b"X: () { :;};",
    b"X: %0d%0aSet-Cookie: a=b",
    b"X: \\r\\nSet-Cookie: a=b",
    b"X: a, b;c=d",
    b"X: \x80\xff",
    b"X: \xc4\x8d\xc4\x8a",
    b"X: \xe5\x98\x8a\xe5\x98\x8d",
    b"X: \xef\xbb\xbf",
    b"X_Y: z",
    b"X-Y: z\r\nX_Y: z",
    b"X: y\r\nX: y\r\nx: Y",
    b"Hos: b",
    b"Host2: b",
    b"X-Host: b",
    b"Host-: b",
    b"Ho_st: b",
    b"X-Forwarded-Host: b",
    b"Forwarded: for=b;host=c",
    b"Via: 1.1 b",
    b"Cookie: ",
    b"Cookie: ;;=;a",
    b'Cookie: a="b; c=d"',
    b"Cookie: a=b\r\nCookie: a=c",
    b"Set-Cookie: a=b",
    b"Location: http://b/",
    b"Status: 500",
    b"Date: never",
    b"Content-Type:",
    b"Content-Encoding: x",
    b"Trailer: Content-Length",
    b"X-HTTP-Method-Override: DELETE",
    b"X-Original-URL: /smuggled",
    b"Range: bytes=0-0,-1",
    b"If-Match: *",
    b"Max-Forwards: 0",
    b"HTTP2-Settings: x",
    b"%s: y" % (b"X" * 1000),
    b"X: " + b"y" * 8000,
]

CASES = [
    *(
        refused(f"name with {escaped(bytes([byte]))}", request(b"X%cY: z" % byte))
        for byte in [*SEPARATORS, *CONTROLS]
    ),
    *(
        refused(f"name that begins with {escaped(bytes([byte]))}", request(b"%cX: y" % byte))
        for byte in [*SEPARATORS, *CONTROLS]
    ),
    *(refused(f"name with {escaped(high)}", request(b"X%sY: z" % high)) for high in HIGH),
    *(
        refused(f"value with {escaped(bytes([byte]))}", request(b"X: a%cb" % byte))
        for byte in CONTROLS
    ),
    *(
        refused(f"value that ends with {escaped(bytes([byte]))}", request(b"X: a%c" % byte))
        for byte in CONTROLS
    ),
    *(refused(f"first line: {id}", request(line, host=None)) for id, line in BAD_LINES.items()),
    *(refused(f"line: {id}", request(line)) for id, line in BAD_LINES.items()),
    *(passed(f"line {escaped(line)}", request(line)) for line in GOOD_LINES),
]
