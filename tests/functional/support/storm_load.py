# SPDX-License-Identifier: GPL-2.0
"""The clients of a storm: they ask, and keep account of all that happens."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from support.client import Client, Connection
from support.netns import Netns
from support.storm import ECHO
from support.storm_requests import Cut, Request, Status, Wrong, answer, begin, contents

# Longer than anything that the director waits for, and than a link is cut.
TIMEOUT = 30.0

# What is done over one connection.
type Kind = Callable[[Session, Connection, random.Random], None]


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
    # The director may have counted them as answered.
    counted: bool = False

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


class Clients:
    """Threads that ask until they are told to stop, all with their own random choices."""

    def __init__(
        self, host: Netns, services: dict[str, int], count: int, seed: str, kinds: Sequence[Kind]
    ) -> None:
        self.host = host
        self.kinds = kinds
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
            choices.choice(self.kinds)(session, connection, choices)


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

    def also(self, up: int, down: int) -> None:
        """What has gone either way besides, of a request that was answered."""
        with self.clients.lock:
            self.tally.up += up
            self.tally.down += down

    def failed(
        self, failure: Exception, requests: int, what: str = "", counted: bool = False
    ) -> None:
        """Some requests have failed, of which the first is `what`."""
        one = Failure(
            service=self.service,
            begin=self.since,
            end=time.monotonic(),
            what=f"{type(failure).__name__}: {failure} {what}",
            name=f"{self.name}-{self.number}",
            requests=requests,
            wrong=isinstance(failure, Wrong),
            answered=isinstance(failure, Status),
            counted=counted,
        )
        with self.clients.lock:
            self.tally.asked += requests
            self.tally.failures.append(one)

    def ask(self, connection: Connection, *requests: Request) -> bool:
        """Sends requests at once, and reads the answers. Whether all came."""
        left = len(requests)
        begin = self.well
        try:
            self.send(connection, b"".join(one.data for one in requests))
            for one in requests:
                length = answer(connection, one)
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
            self.failed(failure, left, repr(requests[-left].data[:60]))
            return False
        return True

    def switch(self, connection: Connection, asked: bytes, data: bytes) -> None:
        """Asks for another protocol, in which what is sent comes back."""
        since = self.well
        try:
            self.send(connection, asked)
            response = begin(connection, 101)
            self.send(connection, data)
            contents(connection, data, may_end=True)
        except (Cut, Status, Wrong) as failure:
            # What ends a tunnel is no error of its request's.
            self.failed(failure, 1, "a tunnel", counted=True)
            return
        with self.clients.lock:
            self.tally.lives.append((since, time.monotonic()))
            self.tally.asked += 1
            self.tally.done += 1
        self.also(len(asked) + len(data), len(response.raw_head) + len(data))

    @staticmethod
    def send(connection: Connection, data: bytes) -> None:
        try:
            connection.send(data)
        except TimeoutError as error:
            raise Cut("a hang in a request") from error
        except OSError:
            # An answer may have come before.
            pass
