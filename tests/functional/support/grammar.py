# SPDX-License-Identifier: GPL-2.0
"""Requests that are valid, usual and odd ones, made at random: what a client sends, and what a
server is to make of it."""

import os
import random
import string
from dataclasses import dataclass
from itertools import pairwise

TOKEN = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"

# What a field's value may have beside letters; some take these for the ends of lines, or for space.
VISIBLE = bytes(range(0x20, 0x7F))
OBSOLETE = bytes(range(0x80, 0x100))

# What would be a message of its own if a body did not end where it does.
LOOKS_LIKE_A_HEAD = b"\r\n\r\nGET /poison HTTP/1.1\r\nHost: poison\r\nX-Id: poison\r\n\r\n"


def seed() -> int:
    """What everything random in a test follows from: KTCPVS_SEED, or always the same, so that the
    suite finds today what it found yesterday. New ones are for who looks for something new. It is
    printed, to see a failure again."""
    found = int(os.environ.get("KTCPVS_SEED") or 1)
    print(f"KTCPVS_SEED={found}")
    return found


def count(usual: int) -> int:
    """How many of something a test makes: KTCPVS_COUNT, or the usual number."""
    return int(os.environ.get("KTCPVS_COUNT") or usual)


@dataclass(frozen=True)
class Request:
    """A request, and what a server is to see of it."""

    ident: str
    method: str
    # The target that a server is sent, whatever form it came in.
    url: bytes
    body: bytes
    # All that the client sends.
    data: bytes
    # What others may not like about it.
    oddities: frozenset[str] = frozenset()
    # The client asks for nothing more on this connection.
    ends_client: bool = False
    # A server may close its connection after it.
    ends_server: bool = False


class Maker:
    """Makes one request or response after the other, out of random choices."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.oddities: set[str] = set()

    def sometimes(self, share: float) -> bool:
        return self.chance.random() < share

    def odd(self, oddity: str) -> None:
        self.oddities.add(oddity)

    def token(self, size: int = 12) -> str:
        return "".join(self.chance.choices(TOKEN, k=self.chance.randint(1, size)))

    def space(self) -> bytes:
        """White space around a value."""
        if self.sometimes(0.03):
            return self.chance.choice([b"\t", b" \t "])
        return self.chance.choice([b"", b" ", b" ", b" ", b"  "])

    def field(self, name: str, value: bytes, frames: bool = False) -> bytes:
        """A field line, spelled in some way; one that `frames` the message, or not."""
        spelled = self.chance.choice([name, name, name.lower(), name.upper()])
        behind = self.space() if not frames or self.sometimes(0.1) else b""
        if frames and behind:
            self.odd("space behind framing")
        ahead = self.space()
        if b"\t" in ahead + behind and name.lower() in HEEDED:
            self.odd("tab beside a value")
        return spelled.encode() + b":" + ahead + value + behind + b"\r\n"

    def value(self) -> bytes:
        """Whatever a value may be."""
        kind = self.chance.randrange(20)
        if kind == 0:
            return b""
        if kind == 1:
            self.odd("bytes above 0x7f")
            # Line ends and spaces to some who take bytes for Latin-1.
            middle = self.chance.choice([b"\x85", b"\xa0", b"\xff", b"\xe2\x80\xa8"])
            return b"a" + middle + b"Content-Length: 7"
        if kind in (2, 3):
            return b"a\tb" + bytes(self.chance.choices(VISIBLE, k=20)) + b"."
        if kind in (4, 5, 6):
            return bytes(self.chance.choices(VISIBLE, k=self.chance.choice([1, 30, 600]))) + b"."
        return self.chance.choice(
            [
                b"chunked",
                b"0",
                b"5, 5",
                b'"quoted, \\" string"',
                b"(comment)",
                b"a;b=c;d",
                b":",
                b"=",
            ]
        )

    def fillers(self) -> list[bytes]:
        """Field lines that mean nothing to those who pass them on."""
        lines = []
        for _ in range(self.chance.choice([0, 0, 1, 2, 3, 3, 12])):
            name = self.chance.choice(FILLERS)
            if self.sometimes(0.06):
                name = self.token()
                if name.lower() in HEEDED:
                    name = "x-" + name
                if not name.replace("-", "").isalnum():
                    self.odd("field name of odd bytes")
            elif self.sometimes(0.03):
                name = self.chance.choice(["Content_Length", "Transfer_Encoding", "Host_"])
                self.odd("field name of odd bytes")
            elif self.sometimes(0.05):
                name = self.chance.choice(["Transfer-Encodings", "Content-Length-X", "Connections"])
                self.odd("longer name")
            lines.append(self.field(name, self.value()))
        return lines

    def content(self) -> bytes:
        """A body of some length that has something of everything in it."""
        size = self.chance.choice([0, 1, 2, 5, 40, 300, 1460, 5000, 20000])
        if size == 0:
            return b""
        if self.sometimes(0.5):
            return (b"%d" % self.chance.randrange(10) + LOOKS_LIKE_A_HEAD * 500)[:size]
        return self.chance.randbytes(size)

    def length(self, body: bytes) -> bytes:
        """The field that says how long the body is."""
        digits = str(len(body))
        if self.sometimes(0.1):
            digits = digits.zfill(self.chance.choice([4, 19, 20, 30]) if body else 2)
            self.odd("zeros before a length")
        return self.field("Content-Length", digits.encode(), frames=True)

    def coding(self) -> bytes:
        name = self.chance.choice(["chunked", "chunked", "chunked", "Chunked", "CHUNKED"])
        if name != "chunked":
            self.odd("capitals in a coding")
        return self.field("Transfer-Encoding", name.encode(), frames=True)

    def chunked(self, body: bytes) -> bytes:
        """The body in chunks."""
        data, at = b"", 0
        while at < len(body):
            size = min(len(body) - at, self.chance.choice([1, 7, 16, 300, 4096]))
            data += self.chunk_line(size) + body[at : at + size] + b"\r\n"
            at += size
        return data + self.chunk_line(0) + self.trailers() + b"\r\n"

    def chunk_line(self, size: int) -> bytes:
        digits = f"{size:x}" if self.sometimes(0.7) else f"{size:X}"
        if self.sometimes(0.05):
            digits = digits.zfill(self.chance.choice([2, 8, 16]))
            self.odd("zeros before a chunk's size")
        extension = b""
        if self.sometimes(0.08):
            extension = self.chance.choice([b";a", b";a=b", b';a="b"', b";a=b;c"])
            self.odd("extension")
        elif self.sometimes(0.05):
            extension = self.chance.choice(
                [b";", b";;", b" ;a=b", b"\t;a", b'; a = "b;c"', b";a=\xff", b";0\t5"]
            )
            self.odd("odd extension")
        return digits.encode() + extension + b"\r\n"

    def trailers(self) -> bytes:
        if not self.sometimes(0.15):
            return b""
        self.odd("trailers")
        lines = [b"X-T: 1\r\n", b"X-Empty:\r\n", b"X-Length: 5\r\n", b"Content-Lengths: 9\r\n"]
        return b"".join(self.chance.sample(lines, self.chance.randint(1, len(lines))))


FILLERS = [
    "Accept", "X", "Cookie", "Content-Typ", "Range-X", "X-Transfer-Encoding",
    "X-Content-Length", "Via", "A", "Hos", "Transfer-Encodin", "Content-Lengt",
]  # fmt: skip

# Names of which the value matters, and which are not made at random.
HEEDED = {"te", "host", "expect", "upgrade", "connection", "keep-alive", "content-length"} | {
    "transfer-encoding", "proxy-connection", "x-id", "trailer", "range",
}  # fmt: skip


class RequestMaker(Maker):
    """Makes requests."""

    def request(self, ident: str) -> Request:
        """A request with this name."""
        self.oddities = set()
        version = "HTTP/1.0" if self.sometimes(0.08) else "HTTP/1.1"
        method = self.method()
        target, url, host = self.target(ident, method)
        fields = [*self.fillers(), self.field("X-Id", ident.encode())]
        fields += self.host(host, version)
        if version == "HTTP/1.1":
            fields += self.hop_by_hop()
        body, sent = b"", b""
        # Many servers have none of it where it means nothing.
        if self.sometimes(0.2 if method in CONTENT_MEANS_NOTHING else 0.8):
            body = self.content()
            if version == "HTTP/1.1" and self.sometimes(0.5):
                fields.append(self.coding())
                sent = self.chunked(body)
            else:
                fields.append(self.length(body))
                sent = body
            if method in CONTENT_MEANS_NOTHING:
                self.odd(f"content of {method}")
                if version == "HTTP/1.0":
                    self.odd("content of nothing in HTTP/1.0")
        elif method in ("POST", "PUT", "PATCH"):
            self.odd("no content")
        self.chance.shuffle(fields)
        kept = version == "HTTP/1.1" or self.sometimes(0.5)
        if version == "HTTP/1.0":
            self.odd("HTTP/1.0")
            if kept:
                fields.append(b"Connection: keep-alive\r\n")
        closes = not kept
        if version == "HTTP/1.1" and self.sometimes(0.04):
            fields.append(b"Connection: close\r\n")
            closes = True
        empty = b"\r\n" * (self.chance.randint(1, 4) if self.sometimes(0.05) else 0)
        line = f"{method} ".encode() + target + f" {version}\r\n".encode()
        return Request(
            ident, method, url, body, empty + line + b"".join(fields) + b"\r\n" + sent,
            frozenset(self.oddities), closes,
            version == "HTTP/1.0" or "Expect" in self.oddities,
        )  # fmt: skip

    def method(self) -> str:
        usual = ["GET"] * 6 + ["POST"] * 5 + ["PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "HEAD"]
        if self.sometimes(0.9):
            return self.chance.choice(usual)
        method = self.chance.choice(["TRACE", "PROPFIND", "M-SEARCH", "get", "Get", "A"] + 3 * [""])
        method = method or self.token(32)
        # One that everyone treats in ways of their own.
        if method.upper() in ("CONNECT", "PRI"):
            method = "X"
        self.odd("TRACE" if method == "TRACE" else "unusual method")
        return method

    def target(self, ident: str, method: str) -> tuple[bytes, bytes, bytes | None]:
        """A target, the URL that is meant, and the host that it names."""
        if method == "OPTIONS" and self.sometimes(0.3):
            self.odd("target *")
            return b"*", b"*", None
        path = f"/{ident}".encode() + self.chance.choice(PLAIN_PATHS)
        if self.sometimes(0.1):
            path = f"/{ident}".encode() + self.chance.choice(ODD_PATHS)
            self.odd("odd target")
        if self.sometimes(0.3):
            path += b"?" + self.chance.choice(
                [b"", b"a=b&c", b"?", b"http://x/", b"/../", b"a%20b"]
            )
        if not self.sometimes(0.08):
            return path, path, None
        self.odd("absolute target")
        host = self.chance.choice([b"test", b"test:8080", b"Test.Example", b"[::1]:80"])
        scheme = self.chance.choice([b"http", b"HTTP", b"https"])
        if self.sometimes(0.1):
            self.odd("target *") if method == "OPTIONS" else None
            return scheme + b"://" + host, b"*" if method == "OPTIONS" else b"/", host
        return scheme + b"://" + host + path, path, host

    def host(self, named: bytes | None, version: str) -> list[bytes]:
        if version == "HTTP/1.0" and self.sometimes(0.5):
            return []
        if named is not None:
            return [self.field("Host", named)]
        if self.sometimes(0.9):
            return [self.field("Host", b"test")]
        host = self.chance.choice(
            [
                b"test:80", b"TEST", b"[::1]", b"[::1]:8080", b"10.0.0.1:", b"test.", b"a_b",
                b"", b"a!$&'()*+,;=b", b"%41", b"-", b"test:0", b"..", b"a" * 255,
            ]
        )  # fmt: skip
        self.odd("empty host" if not host else "odd host")
        return [self.field("Host", host)]

    def hop_by_hop(self) -> list[bytes]:
        """What is for the director, or may look like it."""
        if self.sometimes(0.7):
            return []
        kind = self.chance.randrange(6)
        if kind == 0:
            names = ["X-Dropped", "content-length", "Host", "transfer-encoding", "X-Id-Not", "TE"]
            named = ", ".join(self.chance.sample(names, self.chance.randint(1, 5))).encode()
            return [self.field("Connection", named), b"X-Dropped: 1\r\n"]
        if kind == 1:
            codings = self.chance.choice([b"trailers", b"gzip, trailers;q=0.5", b"chunked", b""])
            return [self.field("TE", codings), self.field("Connection", b"TE")]
        if kind == 2:
            return [self.field("Upgrade", self.chance.choice([b"h2c", b"websocket", b"TLS/1.0"]))]
        if kind == 3:
            self.odd("upgrade")
            return [self.field("Upgrade", b"something"), b"Connection: Upgrade\r\n"]
        if kind == 4:
            self.odd("Expect")
            return [self.field("Expect", self.chance.choice([b"100-continue", b"100-Continue"]))]
        lines = [
            b"Connection: keep-alive\r\n",
            b"Proxy-Connection: close\r\n",
            b"Keep-Alive: 5\r\n",
        ]
        return self.chance.sample(lines, 2)


CONTENT_MEANS_NOTHING = ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE")

PLAIN_PATHS = [b"", b"/a", b"/a/b.html", b"/a%20b", b"/~a;b=c", b"/a+b,c", b"/" + b"long/" * 60]

ODD_PATHS = [
    b"//a", b"/../a", b"/./a/..", b"/%2e%2e/a", b"/%00", b"/%zz", b"/%", b"/a\\b", b'/"<>`{|}^',
    b"/[]", b"/*", b"/http://x/", b"/%2f%5c", b"/%c0%af", b"/" + b"x" * 3500,
]  # fmt: skip


def requests(chance: random.Random, number: int, prefix: str = "r") -> list[Request]:
    """So many requests, each named for its number."""
    maker = RequestMaker(chance)
    return [maker.request(f"{prefix}{n}") for n in range(number)]


def connections(made: list[Request], most: int) -> list[list[Request]]:
    """The requests by the connections that they go over: a new one after `most`, or when the client
    ends one."""
    groups: list[list[Request]] = [[]]
    for request in made:
        groups[-1].append(request)
        if request.ends_client or len(groups[-1]) == most:
            groups.append([])
    return [group for group in groups if group]


def pieces(chance: random.Random, data: bytes, most: int = 60) -> list[bytes]:
    """The data, cut at random in at most so many pieces: many small ones and some large."""
    cuts = sorted(
        {0, len(data), *(chance.randrange(len(data) + 1) for _ in range(chance.randrange(most)))}
    )
    return [data[a:b] for a, b in pairwise(cuts)]
