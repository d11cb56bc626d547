# SPDX-License-Identifier: GPL-2.0
"""A server of what `transfer.store` has, for many connections in one thread: to stop and to kill
a process takes the kernel the longer, the more threads there are.
"""

import selectors
import socket

from support.transfer import content, digest

# How much is read and sent at once, in bytes.
PIECE = 65536


def answer(body: bytes) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class Visitor:
    """A connection: what has come and is not answered yet, and what is to be sent."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.unread = bytearray()
        self.unsent = bytearray()
        # No request is looked for before there is so much.
        self.enough = 0

    def _request(self) -> bool:
        """Answers a request, if there is a whole one."""
        if len(self.unread) < self.enough or (at := self.unread.find(b"\r\n\r\n")) < 0:
            return False
        method, target = self.unread[:at].decode().split(" ", 2)[:2]
        size = int(target.split("/")[1])
        end = at + 4 + (0 if method == "GET" else size)
        if len(self.unread) < end:
            self.enough = end
            return False
        body = bytes(self.unread[at + 4 : end])
        del self.unread[:end]
        self.enough = 0
        self.unsent += answer(content(target) if method == "GET" else digest(body).encode())
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
