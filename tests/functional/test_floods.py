# SPDX-License-Identifier: GPL-2.0
"""Well-behaved clients beside hostile ones, who may have all that the director gives a client.

The bounds are those of the administrator's guide: every request is answered, nearly all within
half a second and each within three, though clients, director and servers share one emulated CPU.
"""

from collections import Counter

import pytest
from support.attacks import ATTACKS
from support.client import Client
from support.director import Director
from support.flood import active, attack, check, configure, counters, see, times
from support.nginx import Nginx
from support.pace import DEBUG
from support.raw_server import wait_until

# How many slow clients there are at once at least.
MANY = 60 if DEBUG else 100

# What must come of each attack at least for it to be one: what the attacker says that it did, the
# most connections seen at once (`peak`) and of those the ones with something to send that nobody
# takes (`waiting`), and how much the director's counters have grown.
EFFECTS = {
    "slow_head": {"peak": MANY, "sent": 500, "408": 100},
    "slow_body": {"peak": MANY, "sent": 500},
    "slow_read": {"peak": 20, "waiting": 15},
    "connections": {"peak": 300, "attempts": 1050},
    "bombs": {"431": 10, "414": 5, "400": 5},
    "segments": {"200": 20, "TcpInSegs": 1000},
    # More than there is room for, and well-behaved clients among them.
    "syns": {"sent": 5000, "TcpExtSyncookiesSent": 100, "TcpExtSyncookiesRecv": 5},
}


@pytest.mark.parametrize("name", ATTACKS)
def test_service_goes_on(director: Director, client: Client, nginx: list[Nginx], name: str) -> None:
    """Others are served within bounds, and the director is as it was when it is over."""
    # Those who ask nothing would be gone before there are many.
    configure(director, timeout_head="20s" if name == "connections" else "2s")
    most: Counter[str] = Counter()

    before = counters()
    with attack(name) as did:
        took = times(client, lambda: see(most))
    effects = did + most + (counters() - before)
    print(dict(effects))
    check(name, took)
    assert not {what for what, least in EFFECTS[name].items() if effects[what] < least}
    wait_until(lambda: active(director) == 0, 15, "something of the attackers is left")
    assert client.get("/who").body == b"rs1\n"
