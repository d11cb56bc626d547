# SPDX-License-Identifier: GPL-2.0
"""The commands and the file of KTCPVS, as its administrators typed them."""

from collections import Counter

import pytest
from support.client import Client
from support.config import NGINX
from support.director import Director
from support.topology import VIP

# Images, pages, and the rest: the example of KTCPVS's own documentation.
EXAMPLE = f"""#
# The example of KTCPVS.
#
virtual http {{
    startservers = 2
    maxClients = 200
    minSpareServers = 2
    maxSpareServers = 6
    listen = {VIP}:80
    scheduler = http

    server = {NGINX[0]} 1
    server = {NGINX[1]} 2
    server = {NGINX[2]}

    rule = pattern "^/images/.*" use server {NGINX[0]}
    rule = pattern "\\.html$" use server {NGINX[1]}
    rule = pattern ".*" use server {NGINX[2]}
}}
"""
EXPECTED = [
    ("/images/logo.png", "rs1"),
    ("/html/index.html", "rs2"),
    ("/who", "rs3"),
    ("/images/index.html", "rs1"),
    ("/1k", "rs3"),
]


def switched(client: Client) -> list[tuple[str, str]]:
    """Who answers what the example speaks of, over one connection."""
    with client.connect() as connection:
        return [(target, connection.get(target).response().server) for target, _ in EXPECTED]


@pytest.fixture
def example(director: Director, nginx: list, tmp_path) -> None:
    file = tmp_path / "tcpvs.conf"
    file.write_text(EXAMPLE)
    director.tcpvsadm("-f", str(file))


def test_example(director: Director, client: Client, example: None) -> None:
    """The example's file, loaded with -f, switches as it says, and -L shows it as a file."""
    assert switched(client) == EXPECTED
    listed = director.tcpvsadm("-L", "-n").stdout
    assert listed.startswith("virtual http {\n")
    lines = [line.strip() for line in listed.splitlines()]
    assert f"listen = {VIP}:80" in lines
    assert "scheduler = http" in lines
    assert [line for line in lines if line.startswith("server")] == [
        f"server = {NGINX[0]} 1",
        f"server = {NGINX[1]} 2",
        f"server = {NGINX[2]} 1",
    ]
    assert [line for line in lines if line.startswith("rule")] == [
        f'rule = pattern "^/images/.*" use server {NGINX[0]}',
        f'rule = pattern "\\.html$" use server {NGINX[1]}',
        f'rule = pattern ".*" use server {NGINX[2]}',
    ]


@pytest.mark.parametrize("form", ["short", "long", "equals"])
def test_every_spelling(director: Director, client: Client, nginx: list, form: str) -> None:
    """Options short and long, values apart and behind an equals sign."""
    words = {
        "short": ("-A", "-a", "-i {}", "-s {}", "-l {}", "-r {}", "-w {}", "-p {}"),
        "long": (
            "--add-service", "--add-server", "--ident {}", "--scheduler {}", "--listen {}",
            "--real-server {}", "--weight {}", "--pattern {}",
        ),
        "equals": (
            "--add-service", "--add-server", "--ident={}", "--scheduler={}", "--listen={}",
            "--real-server={}", "--weight={}", "--pattern={}",
        ),
    }[form]  # fmt: skip
    add, add_server, ident, scheduler, listen, server, weight, pattern = words

    def tool(*parts: str) -> None:
        director.tcpvsadm(*(word for part in parts for word in part.split(" ")))

    tool(add, ident.format("http"), scheduler.format("http"), listen.format(f"{VIP}:80"))
    for address in NGINX:
        tool(add_server, ident.format("http"), server.format(address), weight.format(1))
    for address, wanted in zip(NGINX, ["^/images/.*", r"\.html$", ".*"], strict=True):
        tool("--add-rule", ident.format("http"), pattern.format(wanted), server.format(address))
    assert switched(client) == EXPECTED


def test_del_rule(director: Director, client: Client, example: None) -> None:
    """Rules are deleted by what they say; the next one in order has the request then."""
    director.tcpvsadm("--del-rule", "-i", "http", "-p", "^/images/.*", "-r", NGINX[0])
    assert client.get("/images/logo.png").server == "rs3"
    assert client.get("/images/index.html").status == 404
    message = director.refused("--del-rule", "-i", "http", "-p", "^/no/", "-r", NGINX[0])
    assert "^/no/" in message


def test_one_pattern_two_servers(director: Director, client: Client, example: None) -> None:
    """Rules with one pattern are one rule, whose servers the scheduler chooses among."""
    director.tcpvsadm("--add-rule", "-i", "http", "-p", ".*", "-r", NGINX[0])
    with client.connect() as connection:
        seen = Counter(connection.get("/who").response().server for _ in range(8))
    assert set(seen) == {"rs1", "rs3"}
    assert director.tcpvsadm("-L").stdout.count('pattern ".*"') == 2
    director.tcpvsadm("--del-rule", "-i", "http", "-p", ".*", "-r", NGINX[0])
    assert switched(client) == EXPECTED


def test_hhttp(director: Director, client: Client, nginx: list) -> None:
    """hhttp: what a group of the pattern matched decides for one of several servers."""
    tool = director.tcpvsadm
    tool("-A", "-i", "h", "-s", "hhttp", "-l", f"{VIP}:80")
    for address in NGINX:
        tool("-a", "-i", "h", "-r", address)
        tool("--add-rule", "-i", "h", "-p", "^/([^/]*)/", "-r", address, "-m", "1")
    with client.connect() as connection:
        seen = {}
        for key in [f"k{n}" for n in range(16)]:
            servers = {connection.get(f"/{key}/{n}").response().server for n in range(3)}
            assert len(servers) == 1, key
            seen[key] = servers.pop()
        assert set(seen.values()) == {"rs1", "rs2", "rs3"}
    assert tool("-L", "-i", "h").stdout.count('pattern "^/([^/]*)/" match 1 use server') == 3


def test_hhttp_survives_its_file(director: Director, client: Client, nginx: list, tmp_path) -> None:
    """What -L prints of hhttp is loaded again, and every key stays where it was."""
    tool = director.tcpvsadm
    tool("-A", "-i", "h", "-s", "hhttp", "-l", f"{VIP}:80")
    for address in NGINX:
        tool("-a", "-i", "h", "-r", address)
        tool("--add-rule", "-i", "h", "-p", "^/([^/]*)/", "-r", address, "-m", "1")
    keys = [f"k{n}" for n in range(8)]
    before = [client.get(f"/{key}/").server for key in keys]
    file = tmp_path / "h.conf"
    file.write_text(tool("-L").stdout)
    tool("-F")
    tool("-f", str(file))
    assert [client.get(f"/{key}/").server for key in keys] == before


def test_chttp(director: Director, client: Client, nginx: list) -> None:
    """chttp: a cookie keeps the client at its server."""
    tool = director.tcpvsadm
    tool("-A", "-i", "c", "-s", "chttp", "-l", f"{VIP}:80")
    for address in NGINX:
        tool("-a", "-i", "c", "-r", address)
    first = client.get("/who")
    cookie = first.fields["set-cookie"].split(";")[0]
    assert {client.get("/who", f"Cookie: {cookie}\r\n").server for _ in range(6)} == {first.server}
    assert "scheduler = chttp" in tool("-L").stdout


def test_servers_and_weights(director: Director, client: Client, nginx: list) -> None:
    """-a, -e and -d add, edit and delete a real server; it has the service's port."""
    tool = director.tcpvsadm
    tool("-A", "-i", "w", "-s", "wrr", "-l", f"{VIP}:80")
    tool("-a", "-i", "w", "-r", "10.0.2.11", "-w", "1")
    tool("-a", "-i", "w", "-r", "10.0.2.12")
    with client.connect() as connection:
        seen = Counter(connection.get("/who").response().server for _ in range(6))
        assert seen == {"rs1": 3, "rs2": 3}
        tool("-e", "-i", "w", "-r", "10.0.2.12", "-w", "2")
        seen = Counter(connection.get("/who").response().server for _ in range(6))
        assert seen == {"rs1": 2, "rs2": 4}
        tool("-d", "-i", "w", "-r", "10.0.2.12")
        seen = Counter(connection.get("/who").response().server for _ in range(6))
        assert seen == {"rs1": 6}


def test_a_rules_server_stays(director: Director, client: Client, example: None) -> None:
    """A server that a rule uses is not deleted."""
    director.refused("-d", "-i", "http", "-r", NGINX[0])
    assert switched(client) == EXPECTED


def test_stop_and_start(director: Director, client: Client, example: None) -> None:
    """--stop and --start, for one service and for all."""
    for words in (["-i", "http"], []):
        director.tcpvsadm("--stop", *words)
        with pytest.raises(ConnectionRefusedError):
            client.connect()
        assert "# stopped" in director.tcpvsadm("-L").stdout
        director.tcpvsadm("--start", *words)
        assert switched(client) == EXPECTED


def test_edit_the_service(director: Director, client: Client, example: None) -> None:
    """-E moves it to another port, and -D deletes it with all that was made for it."""
    director.tcpvsadm("-E", "-i", "http", "-l", f"{VIP}:8000")
    with pytest.raises(ConnectionRefusedError):
        client.connect()
    with client.connect(port=8000) as connection:
        assert connection.get("/who").response().server == "rs3"
    director.tcpvsadm("-D", "-i", "http")
    shown = director.show()
    assert (shown["services"], shown["pools"]) == ([], [])


def test_default_port(director: Director, client: Client, nginx: list) -> None:
    """Without an address a service listens at port 80 of every one; -P names another port."""
    director.tcpvsadm("-A", "-i", "any")
    director.tcpvsadm("-a", "-i", "any", "-r", "10.0.2.11")
    for address in (VIP, "10.0.1.5"):
        with client.connect(address) as connection:
            assert connection.get("/who").response().server == "rs1"
    director.tcpvsadm("-A", "-i", "other", "-P", "8001")
    assert director.show("services")["services"][1]["listen"] == ["0.0.0.0:8001"]


def test_file_replaces_its_services_only(
    director: Director, client: Client, example: None, tmp_path
) -> None:
    """-f is about the services of the file: others stay as they are."""
    file = tmp_path / "more.conf"
    file.write_text(f"virtual more {{\nlisten = {VIP}:81\nserver = {NGINX[1]}\n}}\n")
    director.tcpvsadm("-f", str(file))
    assert switched(client) == EXPECTED
    with client.connect(port=81) as connection:
        assert connection.get("/who").response().server == "rs2"
    file.write_text(f"virtual more {{\nlisten = {VIP}:81\nserver = {NGINX[2]}\n}}\n")
    director.tcpvsadm("-f", str(file))
    assert switched(client) == EXPECTED
    with client.connect(port=81) as connection:
        assert connection.get("/who").response().server == "rs3"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("    colour = blue", "colour"),
        ("    scheduler = best", "best"),
        ("    server = 10.0.2.300:80 1", "10.0.2.300"),
        ("    server = 10.0.2.14:80 heavy", "heavy"),
        ('    rule = pattern "(" use server 10.0.2.11:80', "("),
        ('    rule = pattern ".*" use servant 10.0.2.11:80', "servant"),
        ('    rule = pattern ".*" use server 10.0.2.99:80', "10.0.2.99:80"),
        ("    rule = .* use server 10.0.2.11:80", "pattern"),
        ("    listen 10.0.1.1:81", "="),
    ],
)
def test_a_bad_line(
    director: Director, client: Client, example: None, tmp_path, line: str, word: str
) -> None:
    """A file with a mistake changes nothing, and the mistake is named, with where it is."""
    before = director.save()
    lines = EXAMPLE.replace("maxClients = 200", "maxClients = 300").splitlines()
    # Behind the servers, which some of the lines speak of.
    lines.insert(14, line)
    file = tmp_path / "bad.conf"
    file.write_text("virtual good {\n    listen = 10.0.1.1:82\n}\n" + "\n".join(lines) + "\n")
    message = director.refused("-f", str(file))
    assert word in message
    assert "bad.conf" in message
    assert director.save() == before
    assert switched(client) == EXPECTED


@pytest.mark.parametrize(
    ("words", "word", "status"),
    [
        (["-A"], "-i", 2),
        (["-A", "-i", "http"], "http", 1),
        (["-A", "-i", "x", "-s", "best"], "best", None),
        (["-A", "-i", "x", "-q"], "-q", 2),
        (["-A", "-D", "-i", "x"], "-D", 2),
        (["-A", "-i", "x", "-i", "y"], "-i", 2),
        (["-D", "-i", "none"], "none", 1),
        (["-E", "-i", "none", "-s", "rr"], "none", 1),
        (["-L", "-i", "none"], "none", 1),
        (["-a", "-i", "http"], "-r", 2),
        (["-a", "-i", "http", "-r", "10.0.2.11:80"], "10.0.2.11:80", 1),
        (["-a", "-i", "http", "-r", "10.0.2.14:80", "-w", "70000"], "70000", None),
        (["-e", "-i", "http", "-r", "10.0.2.14:80", "-w", "1"], "10.0.2.14:80", 1),
        (["-d", "-i", "http", "-r", "10.0.2.14:80"], "10.0.2.14:80", 1),
        (["--add-rule", "-i", "http", "-r", "10.0.2.11:80"], "-p", 2),
        (["--add-rule", "-i", "http", "-p", "[", "-r", "10.0.2.11:80"], "[", 1),
        (["--add-rule", "-i", "http", "-p", "x", "-r", "10.0.2.14:80"], "10.0.2.14:80", 1),
        (["-f", "/no/such/file"], "/no/such/file", 1),
        (["--frobnicate"], "--frobnicate", 2),
    ],
)
def test_mistakes(
    director: Director, example: None, words: list[str], word: str, status: int | None
) -> None:
    """Errors name the word; the status is 2 for what makes no sense, 1 for what is not possible."""
    before = director.save()
    result = director.tcpvsadm(*words, check=False)
    assert result.returncode in ((1, 2) if status is None else (status,)), result.stderr
    assert word in result.stderr
    assert result.stdout == ""
    assert director.save() == before
