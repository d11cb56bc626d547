# SPDX-License-Identifier: GPL-2.0
"""Pipelines of requests each of which is marked all over, made at random: in the target, in the
fields and in the body, and so is each response. Either end can tell what belongs to what."""

import random
from dataclasses import dataclass, field
from itertools import pairwise

from support.grammar import LOOKS_LIKE_A_HEAD

# What is behind a body that ends where it does not, to those who think so.
TAIL = LOOKS_LIKE_A_HEAD.decode()

# What a server does with a request.
HOWS = ["length"] * 8 + ["chunks"] * 5 + ["slow", "drip", "interim", "early", "twice"] + [
    "say-close", "just-close", "until-close", "cut", "drop",
]  # fmt: skip

# How a pipeline ends.
ENDS = ["read"] * 6 + ["half-close"] * 2 + [
    "close", "malformed", "bad-chunk", "cut-short", "abort", "reset",
]  # fmt: skip


@dataclass(frozen=True)
class Tagged:
    """A request, and what is to be done with it."""

    ident: str
    method: str
    how: str
    # Of the response's body and the request's, in bytes.
    size: int
    sends: int
    pool: str
    data: bytes

    @property
    def repeatable(self) -> bool:
        """The director may send it once more if the server closes without an answer."""
        return self.method in ("GET", "HEAD", "PUT", "DELETE") and b"X-Body: -" in self.data

    @property
    def content(self) -> bytes:
        """What its response's body is."""
        return b"" if self.method == "HEAD" else content(f"<{self.ident}>", self.size)


def content(mark: str, size: int) -> bytes:
    """So many bytes with this mark throughout, and with what could be taken for a head."""
    once = (mark * 5 + TAIL).encode()
    return (once * (size // len(once) + 1))[:size]


def head(ident: str, method: str, how: str, size: int, sends: int, pool: str, more: str) -> bytes:
    body = "-" if sends < 0 else str(sends)
    return (
        f"{method} /{pool}/{ident}/{how}/{size} HTTP/1.1\r\nHost: {pool}.test\r\n"
        f"X-Id: {ident}\r\nX-Method: {method}\r\nX-Body: {body}\r\n{more}\r\n"
    ).encode()


@dataclass
class Pipeline:
    """What one client sends over one connection."""

    number: int
    requests: list[Tagged]
    end: str
    data: bytes
    # Where it is cut for the packets, and how much of it is sent.
    pieces: list[bytes] = field(default_factory=list)
    # How many responses are read before all is dropped.
    reads: int = 0
    # Names of requests that no server may ever see whole.
    never: list[str] = field(default_factory=list)


def request(chance: random.Random, ident: str, hows: list[str]) -> Tagged:
    how = chance.choice(hows)
    method = chance.choice(["GET", "GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "PATCH"])
    size = chance.choice([0, 1, 30, 30, 300, 300, 1400, 5000, 30000])
    if how in ("drip", "twice"):
        size = min(size, 300)
    sends, more, sent = -1, chance.choice(MORE), b""
    if chance.random() < 0.45 and method != "HEAD":
        sends = chance.choice([0, 1, 40, 40, 300, 1500, 9000])
        body = content(f"[{ident}]", sends)
        if chance.random() < 0.5:
            more += f"Content-Length: {sends}\r\n"
            sent = body
        else:
            more += "Transfer-Encoding: chunked\r\n"
            sent = chunks(chance, body)
    pool = chance.choice("ab")
    data = head(ident, method, how, size, sends, pool, more) + sent
    return Tagged(ident, method, how, size, sends, pool, data)


# Fields that make the director write the head anew, or not.
MORE = ["", "", "Keep-Alive: 5\r\n", "X: y\r\n", "Connection: X-Gone\r\nX-Gone: 1\r\n", "TE: a\r\n"]


def chunks(chance: random.Random, body: bytes) -> bytes:
    """The body in chunks of any size."""
    data, at = b"", 0
    while at < len(body):
        size = min(len(body) - at, chance.choice([1, 20, 500, 4000]))
        data += b"%x\r\n%s\r\n" % (size, body[at : at + size])
        at += size
    return data + b"0\r\n\r\n"


def poison(more: str, body: str = "") -> bytes:
    """A request that is not right, and one behind it."""
    first = f"GET /a/poison/length/1 HTTP/1.1\r\nHost: test\r\nX-Id: poison\r\n{more}\r\n{body}"
    return (first + TAIL).encode()


MALFORMED = [
    poison("Host : test\r\n"), poison("Host: other\r\n"), poison("X: a\nb: c\r\n"),
    poison("Content-Length: 5\r\nContent-Length: 5\r\n", "12345"), poison("X: a\0\r\n"),
    poison("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    poison("Transfer-Encoding: chunked, identity\r\n"), poison("Content-Length: +5\r\n", "12345"),
    poison("X: a\r\n folded\r\n"), b"GET /poison\r\n\r\n" + TAIL.encode(), b"\x16\x03\x01\r\n\r\n",
    poison("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), b"G\0ET / HTTP/1.1\r\n\r\n",
]  # fmt: skip


def pipeline(chance: random.Random, number: int) -> Pipeline:
    """A pipeline with this number."""
    idents = [f"p{number}.{n}" for n in range(chance.choice([1, 1, 2, 3, 5, 8, 12]))]
    made = [request(chance, ident, HOWS) for ident in idents]
    end = chance.choice(ENDS)
    last = f"p{number}.last"
    data = b"".join(one.data for one in made)
    result = Pipeline(number, made, end, data)
    if end == "close":
        one = request(chance, last, ["length", "chunks"])
        data = one.data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
        result.requests.append(
            Tagged(last, one.method, one.how, one.size, one.sends, one.pool, data)
        )
        result.data += data + poison("")
    elif end == "malformed":
        result.data += chance.choice(MALFORMED)
    elif end == "bad-chunk":
        result.never.append(last)
        more = "Transfer-Encoding: chunked\r\n"
        result.data += head(last, "POST", "length", 5, 3, "a", more) + b"3\r\n[p1\r\nzz\r\n"
        result.data += TAIL.encode()
    elif end == "cut-short":
        result.never.append(last)
        whole = request(chance, last, ["length"]).data
        result.data += whole[: chance.randrange(1, len(whole))]
    elif end in ("abort", "reset"):
        cut = chance.randrange(1, len(result.data) + 1)
        at = 0
        for one in made:
            at += len(one.data)
            if at > cut:
                result.never.append(one.ident)
        result.data = result.data[:cut]
        result.reads = chance.randrange(len(made) + 1 - len(result.never))
    cuts = sorted(chance.choices(range(len(result.data) + 1), k=chance.choice([0, 0, 1, 3, 9, 40])))
    ends = [0, *cuts, len(result.data)]
    result.pieces = [result.data[a:b] for a, b in pairwise(ends) if a < b]
    return result


def answer(ident: str, how: str, size: int, method: str) -> tuple[bytes, bytes]:
    """The head and the body that a server answers with."""
    body = content(f"<{ident}>", size)
    fields = f"X-Id: {ident}\r\n"
    if how in ("chunks", "drip", "interim"):
        at = size // 2
        sent = b"".join(b"%x\r\n%s\r\n" % (len(x), x) for x in (body[:at], body[at:]) if x)
        body = sent + b"0\r\n\r\n"
        fields += "Transfer-Encoding: chunked\r\n"
    elif how != "until-close":
        fields += f"Content-Length: {size}\r\n"
    if how == "say-close":
        fields += "Connection: close\r\n"
    return f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode(), b"" if method == "HEAD" else body
