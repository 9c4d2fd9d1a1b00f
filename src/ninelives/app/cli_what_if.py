"""`ninelives what-if HOST…`: who would move where, in which order, and who would not come back."""

import json
from pathlib import Path
from typing import cast
from urllib.parse import urlencode

import click
from rich.console import Console
from rich.table import Table

from .client import asked, hosts_known, of_format, of_socket
from .exits import Exit
from .views import Document

PATIENCE_S = 130.0  # longer than the controller tries


@click.command("what-if")
@click.argument("names", metavar="HOST...", nargs=-1, required=True, shell_complete=hosts_known)
@of_socket
@of_format
def what_if(names: tuple[str, ...], socket_path: Path, form: str) -> int:
    """Say who would move where if these hosts died now, together. Nothing is sent.

    It ends with 1 if a server would not come back.
    """
    found = rehearsal(socket_path, names)
    if form == "json":
        click.echo(json.dumps(found, indent=2))
    else:
        show(Console(), found)
    return Exit.FOUND if found["stay_away"] or found["incomplete"] else Exit.DONE


def rehearsal(socket_path: Path, names: tuple[str, ...]) -> Document:
    query = urlencode([("host", name) for name in names])
    answer = asked(socket_path, f"/v1/what-if?{query}", patience_s=PATIENCE_S)
    return cast("Document", answer)


def show(console: Console, found: Document) -> None:
    table = Table(box=None, header_style="bold")
    for name in ("turn", "tier", "server", "from", "to"):
        table.add_column(name)
    for each in cast("list[Document]", found["servers"]):
        turn = "" if each["turn"] is None else str(each["turn"])
        server = str(each["name"] or each["server"])
        table.add_row(turn, str(each["tier"]), server, str(each["host"]), whither(each))
    console.print(table)
    away = found["stay_away"]
    words = f"{found['come_back']} would come back, {away} would not"
    console.print(words, style="bold yellow" if away else "bold", highlight=False)
    for host in cast("list[str]", found["lent"]):
        console.print(f"{host} would be lent from the reserve", highlight=False)
    for host in cast("list[str]", found["incomplete"]):
        console.print(f"{host}: Nova does not show everybody who may be there", style="yellow")
    for host, tested in cast("dict[str, list[str]]", found["brakes"]).items():
        for brake in tested:
            console.print(f"{host}: the shot would be held: {brake}", style="yellow")
    if found["moves_held"]:
        console.print(f"the moves would be held: {found['moves_held']}", style="yellow")


def whither(fate: Document) -> str:
    if fate["target"] is not None:
        return str(fate["target"])
    why = f"stays away: {fate['why_not']}"
    return f"{why} ({fate['meaning']})" if fate["meaning"] else why
