# SPDX-License-Identifier: GPL-2.0
"""Hosts that are short of memory for TCP."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.topology import CLIENT, DIRECTOR, SERVERS, server_address
from support.transfer import MIB, at_once, download, store, upload
from support.tune import counter, route, sysctl

# The smallest buffer that TCP lets a socket have in any case.
SMALL = "4096 4096 4096"

# Room to send for one socket, whatever the limit.
SO_SNDBUFFORCE = 32

# A head with this goes by reference, and not as a copy.
LONG = "X-Fill: " + "y" * 3000 + "\r\n"


def transfers(client: Client, connections: int) -> None:
    """1 MiB down and 1 MiB up over each of some connections, all at once."""

    def work(n: int) -> None:
        with client.connect(timeout=30) as connection:
            download(connection, f"/{MIB}/down{n}")
            upload(connection, f"/{MIB}/up{n}")

    at_once(connections, work)


@pytest.mark.parametrize(
    "names",
    [["tcp_wmem"], ["tcp_rmem"], ["tcp_wmem", "tcp_rmem"]],
    ids=["sending", "receiving", "both"],
)
def test_small_buffers(director: Director, client: Client, raw_server, names: list[str]) -> None:
    """All arrives though the director's sockets have room for a packet or two."""
    with contextlib.ExitStack() as settings:
        for name in names:
            settings.enter_context(sysctl(f"net.ipv4.{name}", SMALL, DIRECTOR))
        server = raw_server(store())
        director.apply(pool_text("p", server.address) + service_text(pool="p"))
        transfers(client, 4)


def pressures() -> int:
    """How often TCP ran short of memory."""
    return sum(counter(host, "TcpExtTCPMemoryPressures") for host in [CLIENT, DIRECTOR, *SERVERS])


def test_no_memory_for_tcp(director: Director, client: Client, raw_server) -> None:
    """All arrives though TCP as a whole, which is one for all hosts here, is short of memory."""
    server = raw_server(store())
    director.apply(pool_text("p", server.address) + service_text(pool="p"))
    before = pressures()
    # In pages: short from 1 MiB on, where a socket has but its share. Each CPU may have another
    # MiB. At a hard limit TCP itself crawls, from one retransmission to the next.
    with sysctl("net.ipv4.tcp_mem", "256 256 4096"):
        transfers(client, 8)
    assert pressures() > before


@contextlib.contextmanager
def hog(size: int) -> Iterator[None]:
    """TCP has so many bytes that nobody reads, meanwhile."""
    host, address = SERVERS[1], server_address(2)
    with host.listen(9000, address) as listener, host.connect(address, 9000) as sender:
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 2 * size)
        with listener.accept()[0]:
            sender.sendall(bytes(size))
            yield


def test_no_memory_at_all_for_tcp(director: Director, client: Client, raw_server) -> None:
    """All arrives though TCP has more than its hard limit, where it is refused all but one buffer
    of each socket; heads that get a line too."""
    server = raw_server(store())
    director.apply(
        pool_text("p", server.address, more=("cookie SRV",))
        + service_text(pool="p", more=("forwarded-for on",))
    )
    before = pressures()

    def work(n: int) -> None:
        with client.connect(timeout=30) as connection:
            for size in (0, 100, 3000, 10_000, 20_000):
                download(connection, f"/{size}/down{n}")
                upload(connection, f"/{size}/up{n}", LONG)

    with hog(4 * MIB), sysctl("net.ipv4.tcp_mem", "16 32 64"):
        at_once(4, work)
    assert pressures() > before


def tcp_pages() -> int:
    """What TCP as a whole counts as its memory, in pages."""
    text = Path("/proc/net/sockstat").read_text()
    (found,) = re.findall(r"^TCP:.* mem (\d+)", text, re.MULTILINE)
    return int(found)


def test_little_for_heads(director: Director, client: Client, raw_server) -> None:
    """However small the segments in which a head begins to come, not much of TCP's memory is set
    aside for the rest of it, though TCP is short of it."""
    server = raw_server(store())
    # The first has to be whole when the last has begun.
    service = service_text(pool="p", more=("timeout-head 5m",))
    director.apply(pool_text("p", server.address) + service)
    begin, fill = b"GET /100/small HTTP/1.1\r\nHost: x\r\nX-Fill: ", 5 * b"y" * 100
    with contextlib.ExitStack() as ends:
        # Longer segments than the director expects are what it learns from how much they take.
        ends.enter_context(route(CLIENT, "eth0", "advmss", "88"))
        ends.enter_context(sysctl("net.ipv4.tcp_mem", "256 256 100000"))
        ends.enter_context(hog(4 * MIB))
        before = tcp_pages()
        connections = []
        for _ in range(80):
            connections.append(ends.enter_context(client.connect(timeout=30)))
            for n in range(0, len(begin + fill), 100):
                connections[-1].send((begin + fill)[n : n + 100])
        time.sleep(PACE)
        taken = tcp_pages() - before
        print(f"{taken} pages for {len(connections)} heads")
        for connection in connections:
            connection.send(b"\r\n\r\n")
            assert connection.response().status == 200
    assert taken < 16 * len(connections)
