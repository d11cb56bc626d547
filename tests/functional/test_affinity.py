# SPDX-License-Identifier: GPL-2.0
"""Cookie affinity: who is bound to which server, and what everybody gets to see of it."""

from collections import Counter

import pytest
from support.client import Client, Response
from support.config import NGINX, pool_text, service_text
from support.director import Director
from support.raw_server import Peer

KEY = "000102030405060708090a0b0c0d0e0f"


@pytest.fixture
def sticky(director: Director, nginx: list) -> None:
    """All nginx behind one service that keeps its clients by a cookie."""
    director.apply(pool_text("p", *NGINX, more=(f"cookie SRV key {KEY}",)) + service_text(pool="p"))


def bind(client: Client) -> tuple[str, str]:
    """A new client: the cookie that it gets, and its server."""
    response = client.get("/who")
    return response.fields["set-cookie"].split(";")[0], response.server


def with_cookie(client: Client, cookie: str) -> Response:
    return client.get("/who", f"Cookie: {cookie}\r\n")


def test_what_the_cookie_is(client: Client, sticky: None) -> None:
    """16 hexadecimal digits for the whole site, which scripts of the page need not see."""
    fields = [client.get("/who").fields["set-cookie"] for _ in range(6)]
    for field in fields:
        pair, *attributes = [part.strip() for part in field.split(";")]
        name, _, value = pair.partition("=")
        assert name == "SRV"
        assert len(value) == 16 and set(value) <= set("0123456789abcdef")
        assert {attribute.lower() for attribute in attributes} >= {"path=/", "httponly"}
    # One value a server: it tells nobody anything but which.
    assert len(set(fields)) == 3


def test_curl_stays(client: Client, sticky: None, tmp_path) -> None:
    """A real client with a cookie jar stays at the server that it came to first."""
    jar = str(tmp_path / "jar")
    command = ["-b", jar, "-c", jar, "http://10.0.1.1/who"]
    seen = [client.curl(*command).stdout for _ in range(6)]
    assert len(set(seen)) == 1 and seen[0].startswith("rs"), seen


def test_bound_anew_on_one_connection(client: Client, sticky: None) -> None:
    """Whoever sends no cookie is new with each request: a connection may be a proxy's."""
    with client.connect() as connection:
        responses = [connection.get("/who").response() for _ in range(6)]
    assert Counter(response.server for response in responses) == {"rs1": 2, "rs2": 2, "rs3": 2}
    assert all("set-cookie" in response.fields for response in responses)


def test_among_other_cookies(client: Client, sticky: None) -> None:
    """It is found wherever in the field it stands, and in whichever field."""
    cookie, server = bind(client)
    for fields in (
        f"Cookie: {cookie}\r\n",
        f"Cookie: a=b; {cookie}\r\n",
        f"Cookie: {cookie}; a=b\r\n",
        f"Cookie: a=b;{cookie};c=d\r\n",
        f"Cookie: a=b\r\nCookie: {cookie}\r\n",
        f"cookie: SRVX=1; XSRV=2; {cookie}\r\n",
    ):
        for _ in range(2):
            response = client.get("/who", fields)
            assert (response.server, "set-cookie" in response.fields) == (server, False), fields


@pytest.mark.parametrize("change", ["one digit", "upper case", "quoted", "longer", "shorter"])
def test_nearly_right(client: Client, sticky: None, change: str) -> None:
    """A value is right to the letter or not at all: it cannot be guessed a digit at a time."""
    cookies = {}
    while len(cookies) < 3:
        cookie, server = bind(client)
        cookies[server] = cookie.partition("=")[2]
    value = next(v for v in cookies.values() if v.upper() != v)
    forged = {
        "one digit": value[:-1] + ("0" if value[-1] != "0" else "1"),
        "upper case": value.upper(),
        "quoted": f'"{value}"',
        "longer": value + "0",
        "shorter": value[:-1],
    }[change]
    responses = [with_cookie(client, f"SRV={forged}") for _ in range(3)]
    assert {response.server for response in responses} == {"rs1", "rs2", "rs3"}
    assert all("set-cookie" in response.fields for response in responses)


def test_the_key_makes_the_value(director: Director, client: Client, sticky: None) -> None:
    """Another key, other values: those of the old one are strangers'; with the old key back,
    they are known again."""
    cookie, server = bind(client)
    director.tcpvsadm("pool", "set", "p", "--cookie", "SRV", "--key", "ff" * 16)
    assert "set-cookie" in with_cookie(client, cookie).fields
    assert bind(client)[0] != cookie
    director.tcpvsadm("pool", "set", "p", "--cookie", "SRV", "--key", KEY)
    response = with_cookie(client, cookie)
    assert (response.server, "set-cookie" in response.fields) == (server, False)


def test_a_key_is_made(director: Director, client: Client, nginx: list) -> None:
    """Without a key one is made, for each pool another one, and save keeps it."""
    director.pool("a", NGINX[0], cookie="SRV")
    director.pool("b", NGINX[0], cookie="SRV")
    keys = [pool["key"] for pool in director.show("pools")["pools"]]
    assert len(set(keys)) == 2
    assert all(len(key) == 32 for key in keys)
    assert all(key in director.save() for key in keys)
    # What does not say a key leaves it as it is.
    director.apply(pool_text("a", NGINX[0], more=("cookie SRV",)))
    assert director.show("pools")["pools"][0]["key"] == keys[0]


def test_servers_may_be_reordered(director: Director, client: Client, sticky: None) -> None:
    """The value names the server, not its place: others that go do not matter."""
    bound = {}
    while len(bound) < 3:
        cookie, server = bind(client)
        bound[server] = cookie
    director.apply(
        pool_text("p", NGINX[2], NGINX[1], more=(f"cookie SRV key {KEY}",)) + service_text(pool="p")
    )
    for server in ("rs2", "rs3"):
        response = with_cookie(client, bound[server])
        assert (response.server, "set-cookie" in response.fields) == (server, False)
    response = with_cookie(client, bound["rs1"])
    assert response.server in ("rs2", "rs3")
    assert response.fields["set-cookie"].startswith(bound[response.server])


def test_server_is_down(client: Client, sticky: None, nginx: list) -> None:
    """A client whose server refuses connections is bound to another one, and keeps that."""
    bound = {}
    while len(bound) < 3:
        cookie, server = bind(client)
        bound[server] = cookie
    nginx[0].stop()
    try:
        response = with_cookie(client, bound["rs1"])
        assert response.status == 200
        assert response.server in ("rs2", "rs3")
        assert response.fields["set-cookie"].startswith(bound[response.server])
        assert with_cookie(client, bound["rs2"]).server == "rs2"
    finally:
        nginx[0].start()


def test_drained_for_all_but_its_own(director: Director, client: Client, sticky: None) -> None:
    """All servers drained: those that are bound are served, and nobody else."""
    cookie, server = bind(client)
    for address in NGINX:
        director.tcpvsadm("server", "set", "p", address, "--weight", "0")
    assert with_cookie(client, cookie).server == server
    assert client.get("/who").status == 503


def test_drained_under_load(director: Director, client: Client, sticky: None) -> None:
    """While new clients crowd in, a bound one is served by its drained server alone."""
    cookie, server = bind(client)
    director.tcpvsadm("server", "set", "p", NGINX[int(server[2]) - 1], "--weight", "0")
    director.tcpvsadm("zero")
    wrk = client.wrk("-t1", "-c16", "-d3s")
    with client.connect(timeout=30) as connection:
        asked = 0
        while wrk.poll() is None and asked < 100:
            asked += 1
            response = connection.get("/who", f"Cookie: {cookie}\r\n").response()
            assert response.server == server
    wrk.communicate(timeout=60)
    servers = director.show("servers")["servers"]
    assert servers[int(server[2]) - 1]["stats"]["requests"] == asked


def test_what_the_server_sees(director: Director, client: Client, raw_server) -> None:
    """The real server gets the client's cookies without ours; a field of ours alone is gone."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.answer(b"x")

    server = raw_server(script)
    director.apply(
        pool_text("p", server.address, more=(f"cookie SRV key {KEY}",)) + service_text(pool="p")
    )
    cookie = client.get().fields["set-cookie"].split(";")[0]
    for sent, left in [
        (f"{cookie}", []),
        (f"a=1; {cookie}", [b"a=1"]),
        (f"{cookie}; b=2", [b"b=2"]),
        (f"a=1; {cookie}; b=2", [b"a=1", b"b=2"]),
        ("SRV=forged; c=3", [b"c=3"]),
        ("SRVX=1; XSRV=2", [b"SRVX=1", b"XSRV=2"]),
    ]:
        client.get(fields=f"X-Before: 1\r\nCookie: {sent}\r\nX-After: 2\r\n")
        lines = server.heads[-1].split(b"\r\n")
        assert b"X-Before: 1" in lines and b"X-After: 2" in lines
        fields = [line[7:] for line in lines if line.lower().startswith(b"cookie:")]
        cookies = [c.strip() for field in fields for c in field.split(b";") if c.strip()]
        assert cookies == left, sent


def test_the_servers_own_cookies(director: Director, client: Client, raw_server) -> None:
    """What the real server sets goes to the client beside ours."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.answer(b"x", fields="Set-Cookie: own=1; Path=/\r\nSet-Cookie: two=2\r\n")

    server = raw_server(script)
    director.apply(
        pool_text("p", server.address, more=(f"cookie SRV key {KEY}",)) + service_text(pool="p")
    )
    head = client.get().raw_head
    assert head.count(b"\r\nSet-Cookie: ") == 3
    assert b"\r\nSet-Cookie: own=1; Path=/\r\n" in head
    assert b"\r\nSet-Cookie: two=2\r\n" in head


def test_pools_apart(director: Director, client: Client, nginx: list) -> None:
    """Two pools with cookies of their own names, behind one service: a client has both."""
    director.apply(
        pool_text("a", *NGINX[:2], more=(f"cookie A key {KEY}",))
        + pool_text("b", *NGINX, more=(f"cookie B key {KEY}",))
        + pool_text("c", NGINX[2])
        + service_text("path /who use-pool a", "path /1k use-pool b", pool="c")
    )
    first = client.get("/who")
    second = client.get("/1k")
    assert "set-cookie" not in client.get("/16k").fields
    cookies = "; ".join(r.fields["set-cookie"].split(";")[0] for r in (first, second))
    for _ in range(3):
        for target, before in [("/who", first), ("/1k", second)]:
            response = client.get(target, f"Cookie: {cookies}\r\n")
            assert (response.server, "set-cookie" in response.fields) == (before.server, False)


def test_no_cookie_any_more(director: Director, client: Client, sticky: None) -> None:
    """--no-cookie ends it at once."""
    cookie, _ = bind(client)
    director.tcpvsadm("pool", "set", "p", "--no-cookie")
    responses = [with_cookie(client, cookie) for _ in range(3)]
    assert {response.server for response in responses} == {"rs1", "rs2", "rs3"}
    assert all("set-cookie" not in response.fields for response in responses)
