# SPDX-License-Identifier: GPL-2.0
"""Small requests beside large ones.

Measured in a guest whose clock counts instructions (`scripts/guest exact`): elsewhere the clock
runs on while the emulator does not, and then the slowest of a hundred requests says how busy the
machine was that the guest ran on.

That guest has one CPU, which the large transfers use up. Their clients and servers are processes
that would take their turns on it before the client and server of the small requests, with or
without a director (then the slowest in a hundred takes ten times as long in either case). So
they are the nicest of processes here: they run when nobody else wants to. What still stands in a
small request's way is what the kernel does for the large ones in between, and that is where the
director's work is done.
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
from support.topology import VIP

pytestmark = pytest.mark.exact

# How many small requests are measured.
COUNT = 1000

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


def slowest(client: Client) -> float:
    """How long the slowest in a hundred small requests of a connection takes, in seconds."""
    took = []
    with client.connect() as connection:
        for _ in range(COUNT):
            # Most clients ask now and then, and others may have their turn.
            time.sleep(0.0005)
            began = time.perf_counter()
            connection.get("/who")
            answer = connection.socket.recv(65536)
            took.append(time.perf_counter() - began)
            assert answer.endswith(b"\r\n\r\nrs1\n")
    return sorted(took)[COUNT * 99 // 100]


def test_small_requests_beside_bulk(director: Director, client: Client, nginx: list[Nginx]) -> None:
    """Of a hundred small requests the slowest takes at most twice as long beside large ones."""
    director.apply(
        pool_text("small", NGINX[0])
        + pool_text("bulk", *NGINX[1:])
        + service_text("path /1m use-pool bulk", pool="small")
    )
    alone = slowest(client)
    with nicest(nginx[1:]):
        bulk = client.namespace.start(
            "nice", "-n", "19", "wrk", f"-c{BULK}", "-t1", "-d3600s", f"http://{VIP}/1m",
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            time.sleep(0.2)
            beside = slowest(client)
        finally:
            # It then says what it has done.
            bulk.send_signal(2)
            text, _ = bulk.communicate(timeout=60)
    print(f"{alone * 1e6:.0f} us alone, {beside * 1e6:.0f} us beside bulk transfers")
    transfers = re.search(r"(\d+) requests in", text)
    assert transfers and int(transfers[1]) > 50, text
    assert beside <= 2 * alone
