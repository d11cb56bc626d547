# SPDX-License-Identifier: GPL-2.0
"""Netlink from many senders at once, most of it wrong: nothing may break, and nobody may do what he
may not. KTCPVS_SEED repeats a run, KTCPVS_FUZZ_TIME says how many seconds each test goes on."""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.client import Client
from support.config import pool_text, service_text
from support.director import UNLOAD_MAX, Director
from support.fuzz import FUZZ_TIME, SEED
from support.netlink import NLM_F_DUMP, Netlink, write
from support.netlink_random import Maker
from support.netlink_spec import spec
from support.netlink_storm import Shot, snapshot
from support.pace import PACE
from support.steady import Steady
from support.transfer import download, store

# The service and the pool that are left alone.
KEPT = "kept"


class Sender:
    """A process that storms."""

    def __init__(self, kind: str, n: int = 0, seconds: float = FUZZ_TIME) -> None:
        words = [sys.executable, "-m", "support.netlink_storm", kind, f"{SEED}-{n}", str(seconds)]
        protected = [KEPT] if kind in ("change", "dump") else []
        self.process = Director.namespace.start(
            *words,
            *protected,
            cwd=Path(__file__).parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.seconds = seconds
        self.name = f"{kind} {n}"

    def counts(self) -> Counter[str]:
        """Waits for the end of it. What was answered how often."""
        text, _ = self.process.communicate(timeout=self.seconds + 120 * PACE)
        assert self.process.returncode == 0, f"seed {SEED}, {self.name}:\n{text}"
        return Counter(json.loads(text.splitlines()[-1]))


def all_counts(*senders: Sender) -> Counter[str]:
    """Waits for all of them."""
    try:
        return sum((sender.counts() for sender in senders), Counter())
    finally:
        for sender in senders:
            sender.process.kill()


# How often each must happen, and how many times as long it may take to.
ENOUGH = 20
ROUNDS = 4


@contextmanager
def in_director() -> Iterator[Netlink]:
    with Director.namespace.entered(), Netlink() as netlink:
        yield netlink


def shot() -> Shot:
    with in_director() as netlink:
        answer = netlink.ask(spec().commands["get"], b"", NLM_F_DUMP)
    assert answer.error == 0
    return snapshot(answer.messages)


@pytest.fixture
def kept(director: Director, raw_server) -> str:
    """What is to be left alone, and goes on working. The text of the configuration."""
    print(f"KTCPVS_SEED={SEED}")
    server = raw_server(store())
    director.apply(pool_text(KEPT, server.address) + service_text(name=KEPT, pool=KEPT))
    return director.save()


def test_storm(director: Director, client: Client, kept: str) -> None:
    """Changes and dumps from all sides, beside traffic that does not notice. Then all can be read,
    saved, and restored."""
    counts: Counter[str] = Counter()
    with Steady() as steady:
        # On a busy machine less happens in the time, and it takes more of it.
        for n in range(0, 2 * ROUNDS, 2):
            counts += all_counts(
                Sender("change", n + 1),
                Sender("change", n + 2),
                Sender("dump", n),
                Sender("nobody", n),
            )
            if counts["change done"] > ENOUGH:
                break
    print(f"{steady.responses} responses; {dict(counts)}")
    # Enough of each happens for the test to mean anything.
    assert steady.responses > ENOUGH
    assert counts["change done"] > ENOUGH and counts["change EINVAL"] > ENOUGH
    assert counts["dump done"] and counts["broken dump"] and counts["change EPERM"]
    left = shot()
    assert KEPT.encode() + b"\0" in left.services
    restore(director, left)
    with client.connect() as connection:
        download(connection, "/3000/after")


def restore(director: Director, left: Shot) -> None:
    """What is saved is restored. Rules go before, whose conditions do not say what their programs
    do, and need not be such that a program could be made of them."""
    assert director.save()
    maker = Maker(random.Random(SEED))
    with in_director() as netlink:
        for service in left.services:
            name = maker.attr("service/name", service)
            step = maker.step("rules-set", "service", [name])
            assert netlink.ask(spec().commands["change"], write([step])).error == 0
    saved = director.save()
    shown = director.show("services")
    director.tcpvsadm("flush")
    director.apply(saved)
    assert director.save() == saved
    assert len(director.show("services")["services"]) == len(shown["services"])


@pytest.mark.parametrize("kind", ["nobody", "guest"])
def test_who_may_nothing_changes_nothing(director: Director, kept: str, kind: str) -> None:
    """Neither a user without privileges, nor root of a user namespace that the network namespace
    does not belong to, reads or changes anything."""
    generation = director.show()["generation"]
    counts: Counter[str] = Counter()
    for n in range(ROUNDS):
        counts += all_counts(Sender(kind, n, seconds=FUZZ_TIME / 3))
        if counts["change EPERM"] > ENOUGH and counts["dump EPERM"]:
            break
    print(dict(counts))
    assert counts["change EPERM"] > ENOUGH and counts["dump EPERM"]
    assert director.save() == kept
    assert director.show()["generation"] == generation


def test_namespaces_die_meanwhile(director: Director, client: Client, kept: str) -> None:
    """Namespaces of root's, and of users' who are root there only, end with services, connections,
    dumps and requests in them. Others do not notice, and the module can go at once."""
    generation = director.show()["generation"]
    counts: Counter[str] = Counter()
    with Steady(1) as steady:
        for n in range(ROUNDS):
            counts += all_counts(Sender("namespaces", n), Sender("guest-namespaces", n))
            if counts["namespaces"] > 5:
                break
    print(f"{steady.responses} responses; {dict(counts)}")
    assert counts["namespaces"] > 5 and counts["change done"] and counts["dump done"]
    assert director.save() == kept
    assert director.show()["generation"] == generation
    assert director.unload() < UNLOAD_MAX
    director.load()
