# SPDX-License-Identifier: GPL-2.0
"""The benchmark itself: it makes its hosts, measures, and writes the results.

Two files: what requests cost, and beside it `memory.json`, what connections take.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

from bench import hosts
from bench.cases import Case, chosen
from bench.measure import Result, measure
from bench.memory import Memory, measure_memory
from bench.systems import BASES, SYSTEMS, System

# The name, among the cases, of what connections take.
MEMORY = "memory"


def run(
    cases: list[Case], systems: list[System], memory: bool
) -> tuple[list[Result], list[Memory]]:
    """Measures all cases, one system after the other, and what their connections take.

    A direct connection is the same in many cases, and measured once for them.
    """
    results = []
    held = []
    for system in systems:
        system.begin()
        known: dict[Case, Result] = {}
        for case in filter(system.can, cases):
            traffic = case.traffic()
            if system.direct and traffic in known:
                results.append(replace(known[traffic], case=case.name))
                continue
            system.start(case)
            time.sleep(0.05)
            result = measure(case, system)
            system.stop()
            known[traffic] = result
            results.append(result)
            print(
                f"{system.name:20} {case.name:20} {result.instructions:12.0f} ns a request,"
                f" packets {' '.join(f'{n:.2f}' for n in result.packets.values())},"
                f" p50 {result.p50:.0f} us, p99 {result.p99:.0f} us, cpu {result.cpu:.1f} us",
                flush=True,
            )
        if memory and system.holds:
            held += measure_memory(system)
        system.end()
    return results, held


def rows(results: list[Result]) -> list[dict]:
    """The results as they are written, with what each adds to a direct connection."""
    cost = {(result.system, result.case): result.instructions for result in results}
    return [
        {
            "case": result.case,
            "system": result.system,
            "requests": result.requests,
            "rps": result.rps,
            "instructions_per_request": result.instructions,
            "added": result.instructions - cost[(BASES.get(result.system, "direct"), result.case)],
            "packets": result.packets,
            "p50_us": result.p50,
            "p99_us": result.p99,
            "cpu_us": result.cpu,
        }
        for result in results
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--system", action="append", help="measure only this beside direct")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    memory = not options.cases or MEMORY in options.cases
    names = [name for name in options.cases if name != MEMORY]
    cases = chosen(names) if names or not options.cases else []
    try:
        hosts.up()
        hosts.start_server()
        systems = [s for s in SYSTEMS if wanted(s, options.system)]
        results, held = run(cases, systems, memory)
    finally:
        hosts.down()
    options.results.write_text(json.dumps(rows(results), indent=1) + "\n")
    beside = options.results.with_name("memory.json")
    beside.write_text(json.dumps([vars(memory) for memory in held], indent=1) + "\n")


def wanted(system: System, names: list[str] | None) -> bool:
    """Whether a system is to be measured. What is compared with it must be."""
    if not names:
        return True
    return system.name in names or any(BASES.get(n, "direct") == system.name for n in names)


main()
