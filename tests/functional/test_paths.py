# SPDX-License-Identifier: GPL-2.0
"""Narrow paths: tiny windows, tiny segments, and links that help the stack or do not."""

import contextlib
import threading
import time
from collections.abc import Callable

import pytest
from support.client import Client, Connection
from support.config import pool_text, service_text
from support.director import Director
from support.netns import tiny_buffer
from support.pace import PACE
from support.raw_server import Peer, RawServer
from support.topology import CLIENT, DIRECTOR, SERVERS, VIP
from support.transfer import MIB, at_once, check_put, content, download, put, store, upload
from support.tune import counter, link, offloads, route

# What makes a head longer than many a segment here.
LONG = "X-Fill: " + "y" * 3000 + "\r\n"

# The ends of the links that lead to the director and on to the first server.
CLIENTS_END = (CLIENT, "eth0")
FRONT = (DIRECTOR, "front")
BACK = (DIRECTOR, "back")
PORT = (DIRECTOR, "port1")
SERVERS_END = (SERVERS[0], "eth0")
ENDS = [CLIENTS_END, FRONT, PORT, BACK, SERVERS_END]


@pytest.fixture
def serve(director: Director, raw_server):
    """Serves a script."""

    def make(script: Callable[[Peer], None]) -> RawServer:
        server = raw_server(script)
        director.apply(pool_text("p", server.address) + service_text(pool="p"))
        return server

    return make


def both_ways(connection: Connection, size: int = MIB) -> None:
    """A body down and one up, with heads of many segments, then requests without a pause."""
    download(connection, f"/{size}/down")
    upload(connection, f"/{size}/up", LONG)
    names = [f"/3000/{n}" for n in range(8)]
    connection.send(b"".join(put(name, LONG) for name in names))
    for name in names:
        check_put(connection, name)


@pytest.mark.parametrize("pause", [0, 0.0005], ids=["", "slowly"])
def test_a_client_with_a_tiny_window(client: Client, serve: Callable, pause: float) -> None:
    """A client that has hardly any room, and reads a few bytes at a time, gets all of it."""
    serve(store())

    def work(n: int) -> None:
        with client.connect(timeout=30, tiny=True) as connection:
            download(connection, f"/100000/{n}", piece=200, pause=pause)

    at_once(4, work)


@pytest.mark.parametrize("pause", [0, 0.0005], ids=["", "slowly"])
def test_a_server_with_a_tiny_window(client: Client, serve: Callable, pause: float) -> None:
    """A server that has hardly any room, and reads a few bytes at a time, gets all of it."""
    # Its connections inherit it.
    tiny_buffer(serve(store(piece=200, pause=pause)).listener)

    def work(n: int) -> None:
        with client.connect(timeout=30) as connection:
            upload(connection, f"/100000/{n}", LONG)

    at_once(4, work)


def test_tiny_chunks_and_no_window(client: Client, serve: Callable) -> None:
    """Thousands of chunks of a byte, each in a segment of its own, wait for a client that reads
    nothing; then it reads all."""
    first = content("/100000/first")
    rest = content("/3000/rest")
    sent = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.send(b"%x\r\n%s\r\n" % (len(first), first))
        time.sleep(0.2 * PACE)
        for n in range(len(rest)):
            peer.send(b"1\r\n%s\r\n" % rest[n : n + 1])
        sent.set()
        peer.send(b"0\r\n\r\n")

    serve(script)
    with client.connect(timeout=30, tiny=True) as connection:
        connection.get()
        assert sent.wait(30 * PACE)
        time.sleep(0.5 * PACE)
        assert connection.response().body == first + rest


def packets() -> int:
    """How many packets all have got, however many segments each was."""
    return sum(counter(host, "IpInReceives") for host in (CLIENT, DIRECTOR, SERVERS[0]))


@pytest.mark.parametrize(
    "ends",
    [[CLIENTS_END], [FRONT], [BACK], [SERVERS_END], [CLIENTS_END, FRONT, BACK, SERVERS_END]],
    ids=["to the client", "from the client", "from the server", "to the server", "all"],
)
def test_tiny_segments(client: Client, serve: Callable, ends: list) -> None:
    """Hosts that want segments of 88 bytes get all, in a great many packets."""
    before = packets()
    with contextlib.ExitStack() as settings:
        for end in ends:
            settings.enter_context(route(*end, "advmss", "88"))
        # Else veth passes on many segments in one packet.
        settings.enter_context(offloads(ENDS, tso="off"))
        serve(store())
        with client.connect(timeout=30) as connection:
            both_ways(connection, 200_000)
    assert packets() - before > 200_000 / 88


def test_small_packets(client: Client, serve: Callable) -> None:
    """The smallest packets that every host of the Internet takes."""
    with contextlib.ExitStack() as settings:
        for end in ENDS:
            settings.enter_context(link(*end, "mtu", 576))
        settings.enter_context(offloads(ENDS, tso="off"))
        serve(store())
        with client.connect(timeout=30) as connection:
            both_ways(connection)


NOTHING = {"tx": "off", "sg": "off", "tso": "off", "gso": "off", "gro": "off"}

# What the director's links do, and what those of the client and the server do.
HELP = {
    "none": (NOTHING, NOTHING),
    "none at the director": (NOTHING, {}),
    "none elsewhere": ({}, NOTHING),
    "no TSO": ({"tso": "off"}, {"tso": "off"}),
    "no SG": ({"sg": "off", "tso": "off", "gso": "off"}, {}),
    "no GSO": ({"tso": "off", "gso": "off"}, {}),
    # veth merges only what comes from a device without TSO.
    "GRO": ({"gro": "on"}, {"tso": "off"}),
    "GRO of all": ({"gro": "on", "tso": "off"}, {"gro": "on", "tso": "off"}),
}


@pytest.mark.parametrize("what", HELP)
def test_help_of_the_links(client: Client, serve: Callable, what: str) -> None:
    """What the links do for the stack, or leave to it, changes nothing."""
    ours, others = HELP[what]
    with offloads([FRONT, PORT, BACK], **ours), offloads([CLIENTS_END, SERVERS_END], **others):
        serve(store())
        with client.connect(timeout=30) as connection:
            both_ways(connection)


# What local packets have room for, and the most that a link can be told to have.
LARGE = 65535


@pytest.mark.parametrize("where", ["local", "links"])
def test_large_packets(director: Director, client: Client, where: str) -> None:
    """A segment may be larger than what the director's device takes at once: what is sent in
    packets of tens of kilobytes leaves in such packets."""
    size = 8 * MIB
    host, address = (DIRECTOR, "127.0.0.1") if where == "local" else (SERVERS[0], "10.0.2.11")
    hosts = {DIRECTOR} if where == "local" else {CLIENT, DIRECTOR, SERVERS[0]}

    def sent() -> int:
        return sum(counter(one, "TcpExtTCPOrigDataSent") for one in hosts)

    with contextlib.ExitStack() as settings:
        for end in ENDS:
            settings.enter_context(link(*end, "mtu", LARGE))
        server = RawServer(host, address, 8080, store())
        settings.callback(server.close)
        director.apply(pool_text("p", server.address) + service_text(pool="p"))
        before = sent()
        from_host = DIRECTOR if where == "local" else CLIENT
        with Connection(from_host.connect(VIP, 80, 30)) as connection:
            # Windows grow on the way; a segment is at most half of the largest so far.
            for turn in range(2):
                download(connection, f"/{size}/down{turn}")
                upload(connection, f"/{size}/up{turn}")
    # Each byte was sent twice: to the director, and by it.
    assert sent() - before < 2 * 4 * size / 8192
