# SPDX-License-Identifier: GPL-2.0
"""Expectations of requests with bodies: RFC 9110 §10.1.1. Who takes one for another than its
neighbour does waits for a body that has gone already, or takes it for the next request. So they are
passed on as they come, and are nothing that the end of a request depends on.
"""

from hostile.answer import POISON, Answer, bad, early, extra, good, response, sized
from hostile.case import (
    NEXT,
    SMUGGLED,
    Case,
    broken,
    escaped,
    last,
    passed,
    post,
    refused,
    request,
)

EXPECT = b"Expect: 100-continue"
CODING = b"Transfer-Encoding: chunked"
KEPT = b"Connection: keep-alive"
CLOSE = b"Connection: close"

# Values that are, or that some readers take for, what asks for a 100.
VALUES = [
    b"100-continue",
    b"100-Continue",
    b"100-CONTINUE",
    b"y 100-continue",
    b"y, 100-continue",
    b"y=1, 100-continue",
    b"100-continue y",
    b"100-continue, y",
    b"100-continue, 100-continue",
    b"100-continue,100-continue",
    b",100-continue",
    b"100-continue,",
    b"100-continue;",
    b"100-continue;q=0",
    b"100-continue=1",
    b'"100-continue"',
    b"100-continuey",
    b"y100-continue",
    b"0100-continue",
    b"101-continue",
    b"200-ok",
    b"100 continue",
    b"100\tcontinue",
    b"100_continue",
    b"100-\xe2\x80\x8bcontinue",
    b"\xa0100-continue",
    b"100",
    b"continue",
    b"y",
    b"",
]

# Lines that some readers take for one of these.
LINES = {
    "no space": [b"Expect:100-continue"],
    "no space, odd case": [b"eXpEcT:100-cOnTiNuE"],
    "tabs": [b"Expect:\t100-continue\t"],
    "space behind": [b"Expect: 100-continue "],
    "tab behind": [b"Expect: 100-continue\t"],
    "tab and space behind": [b"Expect: 100-continue \t "],
    "spaces before": [b"Expect:    100-continue"],
    "twice": [EXPECT] * 2,
    "three times": [EXPECT] * 3,
    "twice in two cases": [EXPECT, b"expect: 100-Continue"],
    "a wrong one behind": [EXPECT, b"Expect: y"],
    "a wrong one before": [b"Expect: y", EXPECT],
    "an empty one behind": [EXPECT, b"Expect:"],
    "an empty one before": [b"Expect:", EXPECT],
    "apart": [EXPECT, b"X: y", b"EXPECT: 100-continue"],
    "another name before": [b"X-Expect: 100-continue"],
    "another name behind": [b"Expect-: 100-continue"],
    "an underscore": [b"Expect_: 100-continue"],
    "in another value": [b"X: Expect: 100-continue"],
    "as a name": [b"100-continue: Expect"],
}

# What is no line (RFC 9112 §5.1, §5.2), or what no value may hold (RFC 9110 §5.5).
BAD_LINES = {
    "space before the colon": b"Expect : 100-continue",
    "tab before the colon": b"Expect\t: 100-continue",
    "folded value": b"Expect:\r\n 100-continue",
    "folded behind": b"Expect: 100-continue\r\n , y",
    "folded by a tab": b"Expect: y\r\n\t100-continue",
    "folded name": b" Expect: 100-continue",
    "no colon": b"Expect 100-continue",
    "equals sign": b"Expect= 100-continue",
    "NUL behind the name": b"Expect\0: 100-continue",
    "NUL behind": b"Expect: 100-continue\0",
    "NUL in it": b"Expect: 100\0-continue",
    "vertical tab before": b"Expect: \x0b100-continue",
    "form feed behind": b"Expect: 100-continue\x0c",
    "CR behind": b"Expect: 100-continue\r",
    "CR before the name": b"\rExpect: 100-continue",
    "LF behind": b"X: y\nExpect: 100-continue",
    "high byte in the name": b"Expect\xa0: 100-continue",
}

# What announces a body, and the body: a request to who thinks that there is none.
CHUNK = b"%x\r\n%s\r\n" % (len(SMUGGLED), SMUGGLED)
BODIES = {
    "a length": (b"Content-Length: %d" % len(SMUGGLED), SMUGGLED),
    "chunks": (CODING, CHUNK + b"0\r\n\r\n"),
}

# What is looked at more closely.
OTHERS = {
    "right": [EXPECT],
    "behind another word": [b"Expect: y 100-continue"],
    "twice in a line": [b"Expect: 100-continue, 100-continue"],
    "twice": [EXPECT] * 2,
}


def of(method: bytes, id: str, frame: bytes, body: bytes) -> Case:
    """It does not depend on the method."""
    data = request(EXPECT, frame, method=method, body=body)
    return passed(f"Expect of {method.decode()} with {id}", data)


def with_body(id: str, frame: bytes, body: bytes) -> list[Case]:
    """All of them with this body."""
    head = request(EXPECT, frame, method=b"HEAD", body=body)
    return [
        *(
            passed(f"Expect {escaped(v)} with {id}", post(b"Expect: " + v, frame, body=body))
            for v in VALUES
        ),
        *(
            passed(f"Expect with {id}: {what}", post(*lines, frame, body=body))
            for what, lines in LINES.items()
        ),
        *(
            refused(f"Expect with {id}: {what}", post(line, frame, body=body))
            for what, line in BAD_LINES.items()
        ),
        *(of(m, id, frame, body) for m in (b"GET", b"PUT", b"DELETE", b"OPTIONS", b"BREW")),
        Case(f"Expect of HEAD with {id}", (head,), (200,), (head,), closes=False, head_only=True),
        passed(f"Expect behind {id}", post(frame, EXPECT, body=body)),
        # One after another.
        passed(
            f"Expect with {id}, in segments",
            post(EXPECT, frame, body=body),
            sends=(post(EXPECT, frame), body, NEXT),
        ),
        Case(
            f"Expect with {id}, three in a row",
            (post(EXPECT, frame, body=body) * 3,),
            (200,) * 3,
            (post(EXPECT, frame, body=body),) * 3,
            closes=False,
        ),
        # Fields that are taken out beside it.
        passed(
            f"Expect with {id}, named by Connection",
            post(b"Connection: expect", EXPECT, frame, body=body),
            post(frame, body=body),
        ),
        passed(
            f"Expect with {id}, beside an upgrade",
            post(b"Connection: Upgrade", b"Upgrade: h2c", EXPECT, frame, body=body),
            post(EXPECT, frame, body=body),
        ),
        last(
            f"Expect with {id}, and a close",
            post(CLOSE, EXPECT, frame, body=body),
            post(EXPECT, frame, body=body),
        ),
        # What else is wrong with the request stays wrong.
        refused(
            f"Expect with {id} without a host",
            post(EXPECT, frame, body=body).replace(b"Host: a\r\n", b"", 1),
        ),
        refused(f"Expect with {id}, announced twice", post(frame, EXPECT, frame, body=body)),
    ]


LENGTH, INNER = BODIES["a length"]

CASES: list[Case] = [
    *(case for id, (frame, body) in BODIES.items() for case in with_body(id, frame, body)),
    # A body of nothing is none: what stands behind it is a request.
    *(
        passed(f"Expect with {escaped(frame)}: {what}", post(*lines, frame))
        for what, lines in OTHERS.items()
        for frame in (b"Content-Length: 0", b"Content-Length: 00", b"X: y")
    ),
    *(
        passed(f"Expect with a last chunk alone: {what}", post(*lines, CODING, body=b"0\r\n\r\n"))
        for what, lines in OTHERS.items()
    ),
    refused("Expect with a length and chunks", post(EXPECT, LENGTH, CODING, body=INNER)),
    refused("Expect with a wrong length", post(EXPECT, b"Content-Length: +5", body=INNER)),
    refused("Expect with a wrong coding", post(EXPECT, b"Transfer-Encoding: x", body=INNER)),
    refused(
        "Expect with an unknown coding",
        post(EXPECT, b"Transfer-Encoding: gzip, chunked", body=INNER),
        501,
    ),
    broken("Expect with a wrong chunk", post(EXPECT, CODING, body=CHUNK + b"x\r\n")),
    # HTTP/1.0 knows no expectations (RFC 9110 §10.1.1), and no chunks.
    *(
        last(f"Expect in 1.0: {what}", post(*lines, LENGTH, body=INNER, version=b"HTTP/1.0"))
        for what, lines in OTHERS.items()
    ),
    *(
        passed(
            f"Expect in 1.0 that is kept: {what}",
            post(KEPT, *lines, LENGTH, body=INNER, version=b"HTTP/1.0"),
        )
        for what, lines in OTHERS.items()
    ),
    refused("Expect in 1.0 with chunks", post(EXPECT, CODING, body=CHUNK, version=b"HTTP/1.0")),
]

CONTINUE = response(status=b"100 Continue")
NO = sized(b"no", status=b"417 Expectation Failed")

ANSWERS: list[Answer] = [
    # An answer before the body: nobody knows whether the body will follow. What does follow is no
    # request, to whichever server.
    *(
        early(f"early {words} to {id}: {what}", says, asks=post(*lines, frame), more=body + NEXT)
        for what, lines in OTHERS.items()
        for id, (frame, body) in BODIES.items()
        for words, says in (
            ("417", NO),
            ("200", sized(b"ok")),
            ("401", sized(b"", status=b"401 x")),
            ("100 and 200", CONTINUE + sized(b"ok")),
            ("100, 100 and 417", CONTINUE * 2 + NO),
        )
    ),
    early(
        "early 100 and 200 to 1.0",
        CONTINUE + sized(b"ok"),
        gets=sized(b"ok", CLOSE),
        asks=post(EXPECT, LENGTH, version=b"HTTP/1.0"),
        more=INNER + NEXT,
    ),
    early("early 417 to GET", NO, asks=request(EXPECT, LENGTH), more=INNER + NEXT),
    # An answer to all of it: the server has read the body, whatever it says, and the next request
    # is one.
    *(
        good(f"{words} to {id}: {what}", says, asks=post(*lines, frame, body=body))
        for what, lines in OTHERS.items()
        for id, (frame, body) in BODIES.items()
        for words, says in (
            ("417", NO),
            ("100 and 200", CONTINUE + sized(b"ok")),
            ("100, 100 and 417", CONTINUE * 2 + NO),
        )
    ),
    # It is not asked again, with or without its body.
    *(
        bad(f"{words} to Expect of {method.decode()}", asks=asks, **how)
        for words, how in (("end", {"ends": True}), ("reset", {"resets": True}))
        for method in (b"GET", b"PUT")
        for asks in [request(EXPECT, LENGTH, method=method, body=INNER)]
    ),
    *(
        bad(f"early end to Expect of {method.decode()}", asks=asks, early=True, ends=True)
        for method in (b"GET", b"PUT")
        for asks in [request(EXPECT, LENGTH, method=method)]
    ),
    # A 100 behind an answer is none to the next request.
    extra("200, then 100", sized(b"ok"), CONTINUE, asks=post(EXPECT, LENGTH, body=INNER)),
    extra(
        "100, 200, then 100 and poison",
        CONTINUE + sized(b"ok"),
        CONTINUE + POISON,
        asks=post(EXPECT, LENGTH, body=INNER),
    ),
]
