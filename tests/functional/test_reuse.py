# SPDX-License-Identifier: GPL-2.0
"""Connections to real servers are used again, where that is safe, and only there."""

import time

import pytest
from support.client import Client
from support.director import Director
from support.pace import PACE
from support.raw_server import Peer, echo, wait_until


def test_connections_are_shared(director: Director, client: Client, raw_server) -> None:
    """One after another, many clients use one connection to the server."""
    server = raw_server(echo)
    director.pool("pool", server.address)
    director.service(pool="pool")
    for _ in range(10):
        client.get()
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokEXTRA",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_not_used_again(director: Director, client: Client, raw_server, answer: bytes) -> None:
    """Not where the server says no, nor where something is left over."""

    def script(peer: Peer) -> None:
        while peer.head():
            peer.send(answer)

    server = raw_server(script)
    director.pool("pool", server.address)
    director.service(pool="pool")
    for _ in range(3):
        response = client.get()
        assert response.status in (200, 204)
        assert b"EXTRA" not in response.body
    assert server.connections == 3


def test_what_comes_unasked_is_nobodys_response(
    director: Director, client: Client, raw_server
) -> None:
    """A server that talks on an idle connection loses it; no client sees what it said."""
    ended = []

    def script(peer: Peer) -> None:
        try:
            while peer.head():
                peer.answer(b"right")
                time.sleep(0.2)
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
        finally:
            ended.append(peer)

    server = raw_server(script)
    director.pool("pool", server.address)
    director.service(pool="pool")
    for n in range(1, 4):
        assert client.get().body == b"right"
        wait_until(lambda n=n: len(ended) == n, 10 / PACE, "the end of its connection")
        assert server.connections == n


def closes_the_second_time(peer: Peer) -> None:
    """Answers one request a connection, and closes when the second has come."""
    if peer.head():
        peer.answer(b"first")
        peer.head()


def test_sent_once_more(director: Director, client: Client, raw_server) -> None:
    """An idempotent request that meets a closing connection is sent on another one."""
    server = raw_server(closes_the_second_time)
    director.pool("pool", server.address)
    director.service(pool="pool")
    for _ in range(3):
        assert client.get().body == b"first"
    assert server.connections == 3


def test_not_sent_twice(director: Director, client: Client, raw_server) -> None:
    """A POST may have had an effect: it is not sent again."""
    server = raw_server(closes_the_second_time)
    director.pool("pool", server.address)
    director.service(pool="pool")
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    assert client.raw(post).body == b"first"
    assert client.raw(post).status == 502
    assert sum(head.startswith(b"POST") for head in server.heads) == 2


def test_idle_connection_that_its_server_closes(
    director: Director, client: Client, raw_server
) -> None:
    """The director notices, and no request meets it."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.answer(b"one")

    server = raw_server(script)
    director.pool("pool", server.address)
    director.service(pool="pool")
    for _ in range(3):
        assert client.get().body == b"one"
        wait_until(
            lambda: director.show("servers")["servers"][0]["stats"]["connections_active"] == 0
        )
    assert server.connections == 3


def test_a_connection_at_a_time(director: Director, client: Client, raw_server) -> None:
    """Requests at the same time get connections of their own, whose responses do not mix."""
    server = raw_server(echo)
    director.pool("pool", server.address)
    director.service(pool="pool")
    connections = [client.connect() for _ in range(20)]
    for round_number in range(5):
        for n, connection in enumerate(connections):
            connection.get(f"/{round_number}/{n}")
        for n, connection in enumerate(connections):
            assert connection.response().body.startswith(b"GET /%d/%d " % (round_number, n))
    for connection in connections:
        connection.close()
    assert server.connections <= 20
