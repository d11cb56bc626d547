# SPDX-License-Identifier: GPL-2.0
"""A head is held back for a body that comes at once, and for no other."""

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest
from support.client import Client, Connection
from support.config import pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.raw_server import Peer, RawServer, wait_until
from support.topology import DIRECTOR, SERVERS

# How long the server pauses between head and body, in seconds.
PAUSE = 1.5 * PACE

# Within this, in seconds, a client must have what the server sent before the pause.
AT_ONCE = 0.5 * PACE

# The body that all servers here send.
BODY = b"hello world"

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)

# Where struct tcp_info has tcpi_data_segs_in, a 32-bit number.
DATA_SEGS_IN = 152


def in_two(pause: float) -> Callable[[Peer], None]:
    """A server that sends head and body apart."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(HEAD)
            time.sleep(pause)
            peer.send(BODY)

    return script


def packets(connection: Connection) -> int:
    """How many packets with data the client has got."""
    info = connection.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("=I", info, DATA_SEGS_IN)[0]


@contextlib.contextmanager
def small_buffers() -> Iterator[None]:
    """The director and its servers have room for little more than a packet meanwhile."""
    places = ((DIRECTOR, "net.ipv4.tcp_wmem"), (SERVERS[0], "net.ipv4.tcp_rmem"))
    before = [host.run("sysctl", "-n", name).stdout.strip() for host, name in places]
    for host, name in places:
        host.run("sysctl", "-qw", f"{name}=4096 4096 4096")
    try:
        yield
    finally:
        for (host, name), value in zip(places, before, strict=True):
            host.run("sysctl", "-qw", f"{name}={value}")


@pytest.fixture(params=[(), ("cookie SRV",)], ids=["as it came", "rewritten"])
def serve(director: Director, raw_server: Callable, request) -> Callable[..., RawServer]:
    """Serves a script, with heads that go on as they come or with heads that get a cookie."""

    def make(script: Callable[[Peer], None]) -> RawServer:
        server = raw_server(script)
        pool = pool_text("p", server.address, more=request.param)
        director.apply(pool + service_text(pool="p"))
        return server

    return make


def test_head_and_body_leave_together(client: Client, serve: Callable) -> None:
    """A body that comes at once costs the client no packet of its own."""
    serve(in_two(0))
    with client.connect() as connection:
        for _ in range(20):
            assert connection.get("/").response().body == BODY
        # A machine that is busy elsewhere may make the server seem to pause now and then.
        assert 20 <= packets(connection) < 30


def test_a_head_does_not_wait_for_long(client: Client, serve: Callable) -> None:
    """A server that pauses between head and body keeps nobody from the head."""
    serve(in_two(PAUSE))
    with client.connect() as connection:
        for _ in range(2):
            began = time.monotonic()
            head = connection.get("/").response(head_only=True)
            assert time.monotonic() - began < AT_ONCE
            assert head.status == 200 and connection.buffer == b""
            body = connection.exactly(len(BODY))
            assert body == BODY
            assert time.monotonic() - began >= PAUSE


def test_a_stream_is_not_held(client: Client, serve: Callable) -> None:
    """Nobody knows when the chunks of a stream come."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            time.sleep(PAUSE)
            peer.send(b"5\r\nhello\r\n0\r\n\r\n")

    serve(script)
    with client.connect() as connection:
        began = time.monotonic()
        connection.get("/").response(head_only=True)
        assert time.monotonic() - began < AT_ONCE
        assert connection.chunks() == b"hello"


def test_a_server_that_dies_in_a_hold(client: Client, serve: Callable) -> None:
    """What was held is not lost, nor is it taken for a whole response."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(HEAD)

    serve(script)
    with client.connect() as connection:
        assert connection.get("/").response(head_only=True).status == 200
        assert connection.is_cut()


def test_a_client_that_leaves_in_a_hold(client: Client, serve: Callable) -> None:
    """Nothing is left behind."""
    serve(in_two(PAUSE))
    for _ in range(20):
        client.connect().get("/").close()


def test_a_change_of_servers_in_a_hold(director: Director, client: Client, serve: Callable) -> None:
    """Responses that are held while their server is removed are finished."""
    serve(in_two(0.005 * PACE))
    connections = [client.connect() for _ in range(20)]
    for connection in connections:
        connection.get("/")
    director.tcpvsadm("flush")
    for connection in connections:
        assert connection.response().body == BODY
        connection.close()


def test_an_answer_before_the_request_was_sent(client: Client, serve: Callable) -> None:
    """A server that answers a head that it has read a part of gets it once, not twice."""
    heads = []

    def script(peer: Peer) -> None:
        # The first bytes, not the whole head: that does not fit between the two.
        assert peer.connection.recv(100)
        peer.send(HEAD)
        time.sleep(0.5 * PACE)
        heads.append(peer.head())
        peer.send(BODY)
        # What comes next, if anything does.
        heads.append(peer.head())

    with small_buffers():
        server = serve(script)
        with client.connect() as connection:
            fill = "X-Fill: " + "y" * 15_000 + "\r\n"
            assert connection.get("/", fill).response().body == BODY
            time.sleep(0.5 * PACE)
    server.close()
    wait_until(lambda: len(heads) == 2)
    assert heads[1] is None
