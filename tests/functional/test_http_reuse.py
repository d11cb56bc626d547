# SPDX-License-Identifier: GPL-2.0
"""When a server's connection is used again, when it must not be, and when a request is repeated."""

import contextlib
import socket
import struct
from collections.abc import Callable

import pytest
from support.client import Client
from support.director import Director
from support.raw_server import Peer, RawServer, wait_until

SCRIPTED = Callable[[Callable[[Peer], None]], RawServer]


@pytest.fixture
def scripted(director: Director, raw_server) -> SCRIPTED:
    """Makes a server of a script, and a service before it."""

    def make(script: Callable[[Peer], None], **options: str) -> RawServer:
        server = raw_server(script)
        director.pool("pool", server.address)
        director.service(pool="pool", **options)
        return server

    return make


def request(method: str, body: bytes = b"", fields: str = "") -> bytes:
    """A request, with a body if there is one."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} /{method} HTTP/1.1\r\nHost: a\r\n{length}{fields}\r\n".encode() + body


def sizes(peer: Peer) -> None:
    """Answers every request with the size of its body as it was sent."""
    while head := peer.head():
        size = b"%d" % len(peer.body(head))
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(size))
        if not head.startswith(b"HEAD"):
            peer.send(size)


def test_reused_after_every_framing(client: Client, scripted: SCRIPTED) -> None:
    """Bodies of both framings, none, and HEAD leave a connection that the next client gets."""
    server = scripted(sizes)
    chunks = b"5\r\nhello\r\n0\r\nT: 1\r\n\r\n"
    for _ in range(3):
        assert client.raw(request("POST", b"x" * 70000)).body == b"70000"
        chunked = request("PUT", fields="Transfer-Encoding: chunked\r\n") + chunks
        assert client.raw(chunked).body == b"%d" % len(chunks)
        assert client.get(method="HEAD").status == 200
        assert client.get().body == b"0"
    assert server.connections == 1
    assert len(server.heads) == 12


def test_reused_though_clients_close(client: Client, scripted: SCRIPTED) -> None:
    """A client that closes after each request does not make the server's connection end."""
    server = scripted(sizes)
    for _ in range(3):
        with client.connect() as connection:
            connection.get(fields="Connection: close\r\n")
            assert connection.response().body == b"0"
            assert connection.rest() == b""
    assert server.connections == 1
    assert not any(b"\r\nconnection: close" in head.lower() for head in server.heads)


@pytest.mark.parametrize(
    ("version", "fields", "reused"),
    [
        ("1.0", "", False),
        ("1.0", "Connection: keep-alive, close\r\n", False),
        ("1.0", "Connection: keep-alive\r\n", True),
        ("1.1", "Connection: close\r\n", True),
    ],
)
def test_reused_as_the_request_asks(
    client: Client, scripted: SCRIPTED, version: str, fields: str, reused: bool
) -> None:
    """Who answers HTTP/1.0 without keep-alive ends the connection, whatever the answer says of it:
    it carries no other request."""

    def script(peer: Peer) -> None:
        while head := peer.head():
            peer.answer(b"%d" % peer.number)
            old = head.split(b"\r\n")[0].endswith(b"1.0")
            if old and b"\r\nconnection: keep-alive\r\n" not in head.lower():
                # It is closed as soon as the director comes to think that it is not.
                peer.connection.recv(1)
                return

    server = scripted(script)
    with client.connect() as connection:
        connection.send(f"GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n".encode())
        assert connection.response().body == b"1"
    assert client.raw(request("POST")).body == (b"1" if reused else b"2")
    assert server.connections == (1 if reused else 2)


def test_not_reused_after_an_early_answer(client: Client, scripted: SCRIPTED) -> None:
    """A server that answered before the whole body was sent would take its rest for a request."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.answer(b"early")

    server = scripted(script)
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    with client.connect() as connection:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (10 + len(smuggled))
        connection.send(head + b"0123456789")
        assert connection.response().body == b"early"
        # The connection may be closed already.
        with contextlib.suppress(OSError):
            connection.send(smuggled)
            connection.rest()
    assert client.get("/next").body == b"early"
    assert not any(b"smuggled" in head.split(b"\r\n")[0] for head in server.heads)


def test_not_reused_when_its_client_is_gone(client: Client, scripted: SCRIPTED) -> None:
    """What is left of a response that its client did not take goes to nobody else."""

    def script(peer: Peer) -> None:
        while head := peer.head():
            if b"/large" in head:
                peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong" * 100_000)
            else:
                peer.answer(b"right")

    server = scripted(script)
    for n in (1, 2, 3):
        connection = client.connect().get("/large")
        assert connection.exactly(100)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        assert client.get("/small").body == b"right"
        assert server.connections <= 1 + n


def test_not_reused_after_a_body_until_close(client: Client, scripted: SCRIPTED) -> None:
    """A body that ends with its connection leaves none."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nall")

    server = scripted(script)
    for n in (1, 2, 3):
        assert client.get().body == b"all"
        assert server.connections == n


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
    ],
)
def test_not_reused_after_bad_framing(client: Client, scripted: SCRIPTED, answer: bytes) -> None:
    """An answer that can be read in two ways is a 502, and the end of its connection."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(answer)

    server = scripted(script, timeout_response="2s")
    for n in (1, 2):
        assert client.get().status in (502, 504)
        assert server.connections == n


def fails_when_reused(peer: Peer, reset: bool = False, said: bytes = b"") -> None:
    """Answers a connection's first request, and drops the connection when the second has come."""
    head = peer.head()
    if head is None:
        return
    peer.body(head)
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    head = peer.head()
    if head is None:
        return
    peer.body(head)
    peer.send(said)
    if reset:
        peer.reset()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_repeated(client: Client, scripted: SCRIPTED, method: str, reset: bool) -> None:
    """Idempotent requests that met a connection's end are sent once more, and answered."""
    server = scripted(lambda peer: fails_when_reused(peer, reset))
    assert client.get("/first").status == 200
    assert client.get(f"/{method}", method=method).status == 200
    assert server.connections == 2
    assert [head.split()[0].decode() for head in server.heads] == ["GET", method, method]


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(
    ("method", "body"),
    [("POST", b""), ("PATCH", b""), ("BREW", b""), ("POST", b"body"), ("PUT", b"body")],
)
def test_not_repeated(
    client: Client, scripted: SCRIPTED, method: str, body: bytes, reset: bool
) -> None:
    """What is not idempotent, or has a body, reaches a server once: 502."""
    server = scripted(lambda peer: fails_when_reused(peer, reset))
    assert client.get("/first").status == 200
    assert client.raw(request(method, body)).status == 502
    assert len(server.heads) == 2
    assert server.connections == 1


def test_not_repeated_on_a_fresh_connection(client: Client, scripted: SCRIPTED) -> None:
    """A server that closes a new connection without an answer is not asked again: 502."""

    def script(peer: Peer) -> None:
        peer.head()

    server = scripted(script)
    assert client.get().status == 502
    assert server.connections == 1


def test_repeated_once_only(client: Client, scripted: SCRIPTED) -> None:
    """A repeated request that fails again is a 502."""

    def script(peer: Peer) -> None:
        if peer.number == 1 and peer.head():
            peer.answer()
        peer.head()

    server = scripted(script)
    assert client.get("/first").status == 200
    assert client.get("/second").status == 502
    assert server.connections == 2
    assert len(server.heads) == 3


def test_not_repeated_after_a_part(client: Client, scripted: SCRIPTED) -> None:
    """A request whose response had begun is not repeated."""
    server = scripted(lambda peer: fails_when_reused(peer, said=b"HTTP/1.1 200 OK\r\nContent-"))
    assert client.get("/first").status == 200
    assert client.get("/second").status == 502
    assert server.connections == 1


def test_repeated_in_a_pipeline(client: Client, scripted: SCRIPTED) -> None:
    """Requests that are repeated keep their place."""

    def script(peer: Peer) -> None:
        for _ in range(2):
            if head := peer.head():
                peer.answer(head.split()[1])
        peer.head()

    server = scripted(script)
    with client.connect() as connection:
        for n in range(12):
            connection.get(f"/{n}")
        for n in range(12):
            assert connection.response().body == b"/%d" % n
    assert server.connections == 6


def test_unused_connections_are_not_kept_for_ever(
    director: Director, client: Client, scripted: SCRIPTED
) -> None:
    """When a server is removed, its idle connections are closed."""
    ended: list[int] = []

    def script(peer: Peer) -> None:
        sizes(peer)
        ended.append(peer.number)

    server = scripted(script)
    assert client.get().body == b"0"
    director.tcpvsadm("server", "del", "pool", server.address)
    wait_until(lambda: ended == [1], what="the server sees the end of its connection")
    assert client.get().status == 503
