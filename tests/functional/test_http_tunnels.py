# SPDX-License-Identifier: GPL-2.0
"""Upgrades: after a 101 the connection is a tunnel, and before it is not."""

import base64
import hashlib
import os
import socket
import struct
import time
from collections.abc import Iterator

import pytest
from support.client import Client, Connection
from support.director import Director
from support.raw_server import SWITCH, UPGRADE, Peer, RawServer, wait_until

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def shout(peer: Peer) -> None:
    """Switches protocols, and sends back in capitals what comes."""
    if peer.head() is None:
        return
    peer.send(SWITCH)
    while data := peer.buffer or peer.connection.recv(65536):
        peer.buffer = b""
        peer.send(data.upper())
    peer.send(b"BYE")


@pytest.fixture
def shouting(director: Director, raw_server) -> RawServer:
    """A service before a server that switches protocols."""
    server = raw_server(shout)
    director.pool("pool", server.address)
    director.service(pool="pool", timeout_head="5s", timeout_idle="5s", timeout_response="5s")
    return server


@pytest.fixture
def tunnel(client: Client, shouting: RawServer) -> Iterator[Connection]:
    """A connection that is a tunnel."""
    with client.connect() as connection:
        assert connection.get(fields=UPGRADE).response().status == 101
        yield connection


def test_fields_of_the_upgrade(client: Client, shouting: RawServer) -> None:
    """Both sides see the fields that make the upgrade."""
    with client.connect() as connection:
        fields = connection.get(fields=UPGRADE).response().fields
    assert fields["upgrade"] == "test"
    assert fields["connection"].lower() == "upgrade"
    assert b"\r\nupgrade: test\r\n" in shouting.heads[0].lower()
    assert b"\r\nconnection: upgrade\r\n" in shouting.heads[0].lower()


def test_anything_goes_through(tunnel: Connection) -> None:
    """What looks like HTTP, and what does not, is only bytes."""
    for data in (b"GET / HTTP/1.1\nbad\r\n\r\n", bytes(range(97)), b"\0" * 5000):
        tunnel.send(data)
        assert tunnel.exactly(len(data)) == data.upper()


def test_much_goes_through(tunnel: Connection) -> None:
    """A megabyte there and back again, more than buffers hold at once."""
    block = os.urandom(1 << 16)
    for _ in range(16):
        tunnel.send(block)
        assert tunnel.exactly(len(block)) == block.upper()


def test_first_bytes_with_the_switch(director: Director, client: Client, raw_server) -> None:
    """What the server says right behind its 101 belongs to the tunnel."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(SWITCH + b"hello from here")
        peer.connection.recv(1)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        assert connection.get(fields=UPGRADE).response().status == 101
        assert connection.exactly(15) == b"hello from here"


def test_first_bytes_with_the_request(client: Client, shouting: RawServer) -> None:
    """What the client says right behind its request reaches the server after the 101."""
    with client.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + UPGRADE.encode() + b"\r\nimpatient")
        assert connection.response().status == 101
        assert connection.exactly(9) == b"IMPATIENT"


def test_client_that_has_said_all(tunnel: Connection) -> None:
    """The client's end reaches the server, which may still answer."""
    tunnel.send(b"x").half_close()
    assert tunnel.rest() == b"XBYE"


def test_server_that_has_said_all(director: Director, client: Client, raw_server) -> None:
    """The server's end reaches the client, which may go on sending."""
    received: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(SWITCH)
        peer.connection.shutdown(socket.SHUT_WR)
        received.append(peer.exactly(1 << 20))

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        assert connection.get(fields=UPGRADE).response().status == 101
        assert connection.rest() == b""
        connection.send(b"still here").half_close()
        wait_until(lambda: received, what="the server has all")
    assert received == [b"still here"]


def test_client_that_resets(director: Director, client: Client, raw_server) -> None:
    """A reset by the client ends the server's connection."""
    ended: list[bool] = []

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(SWITCH)
        try:
            ended.append(peer.connection.recv(100) == b"")
        except ConnectionResetError:
            ended.append(True)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    connection = client.connect()
    assert connection.get(fields=UPGRADE).response().status == 101
    connection.reset()
    wait_until(lambda: ended == [True], what="the server sees the end")


def test_server_that_resets(director: Director, client: Client, raw_server) -> None:
    """A reset by the server ends the client's connection."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(SWITCH)
        peer.connection.recv(100)
        peer.reset()

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        assert connection.get(fields=UPGRADE).response().status == 101
        assert connection.send(b"x").is_cut()


def test_what_came_before_a_reset(director: Director, client: Client, raw_server) -> None:
    """What a server sent before it reset its connection still arrives, however late it is read."""
    much = b"x" * 16_000

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(SWITCH + much)
        # It is to arrive before the reset.
        time.sleep(0.3)
        peer.reset()

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect(tiny=True) as connection:
        assert connection.get(fields=UPGRADE).response().status == 101
        time.sleep(1)
        assert connection.exactly(len(much)) == much
        assert connection.is_cut()


def test_refused_upgrade(director: Director, client: Client, raw_server) -> None:
    """A server that does not switch answers as to any request; the connections go on."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.answer(b"no", status="426 Upgrade Required", fields="Upgrade: other\r\n")

    server = raw_server(script)
    director.pool("pool", server.address)
    director.service(pool="pool")
    with client.connect() as connection:
        for _ in range(3):
            response = connection.get(fields=UPGRADE).response()
            assert (response.status, response.body) == (426, b"no")
    assert server.connections == 1


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: test\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n",
    ],
    ids=["none", "no connection", "no upgrade", "h2c", "1.0"],
)
def test_no_tunnel_unasked(client: Client, shouting: RawServer, request_bytes: bytes) -> None:
    """A server that switches without being asked gives no answer: 502."""
    assert client.raw(request_bytes).status == 502


def test_a_tunnel_is_not_pooled(client: Client, shouting: RawServer) -> None:
    """The server's connection ends with its tunnel; each upgrade gets a new one."""
    for n in (1, 2, 3):
        with client.connect() as connection:
            assert connection.get(fields=UPGRADE).response().status == 101
            connection.send(b"x").half_close()
            assert connection.rest() == b"XBYE"
        assert shouting.connections == n


def frame(opcode: int, payload: bytes) -> bytes:
    """A masked frame of WebSocket, as a client sends it."""
    mask = os.urandom(4)
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([0x80 | opcode]) + length + mask + masked


def read_frame(peer: Peer) -> tuple[int, bytes]:
    """The next frame that a client sends."""
    first, second = peer.exactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", peer.exactly(2))
    mask = peer.exactly(4)
    return first & 0xF, bytes(byte ^ mask[at % 4] for at, byte in enumerate(peer.exactly(size)))


def test_websocket_by_hand(director: Director, client: Client, raw_server) -> None:
    """The handshake's key goes through unchanged, then frames of all sizes, pings and the close."""

    def script(peer: Peer) -> None:
        head = peer.head() or b""
        key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        peer.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        opcode = 0
        while opcode != 8:
            opcode, payload = read_frame(peer)
            size = len(payload)
            length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
            peer.send(bytes([0x80 | (10 if opcode == 9 else opcode)]) + length + payload)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    key = base64.b64encode(os.urandom(16))
    with client.connect() as connection:
        connection.send(
            b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
        )
        response = connection.response()
        assert response.status == 101
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        assert response.fields["sec-websocket-accept"] == accept
        for size in (0, 1, 125, 126, 1000, 60000):
            payload = os.urandom(size)
            connection.send(frame(2, payload))
            header = connection.exactly(2 if size < 126 else 4)
            assert header[0] == 0x82
            assert connection.exactly(size) == payload
        connection.send(frame(9, b"ping"))
        assert connection.exactly(6) == b"\x8a\x04ping"
        connection.send(frame(8, b"\x03\xe8"))
        assert connection.exactly(4) == b"\x88\x02\x03\xe8"
        assert connection.rest() == b""
