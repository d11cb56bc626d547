# SPDX-License-Identifier: GPL-2.0
"""What is meant for one connection only: RFC 9110 §7.6.1, §7.8, §10.1.1, §10.1.4."""

from hostile.case import (
    CLIENT_ADDRESS,
    ELSEWHERE,
    FORWARDED_FOR,
    NEXT,
    RULES,
    Case,
    last,
    passed,
    post,
    refused,
    request,
)

HELLO = b"5\r\nhello\r\n0\r\n\r\n"

UPGRADE = b"Connection: Upgrade"

# Fields with a `Connection` that names some of them, and what a server sees of them.
NOMINATED: dict[str, tuple[list[bytes], list[bytes]]] = {
    "nothing": ([b"Connection:", b"X: y"], [b"Connection:", b"X: y"]),
    "a field": ([b"Connection: x", b"X: y"], []),
    "a field before it": ([b"X: y", b"Connection: x"], []),
    "a field of another case": ([b"Connection: X-fOO", b"x-FOO: y", b"Z: z"], [b"Z: z"]),
    "a field twice": ([b"Connection: x", b"X: y", b"X: z", b"Z: z"], [b"Z: z"]),
    "two fields": ([b"Connection: x,z", b"X: y", b"Y: y", b"Z: z"], [b"Y: y"]),
    "fields in two lines": ([b"Connection: x", b"X: y", b"Connection: z", b"Z: z"], []),
    "empty elements": ([b"Connection: , ,x,, ", b"X: y"], []),
    "a field that is not there": ([b"Connection: z", b"X: y"], [b"X: y"]),
    "part of a field": ([b"Connection: x", b"X-Y: y"], [b"X-Y: y"]),
    "more than a field": ([b"Connection: x-y", b"X: y"], [b"X: y"]),
    "itself": ([b"Connection: connection", b"X: y"], [b"X: y"]),
    "cookies": ([b"Connection: cookie", b"Cookie: a=b"], []),
    "credentials": ([b"Connection: authorization", b"Authorization: Basic eA=="], []),
    "the client's address": ([b"Connection: x-forwarded-for", b"X-Forwarded-For: b"], []),
    "Keep-Alive": ([b"Connection: keep-alive", b"Keep-Alive: timeout=5"], []),
    "Keep-Alive alone": ([b"Keep-Alive: timeout=5, max=1"], []),
    "Proxy-Connection": ([b"Proxy-Connection: keep-alive"], []),
    "Proxy-Connection that closes": ([b"Proxy-Connection: close"], []),
    "keep-alive": ([b"Connection: keep-alive"], [b"Connection: keep-alive"]),
    "keep-alive and a field": ([b"Connection: keep-alive, x", b"X: y"], []),
    # Where the request goes and where it ends is not for `Connection` to say.
    "the host": ([b"Connection: host"], []),
    "a length that is not there": ([b"Connection: content-length"], []),
    "a coding that is not there": ([b"Connection: transfer-encoding"], []),
    # TE (RFC 9110 §10.1.4): nothing but `trailers` is asked of a server.
    "TE": ([b"Connection: TE", b"TE: trailers"], [b"Connection: TE", b"TE: trailers"]),
    "TE of a coding": ([b"Connection: TE", b"TE: gzip"], []),
    "TE of chunks": ([b"Connection: TE", b"TE: chunked"], []),
    "TE of both": (
        [b"Connection: TE", b"TE: trailers, gzip;q=0.5"],
        [b"TE: trailers", b"Connection: TE"],
    ),
    "TE of a coding alone": ([b"TE: deflate"], []),
    # An upgrade needs both of its fields (RFC 9110 §7.8), and leads past the rules where it is
    # one to HTTP/2 (RFC 9113 §3.1).
    "Upgrade": ([UPGRADE, b"Upgrade: x"], [UPGRADE, b"Upgrade: x"]),
    "Upgrade that is not named": ([b"Upgrade: x"], []),
    "Upgrade of nothing": ([UPGRADE, b"Upgrade:"], []),
    "h2c": ([UPGRADE, b"Upgrade: h2c"], []),
    "H2C": ([UPGRADE, b"Upgrade: H2C"], []),
    "h2c with settings": (
        [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"],
        [],
    ),
    "h2": ([UPGRADE, b"Upgrade: h2"], []),
    "HTTP/2.0": ([UPGRADE, b"Upgrade: HTTP/2.0"], []),
    "http/2": ([UPGRADE, b"Upgrade: http/2"], []),
    "h2c behind a tab": ([UPGRADE, b"Upgrade:\th2c"], []),
    "h2c in a list": ([UPGRADE, b"Upgrade: ,h2c,"], []),
    "h2c of a version": ([UPGRADE, b"Upgrade: h2c/1"], []),
    "h2c of a draft": ([UPGRADE, b"Upgrade: h2c-14"], []),
    "h2c and another": (
        [UPGRADE, b"Upgrade: h2c, x"],
        [b"Upgrade: x", b"Connection: upgrade"],
    ),
    "another and h2c": (
        [UPGRADE, b"Upgrade: websocket, h2c"],
        [b"Upgrade: websocket", b"Connection: upgrade"],
    ),
    "h2c in two lines": (
        [UPGRADE, b"Upgrade: x", b"Upgrade: h2c"],
        [b"Upgrade: x", b"Connection: upgrade"],
    ),
    "h2c that is not named": ([b"Upgrade: h2c"], []),
    "Upgrade and a field": (
        [b"Connection: Upgrade, x", b"X: y", b"Upgrade: z"],
        [b"Upgrade: z", b"Connection: upgrade"],
    ),
    # Not hop by hop, whatever it looks like: RFC 9110 §10.1.1. With bodies: expectations.py.
    "Expect": ([b"Expect: 100-continue"], [b"Expect: 100-continue"]),
    "Expect of another case": ([b"eXPECT: 100-CONTINUE"], [b"eXPECT: 100-CONTINUE"]),
    "Expect of something": ([b"Expect: x"], [b"Expect: x"]),
    "Expect of nothing": ([b"Expect:"], [b"Expect:"]),
    "Expect twice": ([b"Expect: 100-continue"] * 2, [b"Expect: 100-continue"] * 2),
}

# With bodies: nothing about how they end may get lost.
WITH_BODIES = {
    "a length": ([b"Connection: content-length"], b"Content-Length: 5", b"hello"),
    "a length in capitals": ([b"Connection: CONTENT-LENGTH"], b"Content-Length: 5", b"hello"),
    "a length among others": (
        [b"Connection: x, content-length, y"],
        b"Content-Length: 5",
        b"hello",
    ),
    "a coding": ([b"Connection: transfer-encoding"], b"Transfer-Encoding: chunked", HELLO),
    "a coding among others": (
        [b"Connection: a,Transfer-Encoding"],
        b"Transfer-Encoding: chunked",
        HELLO,
    ),
    "h2c and a length": ([UPGRADE, b"Upgrade: h2c"], b"Content-Length: 5", b"hello"),
    "h2c and a coding": ([UPGRADE, b"Upgrade: h2c"], b"Transfer-Encoding: chunked", HELLO),
}

# `X-Forwarded-For` as it comes, and as a server sees it with the client's address.
FORWARDED: dict[str, tuple[list[bytes], bytes]] = {
    "none": ([], b""),
    "one": ([b"X-Forwarded-For: 1.2.3.4"], b"1.2.3.4, "),
    "two": ([b"X-Forwarded-For: 1.2.3.4", b"x-forwarded-for: 5.6.7.8"], b"1.2.3.4, 5.6.7.8, "),
    "empty": ([b"X-Forwarded-For:"], b""),
    "a list": ([b"X-Forwarded-For: a, b"], b"a, b, "),
    "a quote": ([b'X-Forwarded-For: "'], b'", '),
    "a comma": ([b"X-Forwarded-For: ,"], b",, "),
    "named by Connection": ([b"Connection: x-forwarded-for", b"X-Forwarded-For: 1.2.3.4"], b""),
    "our own": ([b"X-Forwarded-For: " + CLIENT_ADDRESS], CLIENT_ADDRESS + b", "),
}


def forwarded(id: str, fields: list[bytes], before: bytes) -> Case:
    seen = b"X-Forwarded-For: " + before + CLIENT_ADDRESS
    return Case(
        f"address: {id}",
        (request(*fields),),
        (200,),
        (request(seen),),
        ends=True,
        port=FORWARDED_FOR,
    )


CASES = [
    *(
        passed(f"Connection: {id}", request(*fields), request(*seen))
        for id, (fields, seen) in NOMINATED.items()
    ),
    *(
        passed(
            f"Connection with a body: {id}", post(*fields, frame, body=body), post(frame, body=body)
        )
        for id, (fields, frame, body) in WITH_BODIES.items()
    ),
    *(
        last(f"Connection: {id}", request(*fields), request(*seen))
        for id, (fields, seen) in {
            "close": ([b"Connection: close"], []),
            "CLOSE": ([b"Connection: CLOSE"], []),
            "close and keep-alive": ([b"Connection: close, keep-alive"], []),
            "keep-alive and close": ([b"Connection: keep-alive", b"Connection: close"], []),
            "close and a field": ([b"Connection: x,close", b"X: y"], []),
            "close behind empty elements": ([b"Connection: ,,close"], []),
            "close named twice": ([b"Connection: close, close"], []),
        }.items()
    ),
    # More than anyone needs would make every field dear.
    refused("Connection: five lines", request(*[b"Connection: x"] * 5)),
    refused("Connection: a long line", request(b"Connection: " + b"x," * 300)),
    refused("Connection: folded", request(b"Connection: close\r\n , x")),
    refused("Connection: control byte", request(b"Connection: close\x00")),
    # HTTP/1.0 knows no upgrades (RFC 9110 §7.8) and no expectations (§10.1.1).
    last(
        "Upgrade in 1.0",
        request(UPGRADE, b"Upgrade: x", version=b"HTTP/1.0"),
        request(version=b"HTTP/1.0"),
    ),
    last("Expect in 1.0", request(b"Expect: 100-continue", version=b"HTTP/1.0")),
    # There are servers that take the content for what has been upgraded to, and others do not.
    passed(
        "Upgrade with a body",
        post(UPGRADE, b"Upgrade: x", b"Content-Length: 5", body=b"hello"),
        post(b"Content-Length: 5", body=b"hello"),
    ),
    passed(
        "Upgrade with chunks",
        post(UPGRADE, b"Upgrade: x", b"Transfer-Encoding: chunked", body=HELLO),
        post(b"Transfer-Encoding: chunked", body=HELLO),
    ),
    # What stands behind an upgrade that the server has not agreed to is a request.
    Case(
        "preface behind an upgrade to HTTP/2",
        (request(UPGRADE, b"Upgrade: h2c") + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",),
        (200, 505),
        (request(),),
    ),
    Case(
        "frames behind an upgrade that is refused",
        (request(UPGRADE, b"Upgrade: websocket") + b"\x81\x85\0\0\0\0hello",),
        (200, 400),
        (request(UPGRADE, b"Upgrade: websocket"),),
    ),
    *(forwarded(id, *what) for id, what in FORWARDED.items()),
    refused("address with LF", request(b"X-Forwarded-For: a\nX: y")),
    # What the director answers itself holds nothing that was asked.
    *(
        Case(
            f"redirection: {id}",
            (request(*fields, target=target) + NEXT,),
            (302, 200),
            (NEXT,),
            closes=False,
            port=RULES,
            location=ELSEWHERE,
        )
        for id, target, fields in (
            ("plain", b"/old", []),
            ("line end", b"/old%0d%0aSet-Cookie:%20a=b", []),
            ("line end of Unicode", b"/old%E5%98%8A%E5%98%8D", []),
            ("host", b"/old/", [b"X-Forwarded-Host: b"]),
            ("query", b"/old?Location:%20http://b/", []),
        )
    ),
    *(
        refused(f"redirection: {id}", request(target=target, host=host), 400)
        for id, target, host in (
            ("CR LF in the target", b"/old\r\nSet-Cookie: a=b", b"Host: a"),
            ("CR in the target", b"/old\rSet-Cookie:a=b", b"Host: a"),
            ("LF in the host", b"/old", b"Host: a\nSet-Cookie: a=b"),
        )
    ),
]
