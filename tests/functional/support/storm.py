# SPDX-License-Identifier: GPL-2.0
"""What goes wrong in a storm, when, and to whom.

Every fault is written into a diary with what it touches. A request that fails must find a fault
there that was in progress during its life, on its way, and that can do what happened.
"""

import bisect
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from support.director import Director
from support.pace import PACE
from support.topology import DIRECTOR

# What a fault touches that touches all.
EVERYTHING = "everything"

# Time-outs of all services in seconds: shorter than the longest fault.
WAITS = {"connect": 2, "response": 3, "stall": 3, "head": 10}

# What only stands still, or loses packets, does no harm before a time-out has passed.
PATIENCE = 0.9 * PACE * min(WAITS.values())

# How long a fault may be felt by who comes after it: what it had to say is still on its way.
ECHO = 0.3 * PACE


@dataclass
class Trouble:
    """A fault, and until when it may be felt. The end is unknown while it lasts."""

    what: str
    scope: str
    # Whether connections end by it, and not only by the time-outs of who waits.
    cuts: bool
    begin: float
    end: float = float("inf")

    def __str__(self) -> str:
        return f"{self.begin:.3f} to {self.end:.3f}: {self.what} ({self.scope})"


class Diary:
    """All troubles, for several threads."""

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []
        self.lock = threading.Lock()

    def open(self, what: str, scope: str, cuts: bool) -> Trouble:
        """Something begins."""
        trouble = Trouble(what, scope, cuts, time.monotonic())
        with self.lock:
            self.troubles.append(trouble)
        return trouble

    @staticmethod
    def close(trouble: Trouble, after: float = ECHO) -> None:
        """It is over, and nobody may feel it `after` seconds from now."""
        trouble.end = time.monotonic() + after

    def forget(self) -> None:
        """Leaves out what is over."""
        now = time.monotonic()
        with self.lock:
            self.troubles = [one for one in self.troubles if one.end >= now]

    def during(self, begin: float, end: float) -> list[Trouble]:
        """All that was going on between two moments."""
        with self.lock:
            return [one for one in self.troubles if one.begin <= end and one.end >= begin]

    def excuses(self, scopes: set[str], begin: float, end: float) -> list[Trouble]:
        """What of this can have made fail what went on between two moments."""
        patient = end - begin >= PATIENCE
        with self.lock:
            return [
                one
                for one in self.troubles
                if one.scope in scopes
                and one.begin <= end
                and one.end >= begin
                and (one.cuts or patient)
            ]

    def inexcusable(self, scopes: set[str], lives: list[tuple[float, float]]) -> int:
        """How many of the spans of time have nothing that would excuse a failure in them."""
        with self.lock:
            cuts = [one for one in self.troubles if one.scope in scopes and one.cuts]
        # Those that overlap become one.
        begins: list[float] = []
        ends: list[float] = []
        for one in sorted(cuts, key=lambda one: one.begin):
            if ends and one.begin <= ends[-1]:
                ends[-1] = max(ends[-1], one.end)
            else:
                begins.append(one.begin)
                ends.append(one.end)
        count = 0
        for begin, end in lives:
            if end - begin >= PATIENCE:
                count += not self.excuses(scopes, begin, end)
                continue
            at = bisect.bisect_right(begins, end) - 1
            count += at < 0 or ends[at] < begin
        return count


def sockets() -> dict[str, int]:
    """How many sockets and how much memory TCP has: in all, and the director's."""
    with DIRECTOR.entered():
        lines = Path("/proc/thread-self/net/sockstat").read_text().splitlines()
    words = next(line for line in lines if line.startswith("TCP:")).split()[1:]
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


def connected(director: Director) -> dict[str, int]:
    """How many connections the director has to each address."""
    found: dict[str, int] = {}
    for line in director.namespace.run("ss", "-Htan", "state", "connected").stdout.splitlines():
        # A socket that nobody has any more is none of the module's.
        state, _, _, _, peer = line.split()[:5]
        if state in ("ESTAB", "SYN-SENT", "CLOSE-WAIT"):
            found[peer] = found.get(peer, 0) + 1
    return found
