# SPDX-License-Identifier: GPL-2.0
"""What comes behind, before or instead of a response, and what becomes of connections: interim
responses, bytes that nobody asked for, answers that come too early. RFC 9110 §7.6.1, §7.8, §15.2,
RFC 9112 §6.3, §9.
"""

from hostile.answer import (
    POISON,
    Answer,
    bad,
    broken,
    chunked,
    early,
    extra,
    good,
    response,
    sized,
    until_end,
)
from hostile.case import SMUGGLED, escaped, request

HEAD = request(method=b"HEAD")
OLD = request(version=b"HTTP/1.0")
OLD_KEPT = request(b"Connection: keep-alive", version=b"HTTP/1.0")
HELLO = b"5\r\nhello\r\n0\r\n\r\n"

CLOSE = b"Connection: close"
LENGTH = b"Content-Length: 5"
CODING = b"Transfer-Encoding: chunked"


# What a server says that nobody asked for.
UNASKED = [
    b"x",
    b"\0",
    b"\r\n",
    b"\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
    POISON,
    POISON * 2,
    POISON[:-1],
    b"x" * 20_000 + POISON,
]

WHOLE = {
    "length": sized(b"hello"),
    "length of nothing": sized(b""),
    "chunks": chunked(HELLO),
    "chunks of nothing": chunked(b"0\r\n\r\n"),
    "trailers": chunked(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    "204": response(status=b"204 No Content"),
    "304": response(status=b"304 Not Modified"),
}

UPGRADE = request(b"Connection: Upgrade", b"Upgrade: x")
POSTED = request(b"Content-Length: 100", method=b"POST", body=b"0123456789")
POSTED_CHUNKS = request(CODING, method=b"POST", body=b"64\r\n0123456789")
EXPECTING = request(b"Expect: 100-continue", b"Content-Length: 100", method=b"POST")

# How a server goes that does not answer.
GONE = {"end": {"ends": True}, "reset": {"resets": True}}

UNEXPECTED: list[Answer] = [
    # Behind a response: with it, or later. It must not answer the next request.
    *(
        extra(f"{id}, then {escaped(behind)}", whole, behind)
        for id, whole in WHOLE.items()
        for behind in UNASKED
    ),
    *(
        good(f"{id}, later {escaped(behind)}", whole, late=behind, reused=False)
        for id, whole in WHOLE.items()
        for behind in (b"x", b"\r\n", POISON)
    ),
    # Content where there is none (RFC 9110 §6.4.1): it is what stands behind the response.
    extra("HEAD with a body", response(LENGTH), b"hello", asks=HEAD),
    extra("HEAD with chunks", response(CODING), HELLO, asks=HEAD),
    extra(
        "HEAD with a body that is a response",
        response(b"Content-Length: %d" % len(POISON)),
        POISON,
        asks=HEAD,
    ),
    extra("HEAD without a length, with a body", response(), b"hello", asks=HEAD),
    extra("304 with a body", response(LENGTH, status=b"304 x"), b"hello"),
    extra("304 with chunks", response(CODING, status=b"304 x"), HELLO),
    extra("204 with a body", response(status=b"204 x"), b"hello"),
    good("HEAD with a length", response(LENGTH), asks=HEAD),
    good("HEAD with a coding", response(CODING), asks=HEAD),
    good("HEAD with nothing", response(), asks=HEAD),
    bad("HEAD with both", response(LENGTH, CODING), asks=HEAD),
    bad("HEAD with a bad length", response(b"Content-Length: x"), asks=HEAD),
    good("304 with a length", response(LENGTH, status=b"304 x")),
    good("304 with a coding", response(CODING, status=b"304 x")),
    good("205 with a length of nothing", sized(b"", status=b"205 x")),
    good("205 with a body", sized(b"hello", status=b"205 x")),
    # RFC 9110 §8.6, RFC 9112 §6.1: a 204 has neither a length nor a coding, and keeps none here.
    good(
        "204 with a length of nothing",
        response(b"Content-Length: 0", status=b"204 x"),
        gets=response(status=b"204 x"),
    ),
    good("204 with a length", response(LENGTH, status=b"204 x"), gets=response(status=b"204 x")),
    good("204 with a coding", response(CODING, status=b"204 x"), gets=response(status=b"204 x")),
    good(
        "204 with a length and a body",
        response(LENGTH, status=b"204 x", body=b"hello"),
        gets=response(status=b"204 x"),
        reused=False,
    ),
    good(
        "204 with a coding and chunks",
        response(CODING, status=b"204 x", body=HELLO),
        gets=response(status=b"204 x"),
        reused=False,
    ),
    bad("204 with both", response(LENGTH, CODING, status=b"204 x")),
    # No answer, or only a part of its head.
    *(
        bad(f"end behind {escaped(v)}", v, ends=True)
        for v in (
            b"H",
            b"HTTP/1.1",
            b"HTTP/1.1 200",
            b"HTTP/1.1 200 OK\r",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nX: y\r\n",
            b"HTTP/1.1 200 OK\r\nX: y\r\n\r",
        )
    ),
    # Nothing of one: it may be asked again if it is idempotent and has no body (RFC 9110 §9.2.2).
    *(
        bad(f"{id} to {method.decode()}", asks=request(method=method), repeated=True, **how)
        for id, how in GONE.items()
        for method in (b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE")
    ),
    *(
        bad(f"{id} to {method.decode()}", asks=request(method=method), **how)
        for id, how in GONE.items()
        for method in (b"POST", b"PATCH", b"BREW")
    ),
    *(
        bad(
            f"{id} to {method.decode()} of a body",
            asks=request(LENGTH, method=method, body=b"hello"),
            **how,
        )
        for id, how in GONE.items()
        for method in (b"GET", b"PUT")
    ),
    bad("reset in a head", b"HTTP/1.1 200", resets=True),
]

INTERIM: list[Answer] = [
    *(
        good(f"interim {status.decode()}", response(status=status) + sized(b"ok"))
        for status in (
            b"100 Continue",
            b"102 Processing",
            b"103 Early Hints",
            b"150 x",
            b"199 x",
            b"100",
        )
    ),
    good("interim in a segment of its own", response(status=b"103 x"), sized(b"ok")),
    good("many interim responses", response(status=b"102 x") * 32 + sized(b"ok")),
    bad(
        "more interim responses",
        response(status=b"102 x") * 33 + sized(b"ok"),
        gets=response(status=b"102 x") * 32,
    ),
    good("interim with fields", response(b"Link: </x>", status=b"103 x") + sized(b"ok")),
    # They have no content (RFC 9110 §15.2), and no fields that announce any (§8.6, RFC 9112 §6.1).
    good(
        "interim with a length",
        response(LENGTH, status=b"103 x") + sized(b"ok"),
        gets=response(status=b"103 x") + sized(b"ok"),
    ),
    good(
        "interim with a coding",
        response(CODING, status=b"103 x") + sized(b"ok"),
        gets=response(status=b"103 x") + sized(b"ok"),
    ),
    good(
        "100 with a length",
        response(b"X: y", LENGTH, status=b"100 x") + sized(b"ok"),
        gets=response(b"X: y", status=b"100 x") + sized(b"ok"),
    ),
    bad("interim with both", response(LENGTH, CODING, status=b"103 x") + sized(b"ok")),
    bad(
        "interim with a body",
        response(status=b"103 x", body=b"hello") + sized(b"ok"),
        gets=response(status=b"103 x"),
    ),
    bad(
        "interim with a bad length", response(b"Content-Length: x", status=b"103 x") + sized(b"ok")
    ),
    # Fields of one connection stay on it (RFC 9110 §7.6.1).
    good(
        "interim that names a field",
        response(b"Connection: x", b"X: y", b"Z: z", status=b"103 x") + sized(b"ok"),
        gets=response(b"Z: z", status=b"103 x") + sized(b"ok"),
    ),
    good(
        "interim with Keep-Alive",
        response(b"Keep-Alive: timeout=5", status=b"103 x") + sized(b"ok"),
        gets=response(status=b"103 x") + sized(b"ok"),
    ),
    good(
        "interim in 1.0",
        response(status=b"103 x", version=b"HTTP/1.0") + sized(b"ok"),
        gets=response(status=b"103 x") + sized(b"ok"),
    ),
    # RFC 9110 §15.2: HTTP/1.0 knows none.
    good(
        "interim to 1.0",
        response(status=b"103 x") + sized(b"ok"),
        asks=OLD,
        gets=sized(b"ok", CLOSE),
        keeps=False,
        reused=False,
    ),
    good(
        "many interim responses to 1.0",
        response(status=b"103 x") * 32 + sized(b"ok"),
        asks=OLD,
        gets=sized(b"ok", CLOSE),
        keeps=False,
        reused=False,
    ),
    bad(
        "interim, and an end", response(status=b"103 x"), gets=response(status=b"103 x"), ends=True
    ),
    bad(
        "interim, and a reset",
        response(status=b"103 x"),
        gets=response(status=b"103 x"),
        resets=True,
    ),
    bad(
        "interim, and nonsense",
        response(status=b"103 x") + b"x\r\n\r\n",
        gets=response(status=b"103 x"),
    ),
    # RFC 9110 §7.8: a server may change the protocol only to what it is asked for.
    bad("101 unasked", response(b"Connection: upgrade", b"Upgrade: x", status=b"101 x")),
    bad(
        "101 unasked, and a response",
        response(b"Connection: upgrade", b"Upgrade: x", status=b"101 x") + sized(b"ok"),
    ),
    bad("101 unasked with nothing", response(status=b"101 x")),
    bad("101 to HEAD", response(b"Connection: upgrade", b"Upgrade: x", status=b"101 x"), asks=HEAD),
    bad("101 to 1.0", response(b"Connection: upgrade", b"Upgrade: x", status=b"101 x"), asks=OLD),
    bad("101 without Upgrade", response(b"Connection: upgrade", status=b"101 x"), asks=UPGRADE),
    bad("101 without Connection", response(b"Upgrade: x", status=b"101 x"), asks=UPGRADE),
    bad("101 with nothing", response(status=b"101 x"), asks=UPGRADE),
    bad(
        "101 in 1.0",
        response(b"Connection: upgrade", b"Upgrade: x", status=b"101 x", version=b"HTTP/1.0"),
        asks=UPGRADE,
    ),
    good("200 to an upgrade", sized(b"ok"), asks=UPGRADE),
]

CONNECTIONS: list[Answer] = [
    # Until the connection ends (RFC 9112 §6.3, rule 8).
    until_end("until the end", response(body=b"hello"), gets=response(CLOSE, body=b"hello")),
    until_end("until the end at once", response(), gets=response(CLOSE)),
    until_end(
        "until the end, with a response in it",
        response(body=POISON),
        gets=response(CLOSE, body=POISON),
    ),
    until_end(
        "until the end, in two segments",
        response(body=b"hello"),
        b" world",
        gets=response(CLOSE, body=b"hello world"),
    ),
    until_end(
        "until the end of 1.0",
        response(body=b"hello", version=b"HTTP/1.0"),
        gets=response(CLOSE, body=b"hello"),
    ),
    until_end(
        "until the end of 1.0 that says it is kept",
        response(b"Connection: keep-alive", body=b"hello", version=b"HTTP/1.0"),
        gets=response(CLOSE, body=b"hello"),
    ),
    until_end(
        "until the end to 1.0",
        response(body=b"hello", version=b"HTTP/1.0"),
        asks=OLD_KEPT,
        gets=response(CLOSE, body=b"hello", version=b"HTTP/1.0"),
    ),
    broken(
        "until a reset", response(body=b"hello"), resets=True, gets=response(CLOSE, body=b"hello")
    ),
    # HTTP/1.0 keeps its connection only where it says so (RFC 9112 §9.3).
    good("1.0", sized(b"ok", version=b"HTTP/1.0"), gets=sized(b"ok"), reused=False),
    good(
        "1.0 that is kept",
        sized(b"ok", b"Connection: keep-alive", version=b"HTTP/1.0"),
        gets=sized(b"ok"),
    ),
    good(
        "1.0 that is kept, in capitals",
        sized(b"ok", b"CONNECTION: Keep-Alive", version=b"HTTP/1.0"),
        gets=sized(b"ok"),
    ),
    good(
        "1.0 that is kept and closes",
        sized(b"ok", b"Connection: keep-alive, close", version=b"HTTP/1.0"),
        gets=sized(b"ok"),
        reused=False,
    ),
    good(
        "1.0 with Keep-Alive alone",
        sized(b"ok", b"Keep-Alive: max=9", version=b"HTTP/1.0"),
        gets=sized(b"ok"),
        reused=False,
    ),
    good(
        "1.0 with Proxy-Connection",
        sized(b"ok", b"Proxy-Connection: keep-alive", version=b"HTTP/1.0"),
        gets=sized(b"ok"),
        reused=False,
    ),
    good(
        "1.0 that is kept, with poison",
        sized(b"ok", b"Connection: keep-alive", version=b"HTTP/1.0") + POISON,
        gets=sized(b"ok"),
        reused=False,
    ),
    # What is the server's connection's is not the client's.
    good("close", sized(b"ok", CLOSE), gets=sized(b"ok"), reused=False),
    good("close in capitals", sized(b"ok", b"CONNECTION: CLOSE"), gets=sized(b"ok"), reused=False),
    good(
        "close in a list",
        sized(b"ok", b"Connection: x, close", b"X: y"),
        gets=sized(b"ok"),
        reused=False,
    ),
    good(
        "close in the second line",
        sized(b"ok", b"Connection: x", CLOSE),
        gets=sized(b"ok"),
        reused=False,
    ),
    good("close with chunks", chunked(HELLO, CLOSE), gets=chunked(HELLO), reused=False),
    good("close, and an end", sized(b"ok", CLOSE), gets=sized(b"ok"), reused=False, ends=True),
    good("close, and poison", sized(b"ok", CLOSE) + POISON, gets=sized(b"ok"), reused=False),
    good("end without a word", sized(b"ok"), reused=False, ends=True),
    good(
        "named field", sized(b"ok", b"Connection: x", b"X: y", b"Z: z"), gets=sized(b"ok", b"Z: z")
    ),
    good(
        "named cookie",
        sized(b"ok", b"Connection: set-cookie", b"Set-Cookie: a=b"),
        gets=sized(b"ok"),
    ),
    good("named length", sized(b"ok", b"Connection: content-length"), gets=sized(b"ok")),
    good("named coding", chunked(HELLO, b"Connection: transfer-encoding"), gets=chunked(HELLO)),
    good("Keep-Alive", sized(b"ok", b"Keep-Alive: timeout=5"), gets=sized(b"ok")),
    good("Proxy-Connection", sized(b"ok", b"Proxy-Connection: close"), gets=sized(b"ok")),
    good("Upgrade", sized(b"ok", b"Connection: upgrade", b"Upgrade: h2c"), gets=sized(b"ok")),
    good("Upgrade that is not named", sized(b"ok", b"Upgrade: h2c"), gets=sized(b"ok")),
    bad("five lines of Connection", sized(b"ok", *[b"Connection: x"] * 5)),
    bad("long Connection", sized(b"ok", b"Connection: " + b"x," * 300)),
    # An answer before the request is whole: the rest of it must not become another one.
    *(
        early(f"early: {id}", says, asks=asks, more=SMUGGLED * 3)
        for id, says, asks in (
            ("length", sized(b"ok"), POSTED),
            ("chunks", chunked(HELLO), POSTED),
            ("nothing", response(status=b"204 x"), POSTED),
            ("error", sized(b"no", status=b"413 x"), POSTED),
            ("to chunks", sized(b"ok"), POSTED_CHUNKS),
            ("to Expect", sized(b"no", status=b"417 x"), EXPECTING),
        )
    ),
    early("early, and an end", sized(b"ok"), asks=POSTED, ends=True),
    early("early, and poison", sized(b"ok") + POISON, gets=sized(b"ok"), asks=POSTED),
    early(
        "early, and until the end",
        response(body=b"x"),
        gets=response(CLOSE, body=b"x"),
        asks=POSTED,
        ends=True,
    ),
    bad("early nonsense", b"x\r\n\r\n", asks=POSTED, early=True),
    bad("early end", asks=POSTED, early=True, ends=True),
]

ANSWERS = [*UNEXPECTED, *INTERIM, *CONNECTIONS]
