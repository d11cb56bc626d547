# SPDX-License-Identifier: GPL-2.0
"""A kernel without memory, just when the module wants some.

Whatever fails, there is an error with a message, or a proper answer, or a connection that visibly
breaks; nothing is half done, nothing leaks (kmemleak looks, in the end), and all goes on
afterwards. Where an allocation can be chosen, it is one after the other, of many a sample.
"""

import contextlib
import errno
import itertools
import os
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from support import faults, storm_store
from support.client import Client, Connection
from support.config import pool_text, service_text
from support.director import Director
from support.faults_service import LINES, NO_MEMORY, OPTIONS, configure, serves
from support.faults_trace import RECEIVING, SENDING, Nth, Traced, trace
from support.pace import PACE
from support.raw_server import Peer, RawServer, wait_until
from support.storm_kinds import KINDS
from support.storm_load import Clients
from support.storm_requests import Cut, Request, Status, answer, get, put
from support.topology import CLIENT, DIRECTOR, VIP, server_address
from support.transfer import download, store
from support.tune import counter

pytestmark = pytest.mark.faults

# How many bytes of objects a request takes at most. What else goes on takes some as well.
ENOUGH = 60_000

# No time-out of the director's is so short: who waits for longer has been forgotten.
PATIENCE = 5.0 * PACE

# Resets that TCP had no memory for.
UNSAID = "TcpExtTCPAbortFailed"


def each(attempt: Callable[[int], int], most: int) -> str:
    """Has one allocation after the other fail in what is tried, or a sample of `most` of them
    (KTCPVS_FAULTS, if that is set); an attempt says what is left of the number that is given to it.
    What was done."""
    count = faults.TIMES - attempt(faults.TIMES)
    most = min(int(os.environ.get("KTCPVS_FAULTS") or most), count)
    sample = sorted({1 + n * (count - 1) // max(most - 1, 1) for n in range(most)})
    reached = sum(attempt(n) == 0 for n in sample)
    # There may be some less, or more, each time.
    assert reached > len(sample) * 3 // 4
    return f"{reached} of {count} allocations"


def test_loading(director: Director, client: Client, raw_server) -> None:
    """Allocations for loading the module fail: it is not loaded, and says why."""
    server = raw_server(store())
    director.unload()
    errors = 0

    def attempt(n: int) -> int:
        nonlocal errors
        error, left = faults.nth(n, faults.loading())
        assert error in (0, errno.ENOMEM), f"{n}: {os.strerror(error)}"
        assert faults.loaded() == (error == 0)
        if error:
            errors += 1
            assert left == 0
        else:
            director.unload()
        return left

    begin = time.monotonic()
    try:
        with faults.ready():
            done = each(attempt, 40)
    finally:
        if not faults.loaded():
            director.load()
    print(f"{done}, {errors} errors, in {time.monotonic() - begin:.0f} s")
    assert errors > 10
    configure(director, server)
    serves(client)


def test_namespace(director: Director) -> None:
    """Allocations for a new namespace fail: there is none, or it is whole."""
    errors: Counter[str] = Counter()

    def attempt(n: int) -> int:
        # All parts of the kernel have their say in it, and errors of their own.
        error, left = faults.nth(n, faults.unshare)
        if error:
            errors[errno.errorcode[error]] += 1
        return left

    begin = time.monotonic()
    with faults.ready():
        done = each(attempt, 100)
    print(f"{done}, {dict(errors)}, in {time.monotonic() - begin:.0f} s")
    assert errors["ENOMEM"] > 20
    # Namespaces end in the background; unloading waits for those that do.
    director.unload()
    director.load()


def tool(director: Director, n: int, *words: str, stdin: str = "") -> tuple[Traced, int]:
    """Runs the tool, with allocation `n` failing of those that its talk with the kernel takes. How
    it ended, and what is left of `n`."""
    command = [str(shutil.which("tcpvsadm")), *words]
    tracer = Nth(SENDING | RECEIVING, n)
    return trace(director.namespace, command, stdin, tracer), tracer.left


def more(server: RawServer) -> str:
    """A configuration that has more of everything than that of `configure`."""
    others = [f"{server_address(n)}:80" for n in (1, 2)]
    pools = pool_text("p", server.address, *others, more=LINES) + pool_text("q", *others)
    rules = [
        "path /never status 404",
        "path-regex ^/never/([0-9]+)$ use-pool q capture 1",
        "host www.example.org header-prefix X-A=b redirect https://a.example/",
        f"method PUT use-server p/{server.address}",
    ]
    return (
        pools
        + service_text(*rules, pool="p", more=OPTIONS)
        + service_text(name="other", listen=f"{VIP}:81 [fd00:1::1]:81", pool="q")
    )


def test_change(director: Director, client: Client, raw_server) -> None:
    """Allocations of a change fail: nothing has changed then, and the tool says why."""
    server = raw_server(store())
    configure(director, server)
    before = director.save()
    director.apply(more(server))
    after = director.save()
    configure(director, server)
    failures = unheard = 0

    def attempt(n: int) -> int:
        nonlocal failures, unheard
        done, left = tool(director, n, "apply", "-f", "-", stdin=after)
        found = director.save()
        if done.returncode:
            assert not left
            failures += 1
            assert NO_MEMORY.search(done.stderr), done.stderr
            # What cannot be told is said by the kernel, in words of its own.
            if found == after and "buffer space" in done.stderr:
                unheard += 1
            else:
                assert found == before
        else:
            assert found == after
        if found == after:
            configure(director, server)
        with client.connect() as connection:
            download(connection, f"/100/change-{n}")
        return left

    begin = time.monotonic()
    with faults.ready():
        tried = each(attempt, 40)
    print(f"{tried}, {failures} failures, {unheard} unheard, in {time.monotonic() - begin:.0f} s")
    assert failures > 3
    assert unheard * 4 < failures
    director.apply(after)
    assert director.save() == after
    # Of the servers of that configuration two do not serve.
    configure(director, server)
    serves(client)


def test_show(director: Director, raw_server) -> None:
    """Allocations of a listing fail: it is whole, or the tool fails."""
    director.apply(more(raw_server(store())))
    whole = director.save()
    errors = 0

    def attempt(n: int) -> int:
        nonlocal errors
        done, left = tool(director, n, "save")
        if done.returncode:
            errors += 1
            assert NO_MEMORY.search(done.stderr), done.stderr
        else:
            assert done.stdout == whole
        return left

    with faults.ready():
        tried = each(attempt, 8)
    print(f"{tried}, {errors} errors")
    assert errors
    assert director.save() == whole


def test_large_change(director: Director, client: Client, raw_server) -> None:
    """A large rule set is put in force or not; who asks meanwhile does not notice."""
    server = raw_server(store())
    configure(director, server, *[f"path /{n} status 404" for n in range(500)])
    large = director.save()
    configure(director, server)
    small = director.save()
    failures = 0
    with faults.ready(), client.connect() as connection:

        def attempt(n: int) -> int:
            nonlocal failures
            done, left = tool(director, n, "apply", "-f", "-", stdin=large)
            download(connection, f"/1000/meanwhile-{n}")
            found = director.save()
            if done.returncode:
                failures += 1
                assert NO_MEMORY.search(done.stderr), done.stderr
                # Of some the tool cannot be told.
                assert found == small or (found == large and "buffer space" in done.stderr)
            else:
                assert found == large
            if found == large:
                director.apply(small)
            return left

        tried = each(attempt, 6)
    print(f"{tried}, {failures} failures")
    assert failures
    director.apply(large)
    serves(client)


def ask(connection: Connection, request: Request) -> None:
    connection.send(request.data)
    answer(connection, request)


def one(client: Client, kind: str, name: str) -> None:
    """One connection, and what is asked on it."""
    with client.connect(timeout=PATIENCE / PACE) as connection:
        if kind == "small":
            ask(connection, get(f"/100/{name}"))
            ask(connection, get(f"/100/{name}-again"))
        elif kind == "large":
            ask(connection, get(f"/60000/{name}"))
        elif kind == "closed":
            ask(connection, get(f"/100/{name}", "Connection: close\r\n"))
            assert not connection.rest()
        elif kind == "half-closed":
            request = get(f"/100/{name}")
            connection.send(request.data)
            connection.half_close()
            answer(connection, request)
            assert not connection.rest()
        else:
            ask(connection, put(f"/20000/{name}"))


ONE_BY_ONE = [
    *itertools.product(["small", "large", "upload", "closed"], ["workers", "packets"]),
    # The packet that fails could be the client's own FIN, of which nobody would ever hear.
    ("half-closed", "workers"),
]


@pytest.mark.parametrize(("kind", "whose"), ONE_BY_ONE, ids=map("-".join, ONE_BY_ONE))
def test_requests_one_by_one(
    director: Director, client: Client, raw_server, kind: str, whose: str
) -> None:
    """Each allocation for a request fails once, of the kernel's workers or for packets: it is
    answered or cut, at once, and the next one is answered."""
    workers = whose == "workers"
    server = raw_server(store())
    configure(director, server)
    outcomes: Counter[str] = Counter()
    slow = []
    with faults.ready(atomic=not workers):
        walk = faults.Walk(marked=workers)
        while walk.quiet < 3 and walk.space < ENOUGH:
            if workers:
                faults.mark_workers()
            walk.arm()
            begin = time.monotonic()
            try:
                one(client, kind, f"{kind}-{walk.space}")
                outcomes["done"] += 1
            except (Cut, Status, OSError) as failure:
                outcomes[str(failure)] += 1
            took = time.monotonic() - begin
            if took > PATIENCE / 2:
                slow.append(f"{took:.1f} s at {walk.space}")
            walk.disarm()
            with client.connect() as connection:
                ask(connection, get(f"/100/next-{walk.space}"))
            # No idle connection is left, so that the next one has everything to do.
            for peer in server.open:
                with contextlib.suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)
            server.open.clear()
            time.sleep(0.03 * PACE)
    print(f"{walk.space} bytes; {outcomes}; too long: {slow}")
    assert not slow
    serves(client)


@pytest.mark.parametrize("workers", [True, False], ids=["workers", "packets"])
@pytest.mark.parametrize("probability", [1, 5, 20])
def test_traffic(
    director: Director, client: Client, raw_server, probability: int, workers: bool
) -> None:
    """Some allocations fail all the time, under load of all kinds: what arrives is right, and
    nobody waits for ever."""
    server = raw_server(storm_store.serve_one)
    waits = [f"timeout-{name} {PATIENCE * 2:.0f}s" for name in ("response", "stall", "head")]
    director.apply(
        pool_text("p", server.address, more=LINES) + service_text(pool="p", more=(*OPTIONS, *waits))
    )
    clients = Clients(CLIENT, {"web": 80}, 6, str(probability), KINDS)
    unsaid = counter(DIRECTOR, UNSAID)
    try:
        clients.go()
        with faults.ready(atomic=not workers):
            faults.mark_workers()
            with faults.failing(probability, marked=workers) as failures:
                for _ in range(10):
                    time.sleep(PACE / 2)
                    faults.mark_workers()
            failed = failures.count
        tally = clients.rest()["web"]
        wrong = [str(one) for one in tally.failures if one.wrong]
        print(f"{failed} allocations failed, {tally.done} done, {len(tally.failures)} failed,")
        print(f"the slowest in {tally.slowest:.1f} s;", Counter(one.what for one in tally.failures))
        assert failed
        assert not wrong, "\n".join(wrong[:20])
        # Where packets are lost TCP takes its time. Of a reset that failed its client never hears.
        if workers:
            late = [str(one) for one in tally.failures if one.took > PATIENCE]
            unsaid = counter(DIRECTOR, UNSAID) - unsaid
            assert len(late) <= unsaid, f"{unsaid} resets failed; " + "\n".join(late[:20])
            assert tally.slowest < PATIENCE
        clients.go()
        time.sleep(PACE)
        tally = clients.rest()["web"]
        assert tally.done and not tally.failures, "\n".join(map(str, tally.failures))
    finally:
        clients.stop()


def test_accepting(director: Director, client: Client, raw_server) -> None:
    """A connection that could not be accepted for want of memory is accepted when there is some,
    though no other one comes."""
    server = raw_server(store())
    configure(director, server)
    with faults.ready():
        faults.mark_workers()
        with faults.failing(100, marked=True) as failures:
            connection = client.connect(timeout=PATIENCE / PACE)
            wait_until(lambda: failures.count, 5, "an allocation")
        response = connection.get("/100/waits").response()
    connection.close()
    assert response.status == 200


def test_connecting(director: Director, client: Client, raw_server) -> None:
    """A connection to a server that could not be started for want of memory is started when there
    is some. That is nobody's error."""
    server = raw_server(store())
    configure(director, server)
    with faults.ready(), client.connect(timeout=PATIENCE / PACE) as connection:
        active = "connections_active"
        wait_until(lambda: director.show()["services"][0]["stats"][active], 5, "a connection")
        faults.mark_workers()
        with faults.failing(100, marked=True) as failures:
            connection.get("/100/waits")
            wait_until(lambda: failures.count > 1, 5, "two allocations")
            # It has been asked for, and waits for its connection.
            stats = director.show()["services"][0]["stats"]
            assert (stats["requests"], stats["responses"], stats["errors"]) == (1, 0, 0)
        response = connection.response()
    assert response.status == 200
    shown = director.show()
    for one in (shown["services"][0], shown["pools"][0]["servers"][0]):
        assert one["stats"]["errors"] == 0 < one["stats"]["responses"], one


def test_no_haste(director: Director, client: Client, raw_server) -> None:
    """Where there is no memory to send anything in, that is tried again now and then, and not all
    the time."""
    requests = [get(f"/100/waits-{n}") for n in range(8)]
    together = threading.Barrier(len(requests))

    def script(peer: Peer) -> None:
        # So that each of them has a connection later, when there is no memory for one.
        together.wait(10 * PACE)
        store()(peer)

    # And heads that go on as they came: a request without the memory for another one is cut.
    director.apply(pool_text("p", raw_server(script).address) + service_text(pool="p"))
    with contextlib.ExitStack() as ends:
        connections = [ends.enter_context(client.connect()) for _ in requests]
        before = [get(f"/100/before-{n}") for n in range(len(requests))]
        for connection, request in zip(connections, before, strict=True):
            connection.send(request.data)
        for connection, request in zip(connections, before, strict=True):
            answer(connection, request)
        with faults.ready(atomic=True), faults.failing(100) as failures:
            for connection, request in zip(connections, requests, strict=True):
                connection.send(request.data)
            time.sleep(2 * PACE)
            tried = failures.count
        for connection, request in zip(connections, requests, strict=True):
            answer(connection, request)
    print(f"{tried} allocations failed")
    # Each connection is looked at four times a second, and TCP has timers of its own.
    assert 0 < tried < 100 * PACE * len(requests)
