"""Run the swarm for very long, in chunks that another run goes on from, and sum everything up.

Run: `python bench/swarm.py SEED HOURS JOBS STATE`. After each chunk STATE (a JSON file) holds the
sums so far and the number of the next world; started again with it, the run goes on there. The
summary goes to standard output at the end, and after Ctrl-C.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import cast

from ninelives.sim.state_table import named, possible_pairs
from ninelives.sim.swarm import WORLD_H, run

CHUNK_H = 200.0
SUMS = (
    *("worlds", "hours", "events", "decisions", "episodes"),
    *("leader_changes", "proofs_voided", "group_incidents", "core_seconds"),
)
GOALS = {"episodes": 150_000, "leader_changes": 2_000, "proofs_voided": 1_000}
FAULT_TIMES_MIN = 100

State = dict[str, float]


def main() -> None:
    seed, hours, jobs, place = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    sums, faults, pairs, broken = load(place)
    while sums["hours"] < hours:
        first = int(sums["worlds"])
        report = run(seed, hours=CHUNK_H, jobs=jobs, first=first)
        if report.is_cut_short:
            break
        document = report.document()
        for name in SUMS:
            sums[name] += cast("float", document[name])
        faults.update({str(row): times for row, times in report.faults.items()})
        pairs.update(report.pairs)
        broken += cast("list[dict[str, object]]", document["violations"])
        save(place, sums, faults, pairs, broken)
        print(f"{sums['hours']:,.0f} h, {len(broken)} broken", file=sys.stderr, flush=True)
    for line in summary(seed, sums, faults, pairs, broken):
        print(line)


def load(
    place: Path,
) -> tuple[State, Counter[str], Counter[str], list[dict[str, object]]]:
    if not place.exists():
        return dict.fromkeys(SUMS, 0.0), Counter(), Counter(), []
    known = json.loads(place.read_text())
    return known["sums"], Counter(known["faults"]), Counter(known["pairs"]), known["broken"]


def save(
    place: Path,
    sums: State,
    faults: Counter[str],
    pairs: Counter[str],
    broken: list[dict[str, object]],
) -> None:
    document = {"sums": sums, "faults": faults, "pairs": pairs, "broken": broken}
    part = place.with_suffix(".part")
    part.write_text(json.dumps(document))
    part.replace(place)


def summary(
    seed: str,
    sums: State,
    faults: Counter[str],
    pairs: Counter[str],
    broken: list[dict[str, object]],
) -> list[str]:
    """Say what was reached, and what is still wanting."""
    last = int(sums["worlds"]) - 1
    seldom = {row: times for row, times in sorted(faults.items()) if times < FAULT_TIMES_MIN}
    missing = sorted({named(pair) for pair in possible_pairs()} - set(pairs))
    lines = [
        f"seed {seed}, worlds 0 to {last} of about {WORLD_H:g} h each",
        *(f"{name:16} {sums[name]:>14,.0f}" for name in SUMS),
        f"{'fault kinds':16} {len(faults):>14,}",
        f"hours per second of one core: {sums['hours'] / max(1.0, sums['core_seconds']):.1f}",
        f"faults of fewer than {FAULT_TIMES_MIN} times: {seldom or 'none'}",
        f"pairs of state and event never met: {', '.join(missing) or 'none'}",
        f"laws broken: {len(broken)}",
    ]
    lines += [f"wanting: {name}" for name, goal in GOALS.items() if sums[name] < goal]
    lines += [f"  {each['law']} {each['seed']}: {each['about']}: {each['what']}" for each in broken]
    return lines


if __name__ == "__main__":
    main()
