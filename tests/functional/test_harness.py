# SPDX-License-Identifier: GPL-2.0
"""The harness itself: what it says it would notice, it notices."""

import subprocess
from pathlib import Path

import pytest
from support.client import Client
from support.director import Director
from support.kernel_log import KernelLog, complaints


@pytest.mark.parametrize(
    "line",
    [
        "[    1.0] WARNING: CPU: 0 PID: 1 at net/core/sock.c:1",
        "[    1.0] BUG: KASAN: slab-use-after-free in ktcpvs",
        "[    1.0] RIP: 0010:ktcpvs",
        "[    1.0] ref_tracker: net notrefcnt@0 has 1/1 users at",
        "unreferenced object 0xffff888100000000 (size 64):",
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
        kernel_log.seen = 0


def test_one_request(director: Director, client: Client, nginx: list) -> None:
    """The shortest way from a client to a real server and back."""
    director.nginx_service()
    response = client.get("/who")
    assert response.status == 200
    assert response.body == b"rs1\n"
