# SPDX-License-Identifier: GPL-2.0
"""Small requests beside large ones.

Measured in a guest whose clock counts instructions (`scripts/guest exact`): elsewhere the clock
runs on while the emulator does not, and then the slowest of a hundred requests says how busy the
machine was that the guest ran on.

That guest has one CPU, which the large transfers use up. Their clients and servers are processes
that would take their turns on it before the client and server of the small requests, so they are
the nicest of processes here. Even then the slowest of a hundred small requests takes about eight
times as long beside large ones when no director is there at all: a packet sent is a packet
received in the same turn, and turns are long. So this is what large transfers through the director
are held against, and the same small and large ones without it follow each other in rounds: how
turns fall out differs a lot from one to the next.
"""

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator

import pytest
from support.client import Client
from support.config import NGINX, pool_text, service_text
from support.director import Director
from support.nginx import Nginx
from support.pace import PACE
from support.topology import DIRECTOR, SERVERS, VIP, server_address
from support.tune import sysctl

pytestmark = pytest.mark.exact

# How many small requests are measured.
COUNT = 1000

# How many times both are compared.
ROUNDS = 4

# The large transfers at a time.
BULK = 8


@contextlib.contextmanager
def nicest(servers: list[Nginx]) -> Iterator[None]:
    """The processes of these servers let all others go first, meanwhile."""

    def renice(value: int) -> None:
        for server in servers:
            master = (server.top / "nginx.pid").read_text().strip()
            workers = subprocess.run(
                ["pgrep", "-P", master], capture_output=True, text=True, check=True
            ).stdout.split()
            subprocess.run(
                ["renice", "-n", str(value), "-p", master, *workers],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip

    renice(19)
    try:
        yield
    finally:
        renice(0)


def times(client: Client, address: str) -> list[float]:
    """How long each of a thousand small requests of a connection takes, in seconds."""
    took = []
    with client.connect(address) as connection:
        for _ in range(COUNT):
            # Most clients ask now and then, and others may have their turn.
            time.sleep(0.0005)
            began = time.perf_counter()
            response = connection.get("/who").response()
            took.append(time.perf_counter() - began)
            assert response.body == b"rs1\n"
    return took


def slowest(took: list[float]) -> float:
    """How long the slowest in a hundred of these takes."""
    return sorted(took)[len(took) * 99 // 100]


def times_beside_bulk(client: Client, nginx: list[Nginx], small: str, bulk: str) -> list[float]:
    """How long small requests to the one address take beside large ones to the other."""
    with nicest(nginx[1:]):
        wrk = client.namespace.start(
            "nice", "-n", "19", "wrk", f"-c{BULK}", "-t1", "-d3600s", f"http://{bulk}/1m",
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            time.sleep(0.2)
            took = times(client, small)
        finally:
            # It then says what it has done.
            wrk.send_signal(2)
            text, _ = wrk.communicate(timeout=60 * PACE)
    transfers = re.search(r"(\d+) requests in", text)
    assert transfers and int(transfers[1]) > 50, text
    return took


@contextlib.contextmanager
def routed(client: Client) -> Iterator[None]:
    """The client reaches the servers through the director without its switch, meanwhile."""
    hosts = [(client.namespace, "10.0.2.0/24", VIP)]
    hosts += [(server, "10.0.1.0/24", "10.0.2.1") for server in SERVERS]
    for host, network, gateway in hosts:
        host.run("ip", "route", "add", network, "via", gateway)
    try:
        with sysctl("net.ipv4.ip_forward", "1", DIRECTOR):
            yield
    finally:
        for host, network, _ in hosts:
            host.run("ip", "route", "del", network)


def test_small_requests_beside_bulk(director: Director, client: Client, nginx: list[Nginx]) -> None:
    """The slowest of a hundred small requests takes at most twice as long beside large ones, or no
    longer than it would without a director."""
    director.apply(
        pool_text("small", NGINX[0])
        + pool_text("bulk", NGINX[1])
        + service_text("path /1m use-pool bulk", pool="small")
    )
    alone = slowest(times(client, VIP))
    switched, direct = [], []
    with routed(client):
        for _ in range(ROUNDS):
            switched += times_beside_bulk(client, nginx, VIP, VIP)
            direct += times_beside_bulk(client, nginx, server_address(1), server_address(2))
    print(
        f"{alone * 1e6:.0f} us alone, {slowest(switched) * 1e6:.0f} us beside large ones, "
        f"{slowest(direct) * 1e6:.0f} us with nothing switched"
    )
    assert slowest(switched) <= max(2 * alone, slowest(direct))
