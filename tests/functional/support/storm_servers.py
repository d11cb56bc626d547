# SPDX-License-Identifier: GPL-2.0
"""The servers of a storm: processes that can be killed and stopped, and are soon there again.

    python3 -m support.storm_servers

makes them on demand, each line "NUMBER NAMESPACE ADDRESS PORT" one, and says "NUMBER PID" when it
listens. A process that has all it needs and forks is quicker than one that begins.
"""

import contextlib
import gc
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from support import storm_store
from support.netns import Netns
from support.pace import PACE
from support.storm_hosts import Host
from support.topology import SERVERS, server_address

# How many servers there are on a host.
EACH = 2

# The first port of all servers.
PORT = 8080


class Nursery:
    """The process that makes servers."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.storm_servers"],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.buffer = b""
        self.born: dict[int, int] = {}

    def order(self, number: int, namespace: str, address: str, port: int) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{number} {namespace} {address} {port}\n".encode())
        self.process.stdin.flush()

    def take(self, number: int, timeout: float = 0) -> int | None:
        """The process of an ordered server, if it listens by now."""
        assert self.process.stdout
        place = self.process.stdout.fileno()
        while number not in self.born and select.select([place], [], [], timeout)[0]:
            data = os.read(place, 4096)
            assert data, "nobody makes servers any more"
            *lines, self.buffer = (self.buffer + data).split(b"\n")
            for line in lines:
                what, pid = map(int, line.split())
                self.born[what] = pid
        return self.born.pop(number, None)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


class Server:
    """A server as a process."""

    def __init__(self, nursery: Nursery, number: int, host: Netns, ip: str, port: int) -> None:
        self.nursery = nursery
        self.number = number
        self.port = port
        self.ip = ip
        self.address = f"{ip}:{port}"
        self.order = (number, host.name, ip, port)
        self.pid: int | None = None
        self.descriptor = -1
        self.start()

    @property
    def scope(self) -> str:
        return f"server {self.number}"

    def start(self) -> None:
        self.nursery.order(*self.order)

    def ready(self, timeout: float = 0) -> bool:
        """Whether it listens."""
        if self.pid is None and (pid := self.nursery.take(self.number, timeout)):
            self.pid = pid
            self.descriptor = os.pidfd_open(pid)
        return self.pid is not None

    def signal(self, number: int) -> None:
        signal.pidfd_send_signal(self.descriptor, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def dead(self) -> bool:
        """Whether the process is over after `kill`, and all of its connections."""
        if self.pid is None:
            return True
        if not select.select([self.descriptor], [], [], 0)[0]:
            return False
        os.close(self.descriptor)
        self.pid = None
        return True


@contextlib.contextmanager
def servers(hosts: list[Host]) -> Iterator[tuple[list[Server], list[Server]]]:
    """Those on hosts of the storm's own, and one on each of the usual hosts."""
    nursery = Nursery()
    troubled: list[Server] = []
    calm: list[Server] = []
    try:
        for n in range(len(hosts) * EACH):
            host = hosts[n // EACH]
            port = PORT + n % EACH
            troubled.append(Server(nursery, n, host.namespace, host.address, port))
        for n, namespace in enumerate(SERVERS, 1):
            calm.append(Server(nursery, 100 + n, namespace, server_address(n), PORT))
        for server in [*troubled, *calm]:
            assert server.ready(60 * PACE)
        yield troubled, calm
    finally:
        for server in [*troubled, *calm]:
            if server.ready(1):
                server.kill()
        nursery.close()


def serve(namespace: str, address: str, port: int, number: str) -> None:
    """Is a server."""
    listener = Netns(namespace).listen(port, address)
    os.write(1, f"{number} {os.getpid()}\n".encode())
    storm_store.serve(listener)


def main() -> None:
    # The dead are nobody's business.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What is copied when it is written to shall not be written to.
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        number, namespace, address, port = line.split()
        if os.fork() == 0:
            os.close(0)
            serve(namespace, address, int(port), number)


if __name__ == "__main__":
    main()
