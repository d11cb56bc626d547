# SPDX-License-Identifier: GPL-2.0
"""Well-behaved clients beside hostile ones, and what is to be seen of both."""

import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from support import diag
from support.attacks import PROMISED, Did
from support.client import Client
from support.config import NGINX, pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.topology import DIRECTOR
from support.tune import counter

# How long an attack goes on, in seconds.
LASTS = 6 * PACE

# The bounds, in seconds: for 95 requests in 100, and for all.
USUAL = 0.5 * PACE
LONGEST = 3 * PACE

# How often one looks, in seconds: it takes time itself, which does not count.
OFTEN = 0.5 * PACE

# How long a well-behaved client thinks between its requests, in seconds. The attackers, who give
# way to all others, have what is left of the CPU.
THINKS = 0.1 * PACE

# How long a client may ask nothing without passing for idle, in seconds: less than the director's
# second, since a request takes its time.
SILENT = 0.5

# The counters of the director's TCP that say something of attacks.
COUNTERS = ["TcpInSegs", "TcpExtSyncookiesSent", "TcpExtSyncookiesRecv"]

# What of a response waits to be taken where nobody reads, in bytes: more than one packet.
WAITING = 16384


def configure(director: Director, settings: str = "", timeout_head: str = "2s") -> None:
    """A service for everybody. What is large has a server of its own: how long the only thread of
    an nginx takes to write much to many is not the director's affair."""
    more = (f"timeout-head {timeout_head}", "timeout-idle 20s", "timeout-stall 2s")
    director.apply(
        settings
        + pool_text("p", NGINX[0])
        + pool_text("large", NGINX[1])
        + service_text("path /1m use-pool large", pool="p", more=(*more, f"body-max {PROMISED}"))
    )


@contextlib.contextmanager
def attack(name: str) -> Iterator[Did]:
    """Hostile clients are there, meanwhile. What they did is known in the end."""
    did: Did = Counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "support.attacks", name],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout and process.stdout.readline() == "under way\n"
        yield did
        assert process.poll() is None, "the attacker has given up"
        did.update(json.loads(process.communicate(timeout=60 * PACE)[0]))
    finally:
        process.kill()
        process.wait()


def times(client: Client, look: Callable[[], None]) -> list[float]:
    """How long requests take while an attack lasts: half of them over a connection each. Between
    them one looks now and then."""
    took = []
    heard = looked = time.monotonic()
    ends = looked + LASTS
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(client.connect(timeout=LONGEST))
        while time.monotonic() < ends:
            began = time.monotonic()
            if began - heard > SILENT:
                # The director may have closed it.
                kept = stack.enter_context(client.connect(timeout=LONGEST))
            assert kept.get("/who").response().body == b"rs1\n"
            heard = time.monotonic()
            took.append(heard - began)
            began = time.monotonic()
            with client.connect(timeout=LONGEST) as fresh:
                assert fresh.get("/who", "Connection: close\r\n").response().body == b"rs1\n"
            took.append(time.monotonic() - began)
            time.sleep(THINKS)
            began = time.monotonic()
            if began - looked > OFTEN:
                look()
                looked = time.monotonic()
                ends += looked - began
    return sorted(took)


def check(name: str, took: list[float]) -> None:
    """Such times are within the bounds."""
    usual = took[len(took) * 95 // 100]
    print(f"{name}: {len(took)} requests, 95 % within {usual:.3f} s, all within {took[-1]:.3f} s")
    assert len(took) > 10
    assert usual < USUAL
    assert took[-1] < LONGEST


def counters() -> Counter[str]:
    return Counter({name: counter(DIRECTOR, name) for name in COUNTERS})


def active(director: Director) -> int:
    """How many clients' connections there are."""
    return director.show("services")["services"][0]["stats"]["connections_active"]


def see(most: Counter[str]) -> list[diag.Socket]:
    """The director's sockets. How many are its clients', and how many of these have something to
    send that nobody takes, is noted if it is the most so far."""
    sockets = diag.sockets(DIRECTOR)
    clients = [one for one in sockets if one.port == 80]
    waiting = [one for one in clients if one.unsent >= WAITING]
    most["peak"] = max(most["peak"], len(clients))
    most["waiting"] = max(most["waiting"], len(waiting))
    return sockets
