# SPDX-License-Identifier: GPL-2.0
"""What is sent from pages that its sender can still write to, on this host: what we have decided on
is what goes on, whatever the sender writes meanwhile."""

import mmap
import os
import socket
import threading

import pytest
from support.client import Client
from support.config import pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.raw_server import Peer

# How a head goes on: as it is, with a field put in, or rewritten.
WAYS = {
    "as it is": ((), ()),
    "address": ((), ("forwarded-for on",)),
    "cookie": (("cookie SRV",), ()),
}


class Page:
    """Bytes that are sent without a copy, and changed afterwards."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.file = os.memfd_create("page")
        os.write(self.file, data)
        self.bytes = mmap.mmap(self.file, len(data))

    def send(self, connection: socket.socket) -> None:
        sent = os.sendfile(connection.fileno(), self.file, 0, len(self.data))
        assert sent == len(self.data)

    def change(self, old: bytes, new: bytes) -> None:
        """Writes to what is on its way."""
        at = self.data.index(old)
        self.bytes[at : at + len(old)] = new


class Reader:
    """A server that reads when it is told to."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.came = threading.Event()
        self.may = threading.Event()
        self.seen = b""

    def script(self, peer: Peer) -> None:
        if peer.connection.recv(1, socket.MSG_PEEK):
            self.came.set()
            self.may.wait(10 * PACE)
            while len(self.seen) < self.size:
                self.seen += peer.connection.recv(65536)
            peer.answer()


@pytest.mark.parametrize("way", WAYS)
def test_request_head(director: Director, client: Client, raw_server, way: str) -> None:
    """A server sees the target by which it was chosen."""
    page = Page(b"GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
    reader = Reader(len(page.data))
    server = raw_server(reader.script)
    pool, service = WAYS[way]
    director.apply(
        pool_text("p", server.address, more=pool)
        + service_text("path /public use-pool p", "status 403", more=service)
    )
    with client.connect() as connection:
        page.send(connection.socket)
        assert reader.came.wait(10 * PACE)
        page.change(b"/public", b"/secret")
        reader.may.set()
        assert connection.response().status == 200
    assert reader.seen.startswith(b"GET /public HTTP/1.1\r\n")


def test_waiting_for_a_connection(director: Director, client: Client, raw_server) -> None:
    """The head that was read before a connection to its server was there is the one that goes."""
    page = Page(b"GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
    reader = Reader(len(page.data))
    server = raw_server(reader.script)
    director.apply(
        pool_text("p", "10.0.2.2:80", server.address)
        + service_text(pool="p", more=("timeout-connect 1s",))
    )
    with client.connect() as connection:
        page.send(connection.socket)
        # It is being tried at an address that nobody has, which comes first.
        assert not reader.came.wait(0.3)
        page.change(b"/public", b"/secret")
        reader.may.set()
        assert connection.response().status == 200
    assert reader.seen == page.data


def test_chunk_sizes(director: Director, client: Client, raw_server) -> None:
    """The chunks that we have counted are the chunks that the server counts."""
    head = b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    page = Page(b"5\r\nhello\r\n0\r\n\r\n")
    reader = Reader(len(head) + len(page.data))
    server = raw_server(reader.script)
    director.apply(pool_text("p", server.address) + service_text(pool="p"))
    with client.connect() as connection:
        connection.send(head)
        page.send(connection.socket)
        assert reader.came.wait(10 * PACE)
        # That all of it has come is not to be seen from here; it takes no time.
        threading.Event().wait(0.3 * PACE)
        page.change(b"5\r\nhello\r\n0", b"5\r\nhello\r\n4")
        reader.may.set()
        assert connection.response().status == 200
    assert reader.seen == head + page.data


RESPONSES = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "none": b"HTTP/1.1 204 No Content\r\nX-Pad: 5\r\n\r\n",
    "interim": b"HTTP/1.1 103 x\r\nLink: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + bytes(50_000),
    "a large head": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: %s\r\n\r\nhello" % (b"x" * 3000),
}


@pytest.mark.parametrize("way", ["as it is", "cookie"])
@pytest.mark.parametrize("name", RESPONSES)
def test_response(director: Director, client: Client, raw_server, name: str, way: str) -> None:
    """A client sees the framing that we have seen."""
    page = Page(RESPONSES[name])

    def script(peer: Peer) -> None:
        while peer.head():
            page.send(peer.connection)

    server = raw_server(script)
    pool, service = WAYS[way]
    director.apply(pool_text("p", server.address, more=pool) + service_text(pool="p", more=service))
    with client.connect() as connection:
        connection.get("/x")
        assert connection.socket.recv(1, socket.MSG_PEEK)
        threading.Event().wait(0.3 * PACE)
        page.change(b"5", b"9")
        if name == "interim":
            assert connection.response().fields["link"] == "5"
        response = connection.response()
        assert b": 9" not in response.raw_head
        assert response.body == page.data.partition(b"\r\n\r\n")[2] or name in ("chunks", "interim")
        if name == "chunks":
            assert response.body == b"hello"
        # The connection is of use still.
        page.change(b"5", b"5")
        assert connection.get("/again").response().status == response.status or name == "interim"
