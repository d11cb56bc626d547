# SPDX-License-Identifier: GPL-2.0
"""The configuration in a storm, and how it changes: by the tool, and by single messages."""

import os
import random
import socket
import struct
from dataclasses import dataclass, field

from support.config import pool_text, service_text
from support.netlink import Attr, Netlink, write
from support.netlink_random import Maker
from support.netlink_spec import spec
from support.pace import PACE
from support.storm import EVERYTHING, WAITS
from support.storm_hosts import FAR, HOSTS
from support.storm_servers import EACH, Server
from support.topology import DIRECTOR, VIP

# What has some of the storm's servers each.
SHAKY = 3

# The services that the usual client asks, and their ports: one that nothing happens to; one with
# servers that nothing happens to, whose configuration changes; some with servers that have every
# trouble; one with both; and one that comes and goes.
SHAKIES = {f"shaky{n}": 8010 + n for n in range(1, SHAKY + 1)}
SERVICES = {"steady": 8001, "changed": 8002, "mixed": 8003, "guest": 8004} | SHAKIES

# Those for clients whose links have troubles, and nothing else has.
FAR_SERVICES = {f"far{n}": 8020 + n for n in range(1, FAR + 1)}

# The services whose servers are always the same and that are never deleted.
FIXED = ["steady", *SHAKIES, *FAR_SERVICES]

SCHEDULERS = ["rr", "wrr", "lc", "wlc", "sh"]

# Ports that "changed" may listen at too, where nobody asks.
MORE_PORTS = [8100, 8101, 8102]


def asked(service: str) -> list[int]:
    """The servers of the storm's own that a service may ask."""
    if service == "mixed":
        return list(range(HOSTS * EACH))
    if service in SHAKIES:
        each = HOSTS * EACH // SHAKY
        first = (int(service[-1]) - 1) * each
        return list(range(first, first + each))
    return []


def scopes(service: str) -> set[str]:
    """What may go wrong on the way of a request to a service."""
    found = {EVERYTHING, f"service {service}"}
    for number in asked(service):
        found |= {f"server {number}", f"link of storm{number // EACH + 1}"}
    if service in FAR_SERVICES:
        found.add(f"link of {service}")
    return found


@dataclass
class Wanted:
    """The configuration as it is to be."""

    choices: random.Random
    troubled: list[Server]
    calm: list[Server]
    # The weights of the servers of pools that change.
    pools: dict[str, dict[str, int]] = field(default_factory=dict)
    schedulers: dict[str, str] = field(default_factory=dict)
    guest: bool = True
    rules: int = 0
    turn: int = 0

    def __post_init__(self) -> None:
        self.shuffle()

    def members(self, pool: str) -> list[str]:
        """All that may be in a pool that changes. The last one always is."""
        servers = [*self.troubled, self.calm[2]] if pool == "mixed" else self.calm
        return [server.address for server in servers]

    def shuffle(self) -> None:
        """Another configuration, with everything in it that requests need."""
        for pool in ("mixed", "changed"):
            *some, always = self.members(pool)
            chosen = [address for address in some if self.choices.random() < 0.7]
            weights = {address: self.choices.choice([0, 1, 1, 5]) for address in chosen}
            self.pools[pool] = weights | {always: self.choices.choice([1, 3])}
            self.schedulers[pool] = self.choices.choice(SCHEDULERS)
        self.rules = self.choices.choice([0, 1, 20])
        self.turn += 1

    def text(self) -> str:
        waits = [f"timeout-{name} {int(PACE * value)}s" for name, value in WAITS.items()]
        texts = []
        for name, weights in self.pools.items():
            listed = [f"{address}={weight}" for address, weight in weights.items()]
            texts.append(pool_text(name, *listed, scheduler=self.schedulers[name]))
        fixed = {"steady": self.calm[2], "guest": self.calm[1]}
        fixed |= {name: self.calm[0] for name in FAR_SERVICES}
        texts += [pool_text(name, server.address) for name, server in fixed.items()]
        for name in SHAKIES:
            texts.append(pool_text(name, *(self.troubled[n].address for n in asked(name))))
        for name, port in (SERVICES | FAR_SERVICES).items():
            if name == "guest" and not self.guest:
                continue
            rules = [f"path /nowhere/{self.turn}/{n} status 404" for n in range(self.rules)]
            # A connection of which the other end was lost shall not stay for long.
            idle = f"timeout-idle {int(PACE * (10 + self.turn % 5))}s"
            listen = f"{VIP}:{port}"
            more = (*waits, idle)
            texts.append(service_text(*rules, name=name, listen=listen, pool=name, more=more))
        return "".join(texts)


class Changes:
    """Single messages that change the configuration. Whoever sends one holds a lock: the module
    may not be unloaded meanwhile."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.choices = wanted.choices
        self.maker = Maker(self.choices)
        self.command = spec().commands["change"]
        self.attach()

    def attach(self) -> None:
        """Finds the module, which may have been loaded again."""
        with DIRECTOR.entered():
            self.netlink = Netlink()
        assert self.netlink.family

    def detach(self) -> None:
        self.netlink.close()

    def do(self, *steps: Attr) -> None:
        answer = self.netlink.ask(self.command, write(list(steps)))
        assert answer.error == 0, f"{os.strerror(answer.error)}: {answer.text}"

    def text(self, path: str, value: str) -> Attr:
        return self.maker.attr(path, value.encode() + b"\0")

    def number(self, path: str, value: int) -> Attr:
        return self.maker.attr(path, struct.pack("=I", value))

    def place(self, path: str, address: str) -> list[Attr]:
        """The attributes of an address and a port."""
        ip, port = address.split(":")
        return [
            self.maker.attr(f"{path}/address", socket.inet_aton(ip)),
            self.maker.attr(f"{path}/port", struct.pack(">H", int(port))),
        ]

    def server(self, what: str, pool: str, address: str, weight: int | None = None) -> None:
        attrs = [self.text("server/pool", pool), *self.place("server", address)]
        if weight is not None:
            attrs.append(self.number("server/weight", weight))
        self.do(self.maker.step(what, "server", attrs))

    def weigh(self) -> None:
        """The weight of a server changes."""
        pool = self.choices.choice(list(self.wanted.pools))
        *some, always = self.wanted.pools[pool]
        address = self.choices.choice([*some, always])
        # Somebody must be there for work.
        weight = self.choices.randrange(1 if address == always else 0, 9)
        self.wanted.pools[pool][address] = weight
        self.server("server-set", pool, address, weight)

    def member(self) -> None:
        """A server is taken from a pool, or put into it."""
        pool = self.choices.choice(list(self.wanted.pools))
        weights = self.wanted.pools[pool]
        *some, always = self.wanted.members(pool)
        address = self.choices.choice(some)
        if address in weights:
            del weights[address]
            self.server("server-del", pool, address)
        else:
            # Who is always there is the last one.
            last = weights.pop(always)
            weights |= {address: 1, always: last}
            self.server("server-add", pool, address, 1)

    def schedule(self) -> None:
        """A pool chooses in another way."""
        pool = self.choices.choice(list(self.wanted.pools))
        name = self.choices.choice(SCHEDULERS)
        self.wanted.schedulers[pool] = name
        number = self.maker.spec.enums["scheduler"][name]
        attrs = [self.text("pool/name", pool), self.number("pool/scheduler", number)]
        self.do(self.maker.step("pool-set", "pool", attrs))

    def listen(self) -> None:
        """A service listens somewhere else besides."""
        more = [port for port in MORE_PORTS if self.choices.random() < 0.5]
        attrs = [self.text("service/name", "changed")]
        for port in [SERVICES["changed"], *more]:
            place = self.place("listener", f"{VIP}:{port}")
            attrs.append(self.maker.attr("service/listener", place))
        self.do(self.maker.step("service-set", "service", attrs))

    def expire(self) -> None:
        """A service waits longer, or shorter, for the next request."""
        milliseconds = self.choices.randrange(10_000, 15_000) * PACE
        attrs = [self.text("service/name", self.choices.choice(["changed", "mixed"]))]
        attrs.append(self.number("service/timeout-idle", milliseconds))
        self.do(self.maker.step("service-set", "service", attrs))

    def leave(self) -> None:
        """A service is deleted."""
        attrs = [self.text("service/name", "guest")]
        self.do(self.maker.step("service-del", "service", attrs))

    def enter(self) -> None:
        """It is added again."""
        place = self.place("listener", f"{VIP}:{SERVICES['guest']}")
        attrs = [
            self.text("service/name", "guest"),
            self.maker.attr("service/listener", place),
            self.text("service/pool", "guest"),
        ]
        for name, value in WAITS.items():
            attrs.append(self.number(f"service/timeout-{name}", int(1000 * PACE * value)))
        attrs.append(self.number("service/timeout-idle", 10_000 * PACE))
        self.do(self.maker.step("service-add", "service", attrs))
