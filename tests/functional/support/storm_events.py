# SPDX-License-Identifier: GPL-2.0
"""What happens in a storm: faults that last for a while, and changes of configuration."""

import heapq
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from support.config import pool_text, service_text
from support.director import Director
from support.pace import PACE
from support.storm import (
    EVERYTHING,
    RECOVERY,
    Diary,
    Doomed,
    Fault,
    Server,
    Trouble,
    link_faults,
    run,
    server_scope,
    service_scope,
)
from support.topology import VIP

# The services, and their ports: one whose server nothing happens to, one with a server that has
# every trouble, one with all three servers, and one that comes and goes.
SERVICES = {"steady": 8001, "shaky": 8002, "mixed": 8003, "guest": 8004}

# The servers that each service may ask, and so what may go wrong with it.
ASKED = {"steady": [3], "shaky": [1], "mixed": [1, 2, 3], "guest": [3]}

# The servers that something happens to.
TROUBLED = [1, 2]

# Time-outs of all services: shorter than the longest fault.
WAITS = {"connect": 2, "response": 3, "stall": 3, "head": 10}

# How long a fault lasts at most, in seconds.
LONGEST = 4.0

SCHEDULERS = ["rr", "wrr", "lc", "wlc", "sh"]


def scopes(service: str) -> set[str]:
    """What may go wrong on the way of a request to a service."""
    return {EVERYTHING, "clients", service_scope(service), *map(server_scope, ASKED[service])}


@dataclass
class Wanted:
    """The configuration as it is to be."""

    choices: random.Random
    # The weights of the servers of "mixed"; None for one that is not in it.
    weights: list[int | None] = field(default_factory=lambda: [1, 1, 1])
    guest: bool = True
    scheduler: str = "rr"
    rules: int = 0
    turn: int = 0

    def shuffle(self) -> None:
        """Another configuration, with everything in it that requests need."""
        self.weights = [self.choices.choice([None, 0, 1, 5]) for _ in range(2)]
        # Its server is always there.
        self.weights.append(self.choices.choice([1, 3]))
        self.scheduler = self.choices.choice(SCHEDULERS)
        self.rules = self.choices.choice([0, 1, 20])
        self.turn += 1

    def text(self, servers: list[Server]) -> str:
        waits = [f"timeout-{name} {int(PACE * value)}s" for name, value in WAITS.items()]
        weights = zip(servers, self.weights, strict=True)
        mixed = [f"{one.address}={weight}" for one, weight in weights if weight is not None]
        texts = [
            pool_text("steady", servers[2].address),
            pool_text("shaky", servers[0].address),
            pool_text("mixed", *mixed, scheduler=self.scheduler),
            pool_text("guest", servers[2].address),
        ]
        for name, port in SERVICES.items():
            if name == "guest" and not self.guest:
                continue
            rules = [f"path /nowhere/{self.turn}/{n} status 404" for n in range(self.rules)]
            idle = f"timeout-idle {60 + self.turn % 60}s"
            listen = f"{VIP}:{port}"
            more = (*waits, idle)
            texts.append(service_text(*rules, name=name, listen=listen, pool=name, more=more))
        return "".join(texts)


class Storm:
    """Makes things happen, and writes them down."""

    def __init__(self, servers: list[Server], diary: Diary, choices: random.Random) -> None:
        self.servers = servers
        self.diary = diary
        self.choices = choices
        self.director = Director()
        self.wanted = Wanted(choices)
        self.doomed = Doomed()
        self.faults = link_faults(TROUBLED)
        # What is to end: when, which (to have an order), and how.
        self.ends: list[tuple[float, int, Callable[[], None]]] = []
        self.victims: set[str] = set()
        self.counts: dict[str, int] = {}
        self.reloaded = False
        # How many requests, for who keeps account.
        self.answered = 0
        self.weighted = [
            (12, self.apply),
            (8, self.weigh),
            (6, self.come_and_go),
            (4, self.kill),
            (6, self.pause),
            (8, self.cut),
            (3, self.namespace),
        ]

    @property
    def happened(self) -> int:
        return sum(self.counts.values())

    def configure(self) -> None:
        self.director.apply(self.wanted.text(self.servers))

    def event(self) -> None:
        """Something happens."""
        weights, events = zip(*self.weighted, strict=True)
        (event,) = self.choices.choices(events, weights)
        event()

    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def tend(self) -> None:
        """Ends what is to end by now."""
        while self.ends and self.ends[0][0] <= time.monotonic():
            heapq.heappop(self.ends)[2]()

    def heal(self) -> None:
        """Ends everything."""
        while self.ends:
            heapq.heappop(self.ends)[2]()

    def later(self, end: Callable[[], None]) -> None:
        after = self.choices.uniform(0.1, LONGEST)
        heapq.heappush(self.ends, (time.monotonic() + after, self.happened, end))

    def apply(self) -> None:
        """Another configuration is put in force. Nobody may notice."""
        self.count("apply")
        self.wanted.shuffle()
        self.configure()

    def weigh(self) -> None:
        """The weight of a server changes. Nobody may notice."""
        n = self.choices.choice([n for n, weight in enumerate(self.wanted.weights) if weight])
        self.count("weight")
        weight = self.choices.randrange(1, 9)
        self.wanted.weights[n] = weight
        address = self.servers[n].address
        self.director.tcpvsadm("server", "set", "mixed", address, "--weight", str(weight))

    def come_and_go(self) -> None:
        """A service is deleted, or added again."""
        self.count("service")
        if self.wanted.guest:
            self.away = self.diary.open("the service is deleted", service_scope("guest"))
            self.director.tcpvsadm("service", "del", "guest")
            self.wanted.guest = False
        else:
            self.wanted.guest = True
            self.configure()
            self.diary.close(self.away, 0)

    def free(self, victim: str) -> bool:
        """Takes a victim, unless it suffers already."""
        if victim in self.victims:
            return False
        self.victims.add(victim)
        return True

    def kill(self) -> None:
        """A server dies, and comes back."""
        n = self.choices.choice(TROUBLED)
        if not self.free(f"server {n}"):
            return
        self.count("kill")
        server = self.servers[n - 1]
        trouble = self.diary.open("the server is killed", server_scope(n))
        server.kill()

        def end() -> None:
            server.start()
            self.over(trouble, f"server {n}", RECOVERY)

        self.later(end)

    def pause(self) -> None:
        """A server stands still."""
        n = self.choices.choice(TROUBLED)
        if not self.free(f"server {n}"):
            return
        self.count("pause")
        server = self.servers[n - 1]
        trouble = self.diary.open("the server stands still", server_scope(n))
        server.pause()

        def end() -> None:
            server.resume()
            self.over(trouble, f"server {n}", RECOVERY)

        self.later(end)

    def cut(self) -> None:
        """A link passes nothing."""
        fault: Fault = self.choices.choice(self.faults)
        # What the ends of a link do to it goes together, but not for one end twice.
        if not self.free(fault.victim):
            return
        self.count("link")
        trouble = self.diary.open(fault.what, fault.scope)
        began = time.monotonic()
        run(fault.host, *fault.begin)

        def end() -> None:
            run(fault.host, *fault.end)
            self.over(trouble, fault.victim, fault.after + time.monotonic() - began)

        self.later(end)

    def over(self, trouble: Trouble, victim: str, after: float) -> None:
        self.diary.close(trouble, after)
        self.victims.discard(victim)

    def namespace(self) -> None:
        """A namespace comes, serves and dies. Nobody else may notice."""
        self.count("namespace")
        self.doomed.live_and_die()

    def reload(self) -> None:
        """The module is unloaded, loaded and told what to do."""
        self.count("reload")
        self.reloaded = True
        trouble = self.diary.open("the module is not there", EVERYTHING)
        self.director.unload()
        self.director.load()
        self.configure()
        # A SYN that nobody answered is sent again after a second.
        self.diary.close(trouble, 1 + RECOVERY)
