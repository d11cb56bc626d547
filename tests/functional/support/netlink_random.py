# SPDX-License-Identifier: GPL-2.0
"""Transactions made by chance: right ones, nearly right ones, and damaged ones."""

import random
import struct
from collections.abc import Callable

from support.netlink import NLA_F_NESTED, Attr, read, write
from support.netlink_spec import Kind, spec

NAMES = ["a", "b", "c", "d", "x" * 63]
ADDRESSES = [
    bytes([127, 0, 0, 1]),
    bytes(4),
    bytes([10, 0, 1, 5]),
    bytes(15) + b"\1",
    bytes(16),
    # Nobody's.
    bytes([192, 0, 2, 1]),
]
VALUES: dict[str, list[bytes]] = {
    "exact": [b"/", b"/index.html", b"example.org", b"GET", b"\xff\0\n\"'\\ {}#"],
    "prefix": [b"/", b"/images/"],
    "suffix": [b".png", b".example.org"],
    "regex": [b"^/users/([^/]+)", b"a|b", b"[0-9]+$", b"."],
    "wildcard": [b"*.example.org"],
}
TOKENS = [b"SRV", b"X-Thing", b"a"]
LOCATIONS = [b"/elsewhere", b"https://example.org/?a=b"]

# The begin of a program of rules; see rust/core/rule.rs.
PROGRAM_MAGIC = 0x72637001
PROGRAM_HEADER = 11

# Longest value that an attribute can have, in bytes.
LENGTH_MAX = 65531


def program(rules: int) -> bytes:
    """A program whose rules always match: nothing is compiled in the tests."""
    at = PROGRAM_HEADER
    lists = at + 2 * rules
    end = lists + rules
    words = [PROGRAM_MAGIC, rules, 0, 0, at, at, end, lists, rules, end, 0]
    words += [end, 0] * rules
    words += range(rules)
    return struct.pack(f"={len(words)}I", *words)


def solid(attr: Attr) -> Attr:
    """The same, in which nothing can be changed any more."""
    if isinstance(attr.value, bytes):
        return Attr(attr.kind, attr.value, attr.length)
    return Attr(attr.kind | NLA_F_NESTED, write(attr.value), attr.length)


class Maker:
    """Makes transactions by chance, the same for the same seed."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.spec = spec()

    def some(self, chance: float) -> bool:
        return self.rng.random() < chance

    def attr(self, path: str, value: bytes | list[Attr]) -> Attr:
        return Attr(self.spec.number(path), value)

    def name(self) -> bytes:
        return self.rng.choice(NAMES).encode() + b"\0"

    def number(self, kind: Kind) -> int:
        """A number within the bounds, and at them more often than not."""
        most = 2**64 - 1 if kind.most is None else kind.most
        return self.rng.choice([kind.least, most, self.rng.randint(kind.least, min(most, 10**6))])

    def value(self, kind: Kind) -> bytes | list[Attr]:
        """A value as the type wants it."""
        if kind.type == "nest":
            return self.fill(kind.nested)
        if kind.name in ("name", "pool", "service") and kind.type == "string":
            return self.name()
        if kind.name == "address":
            return self.rng.choice(ADDRESSES)
        if kind.type == "string":
            return self.rng.choice([*TOKENS, *LOCATIONS, b""]) + b"\0"
        if kind.type == "binary":
            size = self.rng.choice([0, 4, 16]) if kind.exact is None else kind.exact
            return self.rng.randbytes(size)
        if kind.type == "flag":
            return b""
        if kind.enum:
            number = self.rng.choice(list(self.spec.enums[kind.enum].values()))
        else:
            number = self.number(kind)
        if kind.name == "port":
            return struct.pack(">H", self.rng.randint(1000, 1005))
        size = {"u8": "B", "u16": "H", "u32": "I", "uint": "Q"}[kind.type]
        limit = 1 << (8 * struct.calcsize(size))
        return struct.pack("=" + size, number % limit)

    def fill(self, name: str, chance: float = 0.5) -> list[Attr]:
        """Any attributes of a set, each with a value that may be."""
        kinds = self.spec.sets[name].values()
        return [Attr(k.number, self.value(k)) for k in kinds if self.some(chance)]

    def step(self, kind: str, nest: str = "", attrs: list[Attr] | None = None) -> Attr:
        number = struct.pack("=I", self.spec.enums["op-type"][kind])
        nests = [self.attr(f"op/{nest}", attrs or [])] if nest else []
        return self.attr("main/op", [self.attr("op/type", number), *nests])

    def service(self) -> list[Attr]:
        name = [self.attr("service/name", self.name())]
        add = self.some(0.5)
        attrs = []
        for kind in self.spec.sets["service"].values():
            if kind.name not in ("name", "listener", "stats") and self.some(0.1):
                attrs.append(Attr(kind.number, self.value(kind)))
        if add or self.some(0.2):
            for _ in range(self.rng.choice([1, 1, 2, 17])):
                attrs.append(self.attr("service/listener", self.fill("listener", 1)))
        return [self.step("service-add" if add else "service-set", "service", name + attrs)]

    def pool(self) -> list[Attr]:
        attrs = [self.attr("pool/name", self.name())]
        if self.some(0.5):
            scheduler = self.rng.choice(list(self.spec.enums["scheduler"].values()))
            attrs.append(self.attr("pool/scheduler", struct.pack("=I", scheduler)))
        if self.some(0.3):
            attrs.append(self.attr("pool/cookie", self.rng.choice([*TOKENS, b""]) + b"\0"))
        if self.some(0.3):
            attrs.append(self.attr("pool/key", self.rng.randbytes(16)))
        return [self.step(self.rng.choice(["pool-add", "pool-set"]), "pool", attrs)]

    def server(self, name: bytes | None = None, address: bytes | None = None) -> Attr:
        attrs = [
            self.attr("server/pool", name or self.name()),
            self.attr("server/address", address or self.rng.choice(ADDRESSES)),
            self.attr("server/port", struct.pack(">H", self.rng.randint(1, 5))),
        ]
        if self.some(0.3):
            weight = self.spec.sets["server"]["weight"]
            attrs.append(Attr(weight.number, self.value(weight)))
        return self.step(self.rng.choice(["server-add"] * 3 + ["server-set", "server-del"]),
                         "server", attrs)  # fmt: skip

    def servers(self) -> list[Attr]:
        return [self.server() for _ in range(self.rng.randint(1, 4))]

    def many_servers(self) -> list[Attr]:
        """More than a message of the usual size can hold, and too many now and then."""
        name, addresses = self.name(), [self.rng.randbytes(4) for _ in range(600)]
        add = [self.server(name, address) for address in addresses]
        return self.pool() + add

    def condition(self) -> list[Attr]:
        operator = self.rng.choice(list(VALUES))
        subjects = ["host"] if operator == "wildcard" else list(self.spec.enums["subject"])
        subject = self.rng.choice(subjects)
        numbers = self.spec.enums["subject"][subject], self.spec.enums["operator"][operator]
        attrs = [
            self.attr("condition/subject", struct.pack("=I", numbers[0])),
            self.attr("condition/operator", struct.pack("=I", numbers[1])),
            self.attr("condition/value", self.rng.choice(VALUES[operator])),
        ]
        if subject in ("header", "cookie"):
            attrs.append(self.attr("condition/name", self.rng.choice(TOKENS) + b"\0"))
        if self.some(0.2):
            attrs.append(self.attr("condition/not", b""))
        return attrs

    def rule(self, service: bytes, number: int) -> Attr:
        action = self.rng.choice(["pool", "server", "redirect", "status"])
        attrs = [
            self.attr("rule/service", service),
            self.attr("rule/id", struct.pack("=I", number)),
            self.attr("rule/action", struct.pack("=I", self.spec.enums["action"][action])),
        ]
        for _ in range(self.rng.choice([0, 1, 1, 2, 17])):
            attrs.append(self.attr("rule/condition", self.condition()))
        if action in ("pool", "server"):
            attrs.append(self.attr("rule/pool", self.name()))
        if action == "server":
            attrs.append(self.attr("rule/address", self.rng.choice(ADDRESSES)))
            attrs.append(self.attr("rule/port", struct.pack(">H", self.rng.randint(1, 5))))
        if action == "redirect":
            attrs.append(self.attr("rule/location", self.rng.choice(LOCATIONS) + b"\0"))
        if action == "status":
            attrs.append(self.attr("rule/status", struct.pack("=I", 404)))
        if action == "pool" and self.some(0.2):
            attrs.append(self.attr("rule/capture", struct.pack("=I", self.rng.randint(0, 31))))
        return self.step("rule-add", "rule", attrs)

    def rules(self) -> list[Attr]:
        service = self.name()
        name = self.attr("service/name", service)
        count = self.rng.choice([0, 1, 2, 3, 10, 100])
        words = program(count) if count else b""
        if self.some(0.2) and words:
            at = self.rng.randrange(len(words))
            words = words[:at] + self.rng.randbytes(4) + words[at + 4 :]
        steps = [self.step("rules-set", "service", [name])]
        steps += [self.rule(service, n) for n in range(count)]
        size = self.rng.choice([4, 64, 32764])
        for at in range(0, len(words), size):
            piece = self.attr("program/piece", words[at : at + size])
            whose = self.attr("program/service", service)
            steps.append(self.step("program-add", "program", [whose, piece]))
        return steps

    def deletion(self) -> list[Attr]:
        what = self.rng.choice(["service", "pool"])
        return [self.step(f"{what}-del", what, [self.attr(f"{what}/name", self.name())])]

    def whole(self) -> list[Attr]:
        """Flush or zero."""
        kind = self.rng.choice(["flush", "zero", "zero", "zero"])
        what = self.rng.choice(["service", "pool", ""]) if kind == "zero" else ""
        return [self.step(kind, what, [self.attr(f"{what}/name", self.name())] if what else None)]

    def anything(self) -> list[Attr]:
        """Steps that only keep to the types."""
        return [
            self.attr("main/op", self.fill("op", 0.7)) for _ in range(self.rng.choice([1, 2, 20]))
        ]

    def transaction(self) -> list[Attr]:
        """Steps as a program of an administrator's would send them, or close to that."""
        usual: list[Callable[[], list[Attr]]] = [
            self.service, self.service, self.pool, self.pool, self.servers, self.servers,
            self.rules, self.deletion, self.whole, self.anything,
        ]  # fmt: skip
        if self.some(0.01):
            return self.many_servers()
        count = self.rng.choice([0, 1, 1, 1, 2, 3])
        return [step for _ in range(count) for step in self.rng.choice(usual)()]

    def place(self, attrs: list[Attr]) -> tuple[list[Attr], int] | None:
        """Any attribute: the list that it is in, and where."""
        if not attrs:
            return None
        at = self.rng.randrange(len(attrs))
        value = attrs[at].value
        if isinstance(value, list) and value and self.some(0.8):
            return self.place(value)
        return attrs, at

    def mutate(self, attrs: list[Attr]) -> None:
        """Spoils something of the structure."""
        found = self.place(attrs)
        if found is None:
            attrs.append(Attr(self.rng.randrange(1 << 14), b""))
            return
        where, at = found
        chosen = where[at]
        match self.rng.randrange(9):
            case 0:
                del where[at]
            case 1:
                where.insert(at, solid(chosen))
            case 2:
                self.rng.shuffle(where)
            case 3:
                chosen.kind = self.rng.choice([0, 1, 7, 15, 16, 255, 0x3FFF, 0x4001])
            case 4:
                chosen.length = self.rng.choice([0, 1, 3, 4, 5, 8, 255, 65535])
            case 5:
                size = self.rng.choice([0, 1, 3, 4, 5, 8, 17, 64, 128, 2049, LENGTH_MAX])
                chosen.value = self.rng.randbytes(size)
            case 6:
                # So deep that it goes on: its length must still be told.
                data, room = chosen.write(), LENGTH_MAX - 4 - len(chosen.write())
                for _ in range(min(room // 4, self.rng.choice([0, 2, 30, 200]))):
                    data = Attr(chosen.kind | NLA_F_NESTED, data).write()
                where[at] = Attr(chosen.kind | NLA_F_NESTED, data)
            case 7:
                name = self.rng.choice(list(self.spec.sets))
                chosen.value = self.fill(name)
            case 8:
                where[at] = Attr(chosen.kind, write([chosen]))

    def damage(self, data: bytes) -> bytes:
        """Spoils bytes."""
        spoilt = bytearray(data)
        for _ in range(self.rng.choice([1, 1, 2, 8])):
            at = self.rng.randrange(len(spoilt) + 1)
            match self.rng.randrange(4):
                case 0 if at < len(spoilt):
                    spoilt[at] ^= 1 << self.rng.randrange(8)
                case 1:
                    del spoilt[at:]
                case 2:
                    spoilt[at:at] = self.rng.randbytes(self.rng.choice([1, 4, 100]))
                case _:
                    spoilt[at : at + 4] = self.rng.choice([b"\0" * 4, b"\xff" * 4])
        return bytes(spoilt)

    def attributes(self) -> bytes:
        """The attributes of a request to change something."""
        attrs = self.transaction()
        for _ in range(self.rng.choice([0, 0, 1, 1, 2, 5])):
            self.mutate(attrs)
        data = write(attrs)
        return self.damage(data) if self.some(0.15) else data


def touches(data: bytes, protected: set[bytes]) -> bool:
    """Whether what these attributes ask for might concern services or pools of such names."""
    made = spec()
    numbers = {k: made.number(f"op/{k}") for k in ("type", "service", "pool", "server", "rule")}
    names = {
        numbers["service"]: made.number("service/name"),
        numbers["pool"]: made.number("pool/name"),
        numbers["server"]: made.number("server/pool"),
        numbers["rule"]: made.number("rule/service"),
    }
    flush = struct.pack("=I", made.enums["op-type"]["flush"])
    for kind, step in read(data):
        if kind != made.number("main/op"):
            continue
        for part, value in read(step):
            if part == numbers["type"] and value == flush:
                return True
            if part in names and any(
                k == names[part] and v.split(b"\0")[0] in protected for k, v in read(value)
            ):
                return True
    return False
