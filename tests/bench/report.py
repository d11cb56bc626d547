# SPDX-License-Identifier: GPL-2.0
"""Writes a benchmark's results as a table: `report.py RESULTS`.

A row is a case, a column a system; a cell says how many nanoseconds a request costs more than
directly, and how many packets it takes on the client's link and on the server's. In the guest
whose clock counts them, nanoseconds are instructions.

A second table says what connections take in memory, if `memory.json` beside RESULTS does.
"""

import json
import sys
from pathlib import Path

# What others are compared with: they add nothing.
BASES = ("direct", "direct-beside-ipvs")


def thousands(number: float) -> str:
    """A number in thousands or millions."""
    if abs(number) >= 999_500:
        return f"{number / 1e6:.2f} M"
    return f"{number / 1e3:.1f} k"


def cell(row: dict) -> str:
    packets = " + ".join(f"{row['packets'][link]:.1f}" for link in ("front", "back"))
    cost = row["instructions_per_request"] if row["system"] in BASES else row["added"]
    sign = "+" if cost > 0 and row["system"] not in BASES else ""
    return f"{sign}{thousands(cost)} ({packets}), p99 {row['p99_us']:.0f} µs"


def table(rows: list[dict]) -> str:
    systems = list(dict.fromkeys(row["system"] for row in rows))
    cases = list(dict.fromkeys(row["case"] for row in rows))
    cells = {(row["case"], row["system"]): cell(row) for row in rows}
    lines = ["| case | " + " | ".join(systems) + " |", "|---" * (len(systems) + 1) + "|"]
    for case in cases:
        values = (cells.get((case, system), "") for system in systems)
        lines.append(f"| {case} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def memory_table(rows: list[dict]) -> str:
    lines = ["| connections | system | bytes each | of them kmalloc |", "|---|---|---|---|"]
    for row in rows:
        lines.append(
            f"| {row['connections']:,} {row['state']} | {row['system']}"
            f" | {row['total']:.0f} | {row['kmalloc']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    results = Path(sys.argv[1])
    print(table(json.loads(results.read_text())))
    beside = results.with_name("memory.json")
    if beside.exists() and (rows := json.loads(beside.read_text())):
        print()
        print(memory_table(rows))


if __name__ == "__main__":
    main()
