# SPDX-License-Identifier: GPL-2.0
"""The two ends that tagged pipelines go between, both of which check what they get."""

import contextlib
import threading
import time
from collections import Counter

from support.client import Client, Connection, Response
from support.pace import PACE
from support.parsers import Message, read_request
from support.raw_server import Peer
from support.tagged import Pipeline, Tagged, answer, content

# How long a client waits for anything, in seconds: longer than the director, whose time-outs would
# be seen as answers that may not be.
PATIENCE = 90 * PACE

STRAY = b"HTTP/1.1 200 OK\r\nX-Id: stray\r\nContent-Length: 5\r\n\r\nstray"


class Seen:
    """What all servers together have seen."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        # How often each request came, and how often that was to be expected.
        self.times: Counter[str] = Counter()
        self.dropped: set[str] = set()
        # How many connections had requests of more than one client.
        self.shared = 0


class Server:
    """The script of a server: does with a request what its target says."""

    def __init__(self, pool: str, seen: Seen) -> None:
        self.pool = pool
        self.seen = seen

    def __call__(self, peer: Peer) -> None:
        left, answered = b"", False
        clients: set[str] = set()
        while data := peer.connection.recv(65536):
            left += data
            while left and (found := read_request(left)):
                message, size = found
                left = left[size:]
                # It is not answered yet, unless it is one that is answered early.
                assert not left or answered, f"{left[:200]!r} came behind {message}"
                self.note(clients, message)
                if not self.serve(peer, message, answered):
                    return
                answered = False
            if left and not answered:
                answered = self.early(peer, left)

    def note(self, clients: set[str], message: Message) -> None:
        """One of the `clients` of a connection, each of which plays a pipeline, has sent this."""
        known = len(clients)
        clients.add(message.ident.partition(".")[0])
        if known == 1 < len(clients):
            with self.seen.lock:
                self.seen.shared += 1

    def early(self, peer: Peer, left: bytes) -> bool:
        """Answers a request of which not all has come, if it is one of those. Whether it did."""
        if b"\r\n\r\n" not in left or b"/early/" not in left.split(b"\r\n")[0]:
            return False
        method, target = left.decode("latin-1").split(" ")[:2]
        _, _, ident, how, size = target.split("/")
        head, body = answer(ident, how, int(size), method)
        peer.send(head + body)
        return True

    def serve(self, peer: Peer, message: Message, answered: bool) -> bool:
        """Checks a request and answers it. Whether another may follow."""
        how, size = self.check(message)
        if answered:
            return True
        with self.seen.lock:
            again = message.ident in self.seen.dropped
            # It may come again: nothing of an answer may have got through.
            if how in ("drop", "cut"):
                self.seen.dropped.add(message.ident)
        if how == "drop" and not again:
            return False
        head, body = answer(message.ident, how, size, message.method)
        if how == "slow":
            time.sleep(0.03)
        if how == "interim":
            peer.send(b"HTTP/1.1 103 Early Hints\r\nX-Id: " + message.ident.encode() + b"\r\n\r\n")
        if how == "cut" and body:
            peer.send(head + body[: size // 2])
            if size % 2:
                peer.reset()
            return False
        if how == "drip":
            for at in range(0, len(head + body), 50):
                peer.send((head + body)[at : at + 50])
        else:
            peer.send(head + body + (STRAY if how == "twice" else b""))
        return how not in ("just-close", "until-close", "say-close", "twice")

    def check(self, message: Message) -> tuple[str, int]:
        """All the request's marks agree, and it did not come before. Returns what its target
        says: what is to be done, and the size of the answer."""
        what = f"{message} at the servers {self.pool}"
        words = message.target.decode().split("/")
        assert len(words) == 5, what
        _, pool, ident, how, size = words
        assert pool == self.pool, what
        assert message.ident == ident, what
        assert message.body == content(f"[{ident}]", len(message.body)), what
        with self.seen.lock:
            self.seen.times[ident] += 1
        return how, int(size)


class Player:
    """A client: plays pipelines, and checks what comes back."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.played = 0
        # Requests that were answered, that got a 502, and those that no server may see.
        self.answered: list[str] = []
        self.failed: list[str] = []
        # Those of the answered that may not have gone whole.
        self.early: list[str] = []
        self.never: list[str] = []

    def play(self, pipeline: Pipeline) -> None:
        self.played += 1
        self.never += pipeline.never
        try:
            with self.client.connect(timeout=PATIENCE) as connection:
                self.talk(connection, pipeline)
        except AssertionError as error:
            raise AssertionError(f"pipeline {pipeline.number}, {pipeline.end}: {error}") from error

    def talk(self, connection: Connection, pipeline: Pipeline) -> None:
        sending = threading.Thread(target=self.send, args=(connection, pipeline), daemon=True)
        sending.start()
        if pipeline.end in ("abort", "reset"):
            self.read_all(connection, pipeline.requests[: pipeline.reads])
            sending.join()
            if pipeline.end == "reset":
                linger = b"\1\0\0\0\0\0\0\0"
                connection.socket.setsockopt(1, 13, linger)
            return
        if self.read_all(connection, pipeline.requests):
            self.read_end(connection, pipeline)
        sending.join()

    def read_all(self, connection: Connection, requests: list[Tagged]) -> bool:
        """Reads the responses. Whether there may be more."""
        before = [None, *requests]
        return all(
            self.read(connection, one, last is not None and last.how == "early" and last.sends > 0)
            for last, one in zip(before, requests, strict=False)
        )

    @staticmethod
    def send(connection: Connection, pipeline: Pipeline) -> None:
        # The other end may be gone, as some responses ask for.
        with contextlib.suppress(OSError):
            for n, piece in enumerate(pipeline.pieces):
                connection.send(piece)
                if (n + pipeline.number) % 16 == 0:
                    time.sleep(0.001)
            if pipeline.end in ("half-close", "cut-short"):
                connection.half_close()

    def read(self, connection: Connection, one: Tagged, behind_early: bool) -> bool:
        """Reads the response to this request. Whether another one may follow. The connection may
        end behind a response that came before all of its request had gone."""
        try:
            response = self.response(connection, one)
        except ConnectionResetError:
            response = None
        if response is None:
            # Some of it is missing, and the client can tell.
            assert one.how in ("cut", "early") or behind_early, f"no response to {one}"
            return False
        if response.status != 200:
            assert response.status == 502 and "x-id" not in response.fields, f"{response} to {one}"
            may_fail = one.how in ("drop", "cut") or not one.repeatable
            assert may_fail, f"{response} to {one}"
            if one.how not in ("drop", "cut"):
                self.failed.append(one.ident)
            self.ends(connection)
            return False
        assert response.fields["x-id"] == one.ident, f"{response} to {one}"
        assert response.body == one.content, f"{response} to {one}"
        assert one.how != "cut" or not one.content, f"{response} is whole, to {one}"
        self.answered.append(one.ident)
        if one.how == "early":
            self.early.append(one.ident)
        until_close = one.how == "until-close" and one.method != "HEAD"
        if response.fields.get("connection") == "close" or until_close:
            self.ends(connection)
            return False
        return True

    @staticmethod
    def response(connection: Connection, one: Tagged) -> Response | None:
        """The final response, or None if it is not whole."""
        while True:
            try:
                response = connection.response(head_only=one.method == "HEAD")
            except AssertionError:
                return None
            if response.status >= 200:
                return response
            assert response.fields["x-id"] == one.ident, f"{response} to {one}"

    @staticmethod
    def ends(connection: Connection) -> None:
        """Nothing more comes."""
        with contextlib.suppress(ConnectionResetError):
            rest = connection.rest()
            assert rest == b"", f"more comes: {rest!r}"

    def read_end(self, connection: Connection, pipeline: Pipeline) -> None:
        """Reads what comes behind the last whole response."""
        if pipeline.end in ("malformed", "bad-chunk"):
            try:
                response = connection.response()
            except (AssertionError, ConnectionResetError):
                assert pipeline.requests[-1].how == "early", "no answer to what is malformed"
                return
            # What has a body cannot be sent again if the server has just closed.
            gone = response.status == 502 and pipeline.end == "bad-chunk"
            assert gone or response.status in (400, 501, 505), f"{response}"
            assert "x-id" not in response.fields, f"{response}"
            self.ends(connection)
        elif pipeline.end == "cut-short":
            with contextlib.suppress(ConnectionResetError):
                rest = connection.rest()
                said = rest.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 502 "))
                assert said or rest == b"", f"{rest!r}"
                assert b"X-Id" not in rest, f"{rest!r}"
        elif pipeline.end == "half-close":
            self.ends(connection)
        else:
            assert not connection.buffer, f"more comes: {connection.buffer!r}"
