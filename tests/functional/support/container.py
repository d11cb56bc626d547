# SPDX-License-Identifier: GPL-2.0
"""A container with a service of its own and clients that hold connections to it.

    unshare --user --map-root-user --net python3 -m support.container CLIENTS idle|busy

Those that are idle say nothing, those that are busy have begun a request. At the beginning, and at
each line of input, it says in a line, as JSON, how many connections are `open`, and how much
`memory` the director counts. When its input ends it ends.
"""

import contextlib
import json
import socket
import subprocess
import sys

from support.config import service_text
from support.netlink_storm import loopback_up

PORT = 80

# Nobody is to be closed for another reason.
PATIENT = [f"timeout-{name} 10m" for name in ("head", "idle")]


def connect(count: int, begun: bytes) -> list[socket.socket]:
    clients: list[socket.socket] = []
    for _ in range(count):
        with contextlib.suppress(ConnectionError):
            clients.append(socket.create_connection(("127.0.0.1", PORT), timeout=10))
            clients[-1].sendall(begun)
    for one in clients:
        one.setblocking(False)
    return clients


def is_open(one: socket.socket) -> bool:
    """Whether nothing has come: an answer could only be a refusal."""
    try:
        one.recv(4096)
    except BlockingIOError:
        return True
    except ConnectionError:
        pass
    return False


def memory() -> int:
    shown = subprocess.run(["tcpvsadm", "show", "stats", "-j"], capture_output=True, check=True)
    return json.loads(shown.stdout)["memory"]


def main() -> None:
    count, kind = sys.argv[1:]
    loopback_up()
    service = service_text(listen=f"127.0.0.1:{PORT}", more=tuple(PATIENT))
    subprocess.run(["tcpvsadm", "apply", "-f", "-"], input=service, text=True, check=True)
    clients = connect(int(count), b"GET / HT" if kind == "busy" else b"")
    while True:
        clients = [one for one in clients if is_open(one)]
        print(json.dumps({"open": len(clients), "memory": memory()}), flush=True)
        if not sys.stdin.readline():
            break


if __name__ == "__main__":
    main()
