# SPDX-License-Identifier: GPL-2.0
"""Whose errors a request is among that fails: the service's and its rule's in any case, and the
server's if that is to blame."""

import time
from collections.abc import Callable

import pytest
from support.client import Client, Connection
from support.config import pool_text, service_text
from support.counters import come_to_add_up
from support.director import Director
from support.pace import PACE
from support.raw_server import SWITCH, UPGRADE, Peer, wait_until
from support.topology import server_address

SHORT = f"{PACE}s"
WAITS = tuple(f"timeout-{name} {SHORT}" for name in ("response", "stall", "connect"))

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# More than all buffers take.
LARGE = 64 << 20
LARGE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE

Counts = tuple[int, int, int]


def serve(director: Director, address: str, waits: tuple[str, ...] = WAITS) -> None:
    """A service whose rule sends everything to a pool of this server."""
    director.apply(pool_text("p", address) + service_text("use-pool p", more=waits))


def stats(director: Director) -> tuple[dict, dict, list[dict]]:
    """The counters of the service, of its rule, and of its servers."""
    shown = director.show()
    service = shown["services"][0]
    servers = [one["stats"] for one in shown["pools"][0]["servers"]]
    return service["stats"], service["rules"][0]["stats"], servers


def errors(director: Director) -> Counts:
    """Those of the service, of its rule, and of its servers."""
    service, rule, servers = stats(director)
    return service["errors"], rule["errors"], sum(one["errors"] for one in servers)


def come_to(director: Director, expected: Counts) -> None:
    """Waits until there are so many errors, and sees that there are no more."""
    wait_until(lambda: errors(director)[0] >= expected[0], 15, f"the errors: {errors(director)}")
    time.sleep(0.1)
    assert errors(director) == expected
    come_to_add_up(director)


def stay(peer: Peer) -> None:
    """Says nothing until the other end is gone."""
    while peer.connection.recv(65536):
        pass


# What a server says, whether it resets its connection or stays silent then, and the status that the
# client gets: none, if the response is cut.
SERVERS = {
    "closes in a body": (LENGTH + b"abc", "close", None),
    "closes behind a head": (LENGTH, "close", None),
    "closes in chunks": (CHUNKS + b"64\r\nabc", "close", None),
    "resets in a body": (LENGTH + b"abc", "reset", None),
    "resets a body until its end": (b"HTTP/1.1 200 OK\r\n\r\nabc", "reset", None),
    "sends bad chunks": (CHUNKS + b"3\r\nabc\r\nno size\r\n", "stay", None),
    "stalls behind a head": (LENGTH, "stay", None),
    "stalls in a body": (LENGTH + b"abc", "stay", None),
    "closes": (b"", "close", 502),
    "resets": (b"", "reset", 502),
    "closes in a head": (LENGTH[:-4], "close", 502),
    "sends no head": (b"garbage\r\n\r\n", "stay", 502),
    "sends bad framing": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "stay", 502),
    "switches though not asked": (SWITCH, "stay", 502),
    "stalls": (b"", "stay", 504),
    "stalls in a head": (LENGTH[:-4], "stay", 504),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_fails(director: Director, client: Client, raw_server, name: str) -> None:
    """Whatever it is that a server does not do, it counts for the server too."""
    says, then, status = SERVERS[name]

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(says)
        # What was said is to arrive before the end.
        time.sleep(0.1)
        if then == "reset":
            peer.reset()
        elif then == "stay":
            stay(peer)

    serve(director, raw_server(script).address)
    with client.connect() as connection:
        connection.get()
        if status:
            assert connection.response().status == status
        else:
            assert connection.is_cut()
    come_to(director, (1, 1, 1))


def download(peer: Peer) -> None:
    """Sends more than fits anywhere."""
    peer.head()
    peer.send(LARGE_HEAD)
    for _ in range(LARGE >> 16):
        peer.send(bytes(1 << 16))


def early(peer: Peer) -> None:
    """Answers before the request's body has come."""
    peer.head()
    peer.send(LENGTH + b"abc")
    stay(peer)


def silent(peer: Peer) -> None:
    """Reads, and says nothing."""
    peer.head()
    stay(peer)


def upload(connection: Connection, body: bytes, fields: str = "Content-Length: 100\r\n") -> None:
    connection.send(f"POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode() + body)


def resets(connection: Connection) -> None:
    connection.get().exactly(1000)
    connection.reset()


def reads_nothing(connection: Connection) -> None:
    connection.get()
    wait_until(lambda: not Director().connections(), 30 / PACE, "a cut")
    assert connection.is_cut()


def resets_while_waiting(connection: Connection) -> None:
    connection.get()
    time.sleep(0.2 * PACE)
    connection.reset()


def half_closes(connection: Connection) -> None:
    upload(connection, b"abc")
    connection.half_close()
    assert connection.is_cut()


def stalls(connection: Connection) -> None:
    upload(connection, b"abc")
    assert connection.response().status == 408


def stalls_though_answered(connection: Connection) -> None:
    upload(connection, b"abc")
    assert connection.is_cut()


def bad_chunks(connection: Connection) -> None:
    upload(connection, b"no size\r\n", "Transfer-Encoding: chunked\r\n")
    assert connection.response().status == 400


CLIENTS: dict[str, tuple[Callable[[Connection], None], Callable[[Peer], None]]] = {
    "resets in a response": (resets, download),
    "takes no response": (reads_nothing, download),
    "resets before there is a response": (resets_while_waiting, silent),
    "ends in a body": (half_closes, silent),
    "stalls in a body": (stalls, silent),
    "stalls in a body that is answered": (stalls_though_answered, early),
    "sends bad chunks": (bad_chunks, silent),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_that_fails(director: Director, client: Client, raw_server, name: str) -> None:
    """What a client does is no fault of its server's."""
    what, script = CLIENTS[name]
    serve(director, raw_server(script).address)
    with client.connect(tiny=True) as connection:
        what(connection)
    come_to(director, (1, 1, 0))


def test_a_body_that_a_server_does_not_take(director: Director, client: Client, raw_server) -> None:
    """Who has answered, and neither takes the rest of the request nor goes on, stalls."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(LENGTH + b"abc")
        time.sleep(6 * PACE)

    serve(director, raw_server(script).address)
    with client.connect() as connection:
        upload(connection, b"", f"Content-Length: {LARGE}\r\n")
        with pytest.raises(OSError):
            connection.send(bytes(LARGE))
    come_to(director, (1, 1, 1))


def test_no_connection(director: Director, client: Client, raw_server) -> None:
    """A server that cannot be reached fails by itself; the request, if there is no other one."""
    dead = f"{server_address(1)}:9"
    serve(director, dead, ())
    assert client.get().status == 503
    assert errors(director) == (1, 1, 1)
    director.tcpvsadm("server", "set", "p", dead, "--weight", "0")
    assert client.get().status == 503
    assert errors(director) == (2, 2, 1)
    director.tcpvsadm("server", "set", "p", dead, "--weight", "1")
    server = raw_server(lambda peer: (peer.head(), peer.answer()), n=2)
    director.tcpvsadm("server", "add", "p", server.address)
    for _ in range(2):
        # One of them begins with the dead one.
        assert client.get().status == 200
    assert errors(director) == (2, 2, 2)


def test_no_time_to_connect(director: Director, client: Client) -> None:
    """A server that does not take a connection in time."""
    serve(director, "10.0.2.99:80")
    assert client.get().status in (503, 504)
    assert errors(director) == (1, 1, 1)


def test_client_leaves_while_connecting(director: Director, client: Client) -> None:
    """A request that is given up before its server has taken the connection was broken off."""
    serve(director, "10.0.2.99:80", ())
    with client.connect() as connection:
        connection.get()
        time.sleep(0.2)
        connection.reset()
        come_to(director, (1, 1, 0))


def test_tunnels_are_no_errors(director: Director, client: Client, raw_server) -> None:
    """A tunnel's request is done, and its bytes count for whom the request does."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(SWITCH)
        peer.send(peer.exactly(1000))

    serve(director, raw_server(script).address, ())
    with client.connect() as connection:
        assert connection.get(fields=UPGRADE).response().status == 101
        connection.send(b"x" * 1000)
        assert connection.exactly(1000) == b"x" * 1000
        assert connection.rest() == b""
    service, rule, _ = stats(director)
    for what in ("requests", "responses", "bytes_in", "bytes_out", "errors"):
        assert rule[what] == service[what]
    assert rule["bytes_in"] > 1000 and rule["errors"] == 0 and rule["responses"] == 1
