# SPDX-License-Identifier: GPL-2.0
"""The services that hostile clients and servers meet, and what is done to each case.

They are configured once for a whole module, since a case takes less time than a configuration.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import TypeVar

import pytest
from support.client import Client, Connection, Response
from support.config import block, pool_text, service_text
from support.counters import come_to_add_up
from support.director import Director
from support.kernel_log import complaints
from support.pace import PACE
from support.raw_server import Peer, RawServer
from support.topology import SERVERS, VIP, server_address

from hostile.answer import Answer
from hostile.case import ELSEWHERE, FORWARDED_FOR, PLAIN, RULES, Case
from hostile.witness import Witness, told, whole_request

# How many bytes come at once when a case is sent in pieces, and up to which length it is. No whole
# response of the tables with something behind it ends where a piece does: what comes later than a
# response might be taken for the next one.
PIECE = 11
PIECES_MAX = 1000


def configuration(server: str) -> str:
    """The services."""
    return (
        pool_text("plain", server)
        + service_text(name="plain", pool="plain", listen=f"{VIP}:{PLAIN}")
        + service_text(
            name="forwarded",
            pool="plain",
            listen=f"{VIP}:{FORWARDED_FOR}",
            more=("forwarded-for on",),
        )
        + block(
            "service",
            "rules",
            [
                f"listen {VIP}:{RULES}",
                "pool plain",
                f"rule path-prefix /old redirect {ELSEWHERE}",
                "rule path-prefix /no status 403",
            ],
        )
    )


class Complaints:
    """What the kernel complains of, read where it costs little: for each case."""

    def __init__(self) -> None:
        self.messages = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.messages, 0, os.SEEK_END)

    def fresh(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(os.read(self.messages, 8192).decode(errors="replace"))
            except BlockingIOError:
                return complaints("".join(found))
            except BrokenPipeError:
                # Old messages were overwritten meanwhile: the rest follows.
                continue


class Stage:
    """A client before the services, and the server behind them."""

    def __init__(self, server: RawServer, witness: Witness) -> None:
        self.client = Client()
        self.server = server
        self.witness = witness
        self.complaints = Complaints()
        self.probes = 0
        # How long the witness's log was when all was settled, until a probe.
        self.settled: int | None = None

    def begin(self) -> int:
        """The length of the witness's log. Nothing has come since all was settled."""
        mark = len(self.witness.log)
        late = self.witness.log[self.settled :] if self.settled is not None else []
        self.settled = None
        assert not late
        return mark

    def probe(self) -> tuple[int, bytes]:
        """A well-formed request is served over a new connection. Returns the number of the server's
        connection, and the request."""
        self.probes += 1
        self.settled = None
        with self.client.connect() as connection:
            data = self.follow(connection, b"/probe/%d" % self.probes)
        return self.witness.log[-1][0], data

    @staticmethod
    def follow(connection: Connection, target: bytes) -> bytes:
        """Another request over a connection is served. Returns the request."""
        data = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % target
        response = connection.send(data).response()
        assert (response.status, response.body) == (200, told(data))
        return data

    def settle(self, mark: int) -> dict[int, bytes]:
        """Probes both ways. Returns what came to the server over each connection since its log had
        `mark` entries, but for the probe, which came alone: behind whole requests, and behind
        nothing that was not."""
        number, data = self.probe()
        self.settled = len(self.witness.log)
        streams: dict[int, bytes] = {}
        for connection, came in self.witness.log[mark : self.settled]:
            streams[connection] = streams.get(connection, b"") + came
        assert streams[number].endswith(data)
        streams[number] = streams[number].removesuffix(data)
        return {number: stream for number, stream in streams.items() if stream}

    def play(self, case: Case, sends: tuple[bytes, ...]) -> None:
        """Does what a case says, and looks at both sides."""
        mark, ended = self.begin(), len(self.witness.ended)
        with self.client.connect(port=case.port) as connection:
            # It may be refused before all is sent.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for data in sends:
                    connection.send(data)
                if case.ends:
                    connection.half_close()
            self._answers(case, connection)
            whole = b"".join(case.sees)
            if case.closes:
                self._end(case, connection)
            else:
                whole += self.follow(connection, b"/after")
        if case.partly:
            # Whatever the server has read of it, it is to know that this was not all.
            self.witness.wait(lambda: len(self.witness.ended) > ended, "a part is not given up")
        seen = b"".join(self.settle(mark).values())
        # Whole requests, and no more than a part of another.
        assert seen.startswith(whole)
        rest = seen[len(whole) :]
        assert case.partly.startswith(rest)
        assert whole_request(rest) is None

    def _answers(self, case: Case, connection: Connection) -> None:
        """The client gets the answers of the case."""
        sees = iter(case.sees)
        for status in case.answers:
            response = connection.response(case.head_only)
            assert response.status == status, response
            if status == 200:
                assert response.body == (b"" if case.head_only else told(next(sees)))
            elif status >= 400:
                self._refusal(response)
            else:
                assert response.fields["location"] == case.location

    @staticmethod
    def _refusal(response: Response) -> None:
        """It is whole, and says why."""
        assert b"%d " % response.status in response.body
        assert b"smuggled" not in response.raw_head + response.body

    @staticmethod
    def _end(case: Case, connection: Connection) -> None:
        """The client's connection ends, and nothing comes before."""
        if case.cut:
            with contextlib.suppress(ConnectionResetError):
                assert connection.rest() == b""
        else:
            assert connection.rest() == b""


class ServerStage(Stage):
    """The same with a server that is hostile."""

    def answer(self, case: Answer) -> None:
        """Has the server say what a case says, and looks at both sides."""
        mark = self.begin()
        used = {number for number, _ in self.witness.log}
        answered = threading.Event()
        self.witness.play = lambda peer, _: self._say(peer, case, answered)
        self.witness.early = case.early
        with self.client.connect() as connection:
            connection.send(case.asks)
            try:
                self._gets(case, connection)
            finally:
                answered.set()
            asked = {number for number, _ in self.witness.log[mark:]}
            served = self.witness.log[-1][0]
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(case.more)
            if case.late or (case.ends and case.keeps):
                # Asked any sooner, the next request might meet the end on its way.
                self.witness.wait_end(served)
            after = self.follow(connection, b"/after") if case.keeps else b""
            if not (case.keeps or case.cut):
                assert connection.rest() == b""
        self.witness.early = False
        for number in asked if not case.reused else ():
            self.witness.wait_end(number)
        self._saw(case, self.settle(mark), used, after)
        assert (served not in self.witness.ended) == case.reused

    @staticmethod
    def _saw(case: Answer, streams: dict[int, bytes], used: set[int], after: bytes) -> None:
        """The server saw what it was asked, once, and what was asked `after` it. It saw it twice
        only where it may be repeated, over another connection than the `used` one."""
        sees = case.asks if case.sees is None else case.sees
        expected = [sees]
        if case.repeated and next(iter(streams)) in used:
            expected.append(sees)
        if case.reused:
            expected[-1] += after
        elif after:
            expected.append(after)
        seen = list(streams.values())
        if case.early:
            # The rest of it may not have come.
            head = sees[: sees.index(b"\r\n\r\n") + 4]
            assert len(seen) == 1, seen
            assert seen[0].startswith(head) and sees.startswith(seen[0])
        else:
            assert seen == expected
        assert used.isdisjoint(list(streams)[1:])

    def end_idle(self) -> None:
        """Has the server end its connections, so that the next request needs a new one."""
        for number, connection in enumerate(self.server.open, 1):
            if number not in self.witness.ended:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                self.witness.wait_end(number)

    @staticmethod
    def _gets(case: Answer, connection: Connection) -> None:
        """The client gets what it should and no more."""
        if case.cut:
            data = b""
            with pytest.raises(ConnectionResetError):
                while more := connection.socket.recv(65536):
                    data += more
            assert case.gets.startswith(data)
            return
        assert connection.exactly(len(case.gets)) == case.gets
        if case.status:
            head_only = case.asks.startswith(b"HEAD ")
            assert connection.response(head_only).status == case.status

    def _say(self, peer: Peer, case: Answer, answered: threading.Event) -> bool:
        """What the server says. Whether it goes on to read requests."""
        for data in case.says:
            peer.send(data)
        if case.late:
            answered.wait(5 * PACE)
            peer.send(case.late)
        if case.resets:
            peer.reset()
        elif case.ends:
            # What is unread at a close would make a reset of it.
            peer.connection.shutdown(socket.SHUT_WR)
            while self.witness.more(peer):
                pass
        return not (case.ends or case.resets)


Kind = TypeVar("Kind", bound=Stage)


@contextlib.contextmanager
def stage(kind: type[Kind]) -> Iterator[Kind]:
    """Sets the stage, and leaves nothing behind."""
    witness = Witness()
    director = Director()
    server = RawServer(SERVERS[0], server_address(1), 8080, witness.script)
    try:
        director.apply(configuration(server.address))
        it = kind(server, witness)
        yield it
        come_to_add_up(director)
    finally:
        director.flush()
        director.settle()
        server.close()
    assert not it.complaints.fresh()


def pieces(sends: tuple[bytes, ...], size: int) -> tuple[bytes, ...]:
    """The same bytes in segments of `size`."""
    data = b"".join(sends)
    return tuple(data[at : at + size] for at in range(0, len(data), size))
