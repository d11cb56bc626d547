# SPDX-License-Identifier: GPL-2.0
"""Hosts that are short of memory for TCP."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.topology import CLIENT, DIRECTOR, SERVERS, server_address
from support.transfer import MIB, at_once, download, store, upload
from support.tune import counter, sysctl

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
