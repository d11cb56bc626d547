# SPDX-License-Identifier: GPL-2.0
"""A field line is put into heads that go on as they came otherwise: the server learns the client's
address, the client gets a cookie, and nothing else changes."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product

import pytest
from support.client import Client, Connection
from support.config import pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.raw_server import Peer, RawServer
from support.topology import CLIENT, DIRECTOR, SERVERS, VIP, server_address
from support.transfer import content
from support.wire import wire

KEY = "000102030405060708090a0b0c0d0e0f"

# How many bytes a head has. Short ones are copied, others go by reference; what is longer than a
# page is in more than one packet.
SIZES = [100, 1500, 3500, 12_000]

# Between two pieces that are to come apart, in seconds.
PAUSE = 0.01 * PACE

# A head in so many pieces needs more page fragments than a buffer has (17).
PIECES = 40

# How a message is sent: all of it at once, the body after a pause, the head in small pieces and the
# body with the last of it.
WAYS = ["together", "apart", "in pieces"]

Send = Callable[[bytes], object]


@dataclass
class Message:
    """A head, the body as it is sent, and what comes before both."""

    head: bytes
    body: bytes = b""
    before: bytes = b""

    def send(self, send: Send, way: str) -> None:
        head = self.before + self.head
        if way == "together":
            send(head + self.body)
        elif way == "apart":
            send(head)
            if self.body:
                time.sleep(PAUSE)
                send(self.body)
        else:
            step = len(head) // PIECES
            for n in range(PIECES - 1):
                send(head[n * step : (n + 1) * step])
            send(head[(PIECES - 1) * step :] + self.body)


def made(size: int, start: str, *fields: str, body: bytes = b"", before: bytes = b"") -> Message:
    """A message with a head of so many bytes."""
    head = "\r\n".join((start, *fields, "X-Fill: ", "", "")).encode()
    fill = b"y" * (size - len(head))
    return Message(head[:-4] + fill + head[-4:], body, before)


def chunked(body: bytes) -> bytes:
    """A body in chunks, but for its last bytes in a few large ones."""
    step = len(body) // 3 + 1
    pieces = [body[at : at + step] for at in range(0, len(body) - 2, step)] + [body[-2:]]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


CHUNKED = "Transfer-Encoding: chunked"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"


def length(size: int) -> str:
    return f"Content-Length: {size}"


# What a response may be, by the head's size. A response to HEAD has a length but no body.
RESPONSES: dict[str, Callable[[int], Message]] = {
    **{
        str(size): lambda head, size=size: made(
            head, "HTTP/1.1 200 OK", length(size), body=content(f"/{size}/down")
        )
        for size in (11, 3000, 100_000)
    },
    "HEAD": lambda head: made(head, "HTTP/1.1 200 OK", length(1000)),
    "204": lambda head: made(head, "HTTP/1.1 204 No Content"),
    "304": lambda head: made(head, "HTTP/1.1 304 Not Modified", length(1000)),
    **{
        f"{size} in chunks": lambda head, size=size: made(
            head, "HTTP/1.1 200 OK", CHUNKED, body=chunked(content(f"/{size}/down"))
        )
        for size in (11, 100_000)
    },
    "103": lambda head: made(
        head, "HTTP/1.1 200 OK", length(11), body=b"hello world", before=HINTS
    ),
}

# What a request may be, by the head's size.
REQUESTS: dict[str, Callable[[int], Message]] = {
    "none": lambda head: made(head, "GET / HTTP/1.1", "Host: a"),
    **{
        str(size): lambda head, size=size: made(
            head, "PUT / HTTP/1.1", "Host: a", length(size), body=content(f"/{size}/up")
        )
        for size in (11, 3000, 100_000)
    },
    **{
        f"{size} in chunks": lambda head, size=size: made(
            head, "PUT / HTTP/1.1", "Host: a", CHUNKED, body=chunked(content(f"/{size}/up"))
        )
        for size in (11, 100_000)
    },
}


@dataclass
class Played:
    """A server that answers what a test tells it to, and how; what it got; a connection to it."""

    connection: Connection
    # The line that names the client.
    line: bytes
    answers: list[tuple[Message, str]] = field(default_factory=list)
    got: list[Message] = field(default_factory=list)

    def script(self, peer: Peer) -> None:
        while head := peer.head():
            self.got.append(Message(head, peer.body(head)))
            message, way = self.answers[len(self.got) - 1]
            message.send(peer.send, way)

    def check_request(self, n: int, sent: Message) -> None:
        """The server's request number `n` has the client's address, once, and nothing else new."""
        check_line(self.got[n].head, sent.head, self.line)
        assert self.got[n].body == sent.body

    def check_response(self, sent: Message) -> None:
        """The next bytes are this response with a cookie, once, and nothing else new."""
        assert self.connection.exactly(len(sent.before)) == sent.before
        head = self.connection.response(head_only=True).raw_head
        (line,) = [line for line in head.split(b"\r\n") if line.startswith(b"Set-Cookie: SRV=")]
        check_line(head, sent.head, line)
        assert self.connection.exactly(len(sent.body)) == sent.body

    def exchange(self, request: Message, how: str, response: Message, way: str) -> None:
        """One request and its response."""
        self.answers.append((response, way))
        request.send(self.connection.send, how)
        self.check_response(response)
        self.check_request(len(self.answers) - 1, request)


def check_line(got: bytes, sent: bytes, line: bytes) -> None:
    """A head is what was sent, with a line somewhere in it."""
    lines = got.split(b"\r\n")
    assert lines.count(line) == 1
    lines.remove(line)
    assert b"\r\n".join(lines) == sent


@contextlib.contextmanager
def told(*what: object) -> Iterator[None]:
    """A failure meanwhile says what it was about."""
    try:
        yield
    except Exception as failure:
        failure.add_note(repr(what))
        raise


@pytest.fixture(scope="module", params=["fragments", "linear", "merged"])
def links(module: None, request) -> Iterator[tuple[str, str, str]]:
    """The addresses of the client, of the service and of the server, over links that deliver page
    fragments (veth) or linear buffers, as they are or merged."""
    if request.param == "fragments":
        yield "10.0.1.2", VIP, server_address(1)
        return
    merged = request.param == "merged"
    front = (CLIENT, "10.0.3.2/24"), (DIRECTOR, "10.0.3.1/24")
    back = (SERVERS[0], "10.0.4.2/24"), (DIRECTOR, "10.0.4.1/24")
    with wire("wire1", *front, merged), wire("wire2", *back, merged):
        yield "10.0.3.2", "10.0.3.1", "10.0.4.2"


@pytest.fixture
def played(links: tuple[str, str, str], director: Director, client: Client) -> Iterator[Played]:
    address, vip, back = links
    played: Played
    raw = RawServer(SERVERS[0], back, 8080, lambda peer: played.script(peer))
    with contextlib.closing(raw):
        pool = pool_text("p", raw.address, more=(f"cookie SRV key {KEY}",))
        service = service_text(pool="p", listen=f"{vip}:80", more=("forwarded-for on",))
        director.apply(pool + service)
        with client.connect(vip, timeout=30) as connection:
            played = Played(connection, b"X-Forwarded-For: " + address.encode())
            yield played
            assert connection.buffer == b""


def test_responses(played: Played) -> None:
    """Each kind of response, whatever the size of its head, has the cookie."""
    for way, size, what in product(WAYS, SIZES, RESPONSES):
        method = "HEAD" if what == "HEAD" else "GET"
        request = made(100, f"{method} /{size} HTTP/1.1", "Host: a")
        with told(way, size, what):
            played.exchange(request, "together", RESPONSES[what](size), way)


def test_requests(played: Played) -> None:
    """Each kind of request, whatever the size of its head, has the client's address."""
    for way, size, what in product(WAYS, SIZES, REQUESTS):
        response = made(100, "HTTP/1.1 200 OK", length(2), body=b"ok")
        with told(way, size, what):
            played.exchange(REQUESTS[what](size), way, response, "together")


def test_both_without_a_pause(played: Played) -> None:
    """Pipelined requests, and responses that follow each other as quickly as the server can."""
    # All that is sent at once has room in the director.
    for way, size in product(["together", "in pieces"], SIZES):
        exchanges = [
            (REQUESTS[one](size), RESPONSES[other](size))
            for one, other in product(("none", "3000", "11 in chunks"), ("11", "3000"))
        ]
        before = len(played.answers)
        played.answers += [(response, way) for _, response in exchanges]

        if way == "together":
            played.connection.send(b"".join(one.head + one.body for one, _ in exchanges))
        else:
            for one, _ in exchanges:
                one.send(played.connection.send, way)
        for n, (request, response) in enumerate(exchanges):
            with told(way, size, n):
                played.check_response(response)
                played.check_request(before + n, request)
