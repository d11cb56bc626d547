# SPDX-License-Identifier: GPL-2.0
"""Addresses that are listened on: from when, until when, and which may follow which."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from support.client import Client
from support.config import NGINX, pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.raw_server import Peer
from support.topology import VIP

# What cannot be listened on: it is nobody's address.
NOT_OURS = "10.9.9.9:80"

# How a connection that is not served ends.
ENDS = (ConnectionRefusedError, ConnectionResetError, BrokenPipeError)

# So many listeners are closed with hardly more waiting than one.
MANY = 800


@contextlib.contextmanager
def meanwhile(ask: Callable[[], None]) -> Iterator[None]:
    """Asks again and again, from several threads."""
    over = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            while not over.is_set():
                ask()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures, failures


def ports(first: int, count: int, address: str = VIP) -> str:
    return " ".join(f"{address}:{port}" for port in range(first, first + count))


def test_a_refused_change_serves_nobody(director: Director, client: Client, raw_server) -> None:
    """Where one listener of several cannot be, nothing is served at the others in the meantime."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.answer(b"refused, and yet served")

    server = raw_server(script)
    # The first change of a namespace is not like others.
    director.service("before", listen=f"{VIP}:79")
    refused = pool_text("x", server.address) + "".join(
        service_text(name=f"s{n}", pool="x", listen=ports(8100 + 16 * n, 16)) for n in range(4)
    )
    refused += service_text(name="last", pool="x", listen=NOT_OURS)
    connected = 0

    def ask() -> None:
        nonlocal connected
        with contextlib.suppress(*ENDS), client.connect(port=8100) as connection:
            connected += 1
            assert connection.get().rest() == b""

    with meanwhile(ask):
        for _ in range(5):
            assert NOT_OURS in director.refused("apply", "-f", "-", stdin=refused)
    print(f"{connected} connected")
    assert server.connections == 0


def test_the_first_clients(director: Director, client: Client, nginx: list) -> None:
    """Who comes while the first configuration of a namespace is put in force is served."""
    text = pool_text("p", *NGINX) + service_text(pool="p", listen=ports(80, 16))
    served = 0

    def ask() -> None:
        nonlocal served
        with contextlib.suppress(ConnectionRefusedError), client.connect(port=95) as connection:
            assert connection.get("/who").response().status == 200
            served += 1

    for _ in range(3):
        director.unload()
        director.load()
        with meanwhile(ask):
            director.apply(text)
            time.sleep(0.2 * PACE)
        stats = director.show("services")["services"][0]["stats"]
        assert stats["errors"] == 0
    assert served


@pytest.mark.parametrize(
    ("before", "after", "address"),
    [
        ("0.0.0.0:80", "10.0.1.1:80", "10.0.1.1"),
        ("10.0.1.1:80", "0.0.0.0:80", "10.0.1.5"),
        ("[::]:80", "[fd00:1::1]:80", "fd00:1::1"),
        ("[fd00:1::1]:80", "[::]:80", "fd00:1::1"),
    ],
)
def test_all_addresses_and_one(
    director: Director, client: Client, before: str, after: str, address: str
) -> None:
    """A service goes from all addresses to one, or back, in one change; and then they are taken."""
    director.service(listen=before)
    director.rule("--status", "299")
    director.tcpvsadm("service", "set", "web", "--listen", after)
    with client.connect(address) as connection:
        assert connection.get().response().status == 299
    assert director.show("services")["services"][0]["listen"] == [after]
    for listen in (before, after):
        assert "in use" in director.refused("service", "add", "two", "--listen", listen) or (
            listen == after
        )


def test_all_addresses_beside_a_program(director: Director, client: Client) -> None:
    """Only who leaves is not in the way."""
    director.service(listen="10.0.1.5:81")
    listener = director.namespace.listen(80, VIP)
    try:
        message = director.refused("service", "set", "web", "--listen", "0.0.0.0:80")
        assert "in use" in message
    finally:
        listener.close()
    assert director.show("services")["services"][0]["listen"] == ["10.0.1.5:81"]


def test_many_listeners_end_at_once(director: Director, client: Client) -> None:
    """Closing many takes hardly longer than closing one: all wait together for who still looks."""

    def flush(count: int) -> float:
        director.apply(
            "".join(
                service_text(name=f"s{n}", listen=ports(10_000 + 16 * n, 16))
                for n in range(count // 16)
            )
        )
        begin = time.monotonic()
        director.flush()
        return time.monotonic() - begin

    one, all_of_them = flush(16), flush(MANY)
    print(f"16 in {one:.2f} s, {MANY} in {all_of_them:.2f} s")
    # Five milliseconds each would be quick for a wait.
    assert all_of_them - one < MANY * 0.004 * PACE
    with pytest.raises(ConnectionRefusedError):
        client.connect(port=10_000)
