"""`ninelives db check|export|prune|upgrade`: the store looked at, copied, cut, brought forward."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from .cli_arm import db, of_config, of_store, opened, place_of
from .exits import Complaint, Exit
from .incident_page import clock

if TYPE_CHECKING:
    from ninelives.adapters.sql_bases import Extent

__all__ = ["db"]  # with these commands added


@db.command()
@of_store
@of_config
def check(path: Path | None, config: Path) -> int:
    """Read the whole store and say what in it breaks its laws. Changes nothing."""
    from ninelives.adapters.sql_bases import SqlBases
    from ninelives.engine.store_check import FINDINGS_MAX, findings

    with opened(_url(path, config)) as here:
        found = list(islice(findings(here), FINDINGS_MAX))
        identity = here.identity()
        size = words_of(SqlBases(here).extent())
    for finding in found:
        click.echo(finding)
    if found:
        return Exit.FOUND
    click.echo(f"sound: store {identity.store_id}, revision {identity.revision}")
    click.echo(f"journal: {size}")
    return Exit.DONE


@db.command()
@of_store
@of_config
@click.option("--days", type=click.FloatRange(min=0.0), required=True, help="What is older goes.")
def prune(path: Path | None, config: Path, days: float) -> int:
    """Cut off the journal where a term began, at most DAYS ago. Controllers may run.

    What is left can be replayed; an outage that goes on keeps its whole journal.
    """
    import time

    from ninelives.adapters.sql_bases import SqlBases

    from . import retention

    with opened(_url(path, config)) as here:
        bases = SqlBases(here)
        gone = retention.prune(here, bases, time.time(), days)
        left = words_of(bases.extent())
    click.echo(f"{gone} decisions went; {left}")
    return Exit.DONE


def words_of(extent: "Extent") -> str:
    """Say how much is kept, and since when."""
    if extent.oldest is None:
        return "no decision is kept"
    since = clock(extent.oldest)
    return f"{extent.rows} decisions since {since}, {extent.size_bytes / 2**20:.1f} MiB"


@db.command()
@of_store
@of_config
@click.option(
    "-o", "--out", type=click.File("w", encoding="utf-8"), default="-", help="Where to; - is here."
)
def export(path: Path | None, config: Path, out: TextIO) -> int:
    """Write the journal as a recording, one JSON document a line: `host why --journal` reads it."""
    from ninelives.adapters.sql_bases import SqlBases
    from ninelives.engine.journal import PAGE_ROWS

    from .recording import write_entry, write_head
    from .retention import floor_of

    with opened(_url(path, config)) as here:
        if not here.identity().revision:
            raise Complaint("nothing was ever decided in this store", "", Exit.FOUND)
        floor = floor_of(SqlBases(here))
        write_head(out, floor.records)
        after = floor.revision
        while page := here.journal(after, PAGE_ROWS):
            for entry in page:
                write_entry(out, entry)
            after = page[-1].revision
    return Exit.DONE


@db.command()
@of_store
@of_config
def upgrade(path: Path | None, config: Path) -> int:
    """Bring the tables to this version, once every controller is of it. Controllers may run."""
    with opened(_url(path, config)) as here:
        went_through = here.upgrade()
    for version in went_through:
        click.echo(f"now of version {version}")
    if not went_through:
        click.echo("nothing to do: this store is of this version")
    return Exit.DONE


def _url(path: Path | None, config: Path) -> str:
    return place_of(path, None if path is None else path.parent, config).url
