# SPDX-License-Identifier: GPL-2.0
"""Servers and clients as processes, each on a CPU of its own.

    python3 -m support.load CPU serve NUMBER PORT
    python3 -m support.load CPU transfer ADDRESS NAME

A server says that it is ready and goes on until it is killed. A client transfers a lot over some
connections, checks all of it, and ends.
"""

import os
import sys
import threading

from support.client import Client
from support.raw_server import RawServer
from support.topology import SERVERS, server_address
from support.transfer import at_once, check_put, download, put, store, upload

# How many connections a client has at once.
CONNECTIONS = 6

# How many bytes go up and down over a connection, at most at once.
LARGE = 300_000


def transfer(address: str, name: str) -> None:
    """Small and large messages, one by one and without a pause, over some connections twice."""

    def work(n: int) -> None:
        for turn in range(2):
            with Client().connect(address, timeout=60) as connection:
                for size in (0, 100, LARGE, 5000):
                    target = f"/{size}/{name}-{n}-{turn}"
                    download(connection, target)
                    upload(connection, target)
                targets = [f"/{size}/{name}-{n}-{turn}" for size in (1, 3000) * 5]
                connection.send(b"".join(map(put, targets)))
                for target in targets:
                    check_put(connection, target)

    at_once(CONNECTIONS, work)


def main() -> None:
    cpu, what, *rest = sys.argv[1:]
    os.sched_setaffinity(0, {int(cpu)})
    if what == "serve":
        n, port = map(int, rest)
        RawServer(SERVERS[n - 1], server_address(n), port, store())
        print("ready", flush=True)
        threading.Event().wait()
    else:
        transfer(*rest)


if __name__ == "__main__":
    main()
