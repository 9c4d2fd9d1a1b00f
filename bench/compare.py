"""Measure ninelives beside Masakari and instanceha in the simulated cloud, and draw the picture.

Run: `python -m bench.compare [--hours H] [--seed S] [--jobs N]`. It writes
bench/results/compare.txt and docs/images/compare.svg.
"""

import argparse
from collections.abc import Sequence
from io import StringIO
from time import monotonic

from rich.console import Console

from ninelives.app.cli_compare import show
from ninelives.app.compare_picture import drawn
from ninelives.sim import compare as sim

from .heading import ROOT, heading

RESULTS = ROOT / "bench" / "results" / "compare.txt"
PICTURE = ROOT / "docs" / "images" / "compare.svg"
HOURS = 216.0  # 12 worlds of each of the nine families
WIDTH = 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, and keep what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=HOURS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args(arguments)

    began = monotonic()
    found = sim.compare(sim.worlds_for(asked.hours), asked.seed, asked.jobs)
    command = (
        f"python -m bench.compare --hours {asked.hours:g} --seed {asked.seed} --jobs {asked.jobs}"
    )
    text = heading(command) + f"took    {monotonic() - began:.0f} s\n" + table(found)
    RESULTS.write_text(text, encoding="utf-8")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(drawn(found), encoding="utf-8")
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


def table(found: sim.Comparison) -> str:
    out = StringIO()
    show(Console(file=out, width=WIDTH), found)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


if __name__ == "__main__":
    main()
