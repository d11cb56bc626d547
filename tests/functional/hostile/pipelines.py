# SPDX-License-Identifier: GPL-2.0
"""What stands behind requests on the same connection: RFC 9112 §9.3.2."""

from hostile.case import NEXT, SMUGGLED, Case, chunked, escaped, post, request, sized

HELLO = b"5\r\nhello\r\n0\r\n\r\n"

ONE = request(target=b"/case/1")
TWO = sized(b"hello")
THREE = chunked(HELLO)

# What is refused behind a request that is served, and how.
BEHIND = {
    b"\n": 400,
    b"x\r\n": 400,
    b"\0": 400,
    b"hello\r\n\r\n": 400,
    b"0\r\n\r\n": 400,
    b"\x16\x03\x01\x02\x00": 400,
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n": 400,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 505,
    b"GET / HTTP/1.1\n\n": 400,
    b"GET / HTTP/1.1\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": 400,
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n": 501,
    b"GET /smuggled\r\n\r\n": 400,
    b"\r\n\r\n\r\n\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n": 400,
}

CASES = [
    Case(
        "three in one segment",
        (ONE + TWO + THREE,),
        (200, 200, 200),
        (ONE, TWO, THREE),
        closes=False,
    ),
    Case(
        "three in three segments",
        (ONE, TWO, THREE),
        (200, 200, 200),
        (ONE, TWO, THREE),
        closes=False,
    ),
    Case(
        "three across segments",
        (ONE + TWO[:9], TWO[9:-2], TWO[-2:] + THREE[:-3], THREE[-3:]),
        (200, 200, 200),
        (ONE, TWO, THREE),
        closes=False,
    ),
    Case(
        "twenty",
        (b"".join(ONE.replace(b"1 ", b"%d " % n, 1) for n in range(20)),),
        (200,) * 20,
        tuple(ONE.replace(b"1 ", b"%d " % n, 1) for n in range(20)),
        closes=False,
    ),
    # Line ends that old clients put behind a body (RFC 9112 §2.2).
    Case("line end behind a body", (TWO + b"\r\n" + NEXT,), (200, 200), (TWO, NEXT), closes=False),
    Case(
        "line end behind chunks", (THREE + b"\r\n" + NEXT,), (200, 200), (THREE, NEXT), closes=False
    ),
    Case("line end behind no body", (ONE + b"\r\n" + NEXT,), (200, 200), (ONE, NEXT), closes=False),
    *(
        Case(
            f"{kind}, then {escaped(data)}",
            (first + data + SMUGGLED,),
            (200, status),
            (first,),
        )
        for kind, first in {"GET": ONE, "length": TWO, "chunks": THREE}.items()
        for data, status in BEHIND.items()
    ),
    *(
        Case(f"{kind}, then half a head", (first + SMUGGLED[:-1],), (200, 400), (first,), ends=True)
        for kind, first in {"GET": ONE, "length": TWO, "chunks": THREE}.items()
    ),
    *(
        Case(f"{kind}, then an end", (first,), (200,), (first,), ends=True)
        for kind, first in {"GET": ONE, "length": TWO, "chunks": THREE}.items()
    ),
    # What is behind a refusal, or a connection's last request, is not read.
    Case("refused, then served", (b"GET / HTTP/1.1\r\n\r\n" + SMUGGLED * 3,), (400,)),
    Case(
        "served, refused, then served", (ONE + b"GET\r\n\r\n" + SMUGGLED * 3,), (200, 400), (ONE,)
    ),
    Case(
        "closed, then served", (request(b"Connection: close") + SMUGGLED * 3,), (200,), (request(),)
    ),
    Case(
        "1.0, then served",
        (request(version=b"HTTP/1.0") + SMUGGLED * 3,),
        (200,),
        (request(version=b"HTTP/1.0"),),
    ),
    Case(
        "closed with a body, then served",
        (post(b"Connection: close", b"Content-Length: 5", body=b"hello") + SMUGGLED,),
        (200,),
        (TWO,),
    ),
    Case(
        "closed, then a lot",
        (request(b"Connection: close") + b"x" * 300_000,),
        (200,),
        (request(),),
    ),
    Case("refused, then a lot", (b"GET / HTTP/1.1\r\n\r\n" + b"x" * 300_000,), (400,)),
]
