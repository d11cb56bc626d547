# SPDX-License-Identifier: GPL-2.0
"""A network that loses and turns packets round."""

import contextlib
from collections.abc import Iterator

import pytest
from support.client import Client
from support.director import Director
from support.nginx import FILES
from support.topology import DIRECTOR


@contextlib.contextmanager
def disturbed(device: str, *how: str) -> Iterator[None]:
    """What the director sends through `device` suffers meanwhile."""
    DIRECTOR.run("tc", "qdisc", "add", "dev", device, "root", "netem", *how)
    try:
        yield
    finally:
        DIRECTOR.run("tc", "qdisc", "del", "dev", device, "root")


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
    with disturbed(device, *how):
        for _ in range(3):
            for name, size in FILES.items():
                assert len(client.get(f"/{name}", "Connection: close\r\n").body) == size


def test_last_words_are_repeated(director: Director, client: Client, nginx: list) -> None:
    """What is lost after the director has closed is sent again, and the end of it too."""
    director.nginx_service()
    connections = [client.connect() for _ in range(10)]
    with disturbed("front", "loss", "100%"):
        for connection in connections:
            connection.get("/nothing here", "Connection: close\r\n")
        # Longer than the director waits for a client that it has nothing more to say to.
        director.tcpvsadm("flush")
        client.namespace.run("sleep", "4")
    for connection in connections:
        assert connection.response().status == 400
        assert connection.rest() == b""
        connection.close()
