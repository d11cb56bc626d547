# SPDX-License-Identifier: GPL-2.0
"""Clients: curl, wrk, and bytes sent by hand."""

import re
import socket
import subprocess
from dataclasses import dataclass, field

from support.pace import PACE
from support.topology import CLIENT, VIP


@dataclass
class Response:
    """A response as it was read."""

    status: int
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw_head: bytes = b""

    @property
    def server(self) -> str:
        return self.fields.get("x-server", "")


class Connection:
    """A connection over which a test sends what it likes."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        # What was read and not taken yet. Bytes would be copied as a whole for each piece.
        self.buffer = bytearray()

    def send(self, data: bytes) -> "Connection":
        self.socket.sendall(data)
        return self

    def get(self, target: str = "/", fields: str = "", method: str = "GET") -> "Connection":
        """Sends a request without a body."""
        return self.send(f"{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n".encode())

    def _more(self) -> bool:
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def response(self, head_only: bool = False) -> Response:
        """Reads one response by its framing."""
        while b"\r\n\r\n" not in self.buffer:
            assert self._more(), f"the connection ended in a head: {self.buffer!r}"
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        response = Response(int(lines[0].split()[1]), fields, raw_head=bytes(head) + b"\r\n\r\n")
        if head_only or response.status < 200 or response.status in (204, 304):
            return response
        if fields.get("transfer-encoding") == "chunked":
            response.body = self.chunks()
        elif "content-length" in fields:
            response.body = self.exactly(int(fields["content-length"]))
        else:
            response.body = self.rest()
        return response

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes."""
        while len(self.buffer) < size:
            assert self._more(), f"{size - len(self.buffer)} bytes are missing"
        data, self.buffer = bytes(self.buffer[:size]), self.buffer[size:]
        return data

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            assert self._more(), "the connection ended in a line"
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return bytes(line)

    def chunks(self) -> bytes:
        """What the next chunks hold, up to the last."""
        body = b""
        while size := int(self._line().split(b";")[0], 16):
            body += self.exactly(size)
            assert self._line() == b""
        while self._line():
            pass
        return body

    def rest(self) -> bytes:
        """Everything until the other end closes; a reset is an error."""
        while self._more():
            pass
        data, self.buffer = bytes(self.buffer), bytearray()
        return data

    def is_cut(self) -> bool:
        """Whether the connection ends with a reset."""
        try:
            self.rest()
        except ConnectionResetError:
            return True
        return False

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Ends the connection with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Client:
    """The client's namespace."""

    namespace = CLIENT

    def connect(
        self, address: str = VIP, port: int = 80, timeout: float = 10, tiny: bool = False
    ) -> Connection:
        return Connection(self.namespace.connect(address, port, timeout, tiny))

    def get(self, target: str = "/", fields: str = "", method: str = "GET") -> Response:
        """One request on a connection of its own."""
        with self.connect() as connection:
            connection.get(target, fields, method)
            return connection.response(head_only=method == "HEAD")

    def raw(self, data: bytes) -> Response:
        """One response to what is sent on a connection of its own."""
        with self.connect() as connection:
            return connection.send(data).response()

    def curl(self, *words: str) -> subprocess.CompletedProcess:
        return self.namespace.run("curl", "-sS", "--max-time", "30", *words, check=False)

    def wrk(self, *words: str, url: str = f"http://{VIP}/who") -> subprocess.Popen:
        """Starts wrk. `wrk_report` reads what it finds."""
        return self.namespace.start(
            "wrk", *words, url, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


@dataclass
class WrkReport:
    """What wrk has found."""

    requests: int
    bad: int
    errors: int
    text: str


def wrk_report(process: subprocess.Popen, timeout: float = 60 * PACE) -> WrkReport:
    """Waits for wrk and reads its report. Its socket errors count but for time-outs, which say
    only that the guest is slow."""
    text, _ = process.communicate(timeout=timeout)
    found = re.search(r"(\d+) requests in", text)
    assert found, text
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+)", text)
    return WrkReport(
        requests=int(found[1]),
        bad=int(bad[1]) if bad else 0,
        errors=sum(map(int, errors.groups())) if errors else 0,
        text=text,
    )
