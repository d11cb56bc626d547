# SPDX-License-Identifier: GPL-2.0
"""Under load: changes, unloading, namespaces that die, and many connections."""

import subprocess
import time

import pytest
from support.client import Client, wrk_report
from support.director import UNLOAD_MAX, Director
from support.netns import Netns
from support.pace import PACE
from support.raw_server import wait_until
from support.topology import VIP, server_address


def test_changes_under_load(director: Director, client: Client, nginx: list) -> None:
    """200 changes, among them removals of servers, and no request fails."""
    director.nginx_service()
    wrk = client.wrk("-t1", "-c32", f"-d{40 * PACE}s")
    for n in range(50):
        address = f"{server_address(n % 3 + 1)}:80"
        director.tcpvsadm("server", "del", "pool", address)
        director.tcpvsadm("rule", "add", "web", "--path", f"/{n}", "--use-pool", "pool")
        director.tcpvsadm("server", "add", "pool", address)
        director.tcpvsadm("service", "set", "web", "--timeout-idle", f"{50 + n}s")
    report = wrk_report(wrk, timeout=120 * PACE)
    assert report.requests > 1000, report.text
    assert (report.bad, report.errors) == (0, 0), report.text
    assert director.show()["generation"] >= 200


def test_listeners_come_and_go_under_load(director: Director, client: Client, nginx: list) -> None:
    """Other listeners of a service come and go, and one that stays does not notice."""
    director.nginx_service()
    wrk = client.wrk("-t1", "-c16", "-d10s")
    for _ in range(10):
        director.tcpvsadm("service", "set", "web", "--listen", f"{VIP}:80", "10.0.1.5:81")
        with client.connect("10.0.1.5", 81) as connection:
            assert connection.get("/who").response().status == 200
        director.tcpvsadm("service", "set", "web", "--listen", f"{VIP}:80")
        with pytest.raises(ConnectionRefusedError):
            client.connect("10.0.1.5", 81)
    report = wrk_report(wrk)
    assert (report.bad, report.errors) == (0, 0), report.text


def test_removed_service_finishes_its_requests(
    director: Director, client: Client, raw_server
) -> None:
    """What runs is finished when its service is deleted; then the connection ends."""

    def script(peer) -> None:
        peer.head()
        time.sleep(1.5)
        peer.answer(b"late")

    server = raw_server(script)
    director.pool("pool", server.address)
    director.service(pool="pool")
    with client.connect() as connection, client.connect() as idle:
        connection.get()
        wait_until(lambda: server.heads)
        director.tcpvsadm("service", "del", "web")
        assert idle.rest() == b""
        assert connection.response().body == b"late"
        assert connection.rest() == b""


def test_idle_connections(director: Director, client: Client, nginx: list) -> None:
    """2,000 idle connections are held, and others served beside them."""
    # They may take long to make on a slow machine, and shall be there all at once.
    director.nginx_service(timeout_head="30m", timeout_idle="30m")
    idle = [client.connect() for _ in range(2000)]
    wait_until(
        lambda: director.show("services")["services"][0]["stats"]["connections_active"] == 2000,
        30,
    )
    assert client.get("/who").status == 200
    for connection in idle[::100]:
        assert connection.get("/who").response().status == 200
    for connection in idle:
        connection.close()


def test_unload_under_load(director: Director, client: Client, nginx: list) -> None:
    """rmmod under load, five times in a row, each in bounded time."""
    for _ in range(5):
        director.nginx_service()
        small = client.wrk("-t1", "-c50", "-d4s")
        large = client.wrk("-t1", "-c10", "-d4s", url=f"http://{VIP}/1m")
        time.sleep(2)
        assert director.unload() < UNLOAD_MAX
        director.load()
        # It has lost its connections, and says so; that is its right.
        for wrk in (small, large):
            wrk_report(wrk)


def test_unload_with_a_blocked_server(director: Director, client: Client, raw_server) -> None:
    """rmmod does not wait for servers: one that never answers, one that never accepts."""
    server = raw_server(lambda peer: (peer.head(), time.sleep(30)))
    director.pool("pool", server.address)
    director.pool("black-hole", "10.0.2.99:80")
    director.service(pool="pool", timeout_connect="30s")
    director.rule("--path", "/black", "--use-pool", "black-hole")
    with client.connect() as one, client.connect() as two:
        one.get("/")
        two.get("/black")
        wait_until(lambda: server.heads)
        assert director.unload() < UNLOAD_MAX
        assert one.is_cut() and two.is_cut()
    director.load()


def test_namespace_dies(director: Director, client: Client) -> None:
    """A namespace takes its services with it, with connections open and requests running."""
    for _ in range(3):
        subprocess.run(["ip", "netns", "add", "doomed"], check=True)
        doomed = Netns("doomed")
        doomed.run("ip", "link", "set", "lo", "up")
        doomed.run("tcpvsadm", "apply", "-f", "-", input="""
pool dead {
    server 127.0.0.1:9999
}
service web {
    listen 127.0.0.1:80 [::1]:80
    pool dead
}
""")  # fmt: skip
        # Nobody accepts: the request waits for its answer for ever.
        listener = doomed.listen(9999, "127.0.0.1")
        connections = [doomed.connect("127.0.0.1") for _ in range(10)]
        connections[0].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connections[1].sendall(b"GET / HT")
        for connection in [*connections, listener]:
            connection.close()
        subprocess.run(["ip", "netns", "del", "doomed"], check=True)
    # Namespaces end in the background; unloading waits for those that do.
    assert director.unload() < UNLOAD_MAX
    director.load()


def test_namespaces_are_apart(director: Director, client: Client) -> None:
    """What one namespace serves is not to be seen in another."""
    director.service()
    shown = client.namespace.run("tcpvsadm", "show", "services", "-j").stdout
    assert "web" not in shown


def test_load_and_unload(director: Director) -> None:
    """Loaded and unloaded again and again, with and without services."""
    for n in range(6):
        director.unload()
        director.load()
        if n % 2:
            director.service()


def test_traffic_while_loading(director: Director, client: Client, nginx: list) -> None:
    """Connections come at once, while services are added and deleted."""
    director.pool("pool", f"{server_address(1)}:80")
    for _ in range(10):
        director.service(pool="pool")
        connections = [client.connect().get("/who") for _ in range(10)]
        director.tcpvsadm("service", "del", "web")
        for connection in connections:
            connection.close()
