# SPDX-License-Identifier: GPL-2.0
"""A kernel without memory, just when the module wants some.

Whatever fails, there is an error with a message; nothing is half done, nothing leaks (kmemleak
looks, in the end), and all goes on afterwards. Where an allocation can be chosen, it is one after
the other, of many a sample.
"""

import errno
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable

import pytest
from support import faults
from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.faults_trace import RECEIVING, SENDING, Traced, trace
from support.pace import PACE
from support.raw_server import RawServer, wait_until
from support.topology import VIP, server_address
from support.transfer import download, store, upload

pytestmark = pytest.mark.faults

# What the tool says, by itself or by the kernel's error. That of a socket is another one: ENFILE.
NO_MEMORY = re.compile("memory|buffer space|open files")

# No time-out of the director's is so short: who waits for longer has been forgotten.
PATIENCE = 5.0 * PACE

LINES = ("cookie SRV",)
OPTIONS = ("forwarded-for on",)


def configure(director: Director, server: RawServer, *rules: str) -> None:
    director.apply(
        pool_text("p", server.address, more=LINES) + service_text(*rules, pool="p", more=OPTIONS)
    )


def serves(client: Client) -> None:
    """Requests of all kinds are answered as if nothing had been."""
    for n in range(3):
        with client.connect() as connection:
            download(connection, f"/100/after-{n}")
            upload(connection, f"/3000/after-{n}")
            download(connection, f"/50000/after-{n}")


def each(attempt: Callable[[int], int], most: int) -> str:
    """Has one allocation after the other fail in what is tried, or a sample of `most` of them; an
    attempt says what is left of the number that is given to it. What was done."""
    count = faults.TIMES - attempt(faults.TIMES)
    sample = sorted({1 + n * (count - 1) // (most - 1) for n in range(most)})
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
        error, left = faults.insmod(n)
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
            done = each(attempt, 25)
    finally:
        if not faults.loaded():
            director.load()
    print(f"{done}, {errors} errors, in {time.monotonic() - begin:.0f} s")
    assert errors > 5
    configure(director, server)
    serves(client)


def test_namespace(director: Director) -> None:
    """Allocations for a new namespace fail: there is none, or it is whole."""
    errors: Counter[str] = Counter()

    def attempt(n: int) -> int:
        # All parts of the kernel have their say in it, and errors of their own.
        error, left = faults.unshare(n)
        if error:
            errors[errno.errorcode[error]] += 1
        return left

    begin = time.monotonic()
    with faults.ready():
        done = each(attempt, 50)
    print(f"{done}, {dict(errors)}, in {time.monotonic() - begin:.0f} s")
    assert errors["ENOMEM"] > 8
    # Namespaces end in the background; unloading waits for those that do.
    director.unload()
    director.load()


def tool(director: Director, n: int, *words: str, stdin: str = "") -> Traced:
    """Runs the tool, with allocation `n` failing of those that its talk with the kernel takes."""
    command = [str(shutil.which("tcpvsadm")), *words]
    return trace(director.namespace, command, stdin, SENDING | RECEIVING, n)


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


def test_show(director: Director, raw_server) -> None:
    """Allocations of a listing fail: it is whole, or the tool fails."""
    director.apply(more(raw_server(store())))
    whole = director.save()
    errors = 0

    def attempt(n: int) -> int:
        nonlocal errors
        done = tool(director, n, "save")
        if done.returncode:
            errors += 1
            assert NO_MEMORY.search(done.stderr), done.stderr
        else:
            assert done.stdout == whole
        return done.left

    with faults.ready():
        tried = each(attempt, 8)
    print(f"{tried}, {errors} errors")
    assert errors
    assert director.save() == whole


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
