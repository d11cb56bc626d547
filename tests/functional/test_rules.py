# SPDX-License-Identifier: GPL-2.0
"""Which request goes where."""

import pytest
from support.client import Client
from support.director import Director
from support.topology import server_address

# What a rule asks for, a request that meets it, and one that does not: target and fields.
CONDITIONS = [
    (["--path", "/a"], ("/a?x", ""), ("/a/", "")),
    (["--path-prefix", "/img/"], ("/img/x.png", ""), ("/im", "")),
    (["--path-suffix", ".php"], ("/x.php?y=1", ""), ("/x.php/y", "")),
    (["--path-regex", r"^/u/[0-9]+$"], ("/u/42", ""), ("/u/42x", "")),
    (["--path-regex", "b+c"], ("/abbbcd", ""), ("/abd", "")),
    (["--url-regex", r"\?id=7$"], ("/x?id=7", ""), ("/x?id=77", "")),
    (["--host", "a.example.org"], ("/", "A.example.org:80"), ("/", "b.example.org")),
    (["--host", "*.example.org"], ("/", "x.y.example.org"), ("/", "example.org")),
    (["--host-regex", "^www[0-9]"], ("/", "WWW1.org"), ("/", "www.org")),
    (["--method", "POST"], ("/", "POST"), ("/", "GET")),
    (["--header", "X-Kind=new"], ("/", "x-kind: new"), ("/", "X-Kind: newer")),
    (["--header-regex", "User-Agent=(?i)mobile"], ("/", "User-Agent: a MOBILE b"), ("/", "X: m")),
    (["--cookie", "v=2"], ("/", "Cookie: a=1; v=2"), ("/", "Cookie: v=22")),
    (["--cookie-regex", "v=^[ab]$"], ("/", "Cookie: v=b"), ("/", "Cookie: v=c; w=b")),
    (["--not-path-prefix", "/x"], ("/y", ""), ("/xy", "")),
    (["--path-prefix", "/x", "--not-cookie", "v=1"], ("/x", ""), ("/x", "Cookie: v=1")),
    (["--path-prefix", "/x", "--host", "h"], ("/x", "h"), ("/x", "i")),
    ([], ("/", ""), None),
]


def answer(client: Client, target: str, what: str) -> bytes:
    """Sends a request; `what` is a method, a field, or else the host."""
    method, host, field = "GET", "test", ""
    if ": " in what:
        field = what + "\r\n"
    elif what.isupper() and "." not in what:
        method = what
    elif what:
        host = what
    request = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{field}\r\n"
    return client.raw(request.encode()).body


@pytest.mark.parametrize(("conditions", "meets", "misses"), CONDITIONS)
def test_condition(director: Director, client: Client, conditions, meets, misses) -> None:
    """Each kind of condition, met and missed."""
    director.service()
    director.rule(*conditions, "--status", "299")
    director.rule("--status", "298")
    assert b"299" in answer(client, *meets)
    if misses:
        assert b"298" in answer(client, *misses)


def test_first_match_wins(director: Director, client: Client) -> None:
    """Rules are looked at in order, which list, save and apply keep."""
    director.service()
    for n in range(8):
        director.rule("--path-prefix", f"/{'a' * (8 - n)}", "--status", str(290 + n))
    for _ in range(2):
        for n in range(8):
            assert client.get(f"/{'a' * (8 - n)}").status == 290 + n
        saved = director.save()
        director.tcpvsadm("flush")
        director.apply(saved)
        assert director.save() == saved


def test_move_and_delete(director: Director, client: Client) -> None:
    """A rule can be moved before another one, and deleted."""
    director.service()
    director.rule("--id", "1", "--path", "/x", "--status", "291")
    director.rule("--id", "2", "--path", "/x", "--status", "292")
    assert client.get("/x").status == 291
    director.tcpvsadm("rule", "move", "web", "--id", "2", "--before", "1")
    assert client.get("/x").status == 292
    director.tcpvsadm("rule", "del", "web", "--id", "2")
    assert client.get("/x").status == 291


def test_pools_by_path(director: Director, client: Client, nginx: list) -> None:
    """Each pool answers what is its own; the default one the rest."""
    for n in (1, 2, 3):
        director.pool(f"p{n}", f"{server_address(n)}:80")
    director.service(pool="p3")
    director.rule("--path-prefix", "/images/", "--use-pool", "p1")
    director.rule("--path-regex", r"\.html$", "--use-pool", "p2")
    with client.connect() as connection:
        for target, server in [("/images/logo.png", "rs1"), ("/html/index.html", "rs2"),
                               ("/who", "rs3")] * 3:  # fmt: skip
            assert connection.get(target).response().server == server


def test_one_server(director: Director, client: Client, nginx: list) -> None:
    """A rule may name one server of a pool."""
    director.nginx_service()
    director.rule("--path", "/who", "--use-server", f"pool/{server_address(2)}:80")
    for _ in range(4):
        assert client.get("/who").server == "rs2"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect(director: Director, client: Client, code: int) -> None:
    """A redirection, after which the connection goes on."""
    director.service()
    director.rule("--path", "/old", "--redirect", "https://new.example/x?y", "--code", str(code))
    with client.connect() as connection:
        for _ in range(2):
            response = connection.get("/old").response()
            assert response.status == code
            assert response.fields["location"] == "https://new.example/x?y"


def test_capture_chooses_the_server(director: Director, client: Client, nginx: list) -> None:
    """What a group captures decides: the same user always goes to the same server."""
    director.nginx_service()
    director.rule("--path-regex", "^/users/([^/]+)", "--use-pool", "pool", "--capture", "1")
    seen = {}
    for name in [f"u{n}" for n in range(20)]:
        servers = {client.get(f"/users/{name}/{n}").server for n in range(3)}
        assert len(servers) == 1, name
        seen[name] = servers.pop()
    assert len(set(seen.values())) == 3


def test_many_rules(director: Director, client: Client) -> None:
    """A thousand rules at once, the last of which matches."""
    rule = "    rule id {n} path-regex ^/app{n}/.*$ status {status}"
    lines = [rule.format(n=n, status=200 + n % 100) for n in range(1, 1001)]
    director.apply("service web {\n    listen 10.0.1.1:80\n" + "\n".join(lines) + "\n}\n")
    assert client.get("/app999/x").status == 299
    assert client.get("/app5/x").status == 205


def test_counters_follow_the_rule(director: Director, client: Client) -> None:
    """Rules count what they matched, wherever they are moved to."""
    director.service()
    director.rule("--id", "7", "--path", "/x", "--status", "291")
    director.rule("--id", "8", "--path", "/y", "--status", "292")
    for _ in range(3):
        client.get("/x")
    director.tcpvsadm("rule", "move", "web", "--id", "7")
    rules = director.show("rules", "web")["rules"]
    assert [(rule["id"], rule["stats"]["requests"]) for rule in rules] == [(8, 0), (7, 3)]
