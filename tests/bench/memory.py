# SPDX-License-Identifier: GPL-2.0
"""How much memory a connection takes that is kept alive, idle or waiting for a response.

The guest is one machine: what is measured is the client's, the director's and the server's part
together, and so a direct connection is measured too. Of the kernel's part, what is not the socket
itself lies in the general caches (kmalloc): there one system can be told from the other.
"""

import resource
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from bench.cases import APART, Case
from bench.hosts import CLIENT, CLIENTS
from bench.systems import System

# How many connections, where all systems are compared.
CONNECTIONS = 4000

# How many this switch has to hold in a guest of 2 GiB.
MANY = 100_000

# How many are asked again at the end, to see that they live.
SAMPLE = 1000

REQUEST = b"GET %s HTTP/1.1\r\nHost: bench\r\n\r\n"


@dataclass
class Memory:
    """What one system takes for each connection, in bytes."""

    system: str
    # Idle, or active: a response is awaited.
    state: str
    connections: int
    # Of the whole machine, processes and page tables included, but for what is queued in pages.
    total: float
    # Of the kernel's general caches.
    kmalloc: float


@dataclass
class Used:
    """What is in use, in bytes."""

    total: int
    kmalloc: int


# What there is beside objects of the kernel's caches, as /proc/meminfo calls it.
OTHERS = ("AnonPages", "PageTables", "VmallocUsed", "Percpu")


def used() -> Used:
    """What is in use now. Pages that the caches keep for other objects are not."""
    total = kmalloc = 0
    for line in Path("/proc/meminfo").read_text().splitlines():
        words = line.split()
        if words[0].rstrip(":") in OTHERS:
            total += int(words[1]) * 1024
    # Two lines of headings, then name, objects in use, objects, size (slabinfo(5)).
    for line in Path("/proc/slabinfo").read_text().splitlines()[2:]:
        words = line.split()
        size = int(words[1]) * int(words[3])
        total += size
        if words[0].startswith("kmalloc"):
            kmalloc += size
    return Used(total, kmalloc)


def connect(system: System, count: int, target: str, answered: bool) -> list[socket.socket]:
    """Opens connections that have asked for `target`, and have the answer if `answered`."""
    port = APART if system.direct else 80
    request = REQUEST % target.encode()
    held = []
    with CLIENT.entered():
        for n in range(count):
            # One address has not ports enough.
            source = (CLIENTS[n % len(CLIENTS)], 0)
            held.append(socket.create_connection((system.address, port), 60, source))
            held[-1].sendall(request)
            if answered and not held[-1].recv(4096):
                raise SystemExit(f"bench: {system.name} closed connection {n}")
    return held


def ask_again(system: System, held: list[socket.socket]) -> None:
    """Fails unless connections spread over all of `held` still answer."""
    for connection in held[:: max(1, len(held) // SAMPLE)]:
        connection.sendall(REQUEST % b"/small")
        if not connection.recv(4096):
            raise SystemExit(f"bench: {system.name} has dropped a connection")


def hold(system: System, state: str, count: int) -> Memory:
    """Holds so many connections through `system`."""
    idle = state == "idle"
    system.start(Case("memory"))
    # Whatever is made once is there before it is counted.
    for connection in connect(system, 100, "/small", answered=True):
        connection.close()
    time.sleep(1)
    before = used()
    held = connect(system, count, "/small" if idle else "/slow", answered=idle)
    time.sleep(1)
    after = used()
    if idle:
        ask_again(system, held)
    for connection in held:
        connection.close()
    system.stop()
    result = Memory(
        system=system.name,
        state=state,
        connections=count,
        total=(after.total - before.total) / count,
        kmalloc=(after.kmalloc - before.kmalloc) / count,
    )
    print(
        f"{system.name:20} {count} {state} connections: {result.total:.0f} bytes each,"
        f" {result.kmalloc:.0f} of them kmalloc",
        flush=True,
    )
    return result


def measure_memory(system: System) -> list[Memory]:
    """Measures `system`, for which everything is ready."""
    files = MANY + 10_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    results = [hold(system, "idle", CONNECTIONS), hold(system, "active", CONNECTIONS)]
    if system.name == "ktcpvs":
        results.append(hold(system, "idle", MANY))
    return results
