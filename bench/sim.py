"""Measure simulated hours per second of one core, in the dense world, oracle on.

Run: `python bench/sim.py [hours] [--profile]`. The world: 10 hosts × 6 servers × 3 controllers,
with at least 12 faults and 8 episodes in a simulated hour, and every law after every happening. A
world that breaks a law ends there and is counted as far as it came.
"""

import cProfile
import os
import platform
import pstats
import sys
import time

from ninelives.sim.swarm import HOUR_S, SwarmReport, worlds_for
from ninelives.sim.swarm_run import dense_plan, run_plan

WORLD_H = 3.0


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    hours = float(words[0]) if words else 60.0
    print(f"one of {os.cpu_count()} cores, Python {platform.python_version()}; load {load()}")
    if "--profile" in sys.argv:
        with cProfile.Profile() as profile:
            measure(hours)
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
    else:
        for line in lines_of(measure(hours)):
            print(line)


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def measure(hours: float) -> SwarmReport:
    """Run dense worlds that make up so many hours."""
    report = SwarmReport("bench")
    for number in range(worlds_for(hours, is_dense=True)):
        began = time.process_time()
        seen = run_plan(dense_plan(f"bench/{number}"))
        report.add(seen, time.process_time() - began)
    return report


def lines_of(report: SwarmReport) -> list[str]:
    hours, core_s = report.simulated_s / HOUR_S, report.core_s
    return [
        f"{hours:.1f} simulated hours in {core_s:.1f} s: {hours / core_s:.1f} h/s",
        f"{report.episodes / core_s:.0f} episodes/s, {report.decisions / core_s:,.0f} decisions/s",
        f"{report.faults.total() / hours:.1f} faults/h, {report.episodes / hours:.1f} episodes/h",
        f"{report.events / hours:,.0f} events/h, {len(report.broken)} laws broken",
    ]


if __name__ == "__main__":
    main()
