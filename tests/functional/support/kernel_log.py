# SPDX-License-Identifier: GPL-2.0
"""What in a kernel's log is a complaint."""

import re
import subprocess

COMPLAINT = re.compile(
    r"RIP: |Call Trace:|BUG:|WARNING:|unreferenced object 0x"
    # It says once when it finds no memory itself, and has nothing to say from then on.
    r"|ref_tracker: (?!memory allocation failure)"
    r"|possible circular locking|suspicious RCU usage|INFO: task|INFO: rcu|refcount_t: "
    r"|ktcpvs: .*(?:stream dropped|no room|work queued)"
)


def complaints(log: str) -> list[str]:
    """The lines of `log` that no healthy kernel writes."""
    return [line for line in log.splitlines() if COMPLAINT.search(line)]


class KernelLog:
    """The log of the running kernel, from some moment on."""

    def __init__(self) -> None:
        self.seen = len(self.lines())

    @staticmethod
    def lines() -> list[str]:
        return subprocess.run(
            ["dmesg"], capture_output=True, text=True, errors="replace", check=True
        ).stdout.splitlines()

    def fresh_complaints(self) -> list[str]:
        """The complaints since the last call."""
        lines = self.lines()
        fresh, self.seen = lines[self.seen :], len(lines)
        return complaints("\n".join(fresh))
