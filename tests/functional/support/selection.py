# SPDX-License-Identifier: GPL-2.0
"""Which tests are run: the core selection, which goes through all paths on a kernel too slow for
all of them, and parts of whatever is chosen."""

from collections.abc import Iterable, Iterator
from pathlib import Path

LIST = Path(__file__).parents[1] / "core.txt"


class NotThere(Exception):
    """The selection names what is no test."""


def lines(text: str) -> Iterator[tuple[str, int]]:
    """What each line of `text` names, and each how manieth of its cases."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, step = line.partition(" every ")
            yield name, int(step or 1)


def files(text: str) -> list[str]:
    """The names of the files that have the tests that `text` names."""
    return sorted({name.partition("::")[0] for name, _ in lines(text)})


def selected(text: str, ids: Iterable[str]) -> set[str]:
    """The tests that `text` names, among all that there are, each `FILE::TEST[CASE]`. A line is
    such an id, or `FILE::TEST` for all of its cases, or `FILE::TEST every N` for a sample."""
    cases: dict[str, list[str]] = {}
    for one in ids:
        cases.setdefault(one, []).append(one)
        test = one.partition("[")[0]
        if test != one:
            cases.setdefault(test, []).append(one)
    found: set[str] = set()
    for name, step in lines(text):
        if name not in cases:
            raise NotThere(f"there is no test {name}")
        found.update(cases[name][::step])
    return found


def part(text: str) -> slice:
    """The part I/N of a list: every Nth from the Ith on, so that what takes long comes to all."""
    which, _, count = text.partition("/")
    if not 1 <= int(which) <= int(count):
        raise ValueError(f"there is no part {text}")
    return slice(int(which) - 1, None, int(count))
