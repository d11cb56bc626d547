# SPDX-License-Identifier: GPL-2.0
"""Measures one case through one system.

The guest's clock counts its instructions, one a nanosecond, so that a rate of requests by that
clock is a cost: 10^9 / rate instructions a request, of the client, the server and all between.
The same comes out on every machine, whatever else it does.
"""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.cases import APART, Case
from bench.hosts import BACK, CLIENT, CPUS, SERVER, TOP
from bench.progress import Progress
from bench.systems import System

# How long a load runs before it is measured, in guest seconds: all connections are up by then.
WARM_UP = 0.5

# How much the server's count of the requests may differ from what was seen, apart from those that
# are under way.
AMISS = 0.1

# What wrk's -d is longer than what is measured, at least, in seconds.
AFTER = 0.3

# How long the first request may take, in guest seconds. While wrk is being loaded from the host's
# disk nothing runs, and the guest's clock leaps from one timer to the next.
FIRST = 120

# The host's profiler looks at this, where there is one.
PROFILER = Path("/job/profile-trigger")

UPLOAD = """
wrk.method = "POST"
wrk.body = string.rep("x", {size})
"""


@dataclass
class Result:
    """What one system makes of one case."""

    case: str
    system: str
    requests: float
    rps: float
    # Packets a request, by link.
    packets: dict[str, float]
    # Microseconds of guest time.
    p50: float
    p99: float
    # Microseconds of the CPUs' time a request. What a clock that counts instructions says better.
    cpu: float

    @property
    def instructions(self) -> float:
        """What a request costs, in all."""
        return 1e9 / self.rps


def requests_so_far() -> int:
    """How many requests the server has had, this one excepted."""
    with SERVER.connect(BACK, APART) as connection:
        connection.sendall(b"GET /count HTTP/1.0\r\n\r\n")
        text = b""
        while data := connection.recv(4096):
            text += data
    found = re.search(rb"requests\s+\d+\s+\d+\s+(\d+)", text)
    assert found, text
    return int(found[1])


def busy() -> float:
    """How long all CPUs together have not been idle, in seconds (proc_stat(5))."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK")


def load(case: Case, system: System) -> subprocess.Popen:
    """Starts the load."""
    seconds = int(warm_up(case) + case.seconds + AFTER + 0.999)
    port = case.server_port if system.direct else 80
    words = [
        "wrk",
        f"-t{min(CPUS, case.connections)}",
        f"-c{case.connections}",
        f"-d{seconds}s",
        "--latency",
        "--timeout=30s",
    ]
    words += ["-H", f"Host: {case.host}"]
    if case.close:
        words += ["-H", "Connection: close"]
    if case.upload:
        script = TOP / "upload.lua"
        script.write_text(UPLOAD.format(size=case.upload))
        words += ["-s", str(script)]
    url = f"http://{system.address}:{port}{case.target}"
    return CLIENT.start(*words, url, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_load(case: Case, system: System, idle: int) -> None:
    """Waits until the load runs, and for a while longer. `idle` requests were before it."""
    began = time.monotonic()
    looks = 1
    while requests_so_far() <= idle + looks:
        if time.monotonic() - began > FIRST:
            raise SystemExit(f"bench: {case.name} through {system.name}: no request came")
        time.sleep(0.01)
        looks += 1
    time.sleep(warm_up(case))


def snapshot(name: str) -> None:
    """Has the profiler write down its counts under this name, if there is a profiler."""
    if "KTCPVS_PROFILE" not in os.environ:
        return
    PROFILER.with_suffix(".new").write_text(name)
    PROFILER.with_suffix(".new").rename(PROFILER)
    while PROFILER.exists():
        time.sleep(0.001)


def measure(case: Case, system: System) -> Result:
    """Runs the load of `case` through `system`, which serves it already."""
    idle = requests_so_far()
    wrk = load(case, system)
    wait_for_load(case, system, idle)
    snapshot(f"profile-{system.name}-{case.name}.0")
    progress = Progress(case)
    counted, used, packets = requests_so_far(), busy(), progress.packets()
    progress.watch(case.seconds)
    packets = {name: n - packets[name] for name, n in progress.packets().items()}
    used = busy() - used
    # The second look is a request too.
    counted = requests_so_far() - counted - 1
    snapshot(f"profile-{system.name}-{case.name}.1")
    text, _ = wrk.communicate()
    for bad in ("Non-2xx", "Socket errors"):
        if bad in text:
            raise SystemExit(f"bench: {case.name} through {system.name}:\n{text}")
    if progress.seen <= 0:
        raise SystemExit(f"bench: {case.name} through {system.name} stands still:\n{text}")
    amiss = abs(counted - progress.seen)
    if not case.bulk and amiss > case.connections + AMISS * progress.seen:
        raise SystemExit(
            f"bench: {case.name} through {system.name}: the server had {counted} requests"
            f" while {progress.seen:.0f} were seen\n{text}"
        )
    return Result(
        case=case.name,
        system=system.name,
        requests=progress.seen,
        rps=progress.rate,
        packets={name: n / progress.seen for name, n in packets.items()},
        p50=latency(text, "50%"),
        p99=latency(text, "99%"),
        cpu=used / progress.seen * 1e6,
    )


def warm_up(case: Case) -> float:
    """How long it takes until every server has been met, in guest seconds."""
    return WARM_UP + case.servers / 4000


def latency(text: str, which: str) -> float:
    """A quantile of what wrk prints, in microseconds."""
    found = re.search(rf"^\s+{which}\s+([\d.]+)(us|ms|s)", text, re.M)
    assert found, text
    return float(found[1]) * {"us": 1, "ms": 1e3, "s": 1e6}[found[2]]
