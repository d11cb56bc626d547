# SPDX-License-Identifier: GPL-2.0
"""A server that remembers every byte that reaches it."""

import threading
from collections.abc import Callable

from support.pace import PACE
from support.raw_server import Peer

# Answers a request over a connection. False: the connection is not to be read from any more.
Play = Callable[[Peer, bytes], bool]


def _framing(head: bytes) -> tuple[int, bool]:
    """The length of the body that `head` announces, and whether it is in chunks instead."""
    length, is_chunked = 0, False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        elif name.lower() == b"transfer-encoding":
            is_chunked = True
    return length, is_chunked


def _chunks_end(data: bytes, at: int) -> int | None:
    """Where the chunks end that begin at `at`, if they do."""
    size = -1
    while size != 0:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2 + (size + 2 if size else 0)
    while (end := data.find(b"\r\n", at)) > at:
        at = end + 2
    return end + 2 if end >= 0 else None


def whole_request(data: bytes) -> int | None:
    """The length of the request that `data` begin with, if it is whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    length, is_chunked = _framing(data[:end])
    stop = _chunks_end(data, end + 4) if is_chunked else end + 4 + length
    return stop if stop is not None and stop <= len(data) else None


def told(request: bytes) -> bytes:
    """What a whole request is answered with: its first line, and how long its body was."""
    head, _, body = request.partition(b"\r\n\r\n")
    return b"%s %d" % (head.partition(b"\r\n")[0], len(body))


class Witness:
    """The script of the server, and what it saw."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        # What came, and over which connection.
        self.log: list[tuple[int, bytes]] = []
        # Connections that have ended.
        self.ended: set[int] = set()
        # What answers instead, if anything does.
        self.play: Play | None = None
        # It does so when it has the head.
        self.early = False
        # What is said before anybody asks.
        self.greeting = b""

    def script(self, peer: Peer) -> None:
        """Serves one connection."""
        try:
            if self.greeting:
                peer.send(self.greeting)
            while True:
                while (size := self._size(peer.buffer)) is None:
                    if not self.more(peer):
                        return
                request, peer.buffer = peer.buffer[:size], peer.buffer[size:]
                if not self._answer(peer, request):
                    return
        finally:
            peer.connection.close()
            with self.changed:
                self.ended.add(peer.number)
                self.changed.notify_all()

    def _size(self, data: bytes) -> int | None:
        """How much of `data` is to be answered."""
        end = data.find(b"\r\n\r\n")
        return end + 4 if self.early and end >= 0 else whole_request(data)

    def more(self, peer: Peer) -> bool:
        """Reads on and remembers it. Whether anything came."""
        data = peer.connection.recv(65536)
        peer.buffer += data
        if data:
            with self.changed:
                self.log.append((peer.number, data))
                self.changed.notify_all()
        return bool(data)

    def _answer(self, peer: Peer, request: bytes) -> bool:
        if self.play and request.split(b" ")[1].startswith(b"/case"):
            if not self.play(peer, request):
                return False
            # Nothing behind a head that is answered early is a request.
            while self.early and self.more(peer):
                pass
            return True
        body = told(request)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        peer.send(head if request.startswith(b"HEAD ") else head + body)
        return True

    def wait_end(self, number: int) -> None:
        """Waits until a connection has ended."""
        self.wait(lambda: number in self.ended, f"connection {number} does not end")

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 5) -> None:
        """Waits until something that the witness sees has come true."""
        with self.changed:
            assert self.changed.wait_for(condition, seconds * PACE), f"{what}: {self.log[-4:]}"
