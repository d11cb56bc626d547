# SPDX-License-Identifier: GPL-2.0
"""Boots a guest and runs something in it.

    run.py --root DIR --kernel DIR --kind stock|debug --build DIR [--part I/N] suite [ARGUMENT...]
    run.py ... exact [PYTEST ARGUMENT...]
    run.py ... demo
    run.py ... shell
    run.py ... exec COMMAND [ARGUMENT...]
    run.py ... bench [CASE...]
    run.py ... profile [CASE...]

The suite is run by pytest with those arguments. It is all tests, or a part of them, but those
marked exact, which need a clock that counts instructions, and without the debug kernel those marked
faults, which need one that can fail on demand. The exit status is that of what ran. The kernel's
log must be clean.
"""

import argparse
import os
import shlex
import shutil
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from guest import Guest
from initramfs import initramfs

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "functional"))

from support.kernel_log import complaints  # noqa: E402
from support.selection import LIST, files  # noqa: E402

# A guest that takes longer, in seconds, hangs.
TIME_LIMIT = {"stock": 3600, "debug": 30000, "bench": 5400, "profile": 5400}

# How many CPUs a guest has unless it is told.
CPUS = 2

# What runs tests.
TESTS = ["suite", "exact"]

# What the tests may be told by the environment.
TOLD = [
    "KTCPVS_SEED",
    "KTCPVS_COUNT",
    "KTCPVS_FAULTS",
    "KTCPVS_FUZZ_TIME",
    "KTCPVS_STORM_TIME",
    "KTCPVS_STORM_EVENTS",
]

# What measures the kernel.
BENCH = ["bench", "profile"]

# What is measured in instructions.
EXACT = ["exact", *BENCH]

# The tests of a mode, by their marks.
MARKS = {
    ("suite", "stock"): "not exact and not faults",
    ("suite", "debug"): "not exact",
    ("exact", "stock"): "exact",
    ("exact", "debug"): "exact",
}


def command_for(mode: str, kind: str, arguments: list[str]) -> str:
    """What the guest's shell is to run."""
    tests = "/repo/tests"
    if mode in TESTS:
        # To collect what is not to run takes a minute on the debug kernel.
        chosen = files(LIST.read_text()) if "--core" in arguments else [""]
        words = [
            "python3", "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=/job/junit.xml",
            "-m", MARKS[mode, kind], *(f"{tests}/functional/{file}" for file in chosen), *arguments,
        ]  # fmt: skip
        return shlex.join(words)
    if mode in BENCH:
        words = ["python3", "-m", "bench", "--results", "/job/results.json", *arguments]
        return f"cd {tests} && PYTHONPATH={tests}/functional {shlex.join(words)}"
    topology = f"cd {tests}/functional && python3 -m support.topology"
    if mode == "demo":
        return f"{topology} --servers && bash {tests}/guest/demo.sh"
    if mode == "shell":
        return f"{topology} --servers --module && cd / && setsid -c bash -i"
    return f"{topology} && cd / && {shlex.join(arguments)}"


def count(junit: Path, counts: Path) -> None:
    """Writes how many tests passed and failed. One may fail twice, itself and in its clean-up."""
    tests = {}
    for case in ET.parse(junit).iter("testcase"):
        name = (case.get("classname"), case.get("name"))
        tests.setdefault(name, set()).update(result.tag for result in case)
    failed = sum(1 for found in tests.values() if found & {"failure", "error"})
    skipped = sum(1 for found in tests.values() if found == {"skipped"})
    passed = len(tests) - failed - skipped
    counts.write_text(f"{passed} {failed}\n")
    print(f"==> guest: {passed} passed, {failed} failed, {skipped} skipped")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--kind", choices=["stock", "debug"], default="stock")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--cpus", type=int, default=CPUS)
    parser.add_argument("--part")
    parser.add_argument("--profiler", type=Path)
    parser.add_argument("mode", choices=[*TESTS, "demo", "shell", "exec", *BENCH])
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    build = TOP / "build"
    if options.part:
        options.arguments[:0] = ["--part", options.part]
    job = Path(tempfile.mkdtemp(prefix="ktcpvs-job-"))
    try:
        (job / "command").write_text(
            command_for(options.mode, options.kind, options.arguments) + "\n"
        )
        (job / "environment").write_text(
            f"export KTCPVS_BUILD=/repo/{options.build.resolve().relative_to(TOP)}\n"
            f"export KTCPVS_KERNEL={options.kind}\n"
            + "".join(
                f"export {name}={shlex.quote(os.environ[name])}\n"
                for name in TOLD
                if name in os.environ
            )
            + ("export KTCPVS_PROFILE=1\n" if options.profiler else "")
            # Its clock leaps while a program is being loaded, and nothing must time out then.
            + ("export KTCPVS_PACE=1000\n" if options.mode in EXACT else "")
        )
        guest = Guest(
            root=options.root,
            kernel=options.kernel,
            kind=options.kind,
            initramfs=initramfs(options.root, options.kernel, build),
            repo=TOP,
            job=job,
            cpus=options.cpus,
            interactive=options.mode == "shell",
            exact=options.mode in EXACT,
            profiler=options.profiler,
        )
        # What runs twice, on more CPUs, or in parts, leaves one of everything behind for each.
        more = f"-{options.cpus}cpus" if options.cpus != CPUS else ""
        if options.part:
            more += f"-{options.part.replace('/', 'of')}"
        console = build / "logs" / f"{options.mode}-{options.kind}{more}.log"
        console.parent.mkdir(parents=True, exist_ok=True)
        limit = TIME_LIMIT.get(options.mode, TIME_LIMIT[options.kind])
        finished = guest.run(console, limit)
        if finished and not (job / "up").exists():
            # The emulator is to blame: nothing of ours has run. It may trap where the kernel
            # patches its own code.
            print("==> the guest died before it was up, and boots again", flush=True)
            finished = guest.run(console, limit)
        status = finish(job, console, finished, options.mode != "shell")
        if options.mode in TESTS and (job / "junit.xml").exists():
            count(job / "junit.xml", build / f"counts-{options.mode}-{options.kind}{more}")
        if options.mode in BENCH and status == 0:
            keep(job, build / options.mode)
        return status
    finally:
        shutil.rmtree(job)


def keep(job: Path, place: Path) -> None:
    """Keeps the results of a benchmark, and what a profiler wrote."""
    place.mkdir(exist_ok=True)
    for old in place.glob("profile-*"):
        old.unlink()
    for file in [*job.glob("*.json"), *job.glob("profile-*"), *job.glob("kallsyms")]:
        shutil.copy(file, place)


def leaks(job: Path) -> list[str]:
    """What kmemleak has found, where it has looked."""
    found = job / "leaks"
    return found.read_text(errors="replace").splitlines() if found.exists() else []


def finish(job: Path, console: Path, finished: bool, check_log: bool) -> int:
    """Reads what the guest left behind. The exit status."""
    if not finished:
        print(f"error: the guest hangs; its console is in {console}", file=sys.stderr)
        return 1
    if not (job / "status").exists():
        tail = console.read_text(errors="replace").splitlines()[-40:]
        print("\n".join(tail), file=sys.stderr)
        print(f"error: the guest died; its console is in {console}", file=sys.stderr)
        return 1
    status = int((job / "status").read_text())
    log = (job / "dmesg").read_text(errors="replace")
    console.with_suffix(".dmesg").write_text(log)
    found = leaks(job)
    # Those of an earlier run say nothing of this one.
    console.with_suffix(".leaks").write_text("\n".join(found))
    bad = complaints(log) + found
    if bad and check_log:
        print("error: the kernel complains:", *bad[:20], sep="\n  ", file=sys.stderr)
        status = status or 1
    return status


if __name__ == "__main__":
    sys.exit(main())
