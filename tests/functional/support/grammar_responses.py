# SPDX-License-Identifier: GPL-2.0
"""Responses that are valid, usual and odd ones, made at random: what a server sends, and what a
client is to make of it."""

import random
from dataclasses import dataclass

from support.grammar import LOOKS_LIKE_A_HEAD, Maker

LOOKS_LIKE_A_RESPONSE = b"\r\n\r\nHTTP/1.1 200 OK\r\nX-Id: poison\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Response:
    """A response to a request with this method and name, and what a client is to see of it."""

    ident: str
    method: str
    status: int
    body: bytes
    # The statuses of the interim responses before it.
    interim: tuple[int, ...]
    # All that the server sends.
    data: bytes
    # The server closes behind it.
    closes: bool
    # The end of the connection is its own.
    until_close: bool
    oddities: frozenset[str] = frozenset()

    @property
    def request(self) -> bytes:
        return f"{self.method} /{self.ident} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


class ResponseMaker(Maker):
    """Makes responses."""

    def content(self) -> bytes:
        body = super().content()
        return body.replace(LOOKS_LIKE_A_HEAD, LOOKS_LIKE_A_RESPONSE)

    def response(self, ident: str) -> Response:
        """A response with this name."""
        self.oddities = set()
        method = self.chance.choice(["GET", "GET", "GET", "POST", "HEAD"])
        status = self.chance.choice([200] * 8 + [201, 203, 206, 301, 404, 500, 599, 204, 204, 304])
        if self.sometimes(0.03):
            status = self.chance.choice([600, 999])
            self.odd("unusual status")
        version = "HTTP/1.0" if self.sometimes(0.06) else "HTTP/1.1"
        fields = [*self.fillers(), self.field("X-Id", ident.encode()), *self.more_fields()]
        body, sent, until_close = self.framed(method, status, version, fields)
        closes = until_close
        if version == "HTTP/1.0" and not until_close:
            if self.sometimes(0.5):
                fields.append(b"Connection: keep-alive\r\n")
            else:
                closes = True
        elif self.sometimes(0.1):
            fields.append(b"Connection: close\r\n")
            closes = True
        self.chance.shuffle(fields)
        interim = self.interim()
        heads = b"".join(b"HTTP/1.1 %d Early\r\nLink: </x>\r\n\r\n" % one for one in interim)
        line = f"{version} {status}".encode() + self.reason()
        return Response(
            ident, method, status, body, interim, heads + line + b"".join(fields) + b"\r\n" + sent,
            closes, until_close, frozenset(self.oddities),
        )  # fmt: skip

    def framed(
        self, method: str, status: int, version: str, fields: list[bytes]
    ) -> tuple[bytes, bytes, bool]:
        """A body, how it is sent, and whether the end of the connection is its own. Adds to the
        fields what says so."""
        body = self.content()
        bare = status in (204, 304) or method == "HEAD"
        chunks = version == "HTTP/1.1" and self.sometimes(0.4)
        kind = self.chance.random()
        if bare:
            # What is said of a body that there is not.
            if status != 204 and kind < 0.7:
                fields.append(self.coding() if chunks else self.length(body))
                if status == 304:
                    self.odd("framing of a 304")
            return b"", b"", False
        if kind < 0.08:
            return body, body, True
        if chunks:
            fields.append(self.coding())
            return body, self.chunked(body), False
        fields.append(self.length(body))
        return body, body, False

    def reason(self) -> bytes:
        if self.sometimes(0.04):
            self.odd("no reason")
            return self.chance.choice([b"\r\n", b" \r\n"])
        if self.sometimes(0.04):
            self.odd("odd reason")
            return (
                b" " + self.chance.choice([b"\xe4\xf6 \x85", b"a\tb", b"200 OK", b": x"]) + b"\r\n"
            )
        return b" OK\r\n"

    def more_fields(self) -> list[bytes]:
        """What is for the director, or may look like it."""
        kind = self.chance.randrange(12)
        if kind == 0:
            return [b"Connection: x-dropped, content-length\r\n", b"X-Dropped: 1\r\n"]
        if kind == 1:
            return [b"Keep-Alive: timeout=5\r\n", b"Connection: keep-alive\r\n"]
        if kind == 2:
            return [b"Upgrade: h2c\r\n", b"Connection: upgrade\r\n"]
        if kind == 3:
            return [b"Set-Cookie: a=b; Path=/\r\n", b"Set-Cookie: c=d\r\n"]
        return []

    def interim(self) -> tuple[int, ...]:
        if not self.sometimes(0.08):
            return ()
        self.odd("interim")
        return tuple(self.chance.choices([102, 103, 199], k=self.chance.randint(1, 3)))


def responses(chance: random.Random, number: int) -> list[Response]:
    """So many responses, each named for its number."""
    maker = ResponseMaker(chance)
    return [maker.response(f"s{n}") for n in range(number)]


def exchanges(made: list[Response], most: int) -> list[list[Response]]:
    """The responses by the clients' connections that they go over: a new one after `most`, or where
    the end of a body is that of the connection."""
    groups: list[list[Response]] = [[]]
    for response in made:
        groups[-1].append(response)
        if response.until_close or len(groups[-1]) == most:
            groups.append([])
    return [group for group in groups if group]
