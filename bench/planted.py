"""Plant each bug of tests/planted into a copy of the tree and see which method catches it.

Run: `python -m bench.planted [--only NAME …] [--jobs 2] [--fresh] [--table] [--work DIR]`.

A bug counts only if lint, types and unit tests stay green with it. Three methods hunt it, each
alone: the explorer, some hours of the swarm, the stories. What none of them catches is not asked
about lint, types and unit tests any more, for that costs most. The tree is copied once, at the
beginning of a run; what was found is kept beside that copy, and a run that was ended goes on where
it was. Without `--only` the table is written to bench/results/planted.txt.
"""

import argparse
import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bench.planted_bugs import ROOT, Bug, bugs, plant
from bench.planted_green import red_ones
from bench.planted_hunt import EXPLORE_DEPTH, SWARM_H

RESULTS = ROOT / "bench" / "results" / "planted.txt"
METHODS = ("explorer", "swarm", "scenarios")
HUNT_S = 900.0  # longer than any hunt takes on a machine that does other things too
# What the table must show, or simulated hours without a broken law prove little.
BUGS_MIN, SWARM_MIN, EXPLORER_MIN, NO_STORY_MIN = 30, 15, 8, 5


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one bug."""

    name: str
    expected: list[str]
    red: str = ""  # what lint, types or unit tests said of it
    caught: dict[str, str] = field(default_factory=dict[str, str])
    laws: list[str] = field(default_factory=list[str])

    @property
    def is_caught(self) -> bool:
        """Some method found it."""
        return any(self.caught.values())


def main() -> int:
    options = parse_arguments()
    work: Path = options.work
    if options.fresh:
        shutil.rmtree(work, ignore_errors=True)
    tree = snapshot(work)
    chosen = bugs(tuple(options.only))
    if options.table:
        kept = [row for bug in chosen if (row := kept_row(bug, work)) is not None]
        RESULTS.write_text(document(kept, verdict(kept), work), encoding="utf-8")
        return 0
    if not (work / "known.json").exists():
        print("the tree itself …", flush=True)
        (work / "known.json").write_text(run_hunt("known", tree, work, HUNT_S * 3))
    with ThreadPoolExecutor(options.jobs) as pool:
        tasks = [pool.submit(row_of, bug, tree, work) for bug in chosen]
        rows: list[Row] = []
        for number, task in enumerate(tasks, start=1):
            rows.append(task.result())
            print(f"{number:3} of {len(tasks)}  {line(rows[-1])}", flush=True)
    if not options.quick:
        caught = {row.name for row in rows if row.is_caught}
        red = reds_of([bug for bug in chosen if bug.name in caught], tree, work)
        rows = [replace(row, red=red.get(row.name, "")) for row in rows]
    wrong = verdict(rows)
    print("\n".join(wrong))
    if not options.only:
        RESULTS.write_text(document(rows, wrong, work), encoding="utf-8")
    return 1 if wrong else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="NAME", help="names, or beginnings"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="copy the tree anew, forget results")
    parser.add_argument("--table", action="store_true", help="hunt nothing: write what was found")
    parser.add_argument("--quick", action="store_true", help="without lint, types and unit tests")
    default = Path(tempfile.gettempdir()) / "ninelives-planted"
    parser.add_argument("--work", type=Path, default=default, help="where copies and results are")
    return parser.parse_args()


def snapshot(work: Path) -> Path:
    """Copy what is judged: others may go on working in the tree."""
    tree = work / "tree"
    if not tree.exists():
        tree.mkdir(parents=True)
        for part in ("src", "tests", "bench", "ci", "docs"):
            ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
            shutil.copytree(ROOT / part, tree / part, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "STYLE.md"):
            shutil.copy(ROOT / name, tree / name)
        compileall.compile_dir(tree, quiet=1)
        (work / "commit").write_text(commit_of(ROOT))
    return tree


def commit_of(clone: Path) -> str:
    said = [
        subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True).stdout
        for command in (
            ["git", "log", "-1", "--format=%h", "--", "src"],
            ["git", "status", "--porcelain", "--", "src"],
        )
    ]
    return said[0].strip() + (" and changes not committed" if said[1].strip() else "")


# One bug.


def row_of(bug: Bug, tree: Path, work: Path) -> Row:
    """Hunt one bug, or read what was found before."""
    if (known := kept_row(bug, work)) is not None:
        return known
    with tempfile.TemporaryDirectory(prefix=f"{bug.name}-", dir=work) as name:
        row = hunted(bug, tree, work, Path(name))
    kept = kept_at(bug, work)
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(asdict(row) | {"patch": bug.patch}))
    return row


def kept_at(bug: Bug, work: Path) -> Path:
    return work / "found" / f"{bug.name}.json"


def kept_row(bug: Bug, work: Path) -> Row | None:
    """Read what was found of the very same bug before."""
    kept = kept_at(bug, work)
    if not kept.exists():
        return None
    found = json.loads(kept.read_text())
    is_it = found.pop("patch") == list(bug.patch)
    return Row(**found | {"expected": list(bug.expected)}) if is_it else None


def hunted(bug: Bug, tree: Path, work: Path, folder: Path) -> Row:
    plant(bug, tree, folder)
    caught: dict[str, str] = {}
    laws: list[str] = []
    for method in METHODS:
        found = json.loads(run_hunt(method, folder, work, HUNT_S) or '{"caught": "", "laws": []}')
        caught[method] = found["caught"]
        laws += [law for law in found["laws"] if law not in laws]
    return Row(bug.name, list(bug.expected), "", caught, laws)


def reds_of(chosen: Sequence[Bug], tree: Path, work: Path) -> dict[str, str]:
    """Return who does not leave all green. Whoever was asked before is not asked again."""
    kept = work / "green.json"
    known: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    fresh = [bug for bug in chosen if str(bug.patch) not in known]
    if fresh:
        red = red_ones(fresh, tree, work)
        known |= {str(bug.patch): red.get(bug.name, "") for bug in fresh}
        kept.write_text(json.dumps(known))
    return {bug.name: said for bug in chosen if (said := known[str(bug.patch)])}


def run_hunt(method: str, planted: Path, work: Path, limit_s: float) -> str:
    """Hunt in a process of its own, whose ninelives is the planted one."""
    command = [sys.executable, "-m", "bench.planted_hunt", method, str(work)]
    try:
        done = run(command, work / "tree", planted / "src", limit_s)
    except subprocess.TimeoutExpired:
        return json.dumps({"caught": f"it never ends: {limit_s:g} s", "laws": ["bug"]})
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1]
        return json.dumps({"caught": f"bug: {last}", "laws": ["bug"]})
    return done.stdout


def run(
    command: Sequence[str], where: Path, source: Path, limit_s: float
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(source), str(where)))
    around = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=where, env=around, capture_output=True, text=True, timeout=limit_s, check=False
    )


# The table.


def line(row: Row) -> str:
    if row.red:
        return f"{row.name:42} not green: {row.red}"
    cells = (row.caught.get(method) or "-" for method in METHODS)
    return f"{row.name:42} " + " ".join(f"{cell:20}" for cell in cells).rstrip()


def verdict(rows: Sequence[Row]) -> list[str]:
    """Say which promises of the table are not kept."""
    counts = counted(rows)
    wrong = [f"{row.name} does not leave all green: {row.red}" for row in rows if row.red]
    wrong += [f"{row.name} is caught by nothing" for row in rows if not (row.red or row.is_caught)]
    wrong += [
        f"{row.name} breaks {', '.join(row.laws)}, not {', '.join(row.expected)}"
        for row in rows
        if row.is_caught and not set(row.expected) & set(row.laws)
    ]
    wanted = {"all": BUGS_MIN, "swarm": SWARM_MIN, "explorer": EXPLORER_MIN}
    wanted["by no story"] = NO_STORY_MIN
    wrong += [
        f"{counts[what]} of at least {least}: {what}"
        for what, least in wanted.items()
        if counts[what] < least
    ]
    return wrong


def counted(rows: Sequence[Row]) -> dict[str, int]:
    counts = {method: sum(bool(row.caught.get(method)) for row in rows) for method in METHODS}
    counts["all"] = sum(row.is_caught for row in rows)
    counts["by no story"] = sum(row.is_caught and not row.caught["scenarios"] for row in rows)
    return counts


def document(rows: Sequence[Row], wrong: Sequence[str], work: Path) -> str:
    counts = counted(rows)
    head = (
        f"{'bug':42} {f'explorer, depth {EXPLORE_DEPTH}':20} {f'swarm, {SWARM_H:g} h':20} scenarios"
    )
    said = (
        f"{counts['all']} of {len(rows)} caught: {counts['scenarios']} by scenarios,"
        f" {counts['swarm']} by the swarm alone, {counts['explorer']} by the explorer alone;"
        f" {counts['by no story']} by no scenario"
    )
    commit = (work / "commit").read_text().strip()
    when = (
        f"date    {datetime.now(UTC):%Y-%m-%d}\ncommit  {commit}\ncommand python -m bench.planted"
    )
    known = json.loads((work / "known.json").read_text())["complaints"]
    of_tree = f"the tree without a bug: {len(known)} complaints, which count for nothing"
    kept = work / "green.json"
    asked = len(json.loads(kept.read_text())) if kept.exists() else 0
    of_checks = f"{asked} were asked about lint, types and unit tests"
    if asked < len(rows):
        wrong = [
            *wrong,
            f"{len(rows) - asked} were not asked, so nobody knows that they leave all green",
        ]
    table = "\n".join(line(row) for row in rows)
    promises = "\n".join(wrong) or "every promise of this table is kept"
    return f"{when}\n\n{head}\n{table}\n\n{said}\n{of_tree}\n{of_checks}\n{promises}\n"


if __name__ == "__main__":
    sys.exit(main())
