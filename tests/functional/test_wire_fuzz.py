# SPDX-License-Identifier: GPL-2.0
"""Clients and servers whose TCP is odd or hostile, segment by segment, beside others whose every
byte must be right. KTCPVS_SEED repeats a run, KTCPVS_FUZZ_TIME says for how many seconds clients
come and see what has come of them."""

import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import rawtcp_storm
from support.client import Client, Connection
from support.config import pool_text, service_text
from support.counters import add_up
from support.director import UNLOAD_MAX, Director
from support.fuzz import FUZZ_TIME, SEED
from support.pace import PACE
from support.raw_server import RawServer, wait_until
from support.rawtcp import strange_hosts
from support.rawtcp_requests import watchful
from support.steady import Steady
from support.storm import sockets
from support.topology import DIRECTOR, VIP, VIP6
from support.transfer import download, upload
from support.tune import counter

# How long clients come at least, in seconds: about as long again goes by until all is over.
STORM_TIME = FUZZ_TIME / 2

# How long the director waits for anything, in seconds: as long as those who are slow but do nothing
# wrong may need on a busy machine, and less for servers that do wrong.
PATIENCE = {"good": 30 * PACE, "odd": 30 * PACE, "bad": 4 * PACE}

# Ports of services, and the pools behind them: of a well-behaved server, and of the strange ones.
SERVICES = {80: "good", 81: "odd", 82: "bad"}

# What must have happened how often besides for the test to mean anything.
ENOUGH = rawtcp_storm.ENOUGH | {"good responses": 20, "odd responses": 5}


def timeouts(service: str) -> tuple[str, ...]:
    """The lines of a service that say so."""
    kinds = ("head", "idle", "connect", "response", "stall")
    return tuple(f"timeout-{kind} {PATIENCE[service]}s" for kind in kinds)


class Watched:
    """A server that keeps to TCP, and what it should not have seen."""

    def __init__(self, raw_server: Any) -> None:
        self.wrong: list[str] = []
        self.server: RawServer = raw_server(watchful(self.wrong))


@pytest.fixture
def good(director: Director, raw_server: Any) -> Iterator[Watched]:
    """The hosts' network, and a service for each kind of server."""
    again = f"KTCPVS_SEED={SEED} KTCPVS_FUZZ_TIME={FUZZ_TIME:g}"
    print(f"to see it again: {again} scripts/guest suite -k wire_fuzz")
    watched = Watched(raw_server)
    servers = {
        "good": [watched.server.address],
        "odd": ["10.9.1.1:80", "[fd00:9:1::1]:80"],
        "bad": ["10.9.1.2:80", "[fd00:9:1::2]:80"],
    }
    with strange_hosts():
        director.apply(
            "".join(pool_text(name, *some) for name, some in servers.items())
            + "".join(
                service_text(
                    name=name,
                    listen=f"{VIP}:{port} [{VIP6}]:{port}",
                    pool=name,
                    more=timeouts(name),
                )
                for port, name in SERVICES.items()
            )
        )
        yield watched
        director.flush()


class Odd(Steady):
    """Traffic to the polite servers, which are slow: less at a time."""

    def __init__(self) -> None:
        super().__init__(1, port=81)

    def _exchange(self, connection: Connection, name: str) -> None:
        for size in (0, 11, 5000, 20_000):
            download(connection, f"/{size}/{name}")
            upload(connection, f"/{size}/{name}")
            self.responses += 2


class Storm:
    """The process that is the strange hosts."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.rawtcp_storm", str(SEED), str(STORM_TIME)],
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        # Before that nobody answers at its addresses.
        self.says("ready")

    def says(self, word: str) -> None:
        """Waits until it says so."""
        assert self.process.stdout
        said = self.process.stdout.readline()
        assert said == word + "\n", f"the storm broke off, and said {said!r}"

    def forget(self) -> None:
        """All that there is is reset, and so is all that still comes."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.says("over")

    def end(self) -> dict[str, Any]:
        """Ends it. What it has seen."""
        text, _ = self.process.communicate(timeout=60 * PACE)
        return json.loads(text)

    def __enter__(self) -> "Storm":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def explained(director: Director) -> Iterator[None]:
    """What fails meanwhile is shown with what the director says of itself."""
    try:
        yield
    except BaseException:
        print(json.dumps(director.show(), indent=1), *director.connections(), sep="\n")
        print(subprocess.run(["dmesg"], capture_output=True, text=True).stdout[-4000:])
        raise


def stats(director: Director) -> tuple[dict[str, dict[str, int]], dict[str, Counter[str]]]:
    """The counters of all services, and of the servers of each service's pool together."""
    shown = director.show()
    services = {one["name"]: one["stats"] for one in shown["services"]}
    servers: dict[str, Counter[str]] = {one["name"]: Counter() for one in shown["pools"]}
    for one in shown["pools"]:
        for server in one["servers"]:
            servers[one["name"]].update(server["stats"])
    return services, servers


def at_rest(director: Director) -> bool:
    """Whether no service has a connection with a client."""
    return not any(one["connections_active"] for one in stats(director)[0].values())


def check_counters(director: Director, opened: int, requests: dict[str, int]) -> None:
    """The counters add up, and have what clients and servers have seen. `opened` connections are
    all that there were."""
    services, servers = stats(director)
    print(services, servers, f"{opened} opened")
    assert sum(one["connections_total"] for one in services.values()) == opened
    for name, one in services.items():
        for what in ("responses", "bytes_in", "bytes_out"):
            assert one[what] == servers[name][what], (name, what)
        assert one["responses"] >= requests[name], name
    add_up(director.show())


def test_storm(director: Director, client: Client, good: Watched) -> None:
    """Whoever keeps to TCP is served as if the others were not there. No server sees a request
    that was not wholly sent. When it is over the counters add up, and nobody has left anything."""
    opened = counter(DIRECTOR, "TcpPassiveOpens")
    with explained(director), Storm() as storm:
        with Steady() as steady, Odd() as odd:
            storm.says("calm")
            wait_until(lambda: min(odd.responses / 5, steady.responses / 20) >= 1, 60, "responses")
        storm.forget()
        wait_until(lambda: at_rest(director), 30, "the end of connections")
        opened = counter(DIRECTOR, "TcpPassiveOpens") - opened
        asked = {"good": steady.responses, "odd": odd.responses, "bad": 0}
        check_counters(director, opened, asked)
        with client.connect() as connection:
            download(connection, "/3000/after")
            upload(connection, "/3000/after")
        director.flush()
        # Who is there no more resets what is left: nothing has to wait for a time-out of TCP's.
        director.settle()
        wait_until(lambda: sockets()["orphan"] == 0, 30, "orphans")
        seen = storm.end()
    counts = seen["counts"] | {f"{name} responses": number for name, number in asked.items()}
    print(counts)
    failures = seen["failures"] + good.wrong
    assert not failures, f"{len(failures)}, of which the first are {failures[:5]}"
    for what, least in ENOUGH.items():
        assert counts.get(what, 0) >= least, what
    assert rawtcp_storm.ways(counts) >= rawtcp_storm.WAYS_ENOUGH
    assert director.unload() < UNLOAD_MAX
    director.load()
