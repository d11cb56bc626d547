# SPDX-License-Identifier: GPL-2.0
"""Real servers that do exactly what a test tells them to."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable

from support.netns import Netns
from support.pace import PACE

# What asks for another protocol, and what agrees to it.
UPGRADE = "Connection: Upgrade\r\nUpgrade: test\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n"


class Peer:
    """One connection of a scripted server."""

    def __init__(self, server: "RawServer", connection: socket.socket, number: int) -> None:
        self.server = server
        self.connection = connection
        # The how manieth connection of the server this is, from 1.
        self.number = number
        # What was read and not taken yet. Bytes would be copied as a whole for each piece.
        self.buffer = bytearray()

    def _more(self) -> bool:
        data = self.connection.recv(65536)
        self.buffer += data
        return bool(data)

    def head(self) -> bytes | None:
        """The next request's head, with its empty line; None when there is none any more."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._more():
                return None
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        whole = bytes(head) + b"\r\n\r\n"
        self.server.heads.append(whole)
        return whole

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes, or fewer where the connection ends."""
        while len(self.buffer) < size and self._more():
            pass
        data, self.buffer = bytes(self.buffer[:size]), self.buffer[size:]
        return data

    def until(self, end: bytes) -> bytes:
        """Everything up to and including `end`; nothing where the connection ends before."""
        while end not in self.buffer and self._more():
            pass
        if end not in self.buffer:
            return b""
        at = self.buffer.find(end) + len(end)
        data, self.buffer = bytes(self.buffer[:at]), self.buffer[at:]
        return data

    def body(self, head: bytes) -> bytes:
        """The body that follows `head`, as it was sent."""
        lower = head.lower()
        if found := re.search(rb"\r\ncontent-length:[ \t]*(\d+)", lower):
            return self.exactly(int(found[1]))
        if b"\r\ntransfer-encoding: chunked" in lower:
            body = b""
            while True:
                line = self.until(b"\r\n")
                body += line
                # Where the connection ends there is no line, and no more body.
                size = int(line.split(b";")[0] or b"0", 16)
                if size == 0:
                    break
                body += self.exactly(size + 2)
            while True:
                line = self.until(b"\r\n")
                body += line
                if line in (b"\r\n", b""):
                    return body
        return b""

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self, body: bytes = b"", status: str = "200 OK", fields: str = "") -> None:
        """Sends a response of this body."""
        self.send(
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body
        )

    def reset(self) -> None:
        """Ends the connection with a reset."""
        linger = b"\1\0\0\0\0\0\0\0"
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()


class RawServer:
    """Listens in a namespace and gives each connection to `script`, in a thread of its own."""

    def __init__(
        self, namespace: Netns, address: str, port: int, script: Callable[[Peer], None]
    ) -> None:
        self.address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        self.heads: list[bytes] = []
        self.connections = 0
        self.failures: list[Exception] = []
        self.script = script
        self.open: list[socket.socket] = []
        self.listener = namespace.listen(port, address)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self.open.append(connection)
            peer = Peer(self, connection, self.connections)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: Peer) -> None:
        try:
            self.script(peer)
        except OSError:
            # The other end is gone: for the script to provoke, for the test to see.
            pass
        except Exception as failure:
            self.failures.append(failure)
        finally:
            peer.connection.close()

    def close(self) -> None:
        """Stops listening and cuts what is open."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self.failures:
            raise self.failures[0]


def echo(peer: Peer) -> None:
    """Answers every request with its request line, and the size of its body."""
    while head := peer.head():
        body = peer.body(head)
        line = head.split(b"\r\n")[0]
        peer.answer(b"%s #%d %d" % (line, peer.number, len(body)))


def wait_until(condition: Callable[[], object], seconds: float = 10, what: str = "") -> None:
    """Waits until `condition` holds, and fails if it does not in time."""
    deadline = time.monotonic() + seconds * PACE
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.05)
