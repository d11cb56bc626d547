# SPDX-License-Identifier: GPL-2.0
"""The director: the module, and the tool that drives it."""

import json
import struct
import subprocess
import time
from typing import Any

from support.netlink import Attr, Netlink, write
from support.netlink_spec import spec
from support.pace import PACE
from support.topology import DIRECTOR, VIP, module_path, server_address

# Longest that unloading may take, in seconds.
UNLOAD_MAX = 20.0 * PACE

# Longest that connections may stay after all is flushed, in seconds.
SETTLE_MAX = 15.0 * PACE

# The states of sockets that are no connection, or none any more: TIME-WAIT, CLOSE and LISTEN
# (include/net/tcp_states.h).
NO_CONNECTION = ("06", "07", "0A")


class Director:
    """The director's namespace, as an administrator sees it."""

    namespace = DIRECTOR

    @staticmethod
    def load(*parameters: str) -> None:
        subprocess.run(["insmod", module_path(), *parameters], check=True, timeout=60 * PACE)

    @staticmethod
    def unload() -> float:
        """Unloads the module. Returns how long it took, in seconds."""
        start = time.monotonic()
        subprocess.run(["rmmod", "ktcpvs"], check=True, timeout=UNLOAD_MAX)
        return time.monotonic() - start

    def tcpvsadm(
        self, *words: str, check: bool = True, stdin: str | None = None
    ) -> subprocess.CompletedProcess:
        """Runs the tool. Its output is shown if it fails and should not."""
        result = self.namespace.run("tcpvsadm", *words, check=False, input=stdin)
        if check:
            assert result.returncode == 0, f"tcpvsadm {words}: {result.stderr}"
        return result

    def refused(self, *words: str, stdin: str | None = None) -> str:
        """Runs the tool, which must fail as tools do. Returns what it says."""
        result = self.tcpvsadm(*words, check=False, stdin=stdin)
        assert result.returncode in (1, 2), f"tcpvsadm {words}: {result}"
        assert result.stderr
        return result.stderr

    def flush(self) -> None:
        """Deletes everything, with a message of its own: to start the tool takes longer here, and
        this is done behind every test."""
        number = struct.pack("=I", spec().enums["op-type"]["flush"])
        step = Attr(spec().number("main/op"), [Attr(spec().number("op/type"), number)])
        with self.namespace.entered(), Netlink() as netlink:
            answer = netlink.ask(spec().commands["change"], write([step]))
        assert answer.error == 0, answer

    def apply(self, text: str) -> None:
        self.tcpvsadm("apply", "-f", "-", stdin=text)

    def save(self) -> str:
        return self.tcpvsadm("save").stdout

    def show(self, *words: str) -> Any:
        return json.loads(self.tcpvsadm("show", *words, "-j").stdout)

    def connections(self) -> list[str]:
        """What TCP connections the director has, as proc(5) shows them: they are all the
        module's."""
        found = []
        for table in ("tcp", "tcp6"):
            with self.namespace.entered(), open(f"/proc/thread-self/net/{table}") as lines:
                found += [line.strip() for line in lines.readlines()[1:]]
        return [line for line in found if line.split()[3] not in NO_CONNECTION]

    def settle(self) -> None:
        """Waits until the director has no connection any more."""
        deadline = time.monotonic() + SETTLE_MAX
        while left := self.connections():
            assert time.monotonic() < deadline, "the director keeps connections:\n" + "\n".join(
                left
            )
            time.sleep(0.05)

    def pool(self, name: str, *servers: str, **options: str) -> None:
        """Adds a pool with servers given as ADDRESS:PORT, or ADDRESS:PORT=WEIGHT."""
        self.tcpvsadm("pool", "add", name, *flags(options))
        for server in servers:
            address, _, weight = server.partition("=")
            self.tcpvsadm("server", "add", name, address, "--weight", weight or "1")

    def service(self, name: str = "web", listen: str = f"{VIP}:80", **options: str) -> None:
        """Adds a service."""
        self.tcpvsadm("service", "add", name, "--listen", listen, *flags(options))

    def rule(self, *words: str, service: str = "web") -> None:
        """Adds a rule."""
        self.tcpvsadm("rule", "add", service, *words)

    def nginx_service(self, **options: str) -> None:
        """The common case: all three nginx in turn behind one service."""
        servers = [f"{server_address(n)}:80" for n in (1, 2, 3)]
        self.pool("pool", *servers, scheduler="rr")
        self.service(pool="pool", **options)


def flags(options: dict[str, str]) -> list[str]:
    """Options as words: timeout_head="1s" as --timeout-head 1s."""
    return [
        word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", value)
    ]
