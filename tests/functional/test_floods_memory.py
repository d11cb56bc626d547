# SPDX-License-Identifier: GPL-2.0
"""Hostile clients who would take more memory than there may be, and well-behaved ones beside them.

The bounds are those of test_floods.py: what goes is the attackers'. What is taken is what the
kernel itself says of the director's sockets.
"""

from collections import Counter

import pytest
from support.client import Client
from support.director import Director
from support.flood import active, attack, check, configure, see, times
from support.nginx import Nginx
from support.raw_server import wait_until
from support.transfer import MIB

LIMIT = MIB

# What a socket itself takes at least, in bytes.
SOCKET = 2000

# What may be taken at most as the kernel sees it, in bytes: what arrives between two looks of the
# director's is beyond its limit.
MOST = 3 * LIMIT

# What must come of each attack at least, as in test_floods.py: how often the director ended a
# connection of the attacker's or would not have it is `gone`.
EFFECTS = {
    "slow_head": {"sent": 500, "gone": 100},
    "slow_body": {"sent": 500, "gone": 100},
    "slow_read": {"sent": 100, "gone": 50},
    "connections": {"attempts": 1050, "gone": 300},
}


@pytest.mark.parametrize("name", EFFECTS)
def test_service_goes_on(director: Director, client: Client, nginx: list[Nginx], name: str) -> None:
    """Others are served within bounds, and memory is kept."""
    # Nobody has to go for another reason than memory.
    configure(director, f"mem-limit {LIMIT}\n", timeout_head="20s")
    most: Counter[str] = Counter()

    def look() -> None:
        sockets = see(most)
        taken = len(sockets) * SOCKET + sum(one.queued for one in sockets)
        most["taken"] = max(most["taken"], taken)

    with attack(name) as did:
        took = times(client, look)
    effects = did + most
    effects["gone"] = did["ended"] + did["cut"] + did["attempts"] - did["connections"]
    print(dict(effects))
    check(name, took)
    assert not {what for what, least in EFFECTS[name].items() if effects[what] < least}
    assert effects["taken"] <= MOST
    wait_until(lambda: active(director) == 0, 30, "something of the attackers is left")
    assert client.get("/who").body == b"rs1\n"
