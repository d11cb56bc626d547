# SPDX-License-Identifier: GPL-2.0
"""The harness itself: what it says it would notice, it notices."""

import subprocess
from pathlib import Path

import pytest
from support.client import Client
from support.director import Director
from support.kernel_log import KernelLog, complaints
from support.selection import NotThere, part, selected


@pytest.mark.parametrize(
    "line",
    [
        "[    1.0] WARNING: CPU: 0 PID: 1 at net/core/sock.c:1",
        "[    1.0] BUG: KASAN: slab-use-after-free in ktcpvs",
        "[    1.0] RIP: 0010:ktcpvs",
        "[    1.0] ref_tracker: net notrefcnt@0 has 1/1 users at",
        "unreferenced object 0xffff888100000000 (size 64):",
        "unreferenced object (percpu) 0x607f0000 (size 64):",
        "[    1.0] kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
        "[    1.0] kmemleak: Kernel memory leak detector disabled",
        "[    1.0] ODEBUG: Out of memory. ODEBUG disabled",
        "[    1.0] WARNING: possible circular locking dependency detected",
    ],
)
def test_complaints_are_seen(line: str) -> None:
    """What a sick kernel writes is a complaint."""
    assert complaints(f"all well\n{line}\nall well") == [line]


def test_planted_warning_is_found(kernel_log: KernelLog) -> None:
    """A warning in the real log is found, once."""
    Path("/dev/kmsg").write_text("<4>WARNING: planted\n")
    try:
        assert len(kernel_log.fresh_complaints()) == 1
        assert not kernel_log.fresh_complaints()
    finally:
        # The host reads the whole log as well.
        subprocess.run(["dmesg", "-C"], check=True)


def test_core_selection() -> None:
    """A case, all of a test, and each Nth of it; a test that there is not is an error."""
    ids = ["a.py::x", "a.py::y[1]", "a.py::y[2]", "a.py::y[3]", "b.py::x[every 2]"]
    assert selected("# a.py::y\n\na.py::x", ids) == {"a.py::x"}
    assert selected("a.py::y", ids) == set(ids[1:4])
    assert selected("a.py::y every 2", ids) == {ids[1], ids[3]}
    assert selected("a.py::x\na.py::y[2]\nb.py::x[every 2]", ids) == {ids[0], ids[2], ids[4]}
    for missing in ("c.py::x", "a.py::y[4]", "a.py::z every 2", "a.py"):
        with pytest.raises(NotThere):
            selected(f"a.py::x\n{missing}", ids)


def test_parts() -> None:
    """Each is in one part, and no part is out of the whole."""
    whole = list(range(7))
    assert [whole[part(f"{n}/3")] for n in (1, 2, 3)] == [[0, 3, 6], [1, 4], [2, 5]]
    for wrong in ("0/2", "3/2", "1", "a/b"):
        with pytest.raises(ValueError):
            part(wrong)


def test_one_request(director: Director, client: Client, nginx: list) -> None:
    """The shortest way from a client to a real server and back."""
    director.nginx_service()
    response = client.get("/who")
    assert response.status == 200
    assert response.body == b"rs1\n"
