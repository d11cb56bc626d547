# SPDX-License-Identifier: GPL-2.0
"""Heads of responses: RFC 9112 §4, §5, RFC 9110 §15."""

from hostile.answer import Answer, bad, good, response, sized
from hostile.case import escaped
from hostile.fields import BAD_LINES, CONTROLS, GOOD_LINES, HIGH, SEPARATORS

REST = b"\r\nContent-Length: 2\r\n\r\nok"

# What is no status line (RFC 9112 §4): HTTP/1.x, one space, three digits of which the first is not
# zero. The space behind them may be missing.
BAD_STATUS_LINES = [
    b"",
    b"OK",
    b"200 OK",
    b"HTTP",
    b"HTTP/1.1",
    b"HTTP/1.1 ",
    b"HTTP/1.1 OK",
    b"HTTP/1.1 2",
    b"HTTP/1.1 20",
    b"HTTP/1.1 20 OK",
    b"HTTP/1.1 2000",
    b"HTTP/1.1 2000 OK",
    b"HTTP/1.1 200OK",
    b"HTTP/1.1 200x OK",
    b"HTTP/1.1 200, OK",
    b"HTTP/1.1 200;OK",
    b"HTTP/1.1 200-OK",
    b"HTTP/1.1 -200 OK",
    b"HTTP/1.1 +20 OK",
    b"HTTP/1.1 -20 OK",
    b"HTTP/1.1 0x2 OK",
    b"HTTP/1.1 2.0 OK",
    b"HTTP/1.1 2 0 OK",
    b"HTTP/1.1 20x OK",
    b"HTTP/1.1 2xx OK",
    b"HTTP/1.1 x00 OK",
    b"HTTP/1.1 000 OK",
    b"HTTP/1.1 001 OK",
    b"HTTP/1.1 099 OK",
    b"HTTP/1.1 0200 OK",
    b"HTTP/1.1 1000 OK",
    b"HTTP/1.1 65736 OK",
    b"HTTP/1.1 4294967496 OK",
    b'HTTP/1.1 "200" OK',
    b"HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 OK",
    b"HTTP/1.1 20\xb2 OK",
    b"HTTP/1.1 20\x00 OK",
    b"HTTP/1.1 200\x00OK",
    b"HTTP/1.1 200\tOK",
    b"HTTP/1.1 200\x0bOK",
    b"HTTP/1.1 200\xa0OK",
    b"HTTP/1.1  200 OK",
    b"HTTP/1.1\t200 OK",
    b"HTTP/1.1\x0b200 OK",
    b"HTTP/1.1\xa0200 OK",
    b"HTTP/1.1200 OK",
    b"HTTP/1.1\r200 OK",
    b"HTTP/1.1\n200 OK",
    b"HTTP/1.1\r\n200 OK",
    b"HTTP/1.1\r\n 200 OK",
    b" HTTP/1.1 200 OK",
    b"\tHTTP/1.1 200 OK",
    b"\x00HTTP/1.1 200 OK",
    b"\xef\xbb\xbfHTTP/1.1 200 OK",
    b"\nHTTP/1.1 200 OK",
    b"\rHTTP/1.1 200 OK",
    b"\r\nHTTP/1.1 200 OK",
    b"\r\n\r\nHTTP/1.1 200 OK",
    b"xHTTP/1.1 200 OK",
    b"http/1.1 200 OK",
    b"Http/1.1 200 OK",
    b"HTTPS/1.1 200 OK",
    b"HTTP 200 OK",
    b"HTTP/ 200 OK",
    b"HTTP/1 200 OK",
    b"HTTP/1. 200 OK",
    b"HTTP/.1 200 OK",
    b"HTTP/11 200 OK",
    b"HTTP/1.10 200 OK",
    b"HTTP/01.1 200 OK",
    b"HTTP/1.1.1 200 OK",
    b"HTTP/1,1 200 OK",
    b"HTTP/1.x 200 OK",
    b"HTTP/+1.1 200 OK",
    b"HTTP/0.9 200 OK",
    b"HTTP/1.2 200 OK",
    b"HTTP/2.0 200 OK",
    b"HTTP/2 200 OK",
    b"HTTP/3.0 200 OK",
    b"ICY 200 OK",
    b"RTSP/1.0 200 OK",
    b"SIP/2.0 200 OK",
    b"GET / HTTP/1.1",
    b"<!DOCTYPE html>",
    b'{"status": 200}',
    b"\x16\x03\x01\x02\x00",
    b"\x15\x03\x01\x00\x02\x02\x28",
    b"\0\0\0\4\0\0\0\0\0",
    b"SSH-2.0-OpenSSH_9.9",
    b"220 a.example ESMTP",
    b"+OK",
    b"-ERR unknown command",
    b"\xff" * 32,
    # Line ends that only some readers know.
    b"HTTP/1.1 200 O\rK",
    b"HTTP/1.1 200 O\nK",
    b"HTTP/1.1 200 OK\r",
    b"HTTP/1.1 200 OK\n",
    b"HTTP/1.1 200 OK\nX: y",
    b"HTTP/1.1 200 OK\rX: y",
    b"HTTP/1.1 200 OK\r\n X: y",
    b"HTTP/1.1 200\r OK",
    b"HTTP/1.1 200\n",
    b"HTTP/1.1 200\r",
]

# The reason phrase is whatever it is, and so is a status that nobody knows.
GOOD_STATUSES = [
    b"200 ",
    b"200",
    b"200  OK",
    b"200 OK ",
    b"200 O\tK",
    b"200 \xe4\xff",
    b"200 HTTP/1.1 404",
    b"200 <b>",
    b"200 " + b"x" * 5000,
    b"200 -",
    b"201 Created",
    b"206 Partial Content",
    b"207 Multi-Status",
    b"299 x",
    b"300 x",
    b"301 x",
    b"399 x",
    b"400 x",
    b"401 x",
    b"407 x",
    b"408 x",
    b"418 x",
    b"421 x",
    b"499 x",
    b"500 x",
    b"502 x",
    b"505 x",
    b"599 x",
    # RFC 9110 §15: above 599 they mean what 500 does.
    b"600 x",
    b"700 x",
    b"999 x",
]

HEAD_MAX, FIELDS_MAX = 16384, 100

EMPTY = len(response(b"Content-Length: 2", b"X: "))


def of_size(size: int) -> bytes:
    """A response whose head has this many bytes."""
    return sized(b"ok", b"X: " + b"y" * (size - EMPTY))


ANSWERS: list[Answer] = [
    *(bad(f"status line {escaped(line)}", line + REST) for line in BAD_STATUS_LINES),
    *(good(f"status {escaped(s)}", sized(b"ok", status=s)) for s in GOOD_STATUSES),
    *(
        bad(f"reason with {escaped(bytes([byte]))}", sized(b"ok", status=b"200 O%cK" % byte))
        for byte in CONTROLS
    ),
    # RFC 9112 §5.1 and §5.2 have a gateway drop white space before colons, and let it undo folds or
    # refuse them: what else its writer got wrong nobody knows.
    *(bad(f"line: {id}", sized(b"ok", line)) for id, line in BAD_LINES.items()),
    *(
        bad(f"name with {escaped(bytes([byte]))}", sized(b"ok", b"X%cY: z" % byte))
        for byte in [*SEPARATORS, *CONTROLS]
    ),
    *(bad(f"name with {escaped(high)}", sized(b"ok", b"X%sY: z" % high)) for high in HIGH),
    *(
        bad(f"value with {escaped(bytes([byte]))}", sized(b"ok", b"X: a%cb" % byte))
        for byte in CONTROLS
    ),
    *(
        good(f"line {escaped(line)}", sized(b"ok", line))
        for line in GOOD_LINES
        if not line.lower().startswith((b"content-", b"trailer"))
    ),
    # Splitting: what a server echoes with a line end in it is refused, escaped it is text.
    bad("location with LF", sized(b"", b"Location: /\nSet-Cookie: a=b", status=b"302 Found")),
    bad("location with CR", sized(b"", b"Location: /\rSet-Cookie: a=b", status=b"302 Found")),
    bad("cookie with NUL", sized(b"", b"Set-Cookie: a=b\0c")),
    good("location with an escape", sized(b"", b"Location: /%0d%0aX:y", status=b"302 Found")),
    # The same limits as for requests.
    good("head at the limit", of_size(HEAD_MAX)),
    bad("head beyond the limit", of_size(HEAD_MAX + 1)),
    bad("head of 65536 bytes", of_size(65536)),
    bad("head of 70000 bytes", of_size(70_000)),
    good("fields at the limit", sized(b"ok", *[b"X: y"] * (FIELDS_MAX - 1))),
    bad("fields beyond the limit", sized(b"ok", *[b"X: y"] * FIELDS_MAX)),
    bad("value without end", response(b"X: " + b"y" * 200_000)[:-4]),
    bad("name without end", response(b"X" * 200_000)[:-4]),
    bad("reason without end", response(status=b"200 " + b"x" * 200_000)[:-4]),
    bad("fields without end", response(*[b"X: y"] * 30_000)[:-2]),
    bad("line ends without end", b"\r\n" * 50_000),
    bad("bytes without end", b"x" * 200_000),
    good("two segments", sized(b"ok")[:-3], sized(b"ok")[-3:]),
    good("many segments", *(bytes([byte]) for byte in sized(b"ok"))),
]
