# SPDX-License-Identifier: GPL-2.0
"""Large bodies and slow readers: all arrives, in time, and the director keeps none of it."""

import contextlib
import time
from pathlib import Path

import pytest
from support.client import Client
from support.director import Director
from support.raw_server import Peer, wait_until
from support.topology import VIP

MIB = 1 << 20


def available() -> int:
    """How much memory the guest has left, in bytes."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no MemAvailable")


def pattern(at: int) -> bytes:
    """The bytes of MiB number `at`: each different, and cheap to make and to compare."""
    return (b"%015d\n" % at) * (MIB // 16)


def test_large_upload(director: Director, client: Client, raw_server) -> None:
    """128 MiB go up and are what was sent."""
    count = 128
    wrong: list[int] = []

    def script(peer: Peer) -> None:
        peer.head()
        wrong.extend(at for at in range(count) if peer.exactly(MIB) != pattern(at))
        peer.answer(b"done")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect(timeout=60) as connection:
        connection.send(
            b"PUT /large HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (count * MIB)
        )
        for at in range(count):
            connection.send(pattern(at))
        assert connection.response().body == b"done"
    assert wrong == []


def test_large_chunked_response(director: Director, client: Client, raw_server) -> None:
    """128 MiB come down in chunks of all sizes and are what was sent."""
    count = 128

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(count):
            data, size = pattern(at), 4093 + at * 8191
            for begin in range(0, MIB, size):
                piece = data[begin : begin + size]
                peer.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        peer.send(b"0\r\n\r\n")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    # curl decodes the chunks, and says if their end is missing.
    out = Path("/tmp/chunked")
    result = client.namespace.run(
        "curl", "-sS", "--max-time", "100", "-o", str(out), f"http://{VIP}/", timeout=120
    )
    assert result.returncode == 0
    try:
        assert out.stat().st_size == count * MIB
        with out.open("rb") as data:
            assert all(data.read(MIB) == pattern(at) for at in range(count))
    finally:
        out.unlink()


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_slow_readers_cost_no_memory(
    director: Director, client: Client, raw_server, framing: str
) -> None:
    """Ten clients that do not read hold ten servers back; what waits is what sockets buffer."""
    size = 64 * MIB
    sent: dict[int, int] = {}

    def script(peer: Peer) -> None:
        peer.head()
        block = b"x" * 65536
        head = {
            "length": b"Content-Length: %d\r\n" % size,
            "chunked": b"Transfer-Encoding: chunked\r\n",
            "close": b"",
        }[framing]
        peer.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        if framing == "chunked":
            peer.send(b"%x\r\n" % size)
        for _ in range(size // len(block)):
            peer.send(block)
            sent[peer.number] = sent.get(peer.number, 0) + len(block)
        if framing == "chunked":
            peer.send(b"\r\n0\r\n\r\n")

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    before = available()
    connections = [client.connect(timeout=60).get() for _ in range(10)]
    wait_until(lambda: len(sent) == 10, 20, "ten servers send")
    last = -1
    deadline = time.monotonic() + 60
    while sum(sent.values()) != last:
        assert time.monotonic() < deadline, "the servers are not held back"
        last = sum(sent.values())
        time.sleep(1)
    assert last < 10 * size
    assert max(sent.values()) < 32 * MIB
    assert before - available() < 400 * MIB
    # One of them reads on, and gets all of it.
    left = size
    while left > 0:
        data = connections[0].socket.recv(MIB)
        assert data
        left -= data.count(b"x")
    assert left == 0
    for connection in connections:
        connection.close()


def test_a_reader_that_stops_now_and_then(director: Director, client: Client, raw_server) -> None:
    """Back-pressure that comes and goes loses nothing."""
    count = 24

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (count * MIB))
        for at in range(count):
            peer.send(pattern(at))

    director.pool("pool", raw_server(script).address)
    director.service(pool="pool")
    with client.connect(timeout=30) as connection:
        assert connection.get().response(head_only=True).status == 200
        for at in range(count):
            if at % 6 == 0:
                time.sleep(0.5)
            assert connection.exactly(MIB) == pattern(at)


def test_slow_reader_does_not_hold_others_up(
    director: Director, client: Client, nginx: list
) -> None:
    """While one client reads nothing, others are served."""
    director.nginx_service()
    with client.connect() as slow:
        for _ in range(10):
            slow.get("/1m")
        for _ in range(6):
            assert client.get("/who").status == 200
        for _ in range(10):
            assert len(slow.response().body) == MIB


def test_answers_leave_no_memory_behind(director: Director, client: Client) -> None:
    """A connection that was sent something of the director's own keeps no room for more."""
    count = 600
    director.service(timeout_head="10m", timeout_idle="10m")
    director.rule("--redirect", "https://new.example/")
    with contextlib.ExitStack() as kept:
        connections = [kept.enter_context(client.connect()) for _ in range(count)]
        before = available()
        for connection in connections:
            assert connection.get().response().status == 302
        assert before - available() < count * 12 * 1024
