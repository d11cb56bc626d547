# SPDX-License-Identifier: GPL-2.0
"""What in a kernel's log is a complaint."""

import os
import re

COMPLAINT = re.compile(
    r"RIP: |Call Trace:|BUG:|WARNING:"
    # Which they are is in a file of its own, when all tests are done (see tests/guest/start).
    r"|kmemleak: \d+ new suspected memory leaks|unreferenced object"
    # It says once when it finds no memory itself, and has nothing to say from then on.
    r"|ref_tracker: (?!memory allocation failure)"
    r"|possible circular locking|suspicious RCU usage|INFO: task|INFO: rcu|refcount_t: "
    # From then on there are no such complaints any more.
    r"|leak detector disabled|ODEBUG disabled"
    r"|ktcpvs: .*(?:stream dropped|no room|work queued)"
)

# The longest record of /dev/kmsg, in bytes (PRINTK_MESSAGE_MAX).
RECORD_MAX = 8192


def complaints(log: str) -> list[str]:
    """The lines of `log` that no healthy kernel writes."""
    return [line for line in log.splitlines() if COMPLAINT.search(line)]


class KernelLog:
    """The log of the running kernel, from some moment on."""

    def __init__(self) -> None:
        self.records = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.records, 0, os.SEEK_END)

    def fresh_complaints(self) -> list[str]:
        """The complaints since the last call."""
        lines = []
        while True:
            try:
                record = os.read(self.records, RECORD_MAX)
            except BlockingIOError:
                return complaints("\n".join(lines))
            except BrokenPipeError:
                # Some were overwritten before they were read. The next read goes on behind them.
                lines.append("WARNING: a part of the kernel's log is lost")
            else:
                lines.append(record.decode(errors="replace").partition(";")[2])
