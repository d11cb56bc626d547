# SPDX-License-Identifier: GPL-2.0
"""How responses end: RFC 9112 §6, §7.1, §8."""

from hostile import chunks, codings, framing
from hostile.answer import Answer, bad, broken, chunked, good, response, until_end
from hostile.case import escaped, request

OLD = request(version=b"HTTP/1.0")
OLD_KEPT = request(b"Connection: keep-alive", version=b"HTTP/1.0")
HELLO = b"5\r\nhello\r\n0\r\n\r\n"

CLOSE = b"Connection: close"
LENGTH = b"Content-Length: 5"


LENGTHS: list[Answer] = [
    *(
        bad(f"length {escaped(v)}", response(b"Content-Length: " + v, body=b"hello"))
        for v in framing.BAD_VALUES
    ),
    *(bad(f"lengths: {id}", response(*v, body=b"hello")) for id, v in framing.REPEATED.items()),
    *(bad(f"length: {id}", response(v, body=b"hello")) for id, v in framing.DISGUISED.items()),
    # Without a length the end is the connection's, and the client must be told so.
    *(
        until_end(
            f"no length: {escaped(n)}",
            response(n + b": 5", body=b"hello world"),
            gets=response(n + b": 5", CLOSE, body=b"hello world"),
        )
        for n in framing.LOOKALIKES[:8]
    ),
    *(bad(f"both: {id}", response(*v, body=HELLO)) for id, v in framing.BOTH.items()),
    *(
        broken(
            f"length {length}, and an end",
            response(b"Content-Length: %d" % length, body=b"hello"),
            ends=True,
        )
        for length in (6, 1 << 31, 1 << 32, 1 << 63, (1 << 64) - 1)
    ),
    broken("length, and a reset", response(b"Content-Length: 6", body=b"hello"), resets=True),
    broken("length, and an end at once", response(LENGTH), ends=True),
    good("length of many zeros", response(b"Content-Length: " + b"0" * 40)),
    good(
        "length behind zeros", response(b"Content-Length: 0000000000000000000000005", body=b"hello")
    ),
]

CODINGS: list[Answer] = [
    *(
        bad(f"coding {escaped(v)}", response(b"Transfer-Encoding: " + v, body=HELLO))
        for v in [*codings.BAD_VALUES, *codings.UNKNOWN]
    ),
    *(
        good(
            f"coding {escaped(v)}",
            response(b"Transfer-Encoding: " + v, body=HELLO),
            gets=response(b"Transfer-Encoding: " + v.strip(), body=HELLO),
        )
        for v in codings.GOOD
    ),
    *(bad(f"coding: {id}", response(v, body=HELLO)) for id, v in codings.DISGUISED.items()),
    *(bad(f"codings: {id}", response(*v, body=HELLO)) for id, v in codings.REPEATED.items()),
    # RFC 9112 §6.1: HTTP/1.0 has no codings, in what it says and in what it reads.
    bad("coding in 1.0", chunked(HELLO, version=b"HTTP/1.0")),
    bad("coding to 1.0", chunked(HELLO), asks=OLD),
    bad("coding to 1.0 that is kept", chunked(HELLO), asks=OLD_KEPT),
]

CHUNKS: list[Answer] = [
    *(
        broken(f"size {escaped(size)}", chunked(size + b"\r\nhello\r\n0\r\n\r\n"))
        for size in chunks.BAD_SIZES
    ),
    *(broken(f"chunks: {id}", chunked(v)) for id, v in chunks.BAD_LINE_ENDS.items()),
    *(
        broken(f"extension: {id}", chunked(b"5" + v + b"\r\nhello\r\n0\r\n\r\n"))
        for id, v in chunks.BAD_EXTENSIONS.items()
    ),
    *(
        good(f"extension {escaped(v)}", chunked(b"5" + v + b"\r\nhello\r\n0\r\n\r\n"))
        for v in chunks.GOOD_EXTENSIONS
    ),
    *(
        broken(f"trailer {v.decode()}", chunked(b"5\r\nhello\r\n0\r\n" + v + b"\r\n\r\n"))
        for v in chunks.FORBIDDEN
    ),
    *(
        broken(f"trailer: {id}", chunked(b"5\r\nhello\r\n0\r\n" + v))
        for id, v in chunks.BAD_TRAILERS.items()
    ),
    *(
        good(f"trailer {escaped(v)}", chunked(b"5\r\nhello\r\n0\r\n" + v + b"\r\n"))
        for v in chunks.GOOD_TRAILERS
    ),
    *(
        broken(f"chunks cut behind {escaped(v)}", chunked(v), ends=True)
        for v in (
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
            b"ffffffffffffffff\r\nhello",
        )
    ),
    broken("chunks, and a reset", chunked(b"5\r\nhello\r\n"), resets=True),
]

ANSWERS = [*LENGTHS, *CODINGS, *CHUNKS]
