# SPDX-License-Identifier: GPL-2.0
"""What goes through the director, recorded at both of its sides."""

import random
import threading
import time

from support.client import Client, Connection, Response
from support.grammar import Request, pieces
from support.parsers import Message, cut_requests, read_request
from support.raw_server import Peer

# A request that everyone understands: what is behind another one begins where that one ends.
SENTINEL = b"GET /sentinel HTTP/1.1\r\nHost: test\r\nX-Id: sentinel\r\n\r\n"
SENTINEL_SEEN = Message("sentinel", "GET", b"/sentinel", b"")


class Recorder:
    """A server's script: keeps what comes over each of its connections, answers each request with
    an empty response that names it. What is not strictly valid is a failure."""

    def __init__(self) -> None:
        self.streams: list[bytes] = []
        self.lock = threading.Lock()

    def __call__(self, peer: Peer) -> None:
        with self.lock:
            mine = len(self.streams)
            self.streams.append(b"")
        left = b""
        while data := peer.connection.recv(65536):
            self.streams[mine] += data
            left += data
            while left and (found := read_request(left)):
                message, size = found
                left = left[size:]
                assert not left, f"{left[:200]!r} comes before {message} is answered"
                peer.answer(fields=f"X-Echo: {message.ident}\r\n")

    def take(self) -> list[bytes]:
        """What has come over each connection since the last call."""
        with self.lock:
            taken, self.streams = self.streams, [b"" for _ in self.streams]
        return [stream for stream in taken if stream]


def send_slowly(chance: random.Random, connection: Connection, data: bytes) -> threading.Thread:
    """Sends the data in pieces, some with a pause behind them, from another thread."""
    plan = [(piece, chance.random() < 0.03) for piece in pieces(chance, data)]

    def work() -> None:
        for piece, pause in plan:
            connection.send(piece)
            if pause:
                time.sleep(0.002)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def final(connection: Connection, method: str) -> Response:
    """The next response that is no interim one."""
    while True:
        response = connection.response(head_only=method == "HEAD")
        if response.status >= 200:
            return response


def through(
    chance: random.Random, client: Client, recorder: Recorder, groups: list[list[Request]]
) -> list[tuple[Request, bytes]]:
    """Sends groups of requests, each over a connection of its own. Returns what of each the server
    has got. Nothing else has come there, and all of it means what was meant."""
    got: dict[str, bytes] = {}
    for group in groups:
        with client.connect() as connection:
            sending = send_slowly(chance, connection, b"".join(r.data for r in group))
            for request in group:
                response = final(connection, request.method)
                assert response.status == 200, f"{response} to {request.data[:2000]!r}"
                assert response.fields["x-echo"] == request.ident
            sending.join()
            if group[-1].ends_client:
                assert connection.rest() == b""
    for stream in recorder.take():
        messages, raw, left = cut_requests(stream)
        assert left == b""
        for message, data in zip(messages, raw, strict=True):
            assert message.ident not in got, f"{message} comes twice"
            got[message.ident] = data
    expected = {request.ident: request for group in groups for request in group}
    assert got.keys() == expected.keys()
    for ident, request in expected.items():
        found = read_request(got[ident])
        assert found and found[0] == meant(request), f"{found} is not {meant(request)}"
    return [(request, got[ident]) for ident, request in expected.items()]


def meant(request: Request) -> Message:
    """What the request is to be taken for."""
    return Message(request.ident, request.method, request.url, request.body)
