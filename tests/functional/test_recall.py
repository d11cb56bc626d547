# SPDX-License-Identifier: GPL-2.0
"""A server that always says the same. Its head is recalled and not read anew; what becomes of it is
each client's own affair."""

from collections.abc import Callable

import pytest
from support.client import Client, Connection
from support.config import pool_text, service_text
from support.director import Director
from support.raw_server import Peer
from support.topology import VIP

LENGTH = b"HTTP/1.1 200 OK\r\nServer: the same as ever\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nServer: the same as ever\r\nTransfer-Encoding: chunked\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"

# Each CPU recalls for itself, and any of them may have its turn.
ROUNDS = 10

# Ports of services: an ordinary one, one with a cookie, one for which the head has too many fields.
PLAIN, COOKIE, STRICT = 80, 81, 82


def same(peer: Peer) -> None:
    """Answers with the same head, whatever is asked."""
    while head := peer.head():
        method, target = head.split()[:2]
        if target == b"/103":
            peer.send(EARLY)
        if target == b"/chunked":
            peer.send(CHUNKED + b"5\r\nhello\r\n0\r\n\r\n")
        else:
            peer.send(LENGTH + b"hello" * (method != b"HEAD"))
        # Of an upload it is an early answer.
        peer.body(head)


def added(field: bytes, head: bytes = LENGTH) -> bytes:
    """The head with a field behind the others."""
    return head[:-2] + field + b"\r\n\r\n"


@pytest.fixture
def connect(director: Director, client: Client, raw_server) -> Callable[..., Connection]:
    """Connects a client to one of the services."""
    address = raw_server(same).address
    director.apply(
        pool_text("p", address)
        + pool_text("sticky", address, more=("cookie SRV",))
        + service_text(name="plain", pool="p")
        + service_text(name="cookie", listen=f"{VIP}:{COOKIE}", pool="sticky")
        + service_text(name="strict", listen=f"{VIP}:{STRICT}", pool="p", more=("headers-max 1",))
    )
    return lambda port=PLAIN: client.connect(port=port)


def kept(connect: Callable[..., Connection]) -> None:
    """Who keeps a connection and asks for nothing special gets it as it came, be there more to it
    or less."""
    with connect() as connection:
        for target, head in (("/", LENGTH), ("/chunked", CHUNKED), ("/", LENGTH)):
            response = connection.get(target).response()
            assert (response.raw_head, response.body) == (head, b"hello")
        assert connection.get(method="HEAD").response(head_only=True).raw_head == LENGTH
        assert connection.get("/103").response().raw_head == EARLY
        assert connection.response().raw_head == LENGTH
        connection.send(b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n")
        assert connection.response().raw_head == LENGTH
        connection.send(b"hello")


def closing(connect: Callable[..., Connection]) -> None:
    """Who wants no other response is told that this is the last."""
    with connect() as connection:
        response = connection.get(fields="Connection: close\r\n").response()
        assert (response.raw_head, response.body) == (added(b"Connection: close"), b"hello")
        assert connection.rest() == b""


def old(connect: Callable[..., Connection]) -> None:
    """Who speaks HTTP/1.0 is told whether the connection persists, and cannot read chunks."""
    with connect() as connection:
        connection.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        response = connection.response()
        assert (response.raw_head, response.body) == (added(b"Connection: keep-alive"), b"hello")
        connection.send(b"GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert connection.response().status == 502


def bound(connect: Callable[..., Connection]) -> None:
    """Who has no cookie is given one, and who has one is not."""
    with connect(COOKIE) as connection:
        response = connection.get().response()
        cookie = response.fields["set-cookie"]
        assert response.raw_head == added(b"Set-Cookie: " + cookie.encode())
        own = cookie.split(";")[0]
        assert connection.get(fields=f"Cookie: {own}\r\n").response().raw_head == LENGTH


def limited(connect: Callable[..., Connection]) -> None:
    """What one service lets through another does not."""
    with connect(STRICT) as connection:
        assert connection.get().response().status == 502


@pytest.mark.parametrize("order", ["forth", "back"])
def test_each_client_for_itself(connect: Callable[..., Connection], order: str) -> None:
    """Each kind of client gets what is its own, whoever was answered before."""
    kinds = [kept, closing, old, bound, limited]
    for _ in range(ROUNDS):
        for kind in kinds if order == "forth" else reversed(kinds):
            kind(connect)
