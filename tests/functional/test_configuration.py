# SPDX-License-Identifier: GPL-2.0
"""The configuration, and the tool that changes it."""

import json

import pytest
from support.client import Client
from support.director import Director
from support.pace import PACE
from support.raw_server import wait_until
from support.topology import VIP, server_address

CONFIG = f"""
pool images {{
    scheduler rr
    server {server_address(1)}:80 weight 1
}}

pool pages {{
    scheduler wlc
    cookie SRV key 000102030405060708090a0b0c0d0e0f
    server {server_address(2)}:80 weight 2
    server {server_address(3)}:80 weight 0
}}

service www {{
    listen {VIP}:80 [fd00:1::1]:8080
    pool pages
    timeout-head 5s
    body-max 1m
    rule id 3 path-prefix /images/ use-pool images
    rule id 1 host *.example.org not-cookie a=b use-server pages/{server_address(2)}:80
    rule id 2 path-regex "^/old/(.*) x" redirect https://new.example/ code 301
}}
"""


def test_round_trip(director: Director) -> None:
    """What is applied is what is saved, and applying that changes nothing."""
    director.apply(CONFIG)
    saved = director.save()
    generation = director.show()["generation"]
    director.apply(saved)
    assert director.save() == saved
    assert director.show()["generation"] == generation
    services = director.show("services")["services"]
    assert services[0]["settings"]["timeout_head"] == 5000
    assert [rule["id"] for rule in director.show("rules")["rules"]] == [3, 1, 2]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("    pool images\n", "'pool' is given twice"),
        ("    timeout-head never\n", "never"),
        ("    rule path-regex a(b status 200\n", "a(b"),
        ("    rule path /x use-pool nowhere\n", "nowhere"),
        ("    listen 300.0.0.1:80\n", "300.0.0.1:80"),
        ("    colour blue\n", "colour"),
    ],
)
def test_a_bad_line_changes_nothing(director: Director, line: str, word: str) -> None:
    """The message names the line and the word; what was in force stays in force."""
    director.apply(CONFIG)
    before = director.save()
    bad = CONFIG.replace("    timeout-head 5s\n", line).replace("SRV", "OTHER")
    message = director.refused("apply", "-f", "-", stdin=bad)
    assert word in message
    assert director.save() == before


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["service", "del", "nothing"], "nothing"),
        (["service", "add", "a b", "--listen", "10.0.1.1:80"], "a b"),
        (["service", "add", "x", "--listen", "10.0.1.1"], "10.0.1.1"),
        (["service", "add", "x", "--listen", "10.9.9.9:80"], "10.9.9.9:80"),
        (["service", "add", "x", "--listen", "10.0.1.1:80", "--pool", "none"], "none"),
        (["pool", "add", "p"], "p"),
        (["pool", "add", "q", "--scheduler", "best"], "best"),
        (["pool", "del", "used"], "used"),
        (["server", "add", "p", "10.0.2.11:80"], "10.0.2.11:80"),
        (["server", "add", "nopool", "10.0.2.11:80"], "nopool"),
        (["server", "add", "p", "10.0.2.12:80", "--weight", "70000"], "70000"),
        (["server", "set", "p", "10.0.2.13:80", "--weight", "1"], "10.0.2.13:80"),
        (["rule", "add", "web", "--path-regex", "[a", "--status", "200"], "[a"),
        (["rule", "add", "web", "--host", "a.*.b", "--status", "999"], "999"),
        (["rule", "del", "web", "--id", "77"], "77"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_errors_name_the_word(director: Director, words: list[str], word: str) -> None:
    """Bad input gets a message with the offending word, and a status that says so."""
    director.pool("p", "10.0.2.11:80")
    director.pool("used")
    director.service(listen="10.0.1.5:81", pool="used")
    before = director.save()
    assert word in director.refused(*words)
    assert director.save() == before


def memory_limit(director: Director) -> int:
    return director.show()["mem_limit"]


def test_memory_limit(director: Director) -> None:
    """It is the default until it is set, and shown in a file's words and in bytes."""
    first = director.show()
    assert first["mem_limit"] == 0
    assert "mem-limit" not in director.save()
    director.tcpvsadm("set", "--mem-limit", "256m")
    shown = director.show()
    assert shown["mem_limit"] == 256 << 20
    assert shown["generation"] == first["generation"] + 1
    assert director.tcpvsadm("show").stdout == "mem-limit 256m\n"
    assert "268435456" in director.tcpvsadm("show", "stats").stdout
    # More than 32 bits, and with nothing left to change.
    for _ in range(2):
        director.tcpvsadm("set", "--mem-limit", "5000000001")
        assert director.save() == "mem-limit 5000000001\n"
    for default in ("default", "0"):
        director.tcpvsadm("set", "--mem-limit", "1g")
        assert memory_limit(director) == 1 << 30
        director.tcpvsadm("set", "--mem-limit", default)
        assert memory_limit(director) == 0


def test_memory_in_use(director: Director, client: Client) -> None:
    """What connections take is told while they are open."""
    director.service()
    with client.connect():
        wait_until(lambda: director.show()["memory"] > 0, 5 * PACE)
        table = director.tcpvsadm("show", "stats").stdout.splitlines()
        assert table[0].split() == ["MEMORY", "MEM-LIMIT"]
        used, limit = table[1].split()
        assert (used.isdigit(), limit) == (True, "default")
    wait_until(lambda: director.show()["memory"] == 0, 5 * PACE)


def test_memory_limit_and_the_rest(director: Director) -> None:
    """It stays when services and pools change, and they stay when it changes."""
    director.apply(CONFIG)
    before = director.save()
    director.tcpvsadm("set", "--mem-limit", "64m")
    assert director.save() == f"mem-limit 64m\n\n{before}"
    director.tcpvsadm("server", "set", "images", f"{server_address(1)}:80", "--weight", "7")
    director.tcpvsadm("zero")
    assert memory_limit(director) == 64 << 20
    for what in (["services"], ["pools"], ["services", "www"], ["stats", "www"]):
        assert "mem-limit" not in director.tcpvsadm("show", *what).stdout.lower()


def test_memory_limit_in_a_file(director: Director) -> None:
    """What is saved is restored; a file without it asks for the default, as a flush does."""
    director.apply(f"mem-limit 65536k\n{CONFIG}")
    saved = director.save()
    assert saved.startswith("mem-limit 64m\n\n")
    director.tcpvsadm("flush")
    assert memory_limit(director) == 0
    assert director.save() == ""
    director.apply(saved)
    generation = director.show()["generation"]
    assert memory_limit(director) == 64 << 20
    director.apply(saved)
    assert director.save() == saved
    assert director.show()["generation"] == generation
    director.apply(CONFIG)
    assert memory_limit(director) == 0
    director.apply(saved)
    director.tcpvsadm("-F")
    assert memory_limit(director) == 0


@pytest.mark.parametrize(
    "word", ["lots", "1t", "-1", "1.5m", "", "17179869184g", "18446744073709551616"]
)
def test_bad_memory_limits(director: Director, word: str) -> None:
    """They are refused with the word, on the command line and in a file, and change nothing."""
    director.apply(f"mem-limit 1g\n{CONFIG}")
    before = director.save()
    assert f"'{word}'" in director.refused("set", f"--mem-limit={word}")
    message = director.refused("apply", "-f", "-", stdin=f"\nmem-limit '{word}'\n{CONFIG}")
    assert "<stdin>:2:" in message
    assert f"'{word}'" in message
    assert director.save() == before


def test_misplaced_memory_limits(director: Director) -> None:
    """There is one for the whole namespace, and none of a service."""
    twice = director.refused("apply", "-f", "-", stdin="mem-limit 0\nmem-limit 1m\n")
    assert "<stdin>:2: 'mem-limit' is given twice" in twice
    inside = CONFIG.replace("timeout-head 5s", "mem-limit 1m")
    assert "'mem-limit'" in director.refused("apply", "-f", "-", stdin=inside)
    assert "--mem-limit" in director.refused("set")
    assert director.save() == ""


def test_two_services_on_one_address(director: Director) -> None:
    """They cannot be."""
    director.service("one")
    assert f"{VIP}:80" in director.refused("service", "add", "two", "--listen", f"{VIP}:80")


def test_address_in_use_by_a_program(director: Director) -> None:
    """An address that a program listens on is refused, and nothing changes."""
    listener = director.namespace.listen(8888, VIP)
    try:
        message = director.refused("service", "add", "x", "--listen", f"{VIP}:8888")
        assert "in use" in message
        assert director.show("services")["services"] == []
    finally:
        listener.close()


def test_unprivileged(director: Director) -> None:
    """Writing needs CAP_NET_ADMIN."""
    result = director.namespace.run(
        "setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all",
        "tcpvsadm", "flush", check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert "permi" in result.stderr.lower()


def test_enabled(director: Director, client: Client) -> None:
    """A service that is disabled refuses connections."""
    director.service()
    director.rule("--status", "299")
    assert client.get().status == 299
    director.tcpvsadm("service", "set", "web", "--enabled", "off")
    with pytest.raises(ConnectionRefusedError):
        client.connect()
    director.tcpvsadm("service", "set", "web", "--enabled", "on")
    assert client.get().status == 299


def test_several_listeners(director: Director, client: Client) -> None:
    """One service on several addresses; they can be exchanged."""
    director.tcpvsadm("service", "add", "web", "--listen", f"{VIP}:80", "10.0.1.5:81")
    director.rule("--status", "299")
    for address, port in [(VIP, 80), ("10.0.1.5", 81)]:
        with client.connect(address, port) as connection:
            assert connection.get().response().status == 299
    director.tcpvsadm("service", "set", "web", "--listen", "10.0.1.5:81", "10.0.1.5:82")
    with pytest.raises(ConnectionRefusedError):
        client.connect()
    with client.connect("10.0.1.5", 82) as connection:
        assert connection.get().response().status == 299


def test_counters_add_up(director: Director, client: Client, nginx: list) -> None:
    """Requests, bytes and connections are counted for service, server and rule alike."""
    director.nginx_service()
    director.rule("--id", "5", "--path", "/1k", "--use-pool", "pool")
    with client.connect() as connection:
        for _ in range(6):
            connection.get("/1k").response()
        stats = director.show("services")["services"][0]["stats"]
        assert stats["connections_active"] == 1
    servers = director.show("servers")["servers"]
    rule = director.show("rules")["rules"][0]
    stats = director.show("services")["services"][0]["stats"]
    for what in ("requests", "responses"):
        assert stats[what] == 6 == rule["stats"][what]
        assert [server["stats"][what] for server in servers] == [2, 2, 2]
    assert stats["bytes_out"] == sum(server["stats"]["bytes_out"] for server in servers)
    assert stats["bytes_out"] > 6 * 1024
    assert stats["bytes_in"] == 6 * len(b"GET /1k HTTP/1.1\r\nHost: test\r\n\r\n")
    assert stats["errors"] == 0
    director.tcpvsadm("zero")
    assert director.show("services")["services"][0]["stats"]["requests"] == 0


def test_generation_guards_changes(director: Director) -> None:
    """The generation grows with each change."""
    first = director.show()["generation"]
    director.service()
    assert director.show()["generation"] == first + 1


def test_module_and_tool_have_one_version(director: Director) -> None:
    version = director.show()["version"]
    assert director.tcpvsadm("--version").stdout.split() == ["tcpvsadm", version]


def test_json_is_json(director: Director) -> None:
    """Everything that `show` shows can be had as JSON."""
    director.apply(CONFIG)
    for what in ([], ["services"], ["pools"], ["servers"], ["rules"], ["stats"]):
        json.loads(director.tcpvsadm("show", *what, "-j").stdout)
        assert director.tcpvsadm("show", *what).stdout


ANCESTOR = f"""
virtual web {{
    listen = {VIP}:80
    scheduler = http
    server = {server_address(1)}:80 1
    server = {server_address(2)}:80 1
    server = {server_address(3)}:80 1
    rule = pattern "^/images/.*" use server {server_address(1)}:80
    rule = pattern "\\.html$" use server {server_address(2)}:80
    rule = pattern ".*" use server {server_address(3)}:80
}}
"""


def images_html_rest(client: Client) -> None:
    """The ancestor's own example works: images, pages and the rest by pattern."""
    with client.connect() as connection:
        for target, server in [("/images/logo.png", "rs1"), ("/html/index.html", "rs2"),
                               ("/who", "rs3")]:  # fmt: skip
            assert connection.get(target).response().server == server


def test_ancestors_commands(director: Director, client: Client, nginx: list) -> None:
    """The ancestor's example, in its own commands."""
    tool = director.tcpvsadm
    tool("-A", "-i", "web", "-s", "http", "-l", f"{VIP}:80")
    for n in (1, 2, 3):
        tool("-a", "-i", "web", "-r", f"{server_address(n)}:80", "-w", "1")
    for n, pattern in [(1, "^/images/.*"), (2, r"\.html$"), (3, ".*")]:
        tool("--add-rule", "-i", "web", "-p", pattern, "-r", f"{server_address(n)}:80")
    images_html_rest(client)
    assert "pattern" in tool("-L", "-i", "web").stdout
    tool("--stop", "-i", "web")
    with pytest.raises(ConnectionRefusedError):
        client.connect()
    tool("--start", "-i", "web")
    images_html_rest(client)


def test_ancestors_file(director: Director, client: Client, nginx: list, tmp_path) -> None:
    """The ancestor's example, from its own file; what -L prints can be loaded again."""
    file = tmp_path / "tcpvs.conf"
    file.write_text(ANCESTOR)
    director.tcpvsadm("-f", str(file))
    images_html_rest(client)
    listed = director.tcpvsadm("-L").stdout
    director.tcpvsadm("-F")
    file.write_text(listed)
    director.tcpvsadm("-f", str(file))
    images_html_rest(client)
    assert director.tcpvsadm("-L").stdout == listed
