# SPDX-License-Identifier: GPL-2.0
"""Configurations as text, for `apply`: one transaction is quicker than many commands."""

from support.topology import VIP, server_address

# The three nginx.
NGINX = [f"{server_address(n)}:80" for n in (1, 2, 3)]


def pool_text(name: str, *servers: str, scheduler: str = "rr", more: tuple[str, ...] = ()) -> str:
    """A pool of servers given as ADDRESS:PORT, or ADDRESS:PORT=WEIGHT; `more` are its lines."""
    lines = [f"scheduler {scheduler}", *more]
    for server in servers:
        address, _, weight = server.partition("=")
        lines.append(f"server {address} weight {weight or 1}")
    return block("pool", name, lines)


def service_text(
    *rules: str,
    name: str = "web",
    listen: str = f"{VIP}:80",
    pool: str = "",
    more: tuple[str, ...] = (),
) -> str:
    """A service, with rules as the words after `rule`; `more` are other lines of it."""
    lines = [f"listen {listen}", *more]
    if pool:
        lines.append(f"pool {pool}")
    return block("service", name, [*lines, *(f"rule {rule}" for rule in rules)])


def block(kind: str, name: str, lines: list[str]) -> str:
    return f"{kind} {name} {{\n" + "".join(f"    {line}\n" for line in lines) + "}\n"
