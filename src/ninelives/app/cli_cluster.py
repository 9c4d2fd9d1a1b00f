"""`ninelives cluster plan|build|export|check|import`: a Pacemaker cluster from one YAML file."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TextIO, TypeVar

import click

from .exits import Complaint, Exit, Group

of_cib = click.option(
    "--cib",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CIB file instead of the running cluster.",
)
of_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


Answer = TypeVar("Answer")


def answered(question: Coroutine[None, None, Answer]) -> Answer:
    """Wait for what Pacemaker's programs say; whoever has none is told what to install."""
    from ninelives.adapters.pacemaker.cib.tools import ProgramMissing

    try:
        return asyncio.run(question)
    except ProgramMissing as error:
        raise Complaint(Exception.__str__(error), error.hint, Exit.MISSING) from error


@click.group(cls=Group)
def cluster() -> None:
    """Declare, build and check the Pacemaker cluster that watches the compute hosts."""


@cluster.command()
@of_file
@of_cib
@click.option(
    "--as",
    "form",
    type=click.Choice(["diff", "crmsh", "pcs", "xml"]),
    default="diff",
    show_default=True,
    help="The changes; or the whole cluster, for that tool and an empty CIB.",
)
def plan(file: Path, cib: Path | None, form: str) -> int:
    """Show what `build` would do. Nothing is changed. Ends with 1 if there is anything."""
    from ninelives.adapters.pacemaker.cib.tools import Target

    from .cluster.building import plan_of
    from .cluster.declared import pieces_from
    from .cluster.outputs import output
    from .cluster.picture import of_dangers, of_plan
    from .cluster.reading import read_cluster
    from .cluster.refusing import found_in

    declared, text = read_cluster(file)
    if form != "diff":
        click.echo(output(pieces_from(declared), form), nl=False)
        return Exit.DONE
    found, _ = answered(plan_of(Target(cib), declared))
    for line in (*of_dangers(found_in(found), text), *of_plan(found)):
        click.echo(line)
    return Exit.FOUND if found.steps else Exit.DONE


@cluster.command()
@of_file
@of_cib
@click.option("--remove", is_flag=True, help="Also take away what the file does not name any more.")
@click.option(
    "--wait",
    "wait_s",
    type=click.IntRange(0, 3600),
    default=300,
    show_default=True,
    help="How long a running cluster may take to come to rest; 0: do not wait.",
)
def build(file: Path, cib: Path | None, remove: bool, wait_s: int) -> int:
    """Make the cluster what the file says. May be stopped, and repeated, at any time."""
    from ninelives.adapters.pacemaker.cib.tools import Target, settled

    from .cluster.building import built, plan_of
    from .cluster.picture import of_dangers
    from .cluster.reading import read_cluster
    from .cluster.refusing import found_in, refused

    declared, text = read_cluster(file)
    target = Target(cib)
    found, _ = answered(plan_of(target, declared))
    dangers = found_in(found)
    for line in of_dangers(dangers, text):
        click.echo(line, err=True)
    refused(found, dangers, may_remove=remove)
    count = answered(built(target, declared, click.echo))
    click.echo(f"{count} changes made" if count else "nothing to change")
    if cib is None and wait_s and not answered(settled(target, wait_s)):
        raise Complaint(
            f"the cluster has not come to rest within {wait_s} s", "crm_mon -1", Exit.AGAIN
        )
    return Exit.DONE


@cluster.command()
@of_cib
@click.option("-o", "--out", type=click.File("w"), default="-", help="Where to; - is here.")
def export(cib: Path | None, out: TextIO) -> int:
    """Write the YAML of a cluster. What it cannot say is listed under `unmanaged`."""
    from ninelives.adapters.pacemaker.cib.pieces import pieces_of
    from ninelives.adapters.pacemaker.cib.tools import Target, read
    from ninelives.adapters.pacemaker.cib.tree import parsed

    from .cluster.exported import exported
    from .cluster.writing import yaml_of

    found = exported(pieces_of(parsed(answered(read(Target(cib))))))
    click.echo(yaml_of(*found), file=out, nl=False)
    return Exit.DONE


@cluster.command()
@of_file
@of_cib
def check(file: Path, cib: Path | None) -> int:
    """Look at every step of a set-up by hand, and let compute hosts die in the scheduler.

    Nothing is changed, and nobody is fenced. Ends with 1 where something is wrong.
    """
    from rich.console import Console
    from rich.table import Table

    from ninelives.adapters.pacemaker.cib.tools import Target

    from .cluster.checked_verdicts import Verdict
    from .cluster.checking import checked
    from .cluster.reading import read_cluster

    declared, _ = read_cluster(file)
    rows = answered(checked(Target(cib), declared))
    table = Table(box=None, header_style="bold")
    table.add_column("", justify="right")
    for title in ("step", "verdict", "seen"):
        table.add_column(title, overflow="fold")
    for number, row in enumerate(rows, start=1):
        table.add_row(str(number), row.step, row.verdict.value, row.seen)
    Console(highlight=False, markup=False).print(table)
    return Exit.FOUND if any(row.verdict is Verdict.WRONG for row in rows) else Exit.DONE


@cluster.command(name="import")
@of_file
@click.option("-o", "--out", type=click.File("w"), default="-", help="Where to; - is here.")
def take(file: Path, out: TextIO) -> int:
    """Turn a batch file of Crowbar into the YAML of a cluster.

    A report on stderr says what was taken, what has no meaning here, and what is to be decided;
    where there is any of the last, it ends with 1.
    """
    from .cluster.crowbar import Fate, imported
    from .cluster.writing import yaml_of
    from .cluster.yaml_lines import read_text

    text = read_text(file)
    found, report = imported(text)
    for line in report:
        click.echo(f"{text.place(line.path)}: {line.fate.value}: {line.words}", err=True)
    click.echo(yaml_of(found), file=out, nl=False)
    return Exit.FOUND if any(line.fate is Fate.TO_DECIDE for line in report) else Exit.DONE
