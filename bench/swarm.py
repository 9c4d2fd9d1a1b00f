"""Run the swarm for very long, in chunks that another run goes on from, and hold it to its goals.

Run: `python -m bench.swarm SEED HOURS JOBS STATE`. After each chunk STATE (a JSON file) holds the
sums so far, the commits that ran, and the number of the next world; started again with it, the run
goes on there. The report goes to standard output at the end, and after Ctrl-C; ends with 1 if a
goal is missed.
"""

import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from ninelives.sim import faults
from ninelives.sim.state_table import IMPOSSIBLE, named, possible_pairs
from ninelives.sim.swarm import WORLD_H, SwarmReport, run

from .heading import commit, today

CHUNK_H = 200.0
GOALS = {
    "hours": 20_000,
    "episodes": 150_000,
    "leader_changes": 2_000,
    "proofs_voided": 1_000,
    "groups": 200,
}
SUMS = (*GOALS, "worlds", "events", "decisions", "core_s")
FAULT_TIMES_MIN = 100


@dataclass(slots=True)
class Tally:
    """What all chunks came to, as STATE keeps it."""

    seed: str
    dates: list[str] = field(default_factory=list[str])
    commits: list[str] = field(default_factory=list[str])
    sums: Counter[str] = field(default_factory=Counter[str])
    faults: Counter[str] = field(default_factory=Counter[str])
    pairs: Counter[str] = field(default_factory=Counter[str])
    broken: list[str] = field(default_factory=list[str])

    def add(self, report: SwarmReport) -> None:
        """Take in one chunk."""
        for known, here in ((self.dates, today()), (self.commits, commit())):
            if here not in known:
                known.append(here)
        for name in SUMS:
            self.sums[name] += getattr(report, name)
        self.faults.update({str(row): times for row, times in report.faults.items()})
        self.pairs.update(report.pairs)
        for each in report.broken:
            what = f"{each.law} at {each.at_s:.1f}: {each.about}: {each.what}"
            self.broken.append(f"{what}\n    again: {each.again}")


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing that was to be reached."""

    name: str
    reached: str
    wanted: str
    is_met: bool

    def __str__(self) -> str:
        verdict = "met" if self.is_met else "MISSED"
        return f"{self.name:24} {self.reached:>12}   {self.wanted:22} {verdict}"


def main() -> int:
    seed, hours, jobs, place = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    tally = load(place, seed)
    while tally.sums["hours"] < hours:
        report = run(seed, hours=CHUNK_H, jobs=jobs, first=tally.sums["worlds"])
        if report.is_cut_short:
            break
        tally.add(report)
        save(place, tally)
        progress = f"{tally.sums['hours']:,.0f} h, {len(tally.broken)} broken"
        print(progress, file=sys.stderr, flush=True)
    for line in lines_of(tally, jobs):
        print(line)
    return 0 if all(goal.is_met for goal in goals(tally)) else 1


def load(place: Path, seed: str) -> Tally:
    if not place.exists():
        return Tally(seed)
    known = json.loads(place.read_text())
    if known["seed"] != seed:
        sys.exit(f"{place} is about seed {known['seed']}\nhint: name another file, or that seed")
    for name in ("sums", "faults", "pairs"):
        known[name] = Counter(known[name])
    return Tally(**known)


def save(place: Path, tally: Tally) -> None:
    part = place.with_suffix(".part")
    part.write_text(json.dumps({each.name: getattr(tally, each.name) for each in fields(tally)}))
    part.replace(place)


# The report.


def goals(tally: Tally) -> list[Goal]:
    """Hold the sums against everything that was to be reached."""
    seldom, missing = seldom_faults(tally), pairs_missing(tally)
    never = len({named(pair) for pair in IMPOSSIBLE} & set(tally.pairs))
    sums = tally.sums
    return [
        *(
            Goal(name, f"{sums[name]:,.0f}", f"≥ {n:,}", sums[name] >= n)
            for name, n in GOALS.items()
        ),
        Goal("laws broken", str(len(tally.broken)), "0", not tally.broken),
        Goal("faults seldom had", str(len(seldom)), f"0 below {FAULT_TIMES_MIN}", not seldom),
        Goal("possible pairs not met", str(len(missing)), "0", not missing),
        Goal("impossible pairs met", str(never), f"0 of {len(IMPOSSIBLE)}", not never),
    ]


def seldom_faults(tally: Tally) -> dict[int, int]:
    """Return the rows of the table of faults that befell too seldom, and how often they did."""
    times = {row: tally.faults[str(row)] for row in sorted(faults.TABLE)}
    return {row: number for row, number in times.items() if number < FAULT_TIMES_MIN}


def pairs_missing(tally: Tally) -> list[str]:
    return sorted({named(pair) for pair in possible_pairs()} - set(tally.pairs))


def lines_of(tally: Tally, jobs: int) -> Iterator[str]:
    """Say what was reached, and what is still wanting."""
    sums = tally.sums
    yield f"date    {', '.join(tally.dates)}"
    yield f"commit  {', '.join(tally.commits)}"
    yield f"command python -m bench.swarm {tally.seed} {sums['hours']:.0f} {jobs} STATE"
    yield f"seeds   {tally.seed}/0 to {tally.seed}/{sums['worlds'] - 1}, about {WORLD_H:g} h each"
    yield f"{os.cpu_count()} cores, Python {platform.python_version()}"
    yield ""
    yield from map(str, goals(tally))
    yield ""
    yield f"{sums['worlds']:,} worlds, {sums['events']:,} events, {sums['decisions']:,} decisions"
    yield f"{sums['hours'] / max(1.0, sums['core_s']):.1f} simulated hours a second of one core"
    yield f"{len(tally.faults)} kinds of faults, {tally.faults.total():,} in all"
    missing, possible = pairs_missing(tally), len(possible_pairs())
    yield f"{possible - len(missing)} of {possible} possible pairs of state and event met"
    if seldom := seldom_faults(tally):
        yield f"faults below {FAULT_TIMES_MIN}: {seldom}"
    if missing:
        yield f"pairs of state and event never met: {', '.join(missing)}"
    yield from (f"  {each}" for each in tally.broken)


if __name__ == "__main__":
    sys.exit(main())
