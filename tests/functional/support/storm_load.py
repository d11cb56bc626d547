# SPDX-License-Identifier: GPL-2.0
"""The clients of a storm: they ask for all kinds of things and keep account of all that happens."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from support.client import Client, Connection
from support.netns import Netns
from support.pace import PACE
from support.storm import ECHO
from support.transfer import content, digest

# Longer than anything that the director waits for, and than a link is cut.
TIMEOUT = 30.0

# Longer ones fill sockets' buffers.
LARGE = 200_000

# What the director may say while something is wrong.
TROUBLED = {408, 502, 503, 504}


class Cut(Exception):
    """The connection ended, by a reset or where nothing of an answer had come."""


class Status(Exception):
    """An answer that is not the server's."""


class Wrong(Exception):
    """What no fault explains: other bytes than were asked for, or too few that look complete."""


@dataclass
class Failure:
    """A connection that failed, and so the requests on it that were not answered yet."""

    service: str
    begin: float
    end: float
    what: str
    name: str
    requests: int
    # No fault excuses it.
    wrong: bool = False
    # The director has said so, to the first of the requests.
    answered: bool = False

    @property
    def took(self) -> float:
        return self.end - self.begin

    def __str__(self) -> str:
        return f"{self.begin:.3f} to {self.end:.3f}: {self.service} {self.name}: {self.what}"


@dataclass
class Tally:
    """What the clients of a service have seen."""

    connected: int = 0
    asked: int = 0
    done: int = 0
    up: int = 0
    down: int = 0
    # The longest that anyone has waited for a response, in seconds.
    slowest: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    # From when to when each request lived that was answered.
    lives: list[tuple[float, float]] = field(default_factory=list)

    def summary(self) -> str:
        """All but the lives."""
        counts = f"{self.connected} connected, {self.done} of {self.asked} answered"
        return f"{counts}, {self.up} bytes up, {self.down} down; {list(map(str, self.failures))}"


@dataclass
class Request:
    """A request, and what the right answer to it is."""

    data: bytes
    body: bytes


def get(target: str, fields: str = "") -> Request:
    head = f"GET {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n"
    return Request(head.encode(), content(target))


def put(target: str) -> Request:
    body = content(target)
    head = f"PUT {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n"
    return Request(head.encode() + body, digest(body).encode())


class Clients:
    """Threads that ask until they are told to stop, all with their own random choices."""

    def __init__(self, host: Netns, services: dict[str, int], count: int, seed: str) -> None:
        self.host = host
        # By name, the ports.
        self.services = services
        self.tallies = {name: Tally() for name in services}
        self.lock = threading.Lock()
        self.going = threading.Event()
        self.over = threading.Event()
        self.resting = threading.Semaphore(0)
        self.crashes: list[BaseException] = []
        self.threads = [
            threading.Thread(target=self._live, args=(n, random.Random(f"{seed} {n}")))
            for n in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def go(self) -> None:
        """All ask."""
        with self.lock:
            self.tallies = {name: Tally() for name in self.services}
        self.going.set()

    def rest(self) -> dict[str, Tally]:
        """Waits until nobody asks. What they have seen since they began."""
        self.going.clear()
        for _ in self.threads:
            self.resting.acquire()
        if self.crashes:
            raise self.crashes[0]
        return self.tallies

    def stop(self) -> None:
        """Ends the threads, whatever they do."""
        self.over.set()
        self.going.set()
        for thread in self.threads:
            thread.join()

    def _live(self, n: int, choices: random.Random) -> None:
        turn = 0
        while not self.over.is_set():
            self.going.wait()
            while self.going.is_set() and not self.over.is_set():
                turn += 1
                try:
                    self._session(choices, f"{n}-{turn}")
                except BaseException as crash:
                    self.crashes.append(crash)
                    self.going.clear()
            self.resting.release()
            while not self.going.is_set() and not self.over.is_set():
                time.sleep(0.02)

    def _session(self, choices: random.Random, name: str) -> None:
        """One connection, and what is asked on it."""
        service = choices.choice(list(self.services))
        session = Session(self, service, name)
        connection = session.connect(self.services[service])
        if connection is None:
            # Else whoever finds no service would ask all the time.
            time.sleep(0.1)
            return
        with connection:
            choices.choice(KINDS)(session, connection, choices)


class Away(Client):
    """A client on any host."""

    def __init__(self, namespace: Netns) -> None:
        self.namespace = namespace


class Session:
    """The account of one connection."""

    def __init__(self, clients: Clients, service: str, name: str) -> None:
        self.clients = clients
        self.service = service
        self.name = name
        self.number = 0
        # When the connection was last known to be well.
        self.well = time.monotonic()
        # Since when a failure may have had its reason. Who has waited for an answer that was lost
        # on its way may find that the director has ended the connection since it was sent.
        self.since = self.well

    @property
    def tally(self) -> Tally:
        return self.clients.tallies[self.service]

    def connect(self, port: int) -> Connection | None:
        try:
            connection = Away(self.clients.host).connect(port=port, timeout=TIMEOUT)
        except OSError as error:
            self.failed(Cut(f"no connection: {error!r}"), 0)
            return None
        self.since = self.well = time.monotonic()
        with self.clients.lock:
            self.tally.connected += 1
        return connection

    def target(self, size: int) -> str:
        self.number += 1
        return f"/{size}/{self.name}-{self.number}"

    def failed(self, failure: Exception, requests: int, line: str = "") -> None:
        """Some requests have failed, of which the first begins with this line."""
        one = Failure(
            service=self.service,
            begin=self.since,
            end=time.monotonic(),
            what=f"{type(failure).__name__}: {failure} {line}",
            name=f"{self.name}-{self.number}",
            requests=requests,
            wrong=isinstance(failure, Wrong),
            answered=isinstance(failure, Status),
        )
        with self.clients.lock:
            self.tally.asked += requests
            self.tally.failures.append(one)

    def ask(self, connection: Connection, *requests: Request) -> bool:
        """Sends requests at once, and reads the answers. Whether all came."""
        left = len(requests)
        begin = self.well
        try:
            self._send(connection, b"".join(one.data for one in requests))
            for one in requests:
                length = answer(connection, one.body)
                now = time.monotonic()
                took, self.well = now - self.well, now
                left -= 1
                with self.clients.lock:
                    self.tally.lives.append((begin, now))
                    self.tally.asked += 1
                    self.tally.done += 1
                    self.tally.up += len(one.data)
                    self.tally.down += length
                    self.tally.slowest = max(self.tally.slowest, took)
            self.since = begin if self.well - begin >= ECHO else self.well
        except (Cut, Status, Wrong) as failure:
            line = requests[-left].data.partition(b"\r\n")[0].decode()
            self.failed(failure, left, line)
            return False
        return True

    @staticmethod
    def _send(connection: Connection, data: bytes) -> None:
        try:
            connection.send(data)
        except TimeoutError as error:
            raise Cut("a hang in a request") from error
        except OSError:
            # An answer may have come before.
            pass


def answer(connection: Connection, body: bytes) -> int:
    """Reads an answer, which must be `body`. Its length."""
    try:
        response = connection.response(head_only=True)
    except TimeoutError as error:
        raise Cut("a hang before a response") from error
    except (OSError, AssertionError) as error:
        raise Cut(f"before a response: {error!r}") from error
    if response.status != 200:
        if response.status in TROUBLED:
            raise Status(str(response.status))
        raise Wrong(f"status {response.status}")
    if int(response.fields["content-length"]) != len(body):
        raise Wrong("another length")
    try:
        found = connection.exactly(len(body))
    except TimeoutError as error:
        raise Cut("a hang in a response") from error
    except OSError as error:
        raise Cut(f"in a response: {error!r}") from error
    except AssertionError as error:
        raise Wrong("the connection ended in a response as if it were whole") from error
    if found != body:
        raise Wrong("another body")
    return len(response.raw_head) + len(body)


def small(session: Session, connection: Connection, choices: random.Random) -> None:
    """Short ones, one by one."""
    for _ in range(choices.randrange(1, 12)):
        if not session.ask(connection, get(session.target(choices.randrange(16, 2000)))):
            return


def large(session: Session, connection: Connection, choices: random.Random) -> None:
    """Long ones."""
    for _ in range(choices.randrange(1, 3)):
        if not session.ask(connection, get(session.target(choices.randrange(20_000, LARGE)))):
            return


def uploads(session: Session, connection: Connection, choices: random.Random) -> None:
    """Short and long ones up."""
    for _ in range(choices.randrange(1, 4)):
        size = choices.choice([16, 3000, choices.randrange(LARGE)])
        if not session.ask(connection, put(session.target(size))):
            return


def pipelined(session: Session, connection: Connection, choices: random.Random) -> None:
    """Several at once."""
    for _ in range(choices.randrange(1, 3)):
        kinds = [choices.choice([get, put]) for _ in range(choices.randrange(2, 8))]
        requests = [kind(session.target(choices.randrange(16, 5000))) for kind in kinds]
        if not session.ask(connection, *requests):
            return


def closed(session: Session, connection: Connection, choices: random.Random) -> None:
    """One, after which the connection ends."""
    request = get(session.target(choices.randrange(16, 10_000)), "Connection: close\r\n")
    if session.ask(connection, request):
        try:
            if connection.rest():
                session.failed(Wrong("more than the response"), 0)
        except OSError as error:
            session.failed(Cut(f"after the response: {error!r}"), 0)


def slow(session: Session, connection: Connection, choices: random.Random) -> None:
    """A head in pieces."""
    request = get(session.target(choices.randrange(16, 500)))
    at = choices.randrange(1, len(request.data))
    try:
        connection.send(request.data[:at])
        time.sleep(choices.random() * 0.2 * PACE)
    except OSError:
        session.failed(Cut("in a head"), 1)
        return
    session.ask(connection, Request(request.data[at:], request.body))
    with session.clients.lock:
        session.tally.up += at


KINDS: list[Callable[[Session, Connection, random.Random], None]] = [
    small,
    small,
    large,
    uploads,
    pipelined,
    closed,
    slow,
]
