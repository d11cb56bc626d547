# SPDX-License-Identifier: GPL-2.0
"""The counters of services, rules and real servers, and how they add up."""

from collections.abc import Iterator

from support.director import Director
from support.raw_server import wait_until

Counts = dict[str, int]


def begun(shown: dict) -> Iterator[tuple[str, Counts, int]]:
    """The counters of services and their rules, at which requests begin, and how many connections
    there are that can have one in progress."""
    for service in shown["services"]:
        active = service["stats"]["connections_active"]
        yield service["name"], service["stats"], active
        for rule in service["rules"]:
            yield f"rule {rule['id']} of {service['name']}", rule["stats"], active


def astray(shown: dict) -> list[str]:
    """Where more requests have neither been answered nor failed than can be in progress, which can
    be told if nobody asks any more. Those in progress when all was set to zero only end."""
    return [
        f"{what}: {stats}"
        for what, stats, active in begun(shown)
        if stats["requests"] - stats["responses"] - stats["errors"] > active
    ]


def not_ended(shown: dict) -> list[str]:
    """Where there are connections, or requests that have neither been answered nor failed."""
    return [
        f"{what}: {stats}"
        for what, stats, active in begun(shown)
        if active or stats["requests"] != stats["responses"] + stats["errors"]
    ]


def add_up(shown: dict) -> None:
    """What has begun is over, and by nothing but an answer or an error; no server has answered what
    it was not asked."""
    assert not not_ended(shown)
    for pool in shown["pools"]:
        for server in pool["servers"]:
            assert server["stats"]["responses"] <= server["stats"]["requests"], server


def come_to_add_up(director: Director) -> None:
    """The same as soon as the last connection is closed."""
    wait_until(lambda: not not_ended(director.show()), 10, "counters that add up")
    add_up(director.show())
