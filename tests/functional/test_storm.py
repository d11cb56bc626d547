# SPDX-License-Identifier: GPL-2.0
"""Everything goes wrong at once, under load of all kinds.

Every request that fails must have had a reason: a fault that was in progress during its life, at
what it had to do with, and that can do such a thing. Nothing else may fail: what is asked of
services whose servers nothing happens to, or while the storm is calm. Nothing wrong may ever
arrive, and in the end the counters say what the clients have seen.

KTCPVS_SEED chooses the events; KTCPVS_STORM_TIME says for how many seconds they go on, and
KTCPVS_STORM_EVENTS how many there are at most. `make storm` runs it for long.
"""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.client import Client
from support.config import pool_text, service_text
from support.counters import add_up
from support.director import Director
from support.pace import PACE
from support.raw_server import wait_until
from support.storm import connected, sockets
from support.storm_client import ClientHost
from support.storm_config import FAR_SERVICES, FIXED, SERVICES, scopes
from support.storm_events import Storm
from support.storm_hosts import hosts
from support.storm_load import Failure, Tally
from support.storm_servers import servers
from support.topology import VIP
from support.transfer import download, store

SEED = int(os.environ.get("KTCPVS_SEED") or 1)
TIME = float(os.environ.get("KTCPVS_STORM_TIME", 30))
EVENTS = int(os.environ.get("KTCPVS_STORM_EVENTS", 600))

# How long a burst of events is, and how long nothing happens after it, in seconds. There is time
# for more than one.
BURST = min(9.0 * PACE, TIME / 4)
CALM = 1.0 * PACE

# After so many bursts the clients rest, and all is counted.
BURSTS = 4 if TIME > 100 else 1

# The share of the time in which there are bursts.
SHARE = 0.72

# In so many rounds the module is reloaded once.
RELOAD = 2

# In a long storm everything happens at least so often.
LONG, OFTEN = 10_000, 20

# In a short one this does at least once, and so many kinds of events do.
USUAL, KINDS = ["reload", "reset", "pause"], 5

# How many clients ask from the usual host, and from each other one.
NEAR_CLIENTS, FAR_CLIENTS = 6, 2


@dataclass
class Account:
    """What has been seen in all rounds."""

    begin: float = field(default_factory=time.monotonic)
    answered: Counter[str] = field(default_factory=Counter)
    inexcusable: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    counted: int = 0


def unexplained(failures: list[Failure], storm: Storm) -> list[Failure]:
    """The failures that nothing explains."""
    return [
        one
        for one in failures
        if one.wrong or not storm.diary.excuses(scopes(one.service), one.begin, one.end)
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


def unrest(director: Director) -> str:
    """What is open though nobody asks: connections of a service, or ones that a server is counted
    to have and has not."""
    counted = stats(director)
    found: dict[str, int] = {}
    for pool in counted["pools"].values():
        for address, one in pool.items():
            found[address] = found.get(address, 0) + one["connections_active"]
    there = connected(director)
    lines = [
        f"{name} has {one['connections_active']} connections"
        for name, one in counted["services"].items()
        if one["connections_active"]
    ]
    lines += [
        f"{address} has {there.get(address, 0)} connections, and {count} are counted"
        for address, count in found.items()
        if there.get(address, 0) != count
    ]
    return "; ".join(lines)


def come_to_rest(director: Director) -> None:
    """Waits until all that was accepted is closed, also by the counters."""
    deadline = time.monotonic() + 30 * PACE
    while left := unrest(director):
        assert time.monotonic() < deadline, f"seed {SEED}: it does not come to rest: {left}"
        time.sleep(0.05)


def check_service(name: str, counted: dict[str, int], tally: Tally) -> None:
    """The counters of a service that was there all the time say what its clients have seen; what
    was lost on its way to distant ones was answered all the same, as what became a tunnel was."""
    failed = len(tally.failures)
    context = f"{name}: {counted}; {tally.summary()}"
    answered = sum(one.answered for one in tally.failures)
    unseen = sum(one.requests for one in tally.failures if one.counted or name in FAR_SERVICES)
    assert tally.asked == tally.done + sum(one.requests for one in tally.failures), context
    assert tally.connected <= counted["connections_total"] <= tally.connected + failed, context
    assert tally.done <= counted["responses"] <= tally.done + unseen, context
    assert counted["requests"] <= tally.asked, context
    assert answered <= counted["errors"] <= failed, context
    if not failed:
        assert counted["connections_total"] == tally.connected, context
        assert (counted["bytes_in"], counted["bytes_out"]) == (tally.up, tally.down), context


def check_servers(name: str, counted: dict[str, Any]) -> None:
    """A service's responses are those of its servers, if it has had no others."""
    pool = counted["pools"][name].values()
    for what in ("responses", "bytes_in", "bytes_out"):
        assert counted["services"][name][what] == sum(one[what] for one in pool), (name, counted)


def check_round(storm: Storm, tallies: dict[str, Tally]) -> None:
    """The counters add up: what was accepted is closed by now, and so on."""
    come_to_rest(storm.director)
    add_up(storm.director.show())
    counted = stats(storm.director)
    for name in FIXED:
        check_servers(name, counted)
    # A module that is loaded again counts from zero.
    for name in [*FIXED, "changed", "mixed"] if not storm.reloaded else ():
        check_service(name, counted["services"][name], tallies[name])


def burst(storm: Storm, end: float, account: Account, reload: bool) -> None:
    """Some events, at the pace at which all of them come to happen in time."""
    now = time.monotonic()
    left = max(account.begin + TIME - now, 1.0) * SHARE
    every = left / max(EVENTS - storm.happened, 1)
    end = min(now + BURST, end)
    reload_at = now + storm.choices.random() * BURST / 2 if reload else end
    due = now
    while (now := time.monotonic()) < end and storm.happened < EVENTS:
        storm.tend()
        if now >= reload_at and storm.reload():
            reload_at = end
        if now < due:
            time.sleep(min(due - now, 0.01))
            continue
        before = storm.happened
        storm.event()
        if storm.happened > before:
            due += storm.choices.expovariate(1 / every)
    storm.heal()


def one_round(storm: Storm, clients: list[ClientHost], end: float, account: Account) -> None:
    """Some bursts under load, and what failed meanwhile."""
    storm.reloaded = False
    storm.diary.forget()
    storm.director.tcpvsadm("zero")
    account.rounds += 1
    reload = account.rounds % RELOAD == 0
    which = storm.choices.randrange(BURSTS)
    for host in clients:
        host.say("go")
    for n in range(BURSTS):
        burst(storm, end, account, reload and n == which)
        time.sleep(CALM)
    for host in clients:
        host.say("rest")
    tallies: dict[str, Tally] = {}
    for host in clients:
        tallies |= host.heard()
    failures = [one for tally in tallies.values() for one in tally.failures]
    wrong = unexplained(failures, storm)
    if wrong:
        pytest.fail(report(wrong, storm))
    check_round(storm, tallies)
    account.counted += not storm.reloaded
    for name, tally in tallies.items():
        account.answered[name] += tally.done
        account.failed[name] += len(tally.failures)
        account.inexcusable[name] += storm.diary.inexcusable(scopes(name), tally.lives)
    took = time.monotonic() - account.begin
    print(
        f"  {took:.0f} s: {storm.happened} events, {account.answered.total()} requests answered,"
        f" {account.failed.total()} connections failed",
        flush=True,
    )


def report(wrong: list[Failure], storm: Storm) -> str:
    """What a person needs to find out."""
    first = min(wrong, key=lambda one: one.begin)
    near = storm.diary.during(first.begin - 3, first.end + 1)
    return "\n".join([
        f"seed {SEED}: {len(wrong)} failures that nothing explains:",
        *map(str, wrong[:20]),
        "what happened about the time of the first:",
        *map(str, near[-100:]),
    ])  # fmt: skip


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


@contextlib.contextmanager
def client_hosts() -> Iterator[list[ClientHost]]:
    """The processes that ask."""
    made = [ClientHost("client", SERVICES, NEAR_CLIENTS, SEED)]
    try:
        for name, port in FAR_SERVICES.items():
            made.append(ClientHost(name, {name: port}, FAR_CLIENTS, SEED))
        for one in made:
            assert not one.heard()
        yield made
    finally:
        for one in made:
            one.stop()


def conclude(storm: Storm, account: Account) -> None:
    """Says what there was, which must be enough to mean something."""
    print(f"  {storm.happened} events: {dict(storm.counts.most_common())}")
    print(f"  {account.rounds} rounds, in {account.counted} of which all counters were compared")
    for name in account.answered:
        print(
            f"  {name}: {account.answered[name]} requests answered, of which nothing would have"
            f" excused {account.inexcusable[name]}; {account.failed[name]} connections failed",
            flush=True,
        )
        assert EVENTS < LONG or account.inexcusable[name], name
    assert account.inexcusable.total()
    assert account.counted, "the counters were never compared"
    missing = [name for name in USUAL if not storm.counts[name]]
    assert not missing and len(storm.counts) >= KINDS, storm.counts
    if EVENTS >= LONG:
        assert storm.happened >= EVENTS, "the machine is too slow for so many events in this time"
        rare = {name: n for name, n in storm.counts.items() if n < OFTEN}
        assert not rare, f"too seldom: {rare}"


def test_storm(director: Director) -> None:
    """All at once, for a while."""
    print(f"\nKTCPVS_SEED={SEED}", flush=True)
    before = sockets()
    with hosts() as places, servers(places[0]) as (troubled, calm), client_hosts() as clients:
        storm = Storm(troubled, calm, places, SEED)
        if EVENTS >= LONG:
            # So much happens only if it need not wait for those to whom it happens.
            os.setpriority(os.PRIO_PROCESS, 0, -15)
        account = Account()
        end = account.begin + TIME
        try:
            # However long it takes to come to rest, there is a round with a reload and one without.
            while account.rounds < RELOAD or (time.monotonic() < end and storm.happened < EVENTS):
                one_round(storm, clients, max(end, time.monotonic() + BURST), account)
        finally:
            os.setpriority(os.PRIO_PROCESS, 0, 0)
            storm.stop()
        conclude(storm, account)
        director.flush()
        director.settle()
    # A socket or memory of TCP that is left belongs to nobody.
    wait_until(lambda: sockets()["orphan"] == 0, 30, "orphans")
    wait_until(lambda: sockets()["alloc"] <= before["alloc"], 60, f"{sockets()}, once {before}")
