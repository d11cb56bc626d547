# SPDX-License-Identifier: GPL-2.0
"""What becomes of a request: a pool, one server, a redirection, a status."""

import pytest
from support.client import Client
from support.config import NGINX, pool_text, service_text
from support.director import Director


@pytest.mark.parametrize("code", [200, 204, 299, 304, 403, 404, 451, 500, 503, 599])
def test_status(director: Director, client: Client, code: int) -> None:
    """A fixed status, with a body where there may be one, on a connection that goes on."""
    director.apply(service_text(f"path /x status {code}", "status 298"))
    with client.connect() as connection:
        response = connection.get("/x").response()
        assert response.status == code
        if code in (204, 304):
            assert response.body == b""
        assert connection.get("/y").response().status == 298
        # HEAD: the same without a body, or the next response would not begin where it does.
        assert connection.get("/x", method="HEAD").response(head_only=True).status == code
        assert connection.get("/y").response().status == 298


@pytest.mark.parametrize("action", ["status 403", "redirect https://a.example/ code 307"])
@pytest.mark.parametrize("size", [1, 5000, 300_000])
def test_own_answer_to_a_body(director: Director, client: Client, action: str, size: int) -> None:
    """An answer to a request with a body arrives whole, whether or not the body is read."""
    director.apply(service_text(f"method POST {action}", "status 298"))
    with client.connect() as connection:
        connection.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
        response = connection.response()
        assert response.status == int(action.split()[-1])
        if response.fields.get("connection", "").lower() != "close":
            connection.send(b"x" * size)
            assert connection.get("/").response().status == 298


@pytest.mark.parametrize(
    "location",
    [
        "/elsewhere",
        "https://www.example.org:8443/a/b?c=d&e=%20#f",
        "http://[2001:db8::1]/",
        "//other.example/" + "x" * 500,
    ],
)
def test_redirect_location(director: Director, client: Client, location: str) -> None:
    """Where to is told as it was configured, and 302 is what is meant if nothing is said."""
    director.apply(service_text(f"path-prefix /old redirect '{location}'"))
    with client.connect() as connection:
        for method in ("GET", "HEAD"):
            connection.get("/old/x?y", method=method)
            response = connection.response(head_only=method == "HEAD")
            assert (response.status, response.fields["location"]) == (302, location)


@pytest.mark.parametrize("location", ["a\r\nSet-Cookie: b=c", "a b", ""])
def test_bad_location(director: Director, location: str) -> None:
    """No location makes a second header field, or none."""
    director.service()
    director.refused("rule", "add", "web", "--redirect", location)
    assert director.show("rules")["rules"] == []


def test_redirect_followed(director: Director, client: Client, nginx: list) -> None:
    """curl follows a redirection within one service, over the same connection."""
    director.apply(
        pool_text("p", NGINX[1]) + service_text("path /old redirect /who code 301", pool="p")
    )
    result = client.curl("-L", "-w", "%{http_code} %{num_connects}", "http://10.0.1.1/old")
    assert result.stdout == "rs2\n200 1", result.stderr


def test_actions_in_one_pipeline(director: Director, client: Client, nginx: list) -> None:
    """Answers come in the order of the requests, whoever gives them."""
    director.apply(
        pool_text("one", NGINX[0])
        + pool_text("all", *NGINX)
        + service_text(
            "path-prefix /s status 299",
            "path-prefix /r redirect /x",
            "path /1k use-pool one",
            f"path-prefix /who use-server all/{NGINX[2]}",
        )
    )
    pipeline = ["/who", "/s", "/1k", "/r", "/who", "/who", "/none", "/1k", "/s"]
    expected = [
        (200, "rs3"), (299, ""), (200, "rs1"), (302, ""), (200, "rs3"), (200, "rs3"),
    ]  # fmt: skip
    with client.connect() as connection:
        for target in pipeline:
            connection.get(target)
        got = [connection.response() for _ in expected]
        assert [(response.status, response.server) for response in got] == expected
        # Nobody serves /none; an error that the director makes ends the connection.
        assert connection.response().status == 503


def test_one_server_that_is_gone(director: Director, client: Client, nginx: list) -> None:
    """A rule for one server goes to no other: a refused connection is 503, not another server."""
    dead = "10.0.2.12:9"
    director.apply(
        pool_text("p", NGINX[0], dead) + service_text(f"path /dead use-server p/{dead}", pool="p")
    )
    for _ in range(3):
        assert client.get("/dead").status == 503
    # The pool as a whole has another one to offer.
    assert [client.get("/who").server for _ in range(4)] == ["rs1"] * 4


def test_a_server_that_a_rule_uses(director: Director) -> None:
    """It cannot be removed from its pool, for the rule would lead nowhere."""
    director.apply(pool_text("p", *NGINX[:2]) + service_text(f"use-server p/{NGINX[0]}", pool="p"))
    director.refused("server", "del", "p", NGINX[0])
    director.refused("pool", "del", "p")
    director.tcpvsadm("server", "del", "p", NGINX[1])
    assert [server["address"] for server in director.show("servers")["servers"]] == ["10.0.2.11"]


def test_rule_set_keeps_place_and_id(director: Director, client: Client) -> None:
    """A rule that is replaced keeps its place, id and counters."""
    director.apply(
        service_text("id 4 path /x status 291", "id 2 path /x status 292", "id 9 status 293")
    )
    assert client.get("/x").status == 291
    director.tcpvsadm("rule", "set", "web", "--id", "4", "--path", "/y", "--status", "294")
    assert client.get("/x").status == 292
    assert client.get("/y").status == 294
    rules = director.show("rules")["rules"]
    assert [(rule["id"], rule["stats"]["requests"]) for rule in rules] == [(4, 2), (2, 1), (9, 0)]


def test_rule_added_before(director: Director, client: Client) -> None:
    """--before puts a new rule where it counts, under load or not."""
    director.apply(service_text("id 1 path /x status 291", "id 2 status 292"))
    director.rule("--before", "1", "--path", "/x", "--status", "293")
    assert client.get("/x").status == 293
    director.rule("--before", "2", "--path", "/z", "--status", "294")
    assert client.get("/z").status == 294
    assert client.get("/y").status == 292
    assert "77" in director.refused("rule", "add", "web", "--before", "77", "--status", "200")


def test_capture_with_other_conditions(director: Director, client: Client, nginx: list) -> None:
    """The hash of a captured group chooses among a pool, and two groups may differ."""
    director.apply(
        pool_text("p", *NGINX)
        + service_text(
            "method GET path-regex '^/a/([^/]*)/([^/]*)' use-pool p capture 2",
            "path-regex '^/b/([^/]*)/([^/]*)' use-pool p capture 1",
            pool="p",
        )
    )
    with client.connect() as connection:

        def server(target: str) -> str:
            return connection.get(target).response().server

        for name in [f"s{n}" for n in range(8)]:
            # What the group does not hold makes no difference, nor does which rule it was.
            assert len({server(f"/a/{n}/{name}") for n in range(4)}) == 1, name
            assert server(f"/b/{name}/0") == server(f"/a/9/{name}"), name
        assert len({server(f"/a/0/s{n}") for n in range(24)}) == 3


def test_capture_needs_a_group(director: Director) -> None:
    """A group that the expression does not have, or no expression at all, is refused."""
    director.pool("p", NGINX[0])
    director.service()
    for words in (["--path-regex", "^/(a)"], ["--path", "/a"]):
        message = director.refused("rule", "add", "web", *words, "--use-pool", "p",
                                   "--capture", "2")  # fmt: skip
        assert "capture" in message or "group" in message
