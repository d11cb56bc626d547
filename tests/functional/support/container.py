# SPDX-License-Identifier: GPL-2.0
"""A container with a service of its own and clients that hold connections to it.

    unshare --user --map-root-user --net python3 -m support.container CLIENTS

It says in a line what it sees, as JSON: `open`, how many of the clients' connections are, and
`memory`, what they take as the director counts it, and that again after each line of input; the
clients that were refused come again first. When its input ends it ends.
"""

import contextlib
import json
import socket
import subprocess
import sys
import time

from support.config import service_text
from support.netlink_storm import loopback_up

PORT = 80

# How long the director may take to end a connection that is one too many, in seconds.
MOMENT = 0.5


def connect(clients: list[socket.socket], count: int) -> list[socket.socket]:
    """Makes `count` of `clients`. Those that are left."""
    while len(clients) < count:
        with contextlib.suppress(ConnectionError):
            clients.append(socket.create_connection(("127.0.0.1", PORT), timeout=10))
            clients[-1].setblocking(False)
            continue
        break
    time.sleep(MOMENT)
    return [one for one in clients if is_open(one)]


def is_open(one: socket.socket) -> bool:
    try:
        return one.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def memory() -> int:
    shown = subprocess.run(["tcpvsadm", "show", "stats", "-j"], capture_output=True, check=True)
    return json.loads(shown.stdout)["memory"]


def main() -> None:
    count = int(sys.argv[1])
    loopback_up()
    service = service_text(listen=f"127.0.0.1:{PORT}", more=("timeout-head 10m",))
    subprocess.run(["tcpvsadm", "apply", "-f", "-"], input=service, text=True, check=True)
    clients: list[socket.socket] = []
    while True:
        clients = connect(clients, count)
        print(json.dumps({"open": len(clients), "memory": memory()}), flush=True)
        if not sys.stdin.readline():
            break


if __name__ == "__main__":
    main()
