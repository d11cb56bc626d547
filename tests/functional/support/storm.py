# SPDX-License-Identifier: GPL-2.0
"""What goes wrong in a storm, when, and to whom.

Every fault is written into a diary with what it touches. A request that fails must find a fault
there that was in progress during its life, and on its way.
"""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support.director import Director
from support.netns import Netns
from support.pace import PACE
from support.topology import CLIENT, DIRECTOR, SERVERS, server_address

# What a fault touches.
EVERYTHING = "everything"
CLIENTS = "clients"

# The port of all servers.
PORT = 8080

# How long it may take until a connection has recovered from a link that was cut: the time-outs of
# what was lost meanwhile double, so that the last one may take as long as the cut.
RECOVERY = 2.0 * PACE


@dataclass
class Trouble:
    """A fault, and until when it may be felt. The end is unknown while it lasts."""

    what: str
    scope: str
    begin: float
    end: float = float("inf")

    def __str__(self) -> str:
        return f"{self.begin:.3f} to {self.end:.3f}: {self.what} ({self.scope})"


class Diary:
    """All troubles, for several threads."""

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []
        self.lock = threading.Lock()

    def open(self, what: str, scope: str) -> Trouble:
        """Something begins."""
        trouble = Trouble(what, scope, time.monotonic())
        with self.lock:
            self.troubles.append(trouble)
        return trouble

    @staticmethod
    def close(trouble: Trouble, after: float) -> None:
        """It is over, and nobody may feel it `after` seconds from now."""
        trouble.end = time.monotonic() + after

    def during(self, scopes: set[str], begin: float, end: float) -> list[Trouble]:
        """What of this was going on between two moments."""
        with self.lock:
            return [
                one
                for one in self.troubles
                if one.scope in scopes and one.begin <= end and one.end >= begin
            ]

    def calm(self, scopes: set[str], begin: float, end: float) -> float:
        """The share of a span of time in which nothing of this was going on."""
        troubled, reached = 0.0, begin
        for one in sorted(self.during(scopes, begin, end), key=lambda one: one.begin):
            last = min(one.end, end)
            troubled += max(0.0, last - max(one.begin, reached))
            reached = max(reached, last)
        return 1 - troubled / (end - begin)


def server_scope(n: int) -> str:
    return f"server {n}"


def service_scope(name: str) -> str:
    return f"service {name}"


def run(namespace: Netns, *words: str) -> None:
    """Runs a command in a namespace, and fails if it does."""
    with namespace.entered():
        subprocess.run(words, check=True, timeout=60 * PACE, stdout=subprocess.DEVNULL)


class Server:
    """The server of a host, as a process that can be killed and stopped."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.address = f"{server_address(n)}:{PORT}"
        self.process = self._start()
        self.wait()

    def _start(self) -> subprocess.Popen:
        words = [sys.executable, "-m", "support.load", str(self.n % 2), "serve", str(self.n)]
        return subprocess.Popen(
            [*words, str(PORT)],
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Waits until it listens."""
        assert self.process.stdout and self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def start(self) -> None:
        self.process = self._start()
        self.wait()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def servers() -> Iterator[list[Server]]:
    """One on each host."""
    made: list[Server] = []
    try:
        for n in range(1, len(SERVERS) + 1):
            made.append(Server(n))
        yield made
    finally:
        for server in made:
            server.kill()


@dataclass
class Fault:
    """Something that lasts for a while: how it begins and ends, and whom it touches."""

    what: str
    scope: str
    # What it happens to: only one thing at a time.
    victim: str
    begin: list[str]
    end: list[str]
    host: Netns
    # How long after its end it may be felt.
    after: float = RECOVERY


def loss(host: Netns, device: str, scope: str) -> Fault:
    """All that a device sends is lost."""
    words = ["tc", "qdisc", "{}", "dev", device, "root", "netem", "loss", "100%"]
    return Fault(
        what=f"{device} of {host.name} loses everything",
        scope=scope,
        victim=f"{host.name} {device}",
        begin=[word.format("add") for word in words],
        end=[word.format("del") for word in words[:6]],
        host=host,
    )


def down(n: int) -> Fault:
    """The link to a server is down."""
    words = ["ip", "link", "set", f"port{n}"]
    return Fault(
        what=f"port{n} is down",
        scope=server_scope(n),
        victim=f"director port{n}",
        begin=[*words, "down"],
        end=[*words, "up"],
        host=DIRECTOR,
    )


def link_faults(troubled: list[int]) -> list[Fault]:
    """What can happen to the links of clients, and of these servers."""
    faults = [loss(DIRECTOR, "front", CLIENTS), loss(CLIENT, "eth0", CLIENTS)]
    for n in troubled:
        faults.append(loss(SERVERS[n - 1], "eth0", server_scope(n)))
        faults.append(loss(DIRECTOR, f"port{n}", server_scope(n)))
        faults.append(down(n))
    return faults


@dataclass
class Doomed:
    """Namespaces that serve and then end, with requests on their way."""

    made: int = 0
    words: list[str] = field(default_factory=lambda: ["ip", "netns"])

    def live_and_die(self) -> None:
        self.made += 1
        name = f"doomed{self.made}"
        subprocess.run([*self.words, "add", name], check=True)
        namespace = Netns(name)
        run(namespace, "ip", "link", "set", "lo", "up")
        with namespace.entered():
            subprocess.run(
                ["tcpvsadm", "apply", "-f", "-"],
                check=True,
                text=True,
                timeout=60 * PACE,
                input="pool dead {\n server 127.0.0.1:9999\n}\n"
                "service web {\n listen 127.0.0.1:80 [::1]:80\n pool dead\n}\n",
            )
        # Nobody accepts: the requests wait for their answers for ever.
        sockets = [namespace.listen(9999, "127.0.0.1")]
        for n in range(6):
            sockets.append(namespace.connect("127.0.0.1" if n % 2 else "::1"))
            if n:
                sockets[-1].sendall(b"GET /%d HTTP/1.1\r\nHost: doomed\r\n\r\n"[: 30 + n] % n)
        # A socket keeps its namespace.
        for socket in sockets:
            socket.close()
        subprocess.run([*self.words, "del", name], check=True)


def sockets() -> dict[str, int]:
    """How many sockets and how much memory TCP has: in all, and the director's."""
    with DIRECTOR.entered():
        lines = Path("/proc/thread-self/net/sockstat").read_text().splitlines()
    words = next(line for line in lines if line.startswith("TCP:")).split()[1:]
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


def connected(director: Director) -> dict[str, int]:
    """How many connections the director has to each address."""
    found: dict[str, int] = {}
    for line in director.connections():
        # A socket that nobody has any more is none of the module's.
        state, _, _, _, peer = line.split()[:5]
        if state in ("ESTAB", "SYN-SENT", "CLOSE-WAIT"):
            found[peer] = found.get(peer, 0) + 1
    return found
