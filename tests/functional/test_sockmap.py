# SPDX-License-Identifier: GPL-2.0
"""BPF programs that put sockets into a sockmap before the module has them."""

import pytest
from support.bpf import ACTIVE_ESTABLISHED, PASSIVE_ESTABLISHED, sockmap
from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.raw_server import RawServer, wait_until
from support.transfer import download, store


@pytest.fixture
def server(director: Director, raw_server) -> RawServer:
    """A server behind the service."""
    server = raw_server(store())
    director.apply(pool_text("p", server.address) + service_text(pool="p"))
    return server


def refused(director: Director) -> int:
    return director.show()["services"][0]["stats"]["connections_refused"]


def test_accepted(director: Director, client: Client, server: RawServer) -> None:
    """An accepted connection that somebody else has is reset, and counted; nothing of it stays."""
    with sockmap(PASSIVE_ESTABLISHED):
        for n in range(3):
            # It may come before connect() returns.
            reset = pytest.raises(ConnectionResetError)
            with reset, client.connect(timeout=5 * PACE) as connection:
                download(connection, f"/100/taken-{n}")
        wait_until(lambda: refused(director) == 3, 5, "refused connections")
        director.settle()
    assert server.connections == 0
    with client.connect() as connection:
        download(connection, "/100/after")


def test_connected(director: Director, client: Client, server: RawServer) -> None:
    """A connection to a server that somebody else has is not used; the client is told."""
    with sockmap(ACTIVE_ESTABLISHED):
        for n in range(3):
            with client.connect(timeout=5 * PACE) as connection:
                assert connection.get(f"/100/taken-{n}").response().status == 503
        director.settle()
    assert not server.heads
    with client.connect() as connection:
        download(connection, "/100/after")
