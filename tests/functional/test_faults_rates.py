# SPDX-License-Identifier: GPL-2.0
"""A kernel of whose allocations some fail, ever more, while the module is loaded, is told what to
do, and a namespace of its own comes: each time that is done or it is not, with an error that says
why; nothing is half done or leaks, and whoever asks meanwhile notices nothing.

What fails is of the process that wants it alone; traffic has tests of its own (`test_faults`).
"""

import errno
import os
import shutil
import time
from collections import Counter

import pytest
from support import faults, storm_store
from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.faults_service import NO_MEMORY, configure, serves
from support.faults_trace import RECEIVING, SENDING, Traced, Tracer, trace
from support.pace import PACE
from support.storm_kinds import KINDS
from support.storm_load import Clients
from support.topology import CLIENT, VIP, server_address
from support.transfer import download, store

pytestmark = pytest.mark.faults

# How many allocations in a hundred fail, among each so many. The first lets most of what is tried
# come to its end, the last nearly nothing.
RATES = [(1, 20), (1, 1), (5, 1), (20, 1)]

rates = pytest.mark.parametrize("rate", RATES, ids=[f"{p}-in-{100 * n}" for p, n in RATES])

# For how long each is tried, in seconds.
TIME = 3 * PACE

# How many clients ask meanwhile.
CLIENTS = 3


def tool(director: Director, *words: str, stdin: str = "") -> Traced:
    """Runs the tool; allocations that its talk with the kernel takes fail at the rate there is."""
    command = [str(shutil.which("tcpvsadm")), *words]
    return trace(director.namespace, command, stdin, Tracer(SENDING | RECEIVING))


def configurations(address: str) -> list[str]:
    """Some that differ in everything but what is asked meanwhile."""
    pool = pool_text("p", address)
    others = [f"{server_address(n)}:80" for n in (1, 2)]
    rules = [
        "path /never status 404",
        "path-regex ^/never/([0-9]+)$ use-pool q capture 1",
        "host www.example.org header-prefix X-A=b redirect https://a.example/",
    ]
    many = [f"path /never/{n} status 404" for n in range(60)]
    return [
        pool + service_text(pool="p"),
        pool
        + pool_text("q", *others, more=("cookie SRV",))
        + service_text(*rules, pool="p")
        + service_text(name="other", listen=f"{VIP}:81 [fd00:1::1]:81", pool="q"),
        pool + service_text(*many, pool="p") + service_text(name="third", listen=f"{VIP}:82"),
    ]


@rates
def test_changes(director: Director, client: Client, raw_server, rate: tuple[int, int]) -> None:
    """A configuration is put in force or is not; clients are served all the time."""
    server = raw_server(storm_store.serve_one)
    texts = []
    for text in configurations(server.address):
        director.apply(text)
        texts.append(director.save())
    outcomes: Counter[str] = Counter()
    now = texts[-1]
    clients = Clients(CLIENT, {"web": 80}, CLIENTS, str(rate), KINDS)
    try:
        clients.go()
        end = time.monotonic() + TIME
        while time.monotonic() < end:
            wanted = texts[outcomes.total() % len(texts)]
            with faults.ready(), faults.failing(*rate, marked=True) as failures:
                done = tool(director, "apply", "-f", "-", stdin=wanted)
                failed = failures.count
            found = director.save()
            if done.returncode:
                assert failed and NO_MEMORY.search(done.stderr), done.stderr
                # A success of which the tool could not be told is one.
                assert found in (now, wanted)
                outcomes["unheard" if found == wanted != now else "refused"] += 1
            else:
                assert found == wanted
                outcomes["done"] += 1
            now = found
        tally = clients.rest()["web"]
    finally:
        clients.stop()
    print(f"{dict(outcomes)}, {tally.done} requests meanwhile")
    assert tally.done and not tally.failures, "\n".join(map(str, tally.failures))
    # A change takes some hundred allocations.
    assert outcomes["refused"] or rate == RATES[0]
    director.apply(texts[1])
    assert director.save() == texts[1]
    configure(director, raw_server(store(), 2))
    serves(client)


@rates
def test_loading(director: Director, client: Client, raw_server, rate: tuple[int, int]) -> None:
    """The module is loaded or is not."""
    load = faults.loading()
    outcomes: Counter[str] = Counter()
    director.unload()
    try:
        end = time.monotonic() + TIME
        while time.monotonic() < end:
            with faults.ready(), faults.failing(*rate, marked=True):
                error = faults.marked(load)
            assert error in (0, errno.ENOMEM), os.strerror(error)
            assert faults.loaded() == (error == 0)
            outcomes[errno.errorcode.get(error, "done")] += 1
            if not error:
                director.unload()
    finally:
        if not faults.loaded():
            director.load()
    print(dict(outcomes))
    assert outcomes["ENOMEM"] or rate == RATES[0]
    configure(director, raw_server(store()))
    serves(client)


@rates
def test_namespaces(director: Director, client: Client, raw_server, rate: tuple[int, int]) -> None:
    """A namespace comes whole or not at all. One that serves meanwhile goes on."""
    configure(director, raw_server(store()))
    outcomes: Counter[str] = Counter()
    end = time.monotonic() + TIME
    with client.connect() as connection:
        while time.monotonic() < end:
            with faults.ready(), faults.failing(*rate, marked=True):
                error = faults.marked(faults.unshare)
            # All parts of the kernel have their say in it, and errors of their own.
            outcomes[errno.errorcode.get(error, "done")] += 1
            download(connection, f"/100/meanwhile-{outcomes.total()}")
    print(dict(outcomes))
    assert outcomes["ENOMEM"] or rate == RATES[0]
    director.unload()
    director.load()
    configure(director, raw_server(store(), 2))
    serves(client)
