# SPDX-License-Identifier: GPL-2.0
"""What the director answers itself, and when it gives up."""

import socket
import time

import pytest
from support.client import Client
from support.director import Director
from support.pace import PACE
from support.raw_server import Peer, echo, wait_until
from support.topology import server_address

HOST = b"Host: a\r\n"


@pytest.fixture
def service(director: Director, raw_server):
    """A service with short time-outs before a server that must see nothing."""
    server = raw_server(echo)
    director.pool("pool", server.address)
    director.service(pool="pool", timeout_head="1s", timeout_idle="2s", body_max="1000")
    return server


def get(fields: bytes = HOST, line: bytes = b"GET / HTTP/1.1") -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        get(b""),
        get(HOST + HOST),
        get(b"Host: a b\r\n"),
        get(b"Host : a\r\n"),
        get(HOST + b"X: a\r\n folded\r\n"),
        get(HOST + b": empty\r\n"),
        get(HOST + b"X: a\0b\r\n"),
        get(HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n"),
        get(HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n"),
        get(HOST + b"Content-Length: +1\r\n"),
        get(HOST + b"Content-Length: 1, 1\r\n"),
        get(HOST + b"Content-Length:\r\n"),
        get(HOST + b"Content-Length: 99999999999999999999\r\n"),
        get(HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        get(HOST + b"Transfer-Encoding: chunked, chunked\r\n"),
        get(HOST + b"Transfer-Encoding: chunked\r\n", b"POST / HTTP/1.0"),
        b"GET / HTTP/1.1\nHost: a\n\n",
        get(line=b"GET  / HTTP/1.1"),
        get(line=b"GET / HTTP/1.1 "),
        get(line=b"GET /\x80\x01 HTTP/1.1"),
        get(line=b"G@T / HTTP/1.1"),
        get(line=b"GET foo HTTP/1.1"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_bad_request(client: Client, service, request_bytes: bytes) -> None:
    """What RFC 9112 calls an error is answered 400 and closed; the server sees nothing of it."""
    with client.connect() as connection:
        response = connection.send(request_bytes).response()
        assert response.status == 400
        assert response.fields["connection"] == "close"
        assert connection.rest() == b""
    assert service.heads == []


@pytest.mark.parametrize(
    "chunks", [b"x\r\n", b"5\r\nhelloXX\r\n", b"5 \r\nhello\r\n", b"-1\r\n", b"5\nhello\r\n",
               b"fffffffffffffffff\r\n", b"0\r\nContent-Length: 1\r\n\r\n"],
)  # fmt: skip
def test_bad_chunks(client: Client, service, chunks: bytes) -> None:
    """A body whose chunks are wrong is answered 400."""
    with client.connect() as connection:
        connection.send(get(HOST + b"Transfer-Encoding: chunked\r\n", b"POST / HTTP/1.1") + chunks)
        assert connection.response().status == 400


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (get(line=b"GET /" + b"a" * 9000 + b" HTTP/1.1"), 414),
        (get(HOST + b"X: " + b"a" * 17000 + b"\r\n"), 431),
        (get(HOST + b"X: y\r\n" * 101), 431),
        (get(line=b"CONNECT a:80 HTTP/1.1"), 501),
        (get(HOST + b"Transfer-Encoding: gzip, chunked\r\n"), 501),
        (get(line=b"GET / HTTP/2.0"), 505),
        (get(HOST + b"Content-Length: 1001\r\n", b"POST / HTTP/1.1"), 413),
        (get(HOST + b"Transfer-Encoding: chunked\r\n", b"POST / HTTP/1.1")
         + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", 413),
        (get(b"Ho", b"GET / HTTP/1.1")[:-2], 408),
    ],
)  # fmt: skip
def test_refused(client: Client, service, request_bytes: bytes, status: int) -> None:
    """Each kind of refusal has its status, and a text that says it."""
    with client.connect() as connection:
        response = connection.send(request_bytes).response()
        assert response.status == status
        assert str(status).encode() in response.body
        assert response.fields["connection"] == "close"


def test_refusal_survives_what_still_comes(client: Client, service) -> None:
    """The client reads the refusal though it goes on sending."""
    with client.connect() as connection:
        connection.send(get(HOST + b"Content-Length: 500000\r\n", b"POST / HTTP/1.1"))
        connection.send(b"x" * 100_000)
        time.sleep(0.2)
        connection.send(b"x" * 100_000)
        assert connection.response().status == 413


def test_no_server(director: Director, client: Client) -> None:
    """503, and when to try again."""
    director.pool("empty")
    director.service(pool="empty")
    response = client.get()
    assert response.status == 503
    assert int(response.fields["retry-after"]) > 0


def test_no_pool(director: Director, client: Client) -> None:
    """A service without a pool has nothing to offer where no rule matches."""
    director.service()
    assert client.get().status == 503


def test_head_is_refused_without_a_body(director: Director, client: Client) -> None:
    """Also a refusal of a HEAD request has no body."""
    director.service()
    with client.connect() as connection:
        connection.get(method="HEAD")
        assert connection.response(head_only=True).status == 503
        assert connection.rest() == b""


def test_refused_connection(director: Director, client: Client) -> None:
    """Nobody listens at the only server: 503."""
    director.pool("pool", f"{server_address(1)}:9")
    director.service(pool="pool")
    assert client.get().status == 503


def test_another_server_is_tried(director: Director, client: Client, nginx: list) -> None:
    """Where one server refuses connections, another one answers."""
    director.pool("pool", f"{server_address(1)}:9", f"{server_address(2)}:80", scheduler="rr")
    director.service(pool="pool")
    for _ in range(4):
        assert client.get("/who").body == b"rs2\n"


def test_connect_timeout(director: Director, client: Client) -> None:
    """A server that is not there at all: 504 in time."""
    director.pool("pool", "10.0.2.99:80")
    director.service(pool="pool", timeout_connect="1s")
    start = time.monotonic()
    assert client.get().status in (503, 504)
    assert time.monotonic() - start < 6


def test_response_timeout(director: Director, client: Client, raw_server) -> None:
    """A server that says nothing: 504 in time."""
    server = raw_server(lambda peer: (peer.head(), time.sleep(15)))
    director.pool("pool", server.address)
    director.service(pool="pool", timeout_response="1s")
    start = time.monotonic()
    assert client.get().status == 504
    assert 0.9 < time.monotonic() - start < 5


def test_stalled_upload(client: Client, service) -> None:
    """A client that does not send the body that it has announced: 408."""
    director = Director()
    director.tcpvsadm("service", "set", "web", "--timeout-stall", "1s")
    with client.connect() as connection:
        connection.send(get(HOST + b"Content-Length: 10\r\n", b"POST / HTTP/1.1") + b"12345")
        assert connection.response().status == 408


def test_stalled_download(director: Director, client: Client, raw_server) -> None:
    """A client that does not take its response is cut off."""
    body = b"x" * (64 << 20)

    def script(peer: Peer) -> None:
        peer.head()
        peer.answer(body)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool", timeout_stall="1s")
    with client.connect() as connection:
        connection.get()
        wait_until(lambda: not director.connections(), 30 / PACE, "a cut")
        assert connection.is_cut()


@pytest.mark.parametrize("served", [0, 1])
def test_idle_timeout(client: Client, service, served: int) -> None:
    """An idle connection is closed in silence, before and after requests."""
    with client.connect() as connection:
        for _ in range(served):
            connection.get().response()
        start = time.monotonic()
        assert connection.rest() == b""
        assert 0.5 < time.monotonic() - start < 6


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        b"",
    ],
)
def test_bad_gateway(director: Director, client: Client, raw_server, answer: bytes) -> None:
    """What is no answer makes a 502."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(answer)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    assert client.get().status == 502


def test_server_that_resets(director: Director, client: Client, raw_server) -> None:
    """A reset in place of an answer makes a 502."""
    server = raw_server(lambda peer: (peer.head(), peer.reset()))
    director.pool("pool", server.address)
    director.service(pool="pool")
    assert client.get().status == 502


def test_client_that_resets(director: Director, client: Client, raw_server) -> None:
    """When its client is gone, the server's connection ends too."""
    ended = []

    def script(peer: Peer) -> None:
        peer.head()
        try:
            ended.append(peer.connection.recv(100))
        except OSError:
            ended.append(b"")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    connection = client.connect().get()
    wait_until(lambda: director.show("servers")["servers"][0]["stats"]["connections_total"])
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    wait_until(lambda: ended == [b""], what="the server sees the end")


def test_nginx_that_stops(director: Director, client: Client, nginx: list) -> None:
    """When a real server stops and comes back, requests fail and work again."""
    director.pool("pool", f"{server_address(3)}:80")
    director.service(pool="pool")
    assert client.get("/who").body == b"rs3\n"
    nginx[2].stop()
    try:
        assert client.get("/who").status in (502, 503)
    finally:
        nginx[2].start()
    assert client.get("/who").body == b"rs3\n"
