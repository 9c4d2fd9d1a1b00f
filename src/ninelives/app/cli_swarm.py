"""`ninelives sim swarm` and `sim crashpoints`: chance, and every boundary, against the laws.

Both show how far they are, and end on Ctrl-C with what they reached.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .exits import Exit
from .working import working

if TYPE_CHECKING:
    from ninelives.sim.crashpoints import CrashReport
    from ninelives.sim.swarm import SwarmReport

SECONDS_UNLESS_TOLD = 60.0


@click.command()
@click.option("--hours", type=click.FloatRange(min=0.1), help="So many simulated hours.")
@click.option("--seconds", type=click.FloatRange(min=1.0), help="So long, if not by hours. [60]")
@click.option("--seed", default="0", show_default=True, help="Where chance begins.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--first", type=click.IntRange(0), default=0, help="The first world's number.")
@click.option("--dense", is_flag=True, help="The world of the figures instead of drawn ones.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write what broke a law as small scenarios into this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def swarm(
    hours: float | None,
    seconds: float | None,
    seed: str,
    jobs: int,
    first: int,
    dense: bool,
    keep: Path | None,
    as_json: bool,
) -> int:
    """Let worlds drawn by chance try to break the laws.

    Ends with 1 if one did, and prints the command that runs that world again: world N of a seed is
    the same wherever it runs.
    """
    from ninelives.sim.swarm import run, write_scenarios

    if hours is not None and seconds is not None:
        raise click.UsageError("--hours or --seconds, not both")
    if hours is None and seconds is None:
        seconds = SECONDS_UNLESS_TOLD
    with working("worlds drawn by chance", hours) as advance:
        report = run(
            seed,
            hours,
            seconds,
            jobs,
            is_dense=dense,
            first=first,
            progress=lambda so_far: advance(so_far.hours, said_of(so_far)),
        )
    if keep is not None and report.broken:
        keep.mkdir(parents=True, exist_ok=True)
        with working("making small what broke a law"):
            write_scenarios(report, keep)
    if as_json:
        click.echo(json.dumps(report.document(), indent=2))
    else:
        for line in lines_of(report):
            click.echo(line)
    return end_of(report)


def end_of(report: "SwarmReport | CrashReport") -> int:
    if report.broken:
        return Exit.FOUND
    return Exit.INTERRUPTED if report.is_cut_short else Exit.DONE


def said_of(report: "SwarmReport") -> str:
    return f"{report.hours:,.0f} h, {report.episodes:,} episodes, {len(report.broken)} broken"


def lines_of(report: "SwarmReport") -> Iterable[str]:
    """Say it for people."""
    yield f"{report.hours:,.0f} simulated hours in {report.worlds:,} worlds of seed {report.seed}"
    yield (
        f"{report.episodes:,} episodes, {report.leader_changes:,} leader changes, "
        f"{report.proofs_voided:,} proofs voided, {report.groups:,} group incidents"
    )
    rows = sum(1 for times in report.faults.values() if times)
    yield f"{report.faults.total():,} faults of {rows} kinds"
    if report.core_s:
        yield f"{report.hours / report.core_s:.1f} simulated hours a second of one core"
    for each in report.broken:
        where = f"in world {each.seed} at {each.at_s:.1f}"
        yield f"{each.law} broken {where}: {each.about}: {each.what}"
        yield f"  again: {each.again}"
    if not report.broken:
        yield "no law is broken"


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--share",
    type=click.FloatRange(0.0, 1.0),
    default=1.0,
    show_default=True,
    help="Which share of the pauses; every crash is tried.",
)
@click.option("--no-pauses", is_flag=True, help="Crashes only.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def crashpoints(
    files: tuple[Path, ...], share: float, no_pauses: bool, jobs: int, as_json: bool
) -> int:
    """Kill, and pause, the leader at every boundary of its journal in every story.

    FILES: scenarios; all of tests/scenarios if none is named. Ends with 1 if a law was broken.
    """
    from ninelives.sim.crashpoints import run

    stories = files or tuple(sorted(Path("tests/scenarios").glob("*.txt")))
    if not stories:
        raise click.UsageError("no scenario: name files, or run it inside a clone")
    with working("the leader dies, or stands still, at every boundary", len(stories)) as advance:
        report = run(
            stories,
            share,
            pauses=not no_pauses,
            jobs=jobs,
            progress=lambda so_far: advance(so_far.stories, f"{so_far.forks:,} forks"),
        )
    if as_json:
        click.echo(json.dumps(report.document(), indent=2))
    else:
        for line in crash_lines(report):
            click.echo(line)
    return end_of(report)


def crash_lines(report: "CrashReport") -> Iterable[str]:
    yield (
        f"{report.stories} stories, {report.boundaries:,} boundaries: "
        f"{report.crashes:,} crashes, {report.pauses:,} pauses"
    )
    for each in report.broken:
        yield f"{each.law} broken: {each.story}, {each.cut} at {each.at_s:.2f}: {each.what}"
    if not report.broken:
        yield "no law is broken"
