# SPDX-License-Identifier: GPL-2.0
"""The netlink interface as its specification tells it: names to numbers, and what values may be."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SPEC = Path(__file__).parents[3] / "Documentation" / "netlink" / "specs" / "ktcpvs.yaml"


@dataclass
class Kind:
    """A type of attribute."""

    name: str
    number: int
    type: str
    nested: str = ""
    enum: str = ""
    # Bounds of the value or, of what has one, of its length.
    least: int = 0
    most: int | None = None
    exact: int | None = None


@dataclass
class Spec:
    """Everything that a sender needs to know."""

    consts: dict[str, int] = field(default_factory=dict)
    enums: dict[str, dict[str, int]] = field(default_factory=dict)
    sets: dict[str, dict[str, Kind]] = field(default_factory=dict)
    commands: dict[str, int] = field(default_factory=dict)

    def _bound(self, checks: dict[str, Any], *names: str) -> int | None:
        found = [checks[name] for name in names if name in checks]
        return self.consts.get(found[0], found[0]) if found else None

    def add_set(self, attributes: dict[str, Any]) -> None:
        kinds = {}
        for number, attr in enumerate(attributes["attributes"], 1):
            checks = attr.get("checks", {})
            kinds[attr["name"]] = Kind(
                name=attr["name"],
                number=number,
                type=attr["type"],
                nested=attr.get("nested-attributes", ""),
                enum=attr.get("enum", ""),
                least=self._bound(checks, "min") or 0,
                most=self._bound(checks, "max", "max-len"),
                exact=self._bound(checks, "exact-len"),
            )
        self.sets[attributes["name"]] = kinds

    def number(self, path: str) -> int:
        """The number of an attribute, given as set/name."""
        name, _, attr = path.partition("/")
        return self.sets[name][attr].number


@cache
def spec() -> Spec:
    """The specification, read once."""
    # The library in C: the other takes seconds here.
    document = yaml.load(SPEC.read_text(), Loader=yaml.CSafeLoader)
    made = Spec()
    for definition in document["definitions"]:
        if definition["type"] == "const":
            made.consts[definition["name"]] = definition["value"]
        else:
            start = definition.get("value-start", 0)
            names = [entry["name"] for entry in definition["entries"]]
            made.enums[definition["name"]] = {n: i for i, n in enumerate(names, start)}
    for attributes in document["attribute-sets"]:
        made.add_set(attributes)
    for number, operation in enumerate(document["operations"]["list"], 1):
        made.commands[operation["name"]] = number
    return made
