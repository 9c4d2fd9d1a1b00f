"""Which planted bugs leave lint, types and unit tests green: asked of all at once, then of halves.

What is green with every bug planted is taken for green with each of them alone: that one bug hides
what another one breaks is possible, and rare. What is red is halved, with the failed tests alone,
until each complaint has its bug; the others are asked again, until all is green.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.planted_bugs import PACKAGE, UNIT_TESTS, Bug

CHECKS_S = 3600.0  # longer than all of them take on a machine that does other things too
FAILED = re.compile(r"(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?")
LINT_AND_TYPES = (
    ("ruff", ["ruff", "check", "--quiet", "--no-cache", "src"]),
    ("mypy", ["mypy"]),
    ("basedpyright", ["basedpyright", "src"]),
)


def red_ones(bugs: Sequence[Bug], tree: Path, work: Path) -> dict[str, str]:
    """Return what is said of each bug that does not leave all green."""
    red: dict[str, str] = {}
    asked = list(bugs)
    while asked:
        tests, later = complaints(asked, (), tree, work)
        together = [bug for bug in asked if bug not in later]
        found = culprits(together, tests, tree, work) if tests else {}
        if tests and not found:
            print(f"red once, and green when asked again: {', '.join(tests)}", flush=True)
        red |= found
        asked = [bug for bug in asked if bug.name not in red and (found or bug in later)]
    return red


def culprits(bugs: Sequence[Bug], tests: Sequence[str], tree: Path, work: Path) -> dict[str, str]:
    """Return which of them make these checks and tests fail. Each is asked less than its parent."""
    failed, _ = complaints(bugs, tests, tree, work)
    if not failed:
        return {}
    if len(bugs) == 1:
        return {bugs[0].name: failed[0]}
    half = len(bugs) // 2
    return culprits(bugs[:half], failed, tree, work) | culprits(bugs[half:], failed, tree, work)


def complaints(
    bugs: Sequence[Bug], only: Sequence[str], tree: Path, work: Path
) -> tuple[list[str], list[Bug]]:
    """Return what fails with these bugs, of `only` or of all; and who found no place."""
    with tempfile.TemporaryDirectory(prefix="green-", dir=work) as name:
        folder = Path(name, "tree")
        shutil.copytree(tree, folder)
        (folder / ".venv").symlink_to(sys.prefix)  # where basedpyright looks for what is installed
        later = plant_together(bugs, folder)
        failed: list[str] = []
        for check, arguments in LINT_AND_TYPES:
            if only and check not in only:
                continue
            if said := run(arguments, folder):
                print(f"{check}: {said.strip().splitlines()[0]}", flush=True)
                failed.append(check)
        tests = [each for each in only if "::" in each]
        if tests or not only:
            failed += failed_tests(tests or UNIT_TESTS, folder)
        return failed, later


def plant_together(bugs: Sequence[Bug], folder: Path) -> list[Bug]:
    """Plant what touches nothing that another one changes. Return the rest."""
    later: list[Bug] = []
    taken: dict[Path, list[range]] = {}
    plain: dict[Path, str] = {}
    for bug in bugs:
        wrong = folder / PACKAGE / bug.file
        source = plain.setdefault(wrong, wrong.read_text(encoding="utf-8"))
        first = source.index(bug.find)
        place = range(first, first + len(bug.find))
        if any(
            place.start < other.stop and other.start < place.stop for other in taken.get(wrong, ())
        ):
            later.append(bug)
            continue
        taken.setdefault(wrong, []).append(place)
        now = wrong.read_text(encoding="utf-8")
        wrong.write_text(now.replace(bug.find, bug.replace), encoding="utf-8")
    return later


def failed_tests(tests: Sequence[str], folder: Path) -> list[str]:
    arguments = folder / "arguments"  # thousands of names are too long for a command
    arguments.write_text("\n".join(tests), encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", "--tb=no", "-rfE", "--timeout=300"]
    said = run(["pytest", *options, f"@{arguments}"], folder)
    failed = [found[1] for line in said.splitlines() if (found := FAILED.fullmatch(line))]
    assert failed or not said, said[-2000:]
    return failed


def run(arguments: Sequence[str], folder: Path) -> str:
    """Return what a check says in a planted copy; "" if it is green."""
    around = {**os.environ, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=around,
        capture_output=True,
        text=True,
        timeout=CHECKS_S,
        check=False,
    )
    return (done.stdout + done.stderr or "?") if done.returncode else ""
