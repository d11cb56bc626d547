# SPDX-License-Identifier: GPL-2.0
"""The core selection: the tests that go through all paths on a kernel too slow for all tests."""

from collections.abc import Iterable
from pathlib import Path

LIST = Path(__file__).parents[1] / "core.txt"


class NotThere(Exception):
    """The selection names what is no test."""


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
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, step = line.partition(" every ")
        if name not in cases:
            raise NotThere(f"there is no test {name}")
        found.update(cases[name][:: int(step or 1)])
    return found
