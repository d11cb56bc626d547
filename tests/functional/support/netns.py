# SPDX-License-Identifier: GPL-2.0
"""Network namespaces, and being in one."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

from support.pace import PACE


def tiny_buffer(sock: socket.socket) -> None:
    """Makes room in a socket for as little as the kernel lets it have, some 2 KB."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)


class Netns:
    """A network namespace, by the name that ip-netns(8) gave it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *words: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess:
        """Runs a command in it, for at most a minute."""
        options = {"capture_output": True, "text": True, "timeout": 60 * PACE} | options
        # A child is where the thread is that makes it. ip-netns(8) would be a program more to
        # start, which takes longer than most that are run here, and mounts a /sys for each.
        with self.entered():
            return subprocess.run(words, check=check, **options)

    def start(self, *words: str, **options: Any) -> subprocess.Popen:
        """Starts a command in it."""
        with self.entered():
            return subprocess.Popen(words, **options)

    def set_device(self, device: str, file: str, value: str) -> None:
        """Sets what a file of a device in /sys says."""
        script = f"echo {value} >/sys/class/net/{device}/{file}"
        subprocess.run(["ip", "netns", "exec", self.name, "sh", "-c", script], check=True)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is in the namespace meanwhile. Sockets stay where they are made."""
        with open("/proc/thread-self/ns/net") as old, open(f"/run/netns/{self.name}") as new:
            os.setns(new.fileno(), os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(old.fileno(), os.CLONE_NEWNET)

    def listen(self, port: int, address: str = "", backlog: int = 128) -> socket.socket:
        """A listening socket in it."""
        with self.entered():
            if address:
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                return socket.create_server((address, port), family=family, backlog=backlog)
            return socket.create_server(
                ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=backlog
            )

    def connect(
        self, address: str, port: int = 80, timeout: float = 10, tiny: bool = False
    ) -> socket.socket:
        """A socket in it, connected, without Nagle's delay, and if it is to be tiny with hardly any
        room for what it receives."""
        with self.entered():
            connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        if tiny:
            # Before it connects: what it says of its window then depends on it.
            tiny_buffer(connection)
        connection.settimeout(timeout * PACE)
        connection.connect((address, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
