"""`ninelives status` and `incident list|show`: how things stand, and what happened."""

import json
from pathlib import Path
from typing import cast

import click
from rich.console import Console
from rich.table import Table

from .cli_what_if import rehearsal
from .cli_what_if import show as show_plan
from .client import asked, of_format, of_socket
from .exits import Exit, Group
from .incident_page import clock, markdown
from .views import Document, Json


@click.command()
@of_socket
@of_format
def status(socket_path: Path, form: str) -> int:
    """Say who leads, in which mode, how many hosts are well, and what waits for you."""
    found = cast("Document", asked(socket_path, "/v1/status"))
    needs = cast("list[Document]", found["needs_you"])
    if form == "json":
        click.echo(json.dumps(found, indent=2))
    else:
        show_status(Console(), found)
    return Exit.FOUND if needs or not found["armed"] else Exit.DONE


def show_status(console: Console, found: Document) -> None:
    term = f"{found['leader']} leads (term {found['term']}, {found['leads_for_s']} s)"
    console.print(f"{term}, mode {found['mode']}", highlight=False)
    for segment, mode in cast("dict[str, str]", found["segment_modes"]).items():
        console.print(f"  segment {segment}: {mode}", highlight=False)
    if not found["armed"]:
        console.print(f"DISARMED: {found['cause']}; `ninelives arm` ends it", style="bold red")
    for what in ("hosts", "moves"):
        counts = cast("dict[str, int]", found[what])
        words = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        console.print(f"{what}: {words or 'none'}", highlight=False)
    if found["witnesses_min"] == 1:
        console.print("one witness is enough here: the configuration says so", style="yellow")
    if found["own_fault"]:
        console.print(f"looks anew after a fault of its own: {found['own_fault']}", style="yellow")
    for canary in cast("list[str]", found["bad_canaries"]):
        console.print(f"the control plane is ill: {canary}", style="red")
    for word in cast("list[Document]", found["words"]):
        what = "approved" if word["is_given"] else "on hold"
        console.print(f"{word['host']}: {what} by {word['by']}: {word['reason']}", highlight=False)
    for host in cast("list[str]", found["asks"]):
        console.print(f"asks you for leave: {host} (`ninelives what-if {host}`, then", style="bold")
        console.print(f"  `ninelives incident approve {host} --reason …`)", highlight=False)
    for need in cast("list[Document]", found["needs_you"]):
        risk = f", ZOMBIE RISK: {need['zombie_risk']}" if need["zombie_risk"] else ""
        console.print(f"needs you: {need['host']} {need['state']}{risk}", style="bold yellow")


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
def show(name: str, socket_path: Path, form: str) -> int:
    """Show one incident: every step with its reason, and what became of each server."""
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
    type=click.Choice(["md", "json"]),
    default="md",
    show_default=True,
    help="For people, or for programs.",
)
def report(name: str, socket_path: Path, form: str) -> int:
    """Write one incident as a page: its phases, its proofs, what became of each server."""
    found = cast("Document", asked(socket_path, f"/v1/incidents/{name}"))
    click.echo(
        json.dumps(found, indent=2) if form == "json" else markdown(found), nl=form == "json"
    )
    return Exit.DONE
