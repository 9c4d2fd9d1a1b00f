"""`ninelives host …`: questions about one host."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from ninelives.core.model import HostId

from .cli_config import of_file
from .exits import Complaint, Exit, Group


@click.group(cls=Group)
def host() -> None:
    """Ask about one host."""


@host.command()
@click.argument("host_name", metavar="HOST")
@click.option(
    "--journal",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A recorded journal, as `sim play --journal` writes it, or a store; that of the "
    "configuration unless given.",
)
@click.option(
    "--at",
    "wall",
    type=click.FloatRange(min=0.0),
    help="Second of the recording; its end if left out.",
)
@of_file
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def why(host_name: str, journal: Path | None, wall: float | None, path: Path, as_json: bool) -> int:
    """Say why HOST is where it is: every row of the rule table and every brake."""
    from ninelives.core.decide import decide

    from . import host_why, host_why_view, recording

    place = store_of(path) if journal is None else journal
    rows = recording.read(place)
    found = host_why.why(rows, decide, HostId(host_name), wall, recording.base_of(place))
    if isinstance(found, host_why.NotAsked):
        raise Complaint(found.reason, found.hint, Exit.USAGE)
    if as_json:
        click.echo(json.dumps(document(found), indent=2, ensure_ascii=False))
    else:
        host_why_view.show(Console(), found)
    return Exit.DONE


def store_of(config: Path) -> Path:
    """Find the file of a configured store; any other store is asked by its controllers alone."""
    from sqlalchemy import make_url

    from .config.building import read_place

    url = make_url(read_place(config)[0])
    if url.get_backend_name() != "sqlite" or not url.database:
        hint = "give a recording or a copy of the store as --journal"
        raise Complaint("only a journal in SQLite is read from here", hint, Exit.USAGE)
    return Path(url.database)


def document(found: object) -> dict[str, object]:
    """Lay the answer out for machines, rows and brakes as objects."""
    from .host_why import HostWhy

    assert isinstance(found, HostWhy)
    parts = asdict(found)
    for name in ("rows", "brakes", "signs", "readings", "history"):
        parts[name] = [each._asdict() for each in getattr(found, name)]
    parts["planes"] = dict(found.planes)
    return parts
