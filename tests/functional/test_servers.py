# SPDX-License-Identifier: GPL-2.0
"""How a pool chooses among its servers."""

from collections import Counter

import pytest
from support.client import Client, Connection
from support.director import Director
from support.raw_server import Peer
from support.topology import server_address

ALL = [f"{server_address(n)}:80" for n in (1, 2, 3)]


def choices(client: Client, number: int, fields: str = "") -> Counter[str]:
    """How often each server answers."""
    with client.connect() as connection:
        return Counter(connection.get("/who", fields).response().server for _ in range(number))


def test_round_robin(director: Director, client: Client, nginx: list) -> None:
    """rr: each in turn, whatever the weights."""
    director.pool("pool", *(f"{server}={n}" for n, server in enumerate(ALL, 1)), scheduler="rr")
    director.service(pool="pool")
    assert choices(client, 30) == {"rs1": 10, "rs2": 10, "rs3": 10}


def test_weighted_round_robin(director: Director, client: Client, nginx: list) -> None:
    """wrr: in proportion to the weights, exactly."""
    director.pool("pool", *(f"{server}={n}" for n, server in enumerate(ALL, 1)), scheduler="wrr")
    director.service(pool="pool")
    assert choices(client, 60) == {"rs1": 10, "rs2": 20, "rs3": 30}


@pytest.mark.parametrize(
    ("scheduler", "weights", "expected"),
    [("lc", [1, 1, 5], [4, 4, 4]), ("wlc", [1, 2, 3], [2, 4, 6])],
)
def test_least_connection(
    director: Director, client: Client, raw_server, scheduler: str, weights, expected
) -> None:
    """lc and wlc: where the least is going on, with wlc for the weight."""

    def hang(peer: Peer) -> None:
        peer.head()
        peer.connection.recv(1)

    servers = [raw_server(hang, n=n) for n in (1, 2, 3)]
    pairs = zip(servers, weights, strict=True)
    director.pool("pool", *(f"{s.address}={w}" for s, w in pairs), scheduler=scheduler)
    director.service(pool="pool")
    open_requests: list[Connection] = []
    for n in range(12):
        open_requests.append(client.connect().get())
        # One after the other: each decision is to see the one before.
        while sum(len(server.heads) for server in servers) <= n:
            pass
    assert [len(server.heads) for server in servers] == expected
    for connection in open_requests:
        connection.close()


def test_source_hash(director: Director, client: Client, nginx: list) -> None:
    """sh: the same address, the same server; another one may go elsewhere."""
    director.pool("pool", *ALL, scheduler="sh")
    director.service(pool="pool")
    assert len(choices(client, 12)) == 1
    for n in range(100, 112):
        client.namespace.run("ip", "addr", "add", f"10.0.1.{n}/24", "dev", "eth0")
    try:
        seen = set()
        for n in range(100, 112):
            answers = {
                client.curl("--interface", f"10.0.1.{n}", "http://10.0.1.1/who").stdout
                for _ in range(2)
            }
            assert len(answers) == 1
            seen |= answers
        assert len(seen) == 3
    finally:
        for n in range(100, 112):
            client.namespace.run("ip", "addr", "del", f"10.0.1.{n}/24", "dev", "eth0")


@pytest.mark.parametrize("scheduler", ["rr", "wrr", "lc", "wlc", "sh"])
def test_weight_zero_drains(
    director: Director, client: Client, nginx: list, scheduler: str
) -> None:
    """A server of weight 0 gets no new work."""
    director.pool("pool", *ALL, scheduler=scheduler)
    director.service(pool="pool")
    for server in ALL[:2]:
        director.tcpvsadm("server", "set", "pool", server, "--weight", "0")
    assert set(choices(client, 6)) == {"rs3"}


def cookie_of(client: Client) -> str:
    """The cookie that a new client gets, as it is to be sent back."""
    response = client.get("/who")
    return response.fields["set-cookie"].split(";")[0]


@pytest.fixture
def sticky(director: Director, nginx: list) -> None:
    director.pool("pool", *ALL, scheduler="rr", cookie="SRV")
    director.service(pool="pool")


def test_cookie_keeps_the_server(client: Client, sticky: None) -> None:
    """A client that brings its cookie stays, and is given no new one."""
    cookies = {cookie_of(client) for _ in range(6)}
    assert len(cookies) == 3
    for cookie in cookies:
        with client.connect() as connection:
            answers = [
                connection.get("/who", f"Cookie: x=1; {cookie}\r\n").response() for _ in range(4)
            ]
        assert len({answer.server for answer in answers}) == 1
        assert all("set-cookie" not in answer.fields for answer in answers)


@pytest.mark.parametrize("value", ["", "0000000000000000", "zzzzzzzzzzzzzzzz", "a" * 500])
def test_forged_cookie(client: Client, sticky: None, value: str) -> None:
    """A value that is none of ours is as none: the client is bound anew."""
    response = client.get("/who", f"Cookie: SRV={value}\r\n")
    assert response.status == 200
    assert "set-cookie" in response.fields


def test_drained_server_keeps_its_clients(director: Director, client: Client, sticky: None) -> None:
    """Weight 0 turns away new clients, not those that are bound."""
    cookie = cookie_of(client)
    server = client.get("/who", f"Cookie: {cookie}\r\n").server
    address = ALL[int(server[2]) - 1]
    director.tcpvsadm("server", "set", "pool", address, "--weight", "0")
    assert choices(client, 4, f"Cookie: {cookie}\r\n") == {server: 4}
    assert server not in choices(client, 4)
    director.tcpvsadm("server", "del", "pool", address)
    assert server not in choices(client, 4, f"Cookie: {cookie}\r\n")


def test_cookie_is_not_the_servers_business(director: Director, client: Client, raw_server) -> None:
    """The real server sees the other cookies only."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.answer(b"x")

    server = raw_server(script)
    director.pool("pool", server.address, cookie="SRV")
    director.service(pool="pool")
    cookie = client.get().fields["set-cookie"].split(";")[0]
    client.get(fields=f"Cookie: a=1; {cookie}; b=2\r\n")
    assert b"a=1" in server.heads[1] and b"b=2" in server.heads[1]
    assert b"SRV" not in server.heads[1]


def test_cookie_survives_a_reload(director: Director, client: Client, sticky: None) -> None:
    """Saved and applied, the pool knows its cookies again: they need no memory."""
    cookie = cookie_of(client)
    server = client.get("/who", f"Cookie: {cookie}\r\n").server
    saved = director.save()
    director.tcpvsadm("flush")
    director.apply(saved)
    assert choices(client, 4, f"Cookie: {cookie}\r\n") == {server: 4}
