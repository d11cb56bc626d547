# SPDX-License-Identifier: GPL-2.0
"""A kernel that has no memory when it is told to (Documentation/fault-injection).

Only the debug kernel can do that. What fails is narrowed down to system calls of one thread, to the
kernel's workers, among which are the module's, or to what must not wait for memory: packets.
"""

import contextlib
import ctypes
import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from support.topology import module_path

DEBUG = Path("/sys/kernel/debug")

# What can fail: objects, and pages.
KINDS = ["failslab", "fail_page_alloc"]

# More often than anything fails, and more allocations than anything takes.
TIMES = 1_000_000_000

SYS_INIT_MODULE = 175


def write(kind: str, name: str, value: int | str) -> None:
    (DEBUG / kind / name).write_text(f"{value}\n")


def read(kind: str, name: str) -> int:
    return int((DEBUG / kind / name).read_text())


@contextlib.contextmanager
def ready(atomic: bool = False) -> Iterator[None]:
    """Every allocation can fail, or with `atomic` those that must not wait; none does by itself."""
    values = {
        "probability": 0,
        "interval": 1,
        "times": TIMES,
        "space": 0,
        "verbose": 0,
        "task-filter": "N",
        "ignore-gfp-wait": "Y" if atomic else "N",
    }
    for kind in KINDS:
        for name, value in values.items():
            write(kind, name, value)
    write("fail_page_alloc", "min-order", 0)
    try:
        yield
    finally:
        for kind in KINDS:
            for name in ("probability", "space"):
                write(kind, name, 0)
            write(kind, "task-filter", "N")
            write(kind, "ignore-gfp-wait", "Y")
        mark_workers(False)


class Failing:
    """How many allocations have failed since this was made."""

    def __init__(self) -> None:
        self.before = self._left()

    @staticmethod
    def _left() -> int:
        return sum(read(kind, "times") for kind in KINDS)

    @property
    def count(self) -> int:
        return self.before - self._left()


@contextlib.contextmanager
def failing(probability: int, interval: int = 1, marked: bool = False) -> Iterator[Failing]:
    """Of a hundred allocations so many fail, among each `interval`th; with `marked` only those of
    processes that are. To be used where allocations are `ready` to fail."""
    for kind in KINDS:
        write(kind, "times", TIMES)
        write(kind, "interval", interval)
        write(kind, "task-filter", "Y" if marked else "N")
    counted = Failing()
    for kind in KINDS:
        write(kind, "probability", probability)
    try:
        yield counted
    finally:
        for kind in KINDS:
            write(kind, "probability", 0)
            write(kind, "interval", 1)
            write(kind, "task-filter", "N")


def mark_workers(mark: bool = True) -> None:
    """The allocations of all of the kernel's workers may fail, or none any more."""
    for name in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if name.read_text().startswith("kworker/"):
                (name.parent / "make-it-fail").write_text(f"{mark:d}")


class Walk:
    """Has one object after the other fail: the one before which so many bytes were had. Every
    process that is marked counts. To be used where allocations are `ready` to fail."""

    # How many bytes one step lets through more, at least.
    STEP = 2000

    def __init__(self, marked: bool) -> None:
        self.space = 0
        # How often in a row nothing has failed.
        self.quiet = 0
        write("failslab", "times", 0)
        write("failslab", "task-filter", "Y" if marked else "N")
        write("failslab", "probability", 100)

    def arm(self) -> None:
        write("failslab", "space", self.space)
        write("failslab", "times", 1)

    def disarm(self) -> None:
        failed = read("failslab", "times") == 0
        rest = read("failslab", "space")
        write("failslab", "times", 0)
        self.quiet = 0 if failed else self.quiet + 1
        # What is left is less than the object that failed was large.
        self.space += max(self.STEP, rest // 2)


def nth(n: int, call: Callable[[], int]) -> tuple[int, int]:
    """Makes a system call in a thread of its own, with its allocation `n` failing. What it
    returned, and what is left of `n`: nothing, if there were so many."""
    found: list[tuple[int, int]] = []

    def run() -> None:
        place = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
        try:
            os.write(place, str(n).encode())
            done = call()
            left = int(os.pread(place, 20, 0))
            os.write(place, b"0")
        finally:
            os.close(place)
        found.append((done, left))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def marked(call: Callable[[], int]) -> int:
    """Makes a system call in a thread of its own that is marked. What it returned."""
    found: list[int] = []

    def run() -> None:
        place = os.open("/proc/thread-self/make-it-fail", os.O_RDWR)
        try:
            os.write(place, b"1")
            done = call()
            os.write(place, b"0")
        finally:
            os.close(place)
        found.append(done)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def loading() -> Callable[[], int]:
    """What loads the module, and returns the error or 0."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Not as a file: the kernel complains of it aloud when it has no memory to read one.
    image = Path(module_path()).read_bytes()

    def load() -> int:
        done = libc.syscall(SYS_INIT_MODULE, image, ctypes.c_ulong(len(image)), b"")
        return ctypes.get_errno() if done else 0

    return load


def unshare() -> int:
    """Makes a network namespace, which ends with the thread. Returns the error or 0."""
    try:
        os.unshare(os.CLONE_NEWNET)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def loaded() -> bool:
    return "\nktcpvs " in "\n" + Path("/proc/modules").read_text()
