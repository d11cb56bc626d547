# SPDX-License-Identifier: GPL-2.0
"""Clients and servers whose TCP is odd or hostile, segment by segment, beside others whose every
byte must be right. KTCPVS_SEED repeats a run, KTCPVS_FUZZ_TIME says how many seconds it goes on."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.client import Client
from support.config import pool_text, service_text
from support.director import UNLOAD_MAX, Director
from support.fuzz import FUZZ_TIME, SEED
from support.pace import PACE
from support.raw_server import wait_until
from support.rawtcp import strange_hosts
from support.steady import Steady
from support.topology import DIRECTOR, VIP
from support.transfer import download, store, upload
from support.tune import counter

# How long the director waits for anything, in seconds.
PATIENCE = 4 * PACE

TIMEOUTS = tuple(
    f"timeout-{what} {PATIENCE}s" for what in ("head", "idle", "connect", "response", "stall")
)

# Ports of services, and the pools behind them: of a well-behaved server, and of the strange ones.
SERVICES = {80: "good", 81: "odd", 82: "bad"}


@pytest.fixture
def strange(director: Director, raw_server) -> Iterator[None]:
    """The hosts' network, and a service for each kind of server."""
    print(f"KTCPVS_SEED={SEED}")
    servers = {"good": raw_server(store()).address, "odd": "10.9.1.1:80", "bad": "10.9.1.2:80"}
    with strange_hosts():
        director.apply(
            "".join(pool_text(name, server) for name, server in servers.items())
            + "".join(
                service_text(name=name, listen=f"{VIP}:{port}", pool=name, more=TIMEOUTS)
                for port, name in SERVICES.items()
            )
        )
        yield
        director.tcpvsadm("flush")


class Storm:
    """The process that is the strange hosts."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.rawtcp_storm", str(SEED), str(FUZZ_TIME)],
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def calm(self) -> None:
        """Waits until nothing new begins."""
        assert self.process.stdout
        assert self.process.stdout.readline() == "calm\n", f"the storm broke off, seed {SEED}"

    def end(self) -> dict[str, Any]:
        """Ends it. What it has seen."""
        text, _ = self.process.communicate("\n", timeout=60 * PACE)
        return json.loads(text)

    def __enter__(self) -> "Storm":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def stats(director: Director) -> dict[str, dict[str, int]]:
    return {one["name"]: one["stats"] for one in director.show("services")["services"]}


def clients_left() -> list[str]:
    """The director's connections with clients."""
    ports = " or ".join(f"sport = :{port}" for port in SERVICES)
    found = DIRECTOR.run("ss", "-Htan", "state", "connected", f"( {ports} )").stdout.splitlines()
    return [line for line in found if "TIME-WAIT" not in line]


def test_storm(director: Director, client: Client, strange: None) -> None:
    """Whoever keeps to TCP is served as if the others were not there. When it is over the counters
    add up, and nothing is left of anybody."""
    opened = counter(DIRECTOR, "TcpPassiveOpens")
    with Storm() as storm:
        with Steady() as steady, Steady(1, port=81) as odd:
            storm.calm()
        wait_until(
            lambda: not any(one["connections_active"] for one in stats(director).values()),
            3 * PATIENCE / PACE + 5,
            "for connections to time out",
        )
        wait_until(lambda: not clients_left(), 30, "for sockets to go")
        seen = storm.end()
    counts, totals = seen["counts"], stats(director)
    opened = counter(DIRECTOR, "TcpPassiveOpens") - opened
    print(f"{steady.responses} + {odd.responses} responses; {counts}; {totals}; {opened} opened")
    assert not seen["failures"], f"seed {SEED}: {seen['failures'][:5]}"
    # Enough of each happens for the test to mean anything.
    assert min(steady.responses, odd.responses) > 20
    for what in ("polite responses", "hostile clients", "hostile servers", "polite servers"):
        assert counts[what] > 5, what
    assert sum(one["connections_total"] for one in totals.values()) == opened
    requests = sum(one["requests"] for one in totals.values())
    assert requests >= steady.responses + odd.responses + counts["polite responses"]
    with client.connect() as connection:
        download(connection, "/3000/after")
        upload(connection, "/3000/after")
    assert director.unload() < UNLOAD_MAX
    director.load()
