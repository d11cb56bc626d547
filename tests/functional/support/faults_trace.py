# SPDX-License-Identifier: GPL-2.0
"""Has one allocation of certain system calls of another program fail, and no other, or any of them:
the program is stopped at each of these calls (ptrace(2)) and told what is to fail."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.netns import Netns

TRACEME, PEEKUSER, SYSCALL, SETOPTIONS = 0, 3, 24, 0x4200
TRACESYSGOOD, EXITKILL = 1, 0x100000

# Where a stopped program's system call is, in bytes (struct user_regs_struct).
ORIG_RAX = 15 * 8

SENDING = {44, 46}
RECEIVING = {45, 47}

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long] * 4


@dataclass
class Traced:
    """How a program has ended."""

    returncode: int
    stdout: str
    stderr: str


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    found = libc.ptrace(request, pid, address, data)
    assert found != -1 or request == PEEKUSER, os.strerror(ctypes.get_errno())
    return found


class Tracer:
    """Follows a program from system call to system call. In the `calls` its allocations are to
    fail at the rate that there is for what is marked."""

    def __init__(self, calls: set[int]) -> None:
        self.calls = calls
        self.inside = False

    def enter(self, pid: int) -> None:
        """One of the calls begins."""
        Path(f"/proc/{pid}/make-it-fail").write_text("1")

    def leave(self, pid: int) -> None:
        """It is over."""
        Path(f"/proc/{pid}/make-it-fail").write_text("0")

    def stop(self, pid: int) -> None:
        """The program has stopped at the beginning of a system call, or at its end."""
        if ptrace(PEEKUSER, pid, ORIG_RAX) not in self.calls:
            self.inside = False
            return
        self.inside = not self.inside
        if self.inside:
            self.enter(pid)
        else:
            self.leave(pid)

    def follow(self, pid: int) -> int:
        """Until the end. The status as of waitpid(2)."""
        os.waitpid(pid, 0)
        ptrace(SETOPTIONS, pid, 0, TRACESYSGOOD | EXITKILL)
        signal_number = 0
        while True:
            ptrace(SYSCALL, pid, 0, signal_number)
            _, status = os.waitpid(pid, 0)
            if not os.WIFSTOPPED(status):
                return status
            signal_number = os.WSTOPSIG(status)
            if signal_number == signal.SIGTRAP | 0x80:
                self.stop(pid)
                signal_number = 0
            elif signal_number == signal.SIGTRAP:
                signal_number = 0


class Nth(Tracer):
    """The same, where allocations in the `calls` count from 1 on, and only number `n` fails."""

    def __init__(self, calls: set[int], n: int) -> None:
        super().__init__(calls)
        self.left = n

    def enter(self, pid: int) -> None:
        if self.left:
            Path(f"/proc/{pid}/fail-nth").write_text(f"{self.left}")

    def leave(self, pid: int) -> None:
        if self.left:
            place = Path(f"/proc/{pid}/fail-nth")
            # Nothing is left where it has failed.
            self.left = int(place.read_text())
            place.write_text("0")


def trace(namespace: Netns, words: list[str], stdin: str, tracer: Tracer) -> Traced:
    """Runs a program in a namespace, and follows it."""
    texts = [Path("/tmp/trace-in"), Path("/tmp/trace-out"), Path("/tmp/trace-err")]
    texts[0].write_text(stdin)
    with contextlib.ExitStack() as files:
        files.enter_context(namespace.entered())
        given, out, error = (
            files.enter_context(text.open(how))
            for text, how in zip(texts, ("r", "w", "w"), strict=True)
        )
        process = subprocess.Popen(
            words, stdin=given, stdout=out, stderr=error, preexec_fn=traced()
        )
        status = tracer.follow(process.pid)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Traced(
        returncode=process.returncode,
        stdout=texts[1].read_text(),
        stderr=texts[2].read_text(),
    )


def traced() -> Callable[[], None]:
    """For a process about to be made."""

    def begin() -> None:
        libc.ptrace(TRACEME, 0, 0, 0)

    return begin
