# SPDX-License-Identifier: GPL-2.0
"""How far a load has come, by the kernel's own counters, which can be read within an instant."""

import io
import os
import time
from statistics import linear_regression

from support.netns import Netns

from bench.cases import Case
from bench.hosts import CLIENT, DIRECTOR

# How often is looked at how far the load has come, in guest seconds.
EVERY = 0.03

# Where bytes and packets are counted.
LINKS = {"front": CLIENT, "back": DIRECTOR}


class Table:
    """One of a host's tables of counters, which is open: so it is read within an instant."""

    def __init__(self, host: Netns, name: str):
        with host.entered():
            self.file = io.FileIO(f"/proc/thread-self/net/{name}")

    def read(self) -> list[bytes]:
        return os.pread(self.file.fileno(), 1 << 16, 0).split(b"\n")


class Link(Table):
    """Packets and bytes that a device has sent and received."""

    def __init__(self, host: Netns, device: str):
        super().__init__(host, "dev")
        self.device = device.encode() + b":"

    def counts(self) -> tuple[int, int]:
        """Packets and bytes, both ways."""
        line = next(line for line in self.read() if line.lstrip().startswith(self.device))
        numbers = [int(word) for word in line.split(b":")[1].split()]
        return numbers[1] + numbers[9], numbers[0] + numbers[8]


class Requests(Table):
    """How many requests a client has made, by what its TCP counts once for each."""

    def __init__(self, host: Netns, case: Case):
        # A connection, or a segment with data: a FIN is one as well.
        table, self.group, self.name = (
            ("snmp", b"Tcp:", b"ActiveOpens")
            if case.close
            else ("netstat", b"TcpExt:", b"TCPOrigDataSent")
        )
        super().__init__(host, table)

    def count(self) -> int:
        names, numbers = (line.split() for line in self.read() if line.startswith(self.group))
        return int(numbers[names.index(self.name)])


class Progress:
    """How far a load has come, and when that was: looked at again and again.

    A client or server of many connections works through them in rounds, and at the ends of a
    window each is anywhere in its round. So the rate is that of a line through all looks, not of
    the first and the last.
    """

    def __init__(self, case: Case):
        self.case = case
        self.links = {name: Link(host, name) for name, host in LINKS.items()}
        self.requests = Requests(CLIENT, case)
        self.looks: list[tuple[float, int]] = []
        # How many requests there were from the first look to the last, and how much of what was
        # looked at makes one.
        self.seen = 0.0
        self.each = 1.0

    def look(self) -> None:
        """Looks at what is read soonest: packets, or bytes where these are counted."""
        packets, octets = self.links["front"].counts()
        self.looks.append((time.monotonic(), octets if self.case.bulk else packets))

    def watch(self, seconds: float) -> None:
        """Looks for so long."""
        end = time.monotonic() + seconds
        self.look()
        before = self.requests.count()
        while self.looks[-1][0] < end:
            time.sleep(EVERY)
            self.look()
        looked_at = self.looks[-1][1] - self.looks[0][1]
        if self.case.bulk:
            self.seen = looked_at / self.case.bulk
        else:
            self.seen = self.requests.count() - before
        self.each = looked_at / max(self.seen, 1)

    def packets(self) -> dict[str, int]:
        """Packets both ways so far, by link."""
        return {name: link.counts()[0] for name, link in self.links.items()}

    @property
    def rate(self) -> float:
        """Requests a second."""
        return linear_regression(*zip(*self.looks, strict=True)).slope / self.each
