# SPDX-License-Identifier: GPL-2.0
"""Well-behaved clients beside hostile ones, who may have all that the director gives a client.

The bounds are those of the administrator's guide: every request is answered, nearly all within
half a second and each within three, though clients, director and servers share one emulated CPU
(two on the debug kernel).
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.attacks import ATTACKS, PROMISED
from support.client import Client
from support.config import NGINX, pool_text, service_text
from support.director import Director
from support.nginx import Nginx
from support.pace import PACE
from support.raw_server import wait_until

# How long an attack goes on, in seconds.
LASTS = 4 * PACE

# The bounds, in seconds.
USUAL = 0.5 * PACE
LONGEST = 3 * PACE


@contextlib.contextmanager
def attack(name: str) -> Iterator[None]:
    """Hostile clients are there, meanwhile."""
    process = subprocess.Popen(
        [sys.executable, "-m", "support.attacks", name],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout and process.stdout.readline() == "under way\n"
        yield
        assert process.poll() is None, "the attacker has given up"
    finally:
        process.kill()
        process.wait()


def times(client: Client) -> list[float]:
    """How long requests take while an attack lasts: half of them over a connection each."""
    took = []
    ends = time.monotonic() + LASTS
    with client.connect(timeout=LONGEST) as kept:
        while time.monotonic() < ends:
            began = time.monotonic()
            assert kept.get("/who").response().body == b"rs1\n"
            took.append(time.monotonic() - began)
            began = time.monotonic()
            with client.connect(timeout=LONGEST) as fresh:
                assert fresh.get("/who", "Connection: close\r\n").response().body == b"rs1\n"
            took.append(time.monotonic() - began)
            time.sleep(0.01)
    return sorted(took)


def active(director: Director) -> int:
    """How many clients' connections there are."""
    return director.show("services")["services"][0]["stats"]["connections_active"]


@pytest.mark.parametrize("name", ATTACKS)
def test_service_goes_on(director: Director, client: Client, nginx: list[Nginx], name: str) -> None:
    """Others are served within bounds, and the director is as it was when it is over."""
    more = ("timeout-head 2s", "timeout-idle 4s", "timeout-stall 2s", f"body-max {PROMISED}")
    # What is large has a server of its own: how long the only thread of an nginx takes to write
    # much to many is not the director's affair.
    director.apply(
        pool_text("p", NGINX[0])
        + pool_text("large", NGINX[1])
        + service_text("path /1m use-pool large", pool="p", more=more)
    )
    with attack(name):
        took = times(client)
    usual = took[len(took) * 95 // 100]
    print(f"{name}: {len(took)} requests, 95 % within {usual:.3f} s, all within {took[-1]:.3f} s")
    assert len(took) > 20
    assert usual < USUAL
    assert took[-1] < LONGEST
    wait_until(lambda: active(director) == 0, 15, "something of the attackers is left")
    assert client.get("/who").body == b"rs1\n"
