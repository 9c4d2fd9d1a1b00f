"""Walk every path of the small cloud, shortest first, and print what each depth costs.

Run: `python bench/explore.py [depth] [seconds]`. The table and the conditions go into
`bench/results/explore.txt` too. Every depth is a walk of its own, from the beginning, so that each
row is a figure by itself; CPU seconds are this process' own, whatever else the machine does.
"""

import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

from ninelives.sim.explore import Explored, explore

RESULTS = Path(__file__).parent / "results" / "explore.txt"
FIRST_DEPTH = 6


def main() -> None:
    depth_max = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0
    lines = conditions(depth_max, seconds)
    print("\n".join(lines))
    for depth in range(min(FIRST_DEPTH, depth_max), depth_max + 1, 2):
        row = measured(depth, seconds)
        print(row, flush=True)
        lines.append(row)
        RESULTS.write_text("\n".join(lines) + "\n")


def conditions(depth: int, seconds: float) -> list[str]:
    git = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()
    return [
        f"date    {time.strftime('%Y-%m-%d')}",
        f"commit  {commit}",
        f"command python bench/explore.py {depth} {seconds:g}",
        f"2 hosts, 2 servers, 2 controllers; at most 3 faults and 1 change of leader a path;"
        f" one of {os.cpu_count()} cores, Python {platform.python_version()}",
        "depth      states       steps   CPU s  wall s   MiB  broken laws",
    ]


def measured(depth: int, seconds: float) -> str:
    """Explore to one depth. A walk that ran out of time shows the depth that it completed."""
    cpu = time.process_time()
    found = explore(depth, seconds)
    cpu = time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return (
        f"{found.depth:5}  {found.states:10,}  {found.transitions:10,}  {cpu:6.1f}"
        f"  {found.seconds:6.1f}  {peak:4}  {laws(found)}"
    )


def laws(found: Explored) -> str:
    return ", ".join(each.broken.law for each in found.violations) or "none"


if __name__ == "__main__":
    main()
