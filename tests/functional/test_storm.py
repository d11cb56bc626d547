# SPDX-License-Identifier: GPL-2.0
"""Everything goes wrong at once, under load of all kinds.

Every request that fails must have had a reason: a fault that was in progress during its life, at
what it had to do with. Nothing else may fail, nothing wrong may ever arrive, and in the end the
counters say what the clients have seen.

KTCPVS_SEED chooses the events; KTCPVS_STORM_TIME says for how many seconds they go on, and
KTCPVS_STORM_EVENTS how many there are at most. `make storm` runs it for long.
"""

import os
import random
import time
from typing import Any

from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.raw_server import wait_until
from support.storm import CLIENTS, Diary, connected, servers, sockets
from support.storm_events import SERVICES, Storm, scopes
from support.storm_load import Clients, Failure, Tally
from support.topology import VIP
from support.transfer import download, store

SEED = int(os.environ.get("KTCPVS_SEED") or 1)
TIME = float(os.environ.get("KTCPVS_STORM_TIME", 30))
EVENTS = int(os.environ.get("KTCPVS_STORM_EVENTS", 10**6))

# The storm pauses now and then, and all is counted. So long it goes on between, in seconds.
ROUND = 10.0 * PACE

# How much time goes by between events, in seconds.
EVERY = 0.25

# In so many rounds the module is reloaded once.
RELOAD = 3


def unexplained(failures: list[Failure], diary: Diary) -> list[str]:
    """The failures that nothing explains."""
    return [
        str(one)
        for one in failures
        if one.wrong or not diary.during(scopes(one.service), one.begin, one.end)
    ]


def stats(director: Director) -> dict[str, Any]:
    """The counters of all services by name, and of all pools' servers by both."""
    shown = director.show()
    services = {one["name"]: one["stats"] for one in shown["services"]}
    pools: dict[str, dict[str, dict]] = {}
    for pool in shown["pools"]:
        pools[pool["name"]] = {
            f"{one['address']}:{one['port']}": one["stats"] for one in pool["servers"]
        }
    return {"services": services, "pools": pools}


def at_rest(director: Director) -> bool:
    """Whether no service has a connection, and every server those that there are."""
    counted = stats(director)
    if any(one["connections_active"] for one in counted["services"].values()):
        return False
    found: dict[str, int] = {}
    for pool in counted["pools"].values():
        for address, one in pool.items():
            found[address] = found.get(address, 0) + one["connections_active"]
    there = connected(director)
    return all(there.get(address, 0) == count for address, count in found.items())


def check_service(name: str, counted: dict[str, int], tally: Tally, lost: bool) -> None:
    """The counters of a service that was there all the time say what its clients have seen; what
    was `lost` on its way to them was answered all the same."""
    failed = len(tally.failures)
    context = f"{name}: {counted}; {tally}"
    answered = sum(one.answered for one in tally.failures)
    unseen = sum(one.requests for one in tally.failures) if lost else 0
    assert tally.asked == tally.done + sum(one.requests for one in tally.failures), context
    assert counted["connections_total"] <= tally.connected + failed, context
    assert tally.done <= counted["requests"] <= tally.done + counted["errors"] + unseen, context
    assert answered <= counted["errors"] <= failed, context
    if not failed:
        assert counted["connections_total"] == tally.connected, context
        assert (counted["bytes_in"], counted["bytes_out"]) == (tally.up, tally.down), context


def check_servers(name: str, counted: dict[str, Any]) -> None:
    """A service's requests are those of its servers, if it has had no others."""
    pool = counted["pools"][name].values()
    for what in ("requests", "bytes_in", "bytes_out"):
        assert counted["services"][name][what] == sum(one[what] for one in pool), (name, counted)


def check_round(
    storm: Storm, tallies: dict[str, Tally], sets: set[tuple[int, ...]], begin: float
) -> None:
    """The counters add up. `sets` are the servers that "mixed" has had since `begin`."""
    lost = bool(storm.diary.during({CLIENTS}, begin, time.monotonic()))
    wait_until(lambda: at_rest(storm.director), 10, "the counters of connections")
    counted = stats(storm.director)
    for name in ("steady", "shaky", "mixed"):
        if not storm.reloaded:
            check_service(name, counted["services"][name], tallies[name], lost)
        if name != "mixed" or len(sets) == 1:
            check_servers(name, counted)


def members(storm: Storm) -> tuple[int, ...]:
    return tuple(n for n, weight in enumerate(storm.wanted.weights) if weight is not None)


def one_round(storm: Storm, clients: Clients, until: float) -> list[Failure]:
    """Some events under load, and what failed meanwhile."""
    storm.reloaded = False
    begin = time.monotonic()
    storm.director.tcpvsadm("zero")
    reload_at = None
    if storm.choices.randrange(RELOAD) == 0:
        reload_at = time.monotonic() + storm.choices.random() * ROUND / 2
    sets = {members(storm)}
    clients.go()
    while time.monotonic() < until and storm.happened < EVENTS and not clients.crashes:
        if reload_at and time.monotonic() > reload_at:
            reload_at = None
            storm.reload()
        storm.event()
        sets.add(members(storm))
        time.sleep(EVERY * storm.choices.random())
        storm.tend()
    storm.heal()
    tallies = clients.rest()
    failures = [one for tally in tallies.values() for one in tally.failures]
    wrong = unexplained(failures, storm.diary)
    assert not wrong, report(wrong, storm.diary)
    check_round(storm, tallies, sets, begin)
    storm.answered += sum(tally.done for tally in tallies.values())
    for name, tally in tallies.items():
        print(f"  {name}: {tally.done} of {tally.asked} requests answered", flush=True)
    return failures


def report(wrong: list[str], diary: Diary) -> str:
    """What a person needs to find out."""
    lines = [f"seed {SEED}: {len(wrong)} failures that nothing explains:", *wrong[:20]]
    return "\n".join([*lines, "troubles:", *map(str, diary.troubles[-40:])])


def test_an_address_changes_hands(director: Director, client: Client, raw_server) -> None:
    """A connection counts where it is served, also after another service has its address."""
    server = raw_server(store())
    pool = pool_text("p", server.address)

    def both(first: int, second: int) -> None:
        services = {"a": first, "b": second}
        texts = [
            service_text(name=name, listen=f"{VIP}:{port}", pool="p")
            for name, port in services.items()
        ]
        director.apply(pool + "".join(texts))

    def connections() -> dict[str, tuple[int, int]]:
        return {
            name: (one["connections_active"], one["connections_total"])
            for name, one in stats(director)["services"].items()
        }

    both(80, 81)
    with client.connect() as connection:
        download(connection, "/100/a")
        assert connections() == {"a": (1, 1), "b": (0, 0)}
        both(81, 80)
        download(connection, "/100/b")
        assert connections() == {"a": (0, 1), "b": (1, 1)}
    wait_until(lambda: connections() == {"a": (0, 1), "b": (0, 1)}, 5, "the end of a connection")


def test_storm(director: Director) -> None:
    """All at once, for a while."""
    print(f"\nKTCPVS_SEED={SEED}", flush=True)
    choices = random.Random(SEED)
    diary = Diary()
    failures: list[Failure] = []
    before = sockets()
    with servers() as made:
        storm = Storm(made, diary, choices)
        storm.configure()
        clients = Clients(SERVICES, SEED)
        begin = time.monotonic()
        end = begin + TIME
        try:
            while time.monotonic() < end and storm.happened < EVENTS:
                failures += one_round(storm, clients, min(time.monotonic() + ROUND, end))
        finally:
            storm.heal()
            clients.stop()
        assert storm.happened and storm.answered
        print(f"  events: {storm.counts}; {len(failures)} connections failed, all for a reason")
        for name in SERVICES:
            calm = diary.calm(scopes(name), begin, time.monotonic())
            print(f"  {name}: {calm:.0%} of the time without trouble", flush=True)
        director.tcpvsadm("flush")
        director.settle()
    # A socket or memory of TCP that is left belongs to nobody.
    wait_until(lambda: sockets()["orphan"] == 0, 30, "orphans")
    wait_until(lambda: sockets()["alloc"] <= before["alloc"], 60, f"{sockets()}, once {before}")
