# SPDX-License-Identifier: GPL-2.0
"""Settings of hosts and links that a test changes for a while."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from support.netns import Netns

# What ethtool(8) calls features when it shows them.
LONG_NAMES = {
    "tx": "tx-checksumming",
    "sg": "scatter-gather",
    "tso": "tcp-segmentation-offload",
    "gso": "generic-segmentation-offload",
    "gro": "generic-receive-offload",
}


@contextlib.contextmanager
def sysctl(name: str, value: str, namespace: Netns | None = None) -> Iterator[None]:
    """Sets a sysctl meanwhile: of a namespace, or of the whole machine."""
    place = Path("/proc/sys", *name.split("."))

    def entered() -> contextlib.AbstractContextManager[None]:
        return namespace.entered() if namespace else contextlib.nullcontext()

    with entered():
        before = place.read_text()
        place.write_text(value)
    try:
        yield
    finally:
        with entered():
            place.write_text(before)


@contextlib.contextmanager
def offloads(ends: list[tuple[Netns, str]], **values: str) -> Iterator[None]:
    """What devices do for the stack, meanwhile: gro="on" and so on, as for `ethtool -K`. Ports
    come before their bridge."""

    def state(end: tuple[Netns, str]) -> dict[str, str]:
        namespace, device = end
        (all_of_it,) = json.loads(namespace.run("ethtool", "--json", "-k", device).stdout)
        return {one: "on" if all_of_it[LONG_NAMES[one]]["active"] else "off" for one in values}

    def change(end: tuple[Netns, str], values: dict[str, str]) -> None:
        namespace, device = end
        words = [word for pair in values.items() for word in pair]
        # It fails, too, where there is nothing to change.
        namespace.run("ethtool", "-K", device, *words, check=False)
        assert state(end) == values, f"{device} refuses {values}"

    before = [(end, state(end)) for end in ends]
    try:
        for end in ends:
            change(end, values)
        yield
    finally:
        for end, its in before:
            change(end, its)


@contextlib.contextmanager
def route(namespace: Netns, device: str, *words: str) -> Iterator[None]:
    """The IPv4 routes of a device have these words too, meanwhile."""
    routes = namespace.run("ip", "-4", "route", "show", "dev", device).stdout.splitlines()
    assert routes
    for line in routes:
        namespace.run("ip", "route", "change", *line.split(), "dev", device, *words)
    try:
        yield
    finally:
        for line in routes:
            namespace.run("ip", "route", "change", *line.split(), "dev", device)


@contextlib.contextmanager
def link(namespace: Netns, device: str, name: str, value: int) -> Iterator[None]:
    """Sets what `ip link` calls this of a device, meanwhile: mtu and the like."""
    (shown,) = json.loads(namespace.run("ip", "-d", "-j", "link", "show", "dev", device).stdout)
    addresses = addresses6(namespace)
    namespace.run("ip", "link", "set", device, name, str(value))
    try:
        yield
    finally:
        namespace.run("ip", "link", "set", device, name, str(shown[name]))
        # A device whose packets are too small for IPv6 loses its addresses, a bridge those of its
        # own when that happens to a port.
        for other, address in addresses - addresses6(namespace):
            namespace.run("ip", "addr", "add", address, "dev", other, "nodad")


def addresses6(namespace: Netns) -> set[tuple[str, str]]:
    """The devices of a namespace and the IPv6 addresses that were given to them."""
    shown = json.loads(namespace.run("ip", "-6", "-j", "addr", "show", "scope", "global").stdout)
    return {
        (entry["ifname"], f"{info['local']}/{info['prefixlen']}")
        for entry in shown
        # What is filtered out leaves empty entries.
        for info in entry.get("addr_info", [])
        if "local" in info
    }


@contextlib.contextmanager
def disturbed(host: Netns, device: str, *how: str) -> Iterator[None]:
    """What a host sends through `device` suffers meanwhile."""
    host.run("tc", "qdisc", "add", "dev", device, "root", "netem", *how)
    try:
        yield
    finally:
        host.run("tc", "qdisc", "del", "dev", device, "root")


def counter(namespace: Netns, name: str) -> int:
    """A counter of the namespace's IP and TCP, by the name that nstat(8) gives it."""
    with namespace.entered():
        lines = [
            line.split()
            for file in ("snmp", "netstat")
            for line in Path("/proc/thread-self/net", file).read_text().splitlines()
        ]
    # Each line of names is followed by one of numbers.
    for names, numbers in zip(lines[::2], lines[1::2], strict=True):
        prefix = names[0].rstrip(":")
        for one, number in zip(names[1:], numbers[1:], strict=True):
            if prefix + one == name:
                return int(number)
    raise AssertionError(f"no counter {name}")
