# SPDX-License-Identifier: GPL-2.0
"""Turns the profiler's counts into instructions and calls a request, by function.

Runs on the host: `profile.py DIRECTORY` reads what a profiled benchmark left there.
"""

import bisect
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

# Above this the kernel lives.
KERNEL = 1 << 63

# How many functions are shown.
SHOWN = 60

# The function in which a client of the load writes a request, and how much its calls may differ
# from the requests that were counted.
WRITE = "ksys_write"
AMISS = 0.1


@dataclass
class Profile:
    """What one request costs, by function."""

    instructions: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def divide(self, requests: float) -> None:
        """Makes it one request's, which was that of so many."""
        for of in (self.instructions, self.calls):
            for function in of:
                of[function] /= requests


class Symbols:
    """The guest's kernel and module functions."""

    def __init__(self, kallsyms: Path) -> None:
        found = {}
        for line in kallsyms.read_text().splitlines():
            address, kind, name = line.split()[:3]
            if kind in "tTwW":
                found.setdefault(int(address, 16), name)
        self.addresses = sorted(found)
        self.names = [found[address] for address in self.addresses]

    def at(self, address: int) -> tuple[str, bool]:
        """The function at `address`, and whether it begins there."""
        if address < KERNEL:
            return "[user]", False
        place = bisect.bisect_right(self.addresses, address) - 1
        if place < 0:
            return "[unknown]", False
        return readable(self.names[place]), self.addresses[place] == address


def readable(name: str) -> str:
    """A mangled Rust name (v0) as the path that is in it, roughly."""
    if not name.startswith("_R"):
        return name
    words, rest = [], name[2:]
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        length = int(rest[:digits] or 0)
        if length and rest[digits - 1 : digits] != "0" and length < len(rest):
            word = rest[digits : digits + length].lstrip("_")
            if word.isidentifier():
                words.append(word)
            rest = rest[digits + length :]
        else:
            rest = rest[max(digits, 1) :]
    return "::".join(words[-4:]) or name


def counts(path: Path) -> dict[tuple[int, int], int]:
    """Runs by block, a block being an address and a number of instructions."""
    result = {}
    for line in path.read_text().splitlines():
        address, instructions, runs = line.split()
        result[int(address, 16), int(instructions)] = int(runs)
    return result


def profile(directory: Path, name: str, requests: float, symbols: Symbols) -> Profile:
    """Of the load `name`, which made so many `requests`."""
    before, after = (counts(directory / f"profile-{name}.{n}") for n in (0, 1))
    result = Profile()
    for (address, instructions), runs in after.items():
        runs -= before.get((address, instructions), 0)
        function, begins = symbols.at(address)
        result.instructions[function] += runs * instructions
        if begins:
            result.calls[function] += runs
    result.divide(exactly(requests, result.calls[WRITE]))
    return result


def exactly(requests: float, writes: float) -> float:
    """How many requests a profile is of, if some `requests` were counted around it.

    The guest did not count at the instants at which the profile was begun and ended. What is in
    the profile did: wrk writes each short request at once, and nobody else writes.
    """
    return writes if abs(writes / requests - 1) < AMISS else requests


def table(name: str, mine: Profile, base: Profile) -> str:
    """What `mine` costs more than `base`, the most first."""
    total, base_total = (sum(p.instructions.values()) for p in (mine, base))
    lines = [f"== {name}: {total:.0f} instructions a request, {total - base_total:+.0f}"]
    added = {f: n - base.instructions.get(f, 0) for f, n in mine.instructions.items()}
    for function in sorted(added, key=lambda f: -added[f])[:SHOWN]:
        lines.append(
            f"{added[function]:+9.0f} {mine.instructions[function]:9.0f}"
            f" {mine.calls.get(function, 0) - base.calls.get(function, 0):+7.2f}"
            f" {mine.calls.get(function, 0):7.2f}  {function}"
        )
    return "\n".join(lines)


def main() -> None:
    directory = Path(sys.argv[1])
    symbols = Symbols(directory / "kallsyms")
    rows = json.loads((directory / "results.json").read_text())
    requests = {(row["system"], row["case"]): row["requests"] for row in rows}
    print("added, all; calls added, all; function (instructions and calls a request)")
    for (system, case), number in requests.items():
        base = profile(directory, f"direct-{case}", requests["direct", case], symbols)
        if system != "direct":
            mine = profile(directory, f"{system}-{case}", number, symbols)
            print(table(f"{system} {case}", mine, base))


if __name__ == "__main__":
    main()
