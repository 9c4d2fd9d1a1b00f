"""`ninelives status` and `incident list|show`: how things stand, and what happened."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click
from rich.console import Console, RenderableType
from rich.console import Group as Stack
from rich.table import Table
from rich.text import Text

from .cli_what_if import rehearsal
from .cli_what_if import show as show_plan
from .client import asked, of_format, of_socket
from .exits import Exit, Group
from .incident_html import page
from .incident_page import clock, markdown
from .incident_watched import incident_picture
from .views import Document, Json
from .watching import Look, watch

of_watch = click.option("--watch", "is_watched", is_flag=True, help="Look again each second.")


@click.command()
@of_socket
@of_format
@of_watch
def status(socket_path: Path, form: str, is_watched: bool) -> int:
    """Say who leads, in which mode, how many hosts are well, and what waits for you."""
    found = cast("Document", asked(socket_path, "/v1/status"))
    needs = cast("list[Document]", found["needs_you"])
    if form == "json":
        click.echo(json.dumps(found, indent=2))
    elif is_watched:
        watch(Console(), lambda: Look(picture(cast("Document", asked(socket_path, "/v1/status")))))
    else:
        for line in status_lines(found, f", {found['leads_for_s']} s"):
            Console().print(line)
    return Exit.FOUND if needs or not found["armed"] else Exit.DONE


def picture(found: Document) -> RenderableType:
    return Stack(*status_lines(found))


def status_lines(found: Document, since: str = "") -> Iterator[Text]:
    """Say how everything stands. Pure."""
    term = f"{found['leader']} leads (term {found['term']}{since})"
    yield Text(f"{term}, mode {found['mode']}")
    for segment, mode in cast("dict[str, str]", found["segment_modes"]).items():
        yield Text(f"  segment {segment}: {mode}")
    if not found["armed"]:
        yield Text(f"DISARMED: {found['cause']}; `ninelives arm` ends it", "bold red")
    for what in ("hosts", "moves"):
        counts = cast("dict[str, int]", found[what])
        words = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        yield Text(f"{what}: {words or 'none'}")
    if found["witnesses_min"] == 1:
        yield Text("one witness is enough here: the configuration says so", "yellow")
    if found["own_fault"]:
        yield Text(f"looks anew after a fault of its own: {found['own_fault']}", "yellow")
    for canary in cast("list[str]", found["bad_canaries"]):
        yield Text(f"the control plane is ill: {canary}", "red")
    for word in cast("list[Document]", found["words"]):
        what = "approved" if word["is_given"] else "on hold"
        yield Text(f"{word['host']}: {what} by {word['by']}: {word['reason']}")
    for loan in cast("list[Document]", found["lent"]):
        whom = "" if loan["need"] == loan["host"] else f" since {loan['need']} died"
        yield Text(f"{loan['host']}: out of the reserve{whom} ({loan['stage']})")
    for host in cast("list[str]", found["asks"]):
        words = f"look at `ninelives what-if {host}`, then `ninelives incident approve {host}`"
        yield Text(f"asks you for leave: {host}; {words}", "bold yellow")
    for need in cast("list[Document]", found["needs_you"]):
        risk = f", ZOMBIE RISK: {need['zombie_risk']}" if need["zombie_risk"] else ""
        yield Text(f"needs you: {need['host']} {need['state']}{risk}", "bold yellow")


# --------------------------------------------------------------------------------- incidents


@click.group(cls=Group)
def incident() -> None:
    """Look at outages of hosts, now and before."""


@incident.command("list")
@of_socket
@of_format
def list_incidents(socket_path: Path, form: str) -> int:
    """List every incident in the journal, the first one first."""
    found = cast("list[Document]", asked(socket_path, "/v1/incidents"))
    if form == "json":
        click.echo(json.dumps(found, indent=2))
        return Exit.DONE
    table = Table(box=None, header_style="bold")
    for name in ("incident", "began", "took", "why", "state", "servers back"):
        table.add_column(name)
    for each in found:
        began, ended = cast("float", each["began"]), cast("float | None", each["ended"])
        took = "" if ended is None else f"{ended - began:.0f} s"
        back = f"{each['done']}/{each['servers']}"
        name = f"{each['host']}/{each['number']}"
        table.add_row(name, clock(began), took, str(each["why"]), str(each["state"]), back)
    Console().print(table)
    return Exit.DONE


@incident.command()
@click.argument("name", metavar="HOST/NUMBER")
@of_socket
@of_format
@of_watch
def show(name: str, socket_path: Path, form: str, is_watched: bool) -> int:
    """Show one incident: every step with its reason, and what became of each server."""
    if is_watched:
        watch(Console(), lambda: look_at(socket_path, name))
        return Exit.DONE
    found = cast("Document", asked(socket_path, f"/v1/incidents/{name}"))
    if form == "json":
        click.echo(json.dumps(found, indent=2))
        return Exit.DONE
    console, began = Console(), cast("float", found["began"])
    console.print(f"{found['host']}, {clock(began)}: {found['why']}", style="bold")
    for line in cast("list[Document]", found["timeline"]):
        words = " ".join(str(line[part]) for part in ("about", "what", "why", "detail"))
        after_s = cast("float", line["wall"]) - began
        console.print(f"{after_s:8.1f} s  {words}", highlight=False, markup=False)
    for server, what in cast("dict[str, Json]", found["outcomes"]).items():
        console.print(f"server {server}: {what}", highlight=False)
    if found["ended"] is None:
        show_proposal(console, socket_path, str(found["host"]))
    return Exit.DONE


def look_at(socket_path: Path, name: str) -> Look:
    found = cast("Document", asked(socket_path, f"/v1/incidents/{name}"))
    host = cast("Document", asked(socket_path, f"/v1/hosts/{found['host']}"))
    is_over = found["ended"] is not None
    moves = {} if is_over else cast("dict[str, str]", host["moves"])
    return Look(incident_picture(found, moves), is_over)


def show_proposal(console: Console, socket_path: Path, host: str) -> None:
    """Show what leave is asked for, if it is: the plan as it would be carried out now."""
    standing = cast("Document", asked(socket_path, "/v1/status"))
    if host not in cast("list[str]", standing["asks"]):
        return
    console.print("\nproposed, if somebody approves it:", style="bold")
    show_plan(console, rehearsal(socket_path, (host,)))


@incident.command()
@click.argument("name", metavar="HOST/NUMBER")
@of_socket
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "html", "json"]),
    default="md",
    show_default=True,
    help="For people, or for programs.",
)
def report(name: str, socket_path: Path, form: str) -> int:
    """Write one incident as a page: its phases, its proofs, what became of each server."""
    found = cast("Document", asked(socket_path, f"/v1/incidents/{name}"))
    match form:
        case "json":
            click.echo(json.dumps(found, indent=2))
        case "html":
            click.echo(page(found), nl=False)
        case _:
            click.echo(markdown(found), nl=False)
    return Exit.DONE
