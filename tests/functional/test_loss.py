# SPDX-License-Identifier: GPL-2.0
"""A network that loses and turns packets round."""

import pytest
from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.netns import Netns
from support.nginx import FILES
from support.topology import CLIENT, DIRECTOR, SERVERS
from support.transfer import MIB, at_once, download, store, upload
from support.tune import counter, disturbed, link


@pytest.mark.parametrize(
    ("device", "how"),
    [
        ("front", ["loss", "10%"]),
        ("back", ["loss", "10%"]),
        ("front", ["delay", "5ms", "5ms", "reorder", "30%"]),
    ],
    ids=["to clients", "to servers", "out of order"],
)
def test_everything_arrives(
    director: Director, client: Client, nginx: list, device: str, how: list[str]
) -> None:
    """Responses come whole, and every connection ends."""
    director.nginx_service()
    with disturbed(DIRECTOR, device, *how):
        for _ in range(3):
            for name, size in FILES.items():
                assert len(client.get(f"/{name}", "Connection: close\r\n").body) == size


LOSS = ["loss", "3%"]
DISORDER = ["delay", "3ms", "3ms", "reorder", "30%"]


@pytest.mark.parametrize("how", [LOSS, DISORDER], ids=["lost", "out of order"])
@pytest.mark.parametrize(
    ("host", "device"),
    [(CLIENT, "eth0"), (DIRECTOR, "front"), (DIRECTOR, "back"), (SERVERS[0], "eth0")],
    ids=["from clients", "to clients", "to servers", "from servers"],
)
def test_bodies_are_intact(
    director: Director, client: Client, raw_server, host: Netns, device: str, how: list[str]
) -> None:
    """1 MiB comes down and goes up as it was sent, whoever's packets suffer, on connections at
    once. Each packet suffers by itself: none has more than one segment."""
    server = raw_server(store())
    director.apply(pool_text("p", server.address) + service_text(pool="p"))
    everyone = [CLIENT, DIRECTOR, SERVERS[0]]
    # What is lost is sent again; what overtakes waits for what is late.
    name = "TcpRetransSegs" if how is LOSS else "TcpExtTCPOFOQueue"

    def work(n: int) -> None:
        with client.connect(timeout=60) as connection:
            download(connection, f"/{MIB}/down{n}")
            upload(connection, f"/{MIB}/up{n}")

    before = sum(counter(one, name) for one in everyone)
    with link(host, device, "gso_max_segs", 1), disturbed(host, device, *how):
        at_once(2, work)
    assert sum(counter(one, name) for one in everyone) - before > 10


def test_last_words_are_repeated(director: Director, client: Client, nginx: list) -> None:
    """What is lost after the director has closed is sent again, and the end of it too."""
    director.nginx_service()
    connections = [client.connect() for _ in range(10)]
    with disturbed(DIRECTOR, "front", "loss", "100%"):
        for connection in connections:
            connection.get("/nothing here", "Connection: close\r\n")
        # Longer than the director waits for a client that it has nothing more to say to.
        director.flush()
        client.namespace.run("sleep", "4")
    for connection in connections:
        assert connection.response().status == 400
        assert connection.rest() == b""
        connection.close()
