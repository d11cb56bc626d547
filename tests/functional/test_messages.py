# SPDX-License-Identifier: GPL-2.0
"""Requests and responses on their way, one after another on a connection."""

import subprocess
import time

import pytest
from support.client import Client
from support.director import Director
from support.raw_server import Peer, echo
from support.topology import CLIENT, SERVERS, VIP, VIP6, server_address, server_address6


@pytest.fixture
def echo_service(director: Director, raw_server):
    """One service before one server that answers with the request line."""
    server = raw_server(echo)
    director.pool("pool", server.address)
    director.service(pool="pool")
    return server


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "M-SEARCH"])
def test_any_method(client: Client, echo_service, method: str) -> None:
    """Methods go through, known or not."""
    response = client.get("/x", method=method)
    assert response.body == f"{method} /x HTTP/1.1 #1 0".encode()


def test_keep_alive(client: Client, echo_service) -> None:
    """Many requests on one connection, and one connection to the server."""
    with client.connect() as connection:
        for n in range(20):
            assert connection.get(f"/{n}").response().body.startswith(b"GET /%d " % n)
    assert echo_service.connections == 1


def test_pipelining_keeps_the_order(director: Director, client: Client, raw_server) -> None:
    """Pipelined requests to a slow and a quick server are answered in order."""

    def slow(peer: Peer) -> None:
        while peer.head():
            time.sleep(0.2)
            peer.answer(b"slow")

    def quick(peer: Peer) -> None:
        while peer.head():
            peer.answer(b"quick")

    director.pool("slow", raw_server(slow, n=1).address)
    director.pool("quick", raw_server(quick, n=2).address)
    director.service(pool="quick")
    director.rule("--path-prefix", "/slow", "--use-pool", "slow")
    with client.connect() as connection:
        for n in range(5):
            connection.get(f"/slow{n}").get(f"/quick{n}")
        bodies = [connection.response().body for _ in range(10)]
    assert bodies == [b"slow", b"quick"] * 5


def test_a_byte_at_a_time(client: Client, echo_service) -> None:
    """A head may come in as many packets as it has bytes."""
    request = b"GET /slowly HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
    with client.connect() as connection:
        for byte in request:
            connection.send(bytes([byte]))
        assert connection.response().body.startswith(b"GET /slowly ")


@pytest.mark.parametrize("split", [1, 3, 4, 9, 17, 18, 25, 35, 36, 37, 38, 50])
def test_split_anywhere(client: Client, echo_service, split: int) -> None:
    """Two requests, cut in two pieces at some place."""
    data = b"GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
    with client.connect() as connection:
        connection.send(data[:split])
        time.sleep(0.02)
        connection.send(data[split:])
        assert connection.response().body.startswith(b"GET /a ")
        assert connection.response().body.startswith(b"GET /b ")


def test_head_has_no_body(director: Director, client: Client, raw_server) -> None:
    """A response to HEAD has a length and no body; the next one follows at once."""

    def script(peer: Peer) -> None:
        while head := peer.head():
            if head.startswith(b"HEAD"):
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            else:
                peer.answer(b"after")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.get("/", method="HEAD").get("/")
        assert connection.response(head_only=True).fields["content-length"] == "1000"
        assert connection.response().body == b"after"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_no_content(director: Director, client: Client, raw_server, status: str) -> None:
    """204 and 304 end with their heads, whatever their fields say."""

    def script(peer: Peer) -> None:
        while head := peer.head():
            if b"/empty" in head:
                fields = "ETag: x\r\n" if status.startswith("204") else "Content-Length: 9\r\n"
                peer.send(f"HTTP/1.1 {status}\r\n{fields}\r\n".encode())
            else:
                peer.answer(b"after")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.get("/empty").get("/")
        assert connection.response().status == int(status[:3])
        assert connection.response().body == b"after"


def test_interim_responses(director: Director, client: Client, raw_server) -> None:
    """Interim responses go on to the client, and the final one follows them."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")
            peer.answer(b"final")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        for _ in range(2):
            connection.get()
            statuses = [connection.response().status for _ in range(2)]
            assert statuses == [103, 102]
            assert connection.response().body == b"final"


def test_expect_100_continue(director: Director, client: Client, raw_server) -> None:
    """The body is sent after the server's 100."""

    def script(peer: Peer) -> None:
        head = peer.head()
        assert head and b"100-continue" in head
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.answer(peer.body(head))

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.response().status == 100
        connection.send(b"hello")
        assert connection.response().body == b"hello"


def test_a_server_that_does_not_ask_for_the_body(
    director: Director, client: Client, raw_server
) -> None:
    """A client that waits for a 100 has done nothing wrong: it is the server that is late."""

    def script(peer: Peer) -> None:
        assert peer.head()
        peer.exactly(1)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool", timeout_response="1s", timeout_stall="1m")
    with client.connect() as connection:
        connection.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.response().status == 504


def test_http_1_0(director: Director, client: Client, raw_server) -> None:
    """An HTTP/1.0 client gets its response, and then the end of the connection."""
    director.pool("pool", raw_server(echo).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.send(b"GET /old HTTP/1.0\r\n\r\n")
        assert connection.response().body.startswith(b"GET /old HTTP/1.0")
        assert connection.rest() == b""


def test_http_1_0_keep_alive(director: Director, client: Client, raw_server) -> None:
    """An HTTP/1.0 client may ask for its connection to be kept."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.answer(b"kept", fields="Connection: keep-alive\r\n")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        for _ in range(2):
            connection.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert connection.response().body == b"kept"


def test_connection_close(client: Client, echo_service) -> None:
    """A client that wants the connection closed gets that."""
    with client.connect() as connection:
        connection.get(fields="Connection: close\r\n")
        response = connection.response()
        assert response.fields.get("connection") == "close"
        assert connection.rest() == b""


def test_half_close(client: Client, echo_service) -> None:
    """A client that has said all may still be answered."""
    with client.connect() as connection:
        connection.get("/half").half_close()
        assert connection.response().body.startswith(b"GET /half ")


def test_x_forwarded_for(director: Director, client: Client, raw_server) -> None:
    """The server learns the client's address, appended to what is there."""
    server = raw_server(echo)
    director.pool("pool", server.address)
    director.service(pool="pool", forwarded_for="on")
    client.get()
    client.get(fields="X-Forwarded-For: 192.0.2.1\r\n")
    assert b"X-Forwarded-For: 10.0.1.2\r\n" in server.heads[0]
    joined = server.heads[1].replace(b"\r\nX-Forwarded-For: ", b", ")
    assert b"192.0.2.1, 10.0.1.2\r\n" in joined


def test_hop_by_hop_fields_stay(director: Director, client: Client, raw_server) -> None:
    """What is for this connection only does not reach the server."""
    server = raw_server(echo)
    director.pool("pool", server.address)
    director.service(pool="pool")
    client.get(
        fields="Connection: X-Secret, close\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nX-Other: 2\r\n"
    )
    assert b"X-Other: 2\r\n" in server.heads[0]
    assert b"secret" not in server.heads[0].lower()
    assert b"keep-alive:" not in server.heads[0].lower()


def test_upgrade_is_a_tunnel(director: Director, client: Client, raw_server) -> None:
    """After a 101 bytes go both ways, until each side has ended."""

    def script(peer: Peer) -> None:
        assert b"upgrade: test" in (peer.head() or b"").lower()
        peer.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n"
        )
        while data := peer.connection.recv(1000):
            peer.send(data.upper())
        peer.send(b"BYE")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.get(fields="Connection: Upgrade\r\nUpgrade: test\r\n")
        assert connection.response().status == 101
        for word in (b"one", b"two"):
            connection.send(word)
            assert connection.exactly(3) == word.upper()
        connection.half_close()
        assert connection.rest() == b"BYE"


@pytest.mark.parametrize("client_side", [VIP, VIP6])
@pytest.mark.parametrize("server_side", [4, 6])
def test_both_families(
    director: Director, client: Client, nginx: list, client_side: str, server_side: int
) -> None:
    """IPv4 and IPv6, on either side."""
    if server_side == 4:
        director.pool("pool", f"{server_address(1)}:80")
    else:
        director.pool("pool", f"[{server_address6(1)}]:80")
    listen = f"[{client_side}]:80" if ":" in client_side else f"{client_side}:80"
    director.service(listen=listen, pool="pool")
    with client.connect(client_side) as connection:
        assert connection.get("/who").response().body == b"rs1\n"


def test_websocket(director: Director, nginx: list) -> None:
    """A real WebSocket client and server talk through the director."""
    server_program = """
import asyncio, websockets
async def echo(ws):
    async for message in ws:
        await ws.send(message[::-1])
async def main():
    async with websockets.serve(echo, "10.0.2.11", 9000):
        print("ready", flush=True)
        await asyncio.Future()
asyncio.run(main())
"""
    client_program = """
import asyncio, websockets
async def main():
    async with websockets.connect("ws://10.0.1.1/chat") as ws:
        for text in ["abc", "x" * 200000]:
            await ws.send(text)
            assert await ws.recv() == text[::-1]
    print("well")
asyncio.run(main())
"""
    server = SERVERS[0].start("python3", "-c", server_program, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout and server.stdout.readline() == "ready\n"
        director.pool("pool", "10.0.2.11:9000")
        director.service(pool="pool")
        assert CLIENT.run("python3", "-c", client_program).stdout == "well\n"
    finally:
        server.kill()
        server.wait()
