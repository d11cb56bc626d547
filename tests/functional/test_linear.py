# SPDX-License-Identifier: GPL-2.0
"""Payload in linear buffers, as plain network cards deliver it."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from support.client import Client, Connection
from support.config import pool_text, service_text
from support.director import Director
from support.raw_server import RawServer
from support.topology import CLIENT, DIRECTOR, SERVERS, VIP, server_address
from support.transfer import (
    MIB,
    at_once,
    check_put,
    content,
    digest,
    download,
    put,
    read_digest,
    store,
    upload,
)
from support.tune import counter
from support.wire import Wire, wire

# The director's addresses on wires to the client and to the server, and the server's.
WIRE_VIP = "10.0.3.1"
WIRE_BACK = "10.0.4.1"
WIRE_SERVER = "10.0.4.2"


@dataclass
class Path:
    """The way from the client over the director to a server, and the wires that it leads over."""

    wires: list[Wire]
    connect: Callable[[], Connection]


@contextlib.contextmanager
def laid(director: Director, client: Client, where: str, merged: bool) -> Iterator[Path]:
    """A path with wires at the client, at the server or at both, to a server that stores."""
    vip, server = VIP, server_address(1)
    made: list[Wire] = []
    with contextlib.ExitStack() as wires:
        if "client" in where:
            vip = WIRE_VIP
            ends = (CLIENT, "10.0.3.2/24"), (DIRECTOR, f"{vip}/24")
            made.append(wires.enter_context(wire("wire1", *ends, merged)))
        if "server" in where:
            server = WIRE_SERVER
            ends = (SERVERS[0], f"{server}/24"), (DIRECTOR, f"{WIRE_BACK}/24")
            made.append(wires.enter_context(wire("wire2", *ends, merged)))
        raw = RawServer(SERVERS[0], server, 8080, store())
        wires.callback(raw.close)
        director.apply(pool_text("p", raw.address) + service_text(pool="p", listen=f"{vip}:80"))
        yield Path(made, lambda: client.connect(vip, timeout=30))
        # While the wires are there, connections can end.
        director.flush()
        director.settle()


@pytest.fixture(
    params=[("client", False), ("server", False), ("client, server", False),
            ("client, server", True)],
    ids=["client's side", "server's side", "both", "both, merged"],
)  # fmt: skip
def path(director: Director, client: Client, request) -> Iterator[Path]:
    """Each path in turn. Packets did go over its wires."""
    with laid(director, client, *request.param) as path:
        yield path
        assert all(min(wire.frames.values()) > 0 for wire in path.wires)


def test_large_bodies(path: Path) -> None:
    """1 MiB each way, twice on a connection, on several at once."""

    def work(n: int) -> None:
        with path.connect() as connection:
            for turn in range(2):
                download(connection, f"/{MIB}/down{n}-{turn}")
                upload(connection, f"/{MIB}/up{n}-{turn}")

    at_once(3, work)


def test_small_messages(path: Path) -> None:
    """Messages of a packet or less, one after the other."""
    with path.connect() as connection:
        for size in (0, 1, 100, 1000, 1447, 1448, 1449, 5000):
            download(connection, f"/{size}/down")
            upload(connection, f"/{size}/up")


def test_requests_without_a_pause(path: Path) -> None:
    """Pipelined requests share packets, and begin and end anywhere in them."""
    with path.connect() as connection:
        names = [f"/{size}/{n}" for n, size in enumerate((10, 700, 3000, 0, 20_000) * 4)]
        connection.send(b"".join(put(name) for name in names))
        for name in names:
            check_put(connection, name)
        for name in names:
            connection.get(name)
        for name in names:
            response = connection.response()
            assert response.body == content(name)


def test_a_head_in_many_packets(path: Path) -> None:
    """A head may be split anywhere, and be longer than a packet."""
    with path.connect() as connection:
        request = put("/50/split")
        for byte in request:
            connection.send(bytes([byte]))
        check_put(connection, "/50/split")
        for n in range(5):
            upload(connection, f"/5000/{n}", "X-Fill: " + "y" * 5000 + "\r\n")


@pytest.mark.parametrize("merged", [False, True], ids=["as they are", "merged"])
def test_the_wire(clean: None, merged: bool) -> None:
    """The wire itself: all that is sent arrives, in fewer packets if they are merged."""
    data = content(f"/{MIB}/wire")
    ends = (CLIENT, "10.0.3.2/24"), (DIRECTOR, f"{WIRE_VIP}/24")
    with wire("wire1", *ends, merged) as wire1, DIRECTOR.listen(9000, WIRE_VIP) as listener:
        got, frames = counter(DIRECTOR, "IpInReceives"), wire1.frames["end2"]
        with CLIENT.connect(WIRE_VIP, 9000, 30) as sender, listener.accept()[0] as receiver:
            sending = threading.Thread(target=sender.sendall, args=(data,))
            sending.start()
            assert read_digest(receiver, b"", MIB) == digest(data)
            sending.join()
        got, frames = counter(DIRECTOR, "IpInReceives") - got, wire1.frames["end2"] - frames
    assert frames > MIB / 1500
    # On a busy machine fewer come at once, and only those are merged.
    assert (got < frames * 0.95) == merged
