"""`ninelives incident approve|hold`: a person's word on one outage that goes on."""

from pathlib import Path
from typing import cast

import click

from .cli_host_orders import of_why, order
from .client import asked, hosts_known, of_socket
from .exits import Complaint, Exit
from .views import Document

of_incident = click.argument("name", metavar="HOST[/NUMBER]", shell_complete=hosts_known)
of_reason = click.option("--reason", required=True, help="Why. It is journalled.")


@click.command()
@of_incident
@of_reason
@of_socket
def approve(name: str, reason: str, socket_path: Path) -> int:
    """Give leave to act on this outage, where the mode only proposes; or end a hold on it."""
    return say("approve", name, reason, socket_path)


@click.command()
@of_incident
@of_reason
@of_socket
def hold(name: str, reason: str, socket_path: Path) -> int:
    """Hold this outage: nothing more is sent for it until it is approved, or over."""
    return say("hold", name, reason, socket_path)


@click.command("sign-off")
@click.argument("server")
@of_why
@of_socket
def sign_off(server: str, reason: str, socket_path: Path) -> int:
    """Take it upon yourself that SERVER (its id) stays as it is: its host waits for it no more."""
    return order(socket_path, {"order": "sign_off", "server": server, "reason": reason})


@click.command("storm-allow")
@click.argument("domain")
@click.argument("shots", type=click.IntRange(min=1))
@of_why
@of_socket
def storm_allow(domain: str, shots: int, reason: str, socket_path: Path) -> int:
    """Allow SHOTS more shots in DOMAIN (rack:a, segment:s, zone:z, all), in this storm only."""
    asked_for = {"order": "storm_allow", "domain": domain, "shots": shots}
    return order(socket_path, {**asked_for, "reason": reason})


def leave_asked_of(standing: Document, host: str) -> bool:
    """Say whether this outage waits for a person's leave, or is on hold."""
    words = cast("list[Document]", standing["words"])
    is_held = any(word["host"] == host and not word["is_given"] for word in words)
    return is_held or host in cast("list[str]", standing["asks"])


def say(word: str, name: str, reason: str, socket_path: Path) -> int:
    """Quote the episode that was looked at: the next one is another, and nothing was said of it."""
    host, _, number = name.partition("/")
    # In this order: should another outage begin in between, its episode is a later one.
    shown = cast("Document", asked(socket_path, f"/v1/hosts/{host}"))
    found = cast("list[Document]", asked(socket_path, "/v1/incidents"))
    mine = [each for each in found if each["host"] == host]
    wanted = [each for each in mine if not number or str(each["number"]) == number]
    if not wanted:
        raise Complaint(f"no incident {name}", "`ninelives incident list` shows them", Exit.USAGE)
    if wanted[-1]["ended"] is not None:
        raise Complaint(f"{name}: the incident is over", "nothing was ordered", Exit.REFUSED)
    asked_for = {"order": word, "host": host, "epoch": shown["epoch"], "reason": reason}
    return order(socket_path, asked_for)


ORDERS = (approve, hold, sign_off, storm_allow)
