# SPDX-License-Identifier: GPL-2.0
"""How schedulers share work out, while servers come, go and change their weights."""

import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from support.client import Client, Connection
from support.config import NGINX, pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.raw_server import SWITCH, UPGRADE, Peer, wait_until
from support.topology import server_address, server_address6

ALL = ["rr", "wrr", "lc", "wlc", "sh"]


def choices(client: Client, number: int) -> list[str]:
    """Which servers answer the requests of one connection."""
    with client.connect() as connection:
        return [connection.get("/who").response().server for _ in range(number)]


@pytest.fixture
def addresses(client: Client) -> Iterator[list[str]]:
    """More addresses that clients have, of both families."""
    made = [f"10.0.1.{n}" for n in range(100, 116)] + [f"fd00:1::{n}" for n in range(100, 108)]
    length = {address: 64 if ":" in address else 24 for address in made}
    for address in made:
        nodad = ["nodad"] if ":" in address else []
        client.namespace.run(
            "ip", "addr", "add", f"{address}/{length[address]}", "dev", "eth0", *nodad
        )
    yield made
    for address in made:
        client.namespace.run("ip", "addr", "del", f"{address}/{length[address]}", "dev", "eth0")


def choice_of(client: Client, address: str) -> str:
    """Which server the client of this address gets."""
    url = "http://[fd00:1::1]/who" if ":" in address else "http://10.0.1.1/who"
    result = client.curl("--interface", address, url)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("scheduler", ALL)
def test_scheduler_is_shown(director: Director, scheduler: str) -> None:
    """A pool tells its scheduler, and can be given another one while it serves."""
    director.pool("p", NGINX[0], scheduler=scheduler)
    assert director.show("pools")["pools"][0]["scheduler"] == scheduler
    for other in ALL:
        director.tcpvsadm("pool", "set", "p", "--scheduler", other)
        assert director.show("pools")["pools"][0]["scheduler"] == other


@pytest.mark.parametrize("scheduler", ALL)
def test_two_families(director: Director, client: Client, nginx: list, scheduler: str) -> None:
    """Clients and servers of either family, in one pool, by every scheduler."""
    servers = [f"{server_address(1)}:80", f"[{server_address6(2)}]:80"]
    director.apply(
        pool_text("p", *servers, scheduler=scheduler)
        + service_text(pool="p", listen="10.0.1.1:80 [fd00:1::1]:80")
    )
    for address in ("10.0.1.1", "fd00:1::1"):
        seen = set()
        for _ in range(4):
            with client.connect(address) as connection:
                response = connection.get("/who").response()
                assert response.status == 200
                seen.add(response.server)
        assert seen <= {"rs1", "rs2"}
        if scheduler in ("rr", "wrr"):
            assert seen == {"rs1", "rs2"}


def test_rr_is_across_connections(director: Director, client: Client, nginx: list) -> None:
    """Turns are taken by request, whichever connection each comes over."""
    director.nginx_service()
    with client.connect() as one, client.connect() as two:
        seen = [c.get("/who").response().server for _ in range(6) for c in (one, two)]
    assert Counter(seen) == {"rs1": 4, "rs2": 4, "rs3": 4}
    assert all(len(set(seen[n : n + 3])) == 3 for n in range(0, 12, 3))


def test_wrr_is_smooth(director: Director, client: Client, nginx: list) -> None:
    """Every round gives each server its weight: no server waits for longer than that."""
    weights = dict(zip(["rs1", "rs2", "rs3"], [5, 1, 2], strict=True))
    servers = [f"{s}={w}" for s, w in zip(NGINX, weights.values(), strict=True)]
    director.apply(pool_text("p", *servers, scheduler="wrr") + service_text(pool="p"))
    seen = choices(client, 24)
    for start in range(17):
        assert Counter(seen[start : start + 8]) == weights


def test_weights_change_at_once(director: Director, client: Client, nginx: list) -> None:
    """A weight that is changed counts from the next request on."""
    director.apply(
        pool_text("p", *(f"{server}=10" for server in NGINX[:2]), scheduler="wrr")
        + service_text(pool="p")
    )
    assert Counter(choices(client, 20)) == {"rs1": 10, "rs2": 10}
    director.tcpvsadm("server", "set", "p", NGINX[0], "--weight", "30")
    assert Counter(choices(client, 40)) == {"rs1": 30, "rs2": 10}
    director.tcpvsadm("server", "set", "p", NGINX[0], "--weight", "0")
    assert Counter(choices(client, 4)) == {"rs2": 4}


@pytest.mark.parametrize("scheduler", ALL)
def test_no_server_at_all(director: Director, client: Client, scheduler: str) -> None:
    """An empty pool, and one whose servers are all drained, answer 503 and when to try again."""
    director.apply(pool_text("p", scheduler=scheduler) + service_text(pool="p"))
    response = client.get()
    assert response.status == 503
    assert "retry-after" in response.fields
    director.tcpvsadm("server", "add", "p", NGINX[0], "--weight", "0")
    assert client.get().status == 503


@pytest.mark.parametrize("scheduler", ALL)
def test_dead_server_is_stepped_over(
    director: Director, client: Client, nginx: list, scheduler: str
) -> None:
    """A server that refuses connections costs no request while there is another one."""
    dead = [f"{server_address(n)}:9" for n in (1, 2)]
    director.apply(pool_text("p", *dead, NGINX[2], scheduler=scheduler) + service_text(pool="p"))
    for _ in range(3):
        assert choices(client, 4) == ["rs3"] * 4


def test_lc_follows_what_goes_on(director: Director, client: Client, raw_server) -> None:
    """A server that is busy with slow requests gets the next ones last."""

    def slow(peer: Peer) -> None:
        while head := peer.head():
            if b"/slow" in head:
                peer.connection.recv(1)
            peer.answer(peer.server.address.encode())

    servers = [raw_server(slow, n=n) for n in (1, 2)]
    director.apply(
        pool_text("p", *(server.address for server in servers), scheduler="lc")
        + service_text(pool="p")
    )
    with client.connect() as one:
        one.get("/slow")
        wait_until(lambda: any(server.heads for server in servers))
        busy, free = sorted(servers, key=lambda server: -len(server.heads))
        for _ in range(6):
            assert client.get("/quick").body == free.address.encode()
        assert len(busy.heads) == 1


def test_wlc_counts_for_the_weight(director: Director, client: Client, raw_server) -> None:
    """Of ten requests that go on, a server of weight 4 has eight, one of weight 1 two."""

    def hang(peer: Peer) -> None:
        peer.head()
        peer.connection.recv(1)

    heavy, light = (raw_server(hang, n=n) for n in (1, 2))
    director.apply(
        pool_text("p", f"{heavy.address}=4", f"{light.address}=1", scheduler="wlc")
        + service_text(pool="p")
    )
    connections = []
    for n in range(10):
        connections.append(client.connect().get())
        wait_until(lambda n=n: len(heavy.heads) + len(light.heads) == n + 1)
    assert (len(heavy.heads), len(light.heads)) == (8, 2)
    for connection in connections:
        connection.close()


def tunnels(client: Client, number: int) -> list[Connection]:
    """Connections whose server has agreed to another protocol."""
    opened = [client.connect().get(fields=UPGRADE) for _ in range(number)]
    for connection in opened:
        assert connection.response().status == 101
    return opened


@pytest.mark.parametrize("end", ["closed", "half-closed", "reset", "by the server", "idle"])
@pytest.mark.parametrize("scheduler", ["lc", "wlc"])
def test_tunnels_count_while_they_last(
    director: Director, client: Client, raw_server, scheduler: str, end: str
) -> None:
    """A server with four tunnels gets the next ones when the other one has as many, and has none
    any more, nor less than none, once they have ended in whatever way."""
    left = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(SWITCH)
        if end == "by the server":
            left.wait(10 * PACE)
            peer.reset()
        else:
            peer.connection.recv(1)

    servers = [raw_server(script, n=n) for n in (1, 2)]

    def met() -> list[int]:
        """How many tunnels each server was asked for since this was last asked."""
        numbers = [len(server.heads) for server in servers]
        for server in servers:
            server.heads.clear()
        return numbers

    idle = f"{3 * PACE:.0f}s" if end == "idle" else "1m"
    director.apply(
        pool_text("p", servers[0].address, f"{servers[1].address}=0", scheduler=scheduler)
        + service_text(pool="p", more=(f"timeout-idle {idle}",))
    )
    opened = tunnels(client, 4)
    assert met() == [4, 0]
    director.tcpvsadm("server", "set", "p", servers[1].address, "--weight", "1")
    opened += tunnels(client, 4)
    assert met() == [0, 4]
    left.set()
    for connection in opened:
        if end == "reset":
            connection.reset()
        elif end == "half-closed":
            connection.half_close()
        if end in ("half-closed", "idle"):
            assert connection.rest() == b""
        elif end == "by the server":
            assert connection.is_cut()
        connection.close()
    wait_until(lambda: not director.connections(), 10, "the tunnels' end")
    left.clear()
    more = tunnels(client, 8)
    assert met() == [4, 4]
    for connection in more:
        connection.close()


def test_sh_is_by_address_alone(
    director: Director, client: Client, nginx: list, addresses: list[str]
) -> None:
    """The same address gets the same server: other ports, other rules, pool saved and applied."""
    director.apply(
        pool_text("p", *NGINX, scheduler="sh")
        + service_text("path /1k use-pool p", pool="p", listen="10.0.1.1:80 [fd00:1::1]:80")
    )
    before = {address: choice_of(client, address) for address in addresses}
    assert set(before.values()) == {"rs1", "rs2", "rs3"}
    director.apply(director.save())
    assert {address: choice_of(client, address) for address in addresses} == before
    saved = director.save()
    director.tcpvsadm("flush")
    director.apply(saved)
    assert {address: choice_of(client, address) for address in addresses} == before


def test_sh_and_the_order_of_servers(
    director: Director, client: Client, nginx: list, addresses: list[str]
) -> None:
    """Who was added first does not matter: a server that comes again has the clients that it had,
    and directors side by side agree."""
    director.apply(
        pool_text("p", *NGINX, scheduler="sh")
        + service_text(pool="p", listen="10.0.1.1:80 [fd00:1::1]:80")
    )
    before = {address: choice_of(client, address) for address in addresses}
    for server in (NGINX[0], NGINX[1]):
        director.tcpvsadm("server", "del", "p", server)
        director.tcpvsadm("server", "add", "p", server)
        assert {address: choice_of(client, address) for address in addresses} == before


def test_sh_and_a_server_that_is_down(
    director: Director, client: Client, nginx: list, addresses: list[str]
) -> None:
    """A server that is down takes none with it but its own clients, and gets those back."""
    director.apply(
        pool_text("p", *NGINX, scheduler="sh")
        + service_text(pool="p", listen="10.0.1.1:80 [fd00:1::1]:80")
    )
    before = {address: choice_of(client, address) for address in addresses}
    nginx[1].stop()
    try:
        without = {address: choice_of(client, address) for address in addresses}
    finally:
        nginx[1].start()
    assert set(without.values()) == {"rs1", "rs3"}
    stayed = {address for address in addresses if before[address] != "rs2"}
    assert {a: without[a] for a in stayed} == {a: before[a] for a in stayed}
    wait_until(
        lambda: {address: choice_of(client, address) for address in addresses} == before,
        30,
        "the clients of a server that was down do not come back",
    )


def test_sh_and_weights(
    director: Director, client: Client, nginx: list, addresses: list[str]
) -> None:
    """Drained, a server has no clients; with its weight again, those that it had."""
    director.apply(
        pool_text("p", *NGINX, scheduler="sh")
        + service_text(pool="p", listen="10.0.1.1:80 [fd00:1::1]:80")
    )
    before = {address: choice_of(client, address) for address in addresses}
    director.tcpvsadm("server", "set", "p", NGINX[1], "--weight", "0")
    assert {choice_of(client, address) for address in addresses} == {"rs1", "rs3"}
    director.tcpvsadm("server", "set", "p", NGINX[1], "--weight", "1")
    assert {address: choice_of(client, address) for address in addresses} == before


@pytest.mark.parametrize("scheduler", ALL)
def test_under_load_by_many(
    director: Director, client: Client, nginx: list, scheduler: str
) -> None:
    """Many connections at once, and every request is somebody's."""
    director.apply(pool_text("p", *NGINX, scheduler=scheduler) + service_text(pool="p"))
    wrk = client.wrk("-t1", "-c48", "-d3s")
    wait_until(lambda: wrk.poll() is not None, 60, "wrk goes on")
    text = wrk.stdout.read() if wrk.stdout else ""
    assert "Non-2xx" not in text, text
    servers = director.show("servers")["servers"]
    counts = [server["stats"]["requests"] for server in servers]
    service = director.show("services")["services"][0]["stats"]
    assert sum(counts) == service["requests"] > 0
    if scheduler == "rr":
        assert max(counts) - min(counts) <= 1, counts
    if scheduler == "wrr":
        assert max(counts) - min(counts) <= 2, counts
    if scheduler == "sh":
        assert sorted(counts)[:2] == [0, 0], counts
