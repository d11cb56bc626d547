# SPDX-License-Identifier: GPL-2.0
"""Bodies, both ways: their framing is exact, and they are not kept in the director."""

import hashlib
import os
import time

import pytest
from support.client import Client
from support.director import Director
from support.pace import PACE
from support.raw_server import Peer, wait_until
from support.topology import DIRECTOR, VIP, server_address
from support.tune import sysctl


def chunked(body: bytes, size: int, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    """`body` in chunks of `size` bytes."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = [b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join(chunks) + b"0\r\n" + trailer + b"\r\n"


def digest(peer: Peer) -> None:
    """Answers with a digest of the body as it was sent."""
    while head := peer.head():
        peer.answer(hashlib.sha256(peer.body(head)).hexdigest().encode())


@pytest.fixture
def digest_service(director: Director, raw_server):
    server = raw_server(digest)
    director.pool("pool", server.address)
    director.service(pool="pool")
    return server


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


@pytest.mark.parametrize("size", [1, 1000, 65536, 3_000_000])
def test_upload_by_length(client: Client, digest_service, size: int) -> None:
    """A body of known length arrives whole, and the next request after it."""
    body = os.urandom(size)
    with client.connect() as connection:
        for _ in range(2):
            connection.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + body
            )
            assert connection.response().body == sha(body)


@pytest.mark.parametrize(
    ("extension", "trailer"), [(b"", b""), (b";a=b", b""), (b"", b"X-Sum: 1\r\nX-T: 2\r\n")]
)
def test_upload_in_chunks(client: Client, digest_service, extension: bytes, trailer: bytes) -> None:
    """Chunks, extensions and trailers arrive as they were sent."""
    body = chunked(os.urandom(200_000), 7777, extension, trailer)
    with client.connect() as connection:
        for _ in range(2):
            connection.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body
            )
            assert connection.response().body == sha(body)


def test_chunks_a_byte_at_a_time(client: Client, digest_service) -> None:
    """Chunks may come in pieces of any size."""
    body = chunked(b"hello, world", 5, b";x", b"T: 1\r\n")
    with client.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for byte in body:
            connection.send(bytes([byte]))
        assert connection.response().body == sha(body)


@pytest.mark.parametrize("size", [1, 5000, 1_000_000])
def test_chunked_response(director: Director, client: Client, raw_server, size: int) -> None:
    """A chunked response arrives whole, and its server's connection is used again."""
    body = os.urandom(size)

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            peer.send(chunked(body, 4000, b";e=1", b"T: 1\r\n"))

    server = raw_server(script)
    director.pool("pool", server.address)
    director.service(pool="pool")
    with client.connect() as connection:
        for _ in range(3):
            assert connection.get().response().body == body
    assert server.connections == 1


def test_response_until_close(director: Director, client: Client, raw_server) -> None:
    """Without a length the end of the connection is the end of the body."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000)

    server = raw_server(script)
    director.pool("pool", server.address)
    director.service(pool="pool")
    with client.connect() as connection:
        response = connection.get().response()
        assert response.fields["connection"] == "close"
        assert response.body == b"x" * 100_000


@pytest.mark.parametrize(
    "cut", [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this"],
)  # fmt: skip
def test_truncated_response(director: Director, client: Client, raw_server, cut: bytes) -> None:
    """A response that its server cuts short never looks whole."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(cut)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.get()
        assert connection.is_cut()


def test_early_response(director: Director, client: Client, raw_server) -> None:
    """A server may answer before it has read the body; then the connection ends."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.answer(b"enough", status="403 Forbidden", fields="Connection: close\r\n")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n12345")
        assert connection.response().status == 403


def test_slow_reader_holds_the_server_back(director: Director, client: Client, raw_server) -> None:
    """What the client does not take is not read from the server."""
    sent = 0

    def script(peer: Peer) -> None:
        nonlocal sent
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 28))
        while sent < 1 << 28:
            peer.send(b"x" * 65536)
            sent += 65536

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.get()
        last = -1
        while sent != last:
            last = sent
            time.sleep(1)
        # Send and receive buffers of two connections, none of it the director's own.
        assert sent < 32 << 20
        connection.exactly(1 << 20)
        wait_until(lambda: sent > last, what="the server sends again")


def test_a_slow_server_of_a_large_buffer(director: Director, client: Client, raw_server) -> None:
    """A server that takes a body steadily is not given up, however seldom there is room."""
    # Much of what the buffer holds must go before there is room again, for which it takes longer
    # than the time-out.
    size = 16 << 20

    def script(peer: Peer) -> None:
        peer.head()
        began = time.monotonic()
        while time.monotonic() - began < 12:
            peer.buffer += peer.connection.recv(5000)
            time.sleep(0.1)
        peer.answer(sha(peer.exactly(size)))

    body = os.urandom(size)
    with sysctl("net.ipv4.tcp_wmem", "4096 1048576 4194304", DIRECTOR):
        director.pool("pool", raw_server(script).address)
        director.service(pool="pool", timeout_stall="2s")
        with client.connect(timeout=30) as connection:
            connection.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + body
            )
            response = connection.response()
            assert (response.status, response.body) == (200, sha(body))


def test_slow_server_holds_the_client_back(director: Director, client: Client, raw_server) -> None:
    """What the server does not take is not read from the client."""

    def script(peer: Peer) -> None:
        peer.head()
        time.sleep(20)

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect() as connection:
        connection.socket.settimeout(2)
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (1 << 28))
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 1 << 28:
                sent += connection.socket.send(b"x" * 65536)
        assert sent < 32 << 20


def test_one_gibibyte(director: Director, client: Client, nginx: list) -> None:
    """1 GiB comes through, and is what was sent. On a debug kernel an eighth of it has to do."""
    size = 1 << (30 if PACE == 1 else 27)
    www = nginx[0].top / "www"
    with (www / "large").open("wb") as large:
        # Sparse, so that it needs no memory, but for what tells one place from another.
        large.truncate(size)
        for at in range(0, size, size // 64):
            large.seek(at + at // 64)
            large.write(os.urandom(4096))
    director.pool("pool", f"{server_address(1)}:80")
    director.service(pool="pool")
    compare = (
        f"curl -sS --max-time {240 * PACE} http://{VIP}/large | cmp - {www}/large && echo same"
    )
    result = client.namespace.run("sh", "-c", compare, check=False, timeout=250 * PACE)
    assert result.stdout == "same\n", result
    (www / "large").unlink()


def test_nginx_files(director: Director, client: Client, nginx: list) -> None:
    """Files of some sizes, of each real server in turn."""
    director.nginx_service()
    for name in ("1k", "16k", "1m"):
        wanted = (nginx[0].top / "www" / name).read_bytes()
        with client.connect() as connection:
            for _ in range(3):
                assert connection.get(f"/{name}").response().body == wanted


def test_cgi(director: Director, client: Client, nginx: list) -> None:
    """A form goes to a CGI program and comes back."""
    director.nginx_service()
    result = client.curl("-d", "a=b&c=d", f"http://{VIP}/cgi/form?x=1")
    assert result.stdout.startswith("POST /cgi/form?x=1\n")
    assert result.stdout.endswith("a=b&c=d")
