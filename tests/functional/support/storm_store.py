# SPDX-License-Identifier: GPL-2.0
"""A server of what `transfer.store` has, for many connections in one thread: to stop and to kill
a process takes the kernel the longer, the more threads there are.
"""

import selectors
import socket

from support.raw_server import Peer
from support.storm_requests import chunked
from support.transfer import content, digest

# How much is read and sent at once, in bytes.
PIECE = 65536


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"


def answer(method: str, target: str, sent: bytes) -> bytes:
    """What is answered to a request with this body."""
    target, _, how = target.partition("?")
    body = digest(sent).encode() if method == "PUT" else content(target)
    if how == "chunks":
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return head if method == "HEAD" else head + body


def unchunked(data: bytes) -> bytes:
    """What is in chunks."""
    pieces, at = [], 0
    while at < len(data):
        begin = data.index(b"\r\n", at) + 2
        end = begin + int(data[at : begin - 2], 16)
        assert data[end : end + 2] == b"\r\n", "no end of a chunk"
        pieces.append(data[begin:end])
        at = end + 2
    return b"".join(pieces)


class Visitor:
    """A connection: what has come and is not answered yet, and what is to be sent."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.unread = bytearray()
        self.unsent = bytearray()
        # No request is looked for before there is so much.
        self.enough = 0
        # Whether the body of the request that is not whole was asked for.
        self.is_invited = False
        # Whether all that comes goes back.
        self.is_tunnel = False

    def _request(self) -> bool:
        """Answers a request, if there is a whole one."""
        if self.is_tunnel:
            self.unsent += self.unread
            self.unread.clear()
            return bool(self.unsent)
        if len(self.unread) < self.enough or (at := self.unread.find(b"\r\n\r\n")) < 0:
            return False
        lines = self.unread[:at].decode().split("\r\n")
        method, target = lines[0].split(" ", 2)[:2]
        if "Upgrade: echo" in lines:
            self.is_tunnel = True
            self.unsent += SWITCHING
            del self.unread[: at + 4]
            return True
        size = 0 if method in ("GET", "HEAD") else int(target.split("/")[1])
        found = self._body(size, lines, at + 4)
        if found is None:
            return self._invite(lines)
        body, end = found
        del self.unread[:end]
        self.enough = 0
        self.is_invited = False
        self.unsent += answer(method, target, body)
        return True

    def _body(self, size: int, lines: list[str], at: int) -> tuple[bytes, int] | None:
        """The body of this size that begins here, and where it ends, if it is whole."""
        if "Transfer-Encoding: chunked" not in lines:
            self.enough = at + size
            whole = len(self.unread) >= self.enough
            return (bytes(self.unread[at : at + size]), at + size) if whole else None
        # How long it is on the wire goes by its size.
        end = at + len(chunked(bytes(size)))
        self.enough = end
        if len(self.unread) < end:
            return None
        return unchunked(bytes(self.unread[at:end])), end

    def _invite(self, lines: list[str]) -> bool:
        """Asks for a body, where that is waited for."""
        if "Expect: 100-continue" not in lines or self.is_invited:
            return False
        self.is_invited = True
        self.unsent += CONTINUE
        return True

    def go_on(self, events: int) -> int:
        """Reads and sends. What it waits for after that."""
        if events & selectors.EVENT_READ:
            data = self.connection.recv(PIECE)
            if not data:
                raise ConnectionError("the other end has closed")
            self.unread += data
        # Nothing more is read from who does not take what there is.
        while self.unsent or self._request():
            try:
                sent = self.connection.send(self.unsent[:PIECE])
            except BlockingIOError:
                return selectors.EVENT_WRITE
            del self.unsent[:sent]
        return selectors.EVENT_READ


def serve_one(peer: Peer) -> None:
    """Serves a connection alone until it ends."""
    peer.connection.setblocking(False)
    visitor = Visitor(peer.connection)
    with selectors.DefaultSelector() as chooser:
        chooser.register(peer.connection, selectors.EVENT_READ)
        while True:
            ((_, events),) = chooser.select()
            chooser.modify(peer.connection, visitor.go_on(events))


def serve(listener: socket.socket) -> None:
    """Serves until the process ends."""
    listener.setblocking(False)
    chooser = selectors.DefaultSelector()
    chooser.register(listener, selectors.EVENT_READ)
    while True:
        for key, events in chooser.select():
            visitor: Visitor | None = key.data
            if visitor is None:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    continue
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                chooser.register(connection, selectors.EVENT_READ, Visitor(connection))
                continue
            try:
                wanted = visitor.go_on(events)
            except OSError:
                chooser.unregister(visitor.connection)
                visitor.connection.close()
                continue
            if wanted != key.events:
                chooser.modify(visitor.connection, wanted, visitor)
