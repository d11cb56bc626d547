# SPDX-License-Identifier: GPL-2.0
"""Connections whose packets arrive on all CPUs, however many there are.

What a client sends and what its server sends is taken in on whatever CPUs their addresses and
ports lead to (RPS): as a rule not on the same one. `make test` has four CPUs for them.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.client import Client, wrk_report
from support.config import NGINX, pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.topology import CLIENT, DIRECTOR, SERVERS, VIP, server_address

CPUS = sorted(os.sched_getaffinity(0))

# All devices that take in packets of TCP.
DEVICES = [
    (CLIENT, "eth0"),
    (DIRECTOR, "front port1 port2 port3"),
    *((server, "eth0") for server in SERVERS),
]


def softnet() -> list[list[int]]:
    """The kernel's counters of incoming packets, a row for each CPU."""
    lines = Path("/proc/net/softnet_stat").read_text().splitlines()
    return [[int(word, 16) for word in line.split()] for line in lines]


# Places in a row: packets taken in, and times that another CPU asked for it.
TAKEN, ASKED = 0, 9


@pytest.fixture(autouse=True)
def spread(clean: None) -> Iterator[None]:
    """Packets are spread over the CPUs, and every CPU has had its share in the end."""
    everyone = f"{sum(1 << cpu for cpu in CPUS):x}"

    def set_mask(mask: str) -> None:
        for host, devices in DEVICES:
            for device in devices.split():
                host.set_device(device, "queues/rx-0/rps_cpus", mask)

    before = softnet()
    set_mask(everyone)
    try:
        yield
    finally:
        set_mask("0")
    after = softnet()
    assert len(after) == len(CPUS)
    # One alone has nobody to ask it.
    for place in (TAKEN, ASKED) if len(CPUS) > 1 else (TAKEN,):
        shares = [new[place] - old[place] for new, old in zip(after, before, strict=True)]
        # Asked are those that sleep: seldom, where the machine is busy.
        assert min(shares) > 30, f"the CPUs' shares: {shares}"


def start(cpu: int, *words: str) -> subprocess.Popen:
    """Starts a server or a client on a CPU."""
    return subprocess.Popen(
        [sys.executable, "-m", "support.load", str(cpu), *words],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def servers() -> Iterator[list[str]]:
    """A server on each host, each on another CPU. Their addresses."""
    made = []
    try:
        for n in range(1, len(SERVERS) + 1):
            made.append(start(CPUS[n % len(CPUS)], "serve", str(n), "8080"))
        for server in made:
            assert server.stdout and server.stdout.readline() == "ready\n"
        yield [f"{server_address(n)}:8080" for n in range(1, len(SERVERS) + 1)]
    finally:
        for server in made:
            server.kill()
            server.communicate()


def test_everything_arrives(director: Director) -> None:
    """Bodies both ways over many connections, from clients on all CPUs to servers on all CPUs."""
    with servers() as addresses:
        director.apply(pool_text("p", *addresses) + service_text(pool="p"))
        clients = [start(cpu, "transfer", VIP, f"{cpu}{n}") for cpu in CPUS for n in range(2)]
        try:
            for client in clients:
                text, _ = client.communicate(timeout=120 * PACE)
                assert client.returncode == 0, text
        finally:
            for client in clients:
                client.kill()
        director.flush()
        director.settle()


@pytest.mark.parametrize("more", ["", "Connection: close"], ids=["kept", "closed"])
def test_many_small_requests(director: Director, client: Client, nginx: list, more: str) -> None:
    """Many connections at once, kept or closed after each request, while servers come and go."""
    director.nginx_service()
    words = ["-d", f"{4 * PACE}s", "-c", "48", "-t", str(len(CPUS))]
    words += ["-H", more] if more else []
    load = client.wrk(*words)
    for n in range(20):
        director.apply(pool_text("pool", *NGINX[n % 3 :]) + service_text(pool="pool"))
    report = wrk_report(load)
    assert report.requests > 100
    assert report.bad == report.errors == 0, report.text
