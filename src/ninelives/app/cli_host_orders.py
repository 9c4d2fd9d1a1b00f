"""`ninelives host list|show|fence|release|adopt|maintenance|confirm-dead`: looks and orders."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import click
from rich.console import Console
from rich.table import Table

from .client import asked, hosts_known, of_format, of_socket
from .exits import Complaint, Exit
from .views import Document

of_host = click.argument("name", metavar="HOST", shell_complete=hosts_known)
of_why = click.option("--reason", default="", help="Why. It is journalled.")
of_yes = click.option("--yes", "typed", metavar="HOST", help="Its name once more, unasked.")


@click.command("list")
@of_socket
@of_format
def list_hosts(socket_path: Path, form: str) -> int:
    """List every host: its state, since when, and how it looks on each plane."""
    found = cast("list[Document]", asked(socket_path, "/v1/hosts"))
    if form == "json":
        click.echo(json.dumps(found, indent=2))
        return Exit.DONE
    table = Table(box=None, header_style="bold")
    for name in ("host", "segment", "state", "since", "planes", ""):
        table.add_column(name)
    for each in found:
        planes = cast("dict[str, str]", each["planes"])
        seen = " ".join(f"{plane}:{seen}" for plane, seen in planes.items())
        since = "" if each["since_s"] is None else f"{each['since_s']} s"
        work = "maintenance" if each["maintenance"] else ""
        state = str(each["state"])
        table.add_row(str(each["host"]), str(each["segment"]), state, since, seen, work)
    Console().print(table)
    return Exit.DONE


@click.command()
@of_host
@of_socket
@of_format
def show(name: str, socket_path: Path, form: str) -> int:
    """Show HOST: its state and what that means, its planes, proofs, brakes and servers."""
    found = cast("Document", asked(socket_path, f"/v1/hosts/{name}"))
    if form == "json":
        click.echo(json.dumps(found, indent=2))
        return Exit.DONE
    console = Console()
    console.print(f"{name}: {found['state']}, episode {found['epoch']}", style="bold")
    console.print(str(found["meaning"]))
    for what in ("planes", "signs", "readings", "proofs", "brakes", "moves"):
        for line in lines(found[what]):
            console.print(f"  {what}: {line}", highlight=False, markup=False)
    return Exit.DONE


def lines(part: object) -> list[str]:
    if isinstance(part, dict):
        each = cast("Mapping[str, object]", part)
        return [f"{key}: {value}" for key, value in each.items()]
    return [str(line) for line in cast("list[object]", part)]


# --------------------------------------------------------------------------------- orders


@click.command()
@of_host
@of_why
@of_yes
@of_socket
def fence(name: str, reason: str, typed: str | None, socket_path: Path) -> int:
    """Cut the power of HOST now, and bring its servers back elsewhere."""
    typed = confirmed(name, typed, f"This cuts the power of {name}.")
    return order(socket_path, {"order": "fence", "host": name, "typed": typed, "reason": reason})


@click.command()
@of_host
@of_why
@of_socket
def release(name: str, reason: str, socket_path: Path) -> int:
    """Let a quarantined HOST try again now."""
    return order(socket_path, {"order": "release", "host": name, "reason": reason})


@click.command()
@of_host
@of_why
@of_socket
def adopt(name: str, reason: str, socket_path: Path) -> int:
    """Take HOST into care although it was never seen alive: it is suspect from now on."""
    return order(socket_path, {"order": "adopt", "host": name, "reason": reason})


@click.command()
@of_host
@click.argument("which", type=click.Choice(["on", "off"]))
@of_why
@click.option("--power-job", is_flag=True, help="It will be switched off: that is no death.")
@of_socket
def maintenance(name: str, which: str, reason: str, power_job: bool, socket_path: Path) -> int:
    """Take HOST into maintenance, or out of it. It is watched all the same."""
    asked_for = {"order": "maintenance", "host": name, "on": which == "on"}
    return order(socket_path, {**asked_for, "reason": reason, "power_job": power_job})


@click.command("confirm-dead")
@of_host
@click.option("--looked-at", required=True, help="What you looked at. It is journalled.")
@click.option("--i-see-it-dark", "second", default="", help="A second person, who saw it too.")
@of_yes
@of_socket
def confirm_dead(
    name: str, looked_at: str, second: str, typed: str | None, socket_path: Path
) -> int:
    """Give your word that HOST is dead. It is held against everything that is seen of it."""
    found = cast("Document", asked(socket_path, f"/v1/hosts/{name}"))
    typed = confirmed(name, typed, f"If {name} lives, its servers will run twice.")
    word = {"order": "confirm_dead", "host": name, "typed": typed, "epoch": found["epoch"]}
    return order(socket_path, {**word, "looked_at": looked_at, "second": second})


def confirmed(name: str, typed: str | None, warning: str) -> str:
    """Have the name typed in full; what was typed is judged by the controller as well."""
    if typed is None:
        click.echo(warning, err=True)
        typed = click.prompt("type its name in full", err=True)
    if typed != name:
        raise Complaint(f"'{typed}' is not '{name}'", "nothing was ordered", Exit.REFUSED)
    return typed


def order(socket_path: Path, asked_for: Mapping[str, object]) -> int:
    found = cast("Document", asked(socket_path, "/v1/orders", asked_for))
    for note in cast("list[Document]", found["notes"]):
        words = (str(note[part]) for part in ("about", "what", "why", "detail"))
        click.echo(" ".join(word for word in words if word))
    return Exit.DONE


ORDERS = (list_hosts, show, fence, release, adopt, maintenance, confirm_dead)
