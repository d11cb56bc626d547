# SPDX-License-Identifier: GPL-2.0
"""A head is held back for a body that comes at once, and for no other."""

import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest
from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.raw_server import Peer, RawServer, wait_until
from support.topology import DIRECTOR, SERVERS
from support.tune import sysctl

# How long the server pauses between head and body, in seconds.
PAUSE = 1.5 * PACE

# Within this, in seconds, a client must have what the server sent before the pause: well before its
# end, and long enough for a machine that does other things as well.
AT_ONCE = 1.0 * PACE

# Half of what TCP lets pass, in seconds, before it sends what was to wait for more.
CORK = 0.1 * PACE

# The body that all servers here send.
BODY = b"hello world"

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)

# Where struct tcp_info has how many packets sent are not acknowledged (tcpi_unacked) and how many
# with data have come (tcpi_data_segs_in), numbers of 32 bits.
UNACKED = 24
DATA_SEGS_IN = 152


def in_two(pause: float) -> Callable[[Peer], None]:
    """A server that sends head and body apart."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(HEAD)
            time.sleep(pause)
            peer.send(BODY)

    return script


def tcp_info(sock: socket.socket, place: int) -> int:
    """What the TCP of one end knows of its connection."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("=I", info, place)[0]


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
        assert 20 <= tcp_info(connection.socket, DATA_SEGS_IN) < 38


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


CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "first", "second"),
    [
        (HEAD, BODY[:5], BODY[5:]),
        (CHUNKED_HEAD, b"5\r\nhello\r\n", b"6\r\n world\r\n0\r\n\r\n"),
        (CHUNKED_HEAD, b"b\r\nhello", b" world\r\n0\r\n\r\n"),
    ],
    ids=["by length", "between chunks", "in a chunk"],
)
def test_a_pause_in_a_body(
    client: Client, serve: Callable, head: bytes, first: bytes, second: bytes
) -> None:
    """What has come of a body does not wait for the rest of it."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(head)
            peer.send(first)
            time.sleep(PAUSE)
            peer.send(second)

    serve(script)
    with client.connect() as connection:
        for _ in range(2):
            began = time.monotonic()
            connection.get("/").response(head_only=True)
            assert connection.exactly(len(first)) == first
            assert time.monotonic() - began < AT_ONCE
            assert connection.buffer == b""
            assert connection.exactly(len(second)) == second
            assert time.monotonic() - began >= PAUSE


@pytest.mark.parametrize("head", [HEAD, CHUNKED_HEAD], ids=["by length", "chunked"])
def test_a_head_in_two_pieces(client: Client, serve: Callable, head: bytes) -> None:
    """A head that comes in two pieces goes on with the second, and waits for no body."""
    body = BODY if head is HEAD else b"b\r\n%s\r\n0\r\n\r\n" % BODY

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(head[:20])
            time.sleep(PAUSE)
            peer.send(head[20:])
            time.sleep(PAUSE)
            peer.send(body)

    serve(script)
    with client.connect() as connection:
        for _ in range(2):
            began = time.monotonic()
            assert connection.get("/").response(head_only=True).status == 200
            assert PAUSE <= time.monotonic() - began < PAUSE + AT_ONCE
            assert connection.buffer == b""
            assert connection.exactly(len(body)) == body
            assert time.monotonic() - began >= 2 * PAUSE


@pytest.mark.parametrize(
    ("fields", "pieces"),
    [
        (b"Content-Length: 11", [b"hello", b" world"]),
        (b"Transfer-Encoding: chunked", [b"5\r\nhello\r\n", b"6\r\n wor", b"ld\r\n0\r\n\r\n"]),
    ],
    ids=["by length", "chunked"],
)
def test_a_client_that_pauses(
    client: Client, serve: Callable, fields: bytes, pieces: list[bytes]
) -> None:
    """The server has what the client has sent, though more of it is to come. A head goes on when
    it is whole, wherever it was split."""
    came = bytearray()
    moments = []

    def script(peer: Peer) -> None:
        while data := peer.connection.recv(65536):
            moments.append(time.monotonic())
            came.extend(data)
            if came.endswith(pieces[-1]):
                peer.answer(b"done")

    serve(script)
    # Where clients are given that cookie, it is taken out.
    first = b"PUT / HTTP/1.1\r\nCookie: SRV=1; A=b\r\n"
    rest = b"Host: test\r\n%s\r\n\r\n" % fields
    took: dict[bytes, list[float]] = {}
    with client.connect() as connection:
        for _ in range(3):
            came.clear()
            connection.send(first)
            time.sleep(0.2 * PACE)
            assert not came
            sent = b""
            for piece in [rest, *pieces]:
                sent += piece
                began = time.monotonic()
                connection.send(piece)
                # The client sends nothing more until it has come.
                wait_until(lambda sent=sent: came.endswith(sent), AT_ONCE / PACE, repr(piece))
                took.setdefault(piece, []).append(moments[-1] - began)
            assert connection.response().body == b"done"
    # A machine that is busy elsewhere may be late, but not each time.
    assert all(min(times) < CORK for times in took.values()), took


def test_a_request_leaves_with_its_body(client: Client, serve: Callable) -> None:
    """A body that came with its head costs the server no packet of its own."""
    segments = []

    def script(peer: Peer) -> None:
        while head := peer.head():
            assert peer.body(head) == BODY
            segments.append(tcp_info(peer.connection, DATA_SEGS_IN))
            peer.answer(b"done")

    serve(script)
    first = b"PUT / HTTP/1.1\r\nCookie: SRV=1; A=b\r\n"
    rest = b"Host: test\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    with client.connect() as connection:
        for _ in range(20):
            connection.send(first + rest + BODY)
            assert connection.response().body == b"done"
    # Where its acknowledgement is late TCP asks for it now and then.
    assert 20 <= segments[-1] < 30


def test_a_request_is_acknowledged(client: Client, serve: Callable) -> None:
    """An acknowledgement waits for an answer that it could ride on, but not for long."""
    answer = threading.Semaphore(0)

    def script(peer: Peer) -> None:
        while peer.head():
            assert answer.acquire(timeout=30 * PACE)
            peer.send(HEAD + BODY)

    serve(script)
    with client.connect() as connection:
        # Where answers come at once, they are waited for.
        answer.release(10)
        for _ in range(10):
            assert connection.get("/").response().body == BODY
        connection.get("/")
        wait_until(lambda: tcp_info(connection.socket, UNACKED) == 0, AT_ONCE / PACE)
        answer.release()
        assert connection.response().body == BODY


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

    small = "4096 4096 4096"
    # The director and its servers have room for little more than a packet.
    with (
        sysctl("net.ipv4.tcp_wmem", small, DIRECTOR),
        sysctl("net.ipv4.tcp_rmem", small, SERVERS[0]),
    ):
        server = serve(script)
        with client.connect() as connection:
            fill = "X-Fill: " + "y" * 15_000 + "\r\n"
            assert connection.get("/", fill).response().body == BODY
            time.sleep(0.5 * PACE)
    server.close()
    wait_until(lambda: len(heads) == 2)
    assert heads[1] is None
