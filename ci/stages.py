"""Run the stages of ci/stages.toml, each within its budget, and name what was skipped and why.

A failure does not keep later stages from running: one run tells everything that is wrong. Under
`--ci` a skipped stage that the table calls required is a failure, and so is a broken budget,
because a check that quietly stops running is worse than one that fails.
"""

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parents[1]
FOUND, USAGE, CONFIGURATION, INTERRUPTED = 1, 64, 78, 130  # exit codes; 0 is "all is well"
PATIENCE = 5  # by hand, on a slower machine than CI's, a stage may take this many budgets
HOUSE_STAGE, HOUSE = "compiled house", ROOT / "build" / "house"  # what it makes, and where
FIXED_SEED = "ci"  # for the swarm, where no commit is known
GRACE_S = 10  # from the request to stop until the kill


Toml: TypeAlias = "str | int | float | list[Toml] | dict[str, Toml]"


class TableError(Exception):
    """The table is wrong: whoever changed it must act."""


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    group: str
    command: tuple[str, ...]
    budget_s: float
    required: bool = True
    full_only: bool = False
    needs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    budgets_s: Mapping[str, float]
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Passed:
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    reason: str


Outcome = Passed | Failed | Skipped
Outcomes = Mapping[Stage, Outcome]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    try:
        table = read_table(options.table)
    except TableError as error:
        print(f"{options.table}: {error}", file=sys.stderr)
        return CONFIGURATION
    unknown = set(options.names) - {stage.name for stage in table.stages}
    if unknown:
        print(f"no such stage: {', '.join(sorted(unknown))}", file=sys.stderr)
        print(f"hint: one of {', '.join(stage.name for stage in table.stages)}", file=sys.stderr)
        return USAGE

    if options.packages:
        print(*sorted({package for stage in table.stages for package in stage.packages}))
        return 0
    chosen = [s for s in table.stages if is_chosen(s, options.full, options.names)]
    outcomes: dict[Stage, Outcome] = {}
    try:
        for stage in chosen:
            command = stage.quick if stage.quick and not options.full else stage.command
            house = HOUSE if stage.compiled and has_made_house(outcomes) else None
            outcomes[stage] = run_or_skip(stage, command, limit_s(stage, options.ci), house)
    except KeyboardInterrupt:
        print("\ninterrupted; nothing of it is still running", file=sys.stderr)
        return INTERRUPTED
    complaints = list(complaints_about(outcomes, table, options.ci))
    print_summary(outcomes, complaints)
    return FOUND if complaints else 0


@dataclass(slots=True)
class Options(argparse.Namespace):
    names: Sequence[str] = ()
    full: bool = False
    ci: bool = False
    packages: bool = False
    table: Path = ROOT / "ci" / "stages.toml"


def parse_arguments(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="check", description="Run the stages of ci/stages.toml.")
    parser.add_argument("names", nargs="*", metavar="STAGE", help="only these stages, by name")
    parser.add_argument("--full", action="store_true", help="everything this machine has parts for")
    parser.add_argument("--ci", action="store_true", help="budgets and required stages are binding")
    parser.add_argument("--packages", action="store_true", help="what CI installs for the stages")
    parser.add_argument("--table", type=Path, help="another table of stages")
    return parser.parse_args(arguments, Options())


def is_chosen(stage: Stage, full: bool, names: Sequence[str]) -> bool:
    return stage.name in names if names else full or not stage.full_only


# ------------------------------------------------------------------------------- the table


def read_table(path: Path) -> Table:
    try:
        document: dict[str, Toml] = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TableError(str(error)) from error
    match document:
        case {"group": list(groups), "stage": list(stages), **unknown} if not unknown:
            table = Table(dict(map(budget_from, groups)), tuple(map(stage_from, stages)))
        case _:
            raise TableError("it holds [[group]] and [[stage]], and nothing else")

    names = [stage.name for stage in table.stages]
    if len(set(names)) < len(names):
        raise TableError("two stages have the same name")
    for stage in table.stages:
        if stage.group not in table.budgets_s:
            raise TableError(f"stage {stage.name!r} is in an unknown group, {stage.group!r}")
    return table


def budget_from(row: Toml) -> tuple[str, float]:
    match row:
        case {"name": str(name), "budget_s": int(budget_s), **unknown} if not unknown:
            return name, budget_s
        case _:
            raise TableError(f"a group has a name and a budget_s, and nothing else: {row}")


def stage_from(row: Toml) -> Stage:
    switches: dict[str, Toml] = {"required": True, "full_only": False, "compiled": False}
    lists: dict[str, Toml] = {"needs": [], "packages": [], "quick": []}
    match switches | lists | row if isinstance(row, dict) else row:
        case {
            "name": str(name),
            "group": str(group),
            "command": [str(), *_] as command,
            "budget_s": int(budget_s),
            "required": bool(required),
            "full_only": bool(full_only),
            "needs": list(needs),
            "packages": list(packages),
            "quick": list(quick),
            "compiled": bool(compiled),
            **unknown,
        } if not unknown:
            named = words(needs), words(packages), words(quick), compiled
            return Stage(name, group, words(command), budget_s, required, full_only, *named)
        case _:
            raise TableError(f"this is no stage, see the top of the table: {row}")


def words(values: Sequence[Toml]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


# ------------------------------------------------------------------------------- one stage


def limit_s(stage: Stage, ci: bool) -> float:
    return stage.budget_s * (1 if ci else PATIENCE)


def has_made_house(outcomes: Outcomes) -> bool:
    """Say whether this very run has compiled what it tests: an older house would prove nothing."""
    return any(
        stage.name == HOUSE_STAGE and isinstance(outcome, Passed)
        for stage, outcome in outcomes.items()
    )


def run_or_skip(
    stage: Stage, command: Sequence[str], limit_s: float, house: Path | None = None
) -> Outcome:
    absent = [need for need in stage.needs if not is_found(need)]
    if absent:
        remedy = f"; apt-get install {' '.join(stage.packages)}" if stage.packages else ""
        outcome: Outcome = Skipped(f"not found: {', '.join(absent)}{remedy}")
    else:
        command = filled(command)
        print(f"\n── {stage.name}: {shlex.join(command)}", flush=True)
        outcome = run(command, limit_s, house)
    print(f"── {line_for(stage, outcome)}", flush=True)
    return outcome


def is_found(need: str) -> bool:
    return (
        (ROOT / need).exists()
        if "/" in need
        else shutil.which(need, path=search_path()) is not None
    )


def filled(command: Sequence[str], root: Path = ROOT) -> list[str]:
    """Put the number of processors, and the seed of this commit, where a command wants them."""
    values = {"jobs": os.cpu_count() or 1}
    if not any("{seed}" in word for word in command):
        return [word.format_map(values) for word in command]
    seed = commit_seed(root)
    if seed is None:
        print(f"\nno commit is known here: the fixed seed, {FIXED_SEED}, instead of the commit's")
    return [word.format_map({**values, "seed": seed or FIXED_SEED}) for word in command]


def commit_seed(root: Path = ROOT) -> str | None:
    """Name the commit: each tries other worlds, and any can be repeated. None in an archive."""
    command = ["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"]
    try:
        found = subprocess.check_output(command, stderr=subprocess.DEVNULL, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"commit-{found.strip()}"


def search_path() -> str:
    """Prefer the programs of this very environment to others of the same name on the machine."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def run(command: Sequence[str], limit_s: float, house: Path | None = None) -> Passed | Failed:
    start = time.monotonic()
    environment = os.environ | {"PATH": search_path()}
    if house is not None:
        environment["PYTHONPATH"] = str(house)
    try:
        # A group of its own, so that whatever the stage has started can be ended with it.
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, process_group=0
        )
    except OSError as error:
        return Failed(0.0, f"cannot start: {error.strerror}")
    try:
        code = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return Failed(time.monotonic() - start, f"ended after its limit of {limit_s:.0f} s")
    finally:
        end(process)
    seconds = time.monotonic() - start
    return Failed(seconds, f"exit code {code}") if code else Passed(seconds)


def end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a stage: ask first, then kill. Safe to repeat."""
    for request in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)


# ------------------------------------------------------------------------------- what it came to


def complaints_about(outcomes: Outcomes, table: Table, ci: bool) -> Iterator[str]:
    for stage, outcome in outcomes.items():
        match outcome:
            case Failed(_, reason):
                yield f"{stage.name} failed: {reason}"
            case Skipped(reason) if ci and stage.required:
                yield f"{stage.name} is required and was skipped: {reason}"
            case _:
                pass
    for group, budget_s in table.budgets_s.items():
        spent_s = seconds_in(group, outcomes)
        if ci and spent_s > budget_s:
            yield f"{group} took {spent_s:.1f} s of {budget_s:.0f} s"


def seconds_in(group: str, outcomes: Outcomes) -> float:
    return sum(seconds_of(o) for stage, o in outcomes.items() if stage.group == group)


def seconds_of(outcome: Outcome) -> float:
    return 0.0 if isinstance(outcome, Skipped) else outcome.seconds


def print_summary(outcomes: Outcomes, complaints: Sequence[str]) -> None:
    print("\n── summary")
    for stage, outcome in outcomes.items():
        print(f"   {line_for(stage, outcome)}")
    total_s = sum(map(seconds_of, outcomes.values()))
    skipped = sum(isinstance(outcome, Skipped) for outcome in outcomes.values())
    verdict = "; ".join(complaints) or ("all that ran is well" if skipped else "all is well")
    print(f"── {len(outcomes) - skipped} stages in {total_s:.1f} s, {skipped} skipped: {verdict}")


def line_for(stage: Stage, outcome: Outcome) -> str:
    match outcome:
        case Passed(seconds):
            return f"✓ {stage.name:<16} {seconds:6.1f} s of {stage.budget_s:.0f} s"
        case Failed(seconds, reason):
            return f"✗ {stage.name:<16} {seconds:6.1f} s of {stage.budget_s:.0f} s, {reason}"
        case Skipped(reason):
            return f"- {stage.name:<16} skipped, {reason}"


if __name__ == "__main__":
    sys.exit(main())
