# SPDX-License-Identifier: GPL-2.0
"""Draws a benchmark's results: `plot.py RESULTS PICTURE`.

For each case, what every system adds to a direct connection, in instructions a request. The
scale is logarithmic above 10,000 and linear below, so that what is nothing looks like nothing.
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot

# In the order of drawing, with colours that can be told apart without seeing colours.
SYSTEMS = {"ktcpvs": "#0072b2", "haproxy": "#e69f00", "nginx": "#009e73", "ipvs": "#999999"}


def draw(rows: list[dict], picture: Path) -> None:
    cases = list(dict.fromkeys(row["case"] for row in rows))
    added = {(row["case"], row["system"]): row["added"] for row in rows}
    systems = [system for system in SYSTEMS if any(key[1] == system for key in added)]
    height = 0.8 / max(1, len(systems))
    figure, axes = pyplot.subplots(figsize=(9, 1 + 0.5 * len(cases)), layout="constrained")
    for number, system in enumerate(systems):
        bars = [(place, added[case, system]) for place, case in enumerate(cases)
                if (case, system) in added]  # fmt: skip
        places = [place + (number - (len(systems) - 1) / 2) * height for place, _ in bars]
        axes.barh(places, [value for _, value in bars], height, label=system,
                  color=SYSTEMS[system])  # fmt: skip
    axes.set_xscale("symlog", linthresh=10_000)
    axes.set_yticks(range(len(cases)), cases)
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("instructions added to a request over a direct connection")
    axes.legend()
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(picture)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
