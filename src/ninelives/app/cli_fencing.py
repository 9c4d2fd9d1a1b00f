"""`ninelives fencing status|test|sign`: would each power device work if it were needed now?"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from .cli_config import of_file, of_name
from .cli_host_orders import of_why, order
from .client import of_format, of_socket
from .exits import Complaint, Exit, Group

if TYPE_CHECKING:
    from .config.configuration import Configuration
    from .fencing_check import Examined

LOOKS = 3  # of `test`: one answer may be luck


@click.group(cls=Group)
def fencing() -> None:
    """Look after the power devices. Nothing here switches anything."""


@fencing.command()
@of_file
@of_name
@of_format
def status(path: Path, name: str | None, form: str) -> int:
    """Ask every power device of every host once: power, latency, and what is wrong."""
    from .fencing_check import examine

    configuration = configured(path, name)
    hosts = configuration.setting.site.hosts
    found = asyncio.run(examine(configuration, hosts))
    bare = sorted(set(hosts) - {each.host for each in found if each.is_usable})
    if form == "json":
        click.echo(json.dumps([document(each) for each in found], indent=2))
    else:
        show_table(Console(), found)
        for host in bare:
            click.echo(f"{host}: no power device carries a proof")
    return Exit.FOUND if bare or not all(each.is_usable for each in found) else Exit.DONE


@fencing.command()
@click.argument("host", metavar="HOST")
@of_file
@of_name
@of_format
def test(host: str, path: Path, name: str | None, form: str) -> int:
    """Ask each power device of HOST several times, and tell the remedy for what is wrong."""
    from ninelives.core.model import HostId

    from .fencing_check import examine

    configuration = configured(path, name)
    if HostId(host) not in configuration.setting.site.hosts:
        raise Complaint(f"no host '{host}'", "`ninelives fencing status` names all", Exit.USAGE)
    found = asyncio.run(examine(configuration, [HostId(host)], LOOKS))
    if form == "json":
        click.echo(json.dumps([document(each) for each in found], indent=2))
    elif not found:
        click.echo(f"{host} has no power device")
    else:
        show_each(found)
    return Exit.DONE if found and all(each.is_usable for each in found) else Exit.FOUND


@fencing.command()
@click.argument("host", metavar="HOST")
@click.argument("road", metavar="ROAD")
@click.option("--withdraw", is_flag=True, help="It does not, or nobody knows any more.")
@of_why
@of_socket
def sign(host: str, road: str, withdraw: bool, reason: str, socket_path: Path) -> int:
    """Vouch that ROAD switches HOST: you saw it go dark by it, or compared both serials."""
    asked = {"order": "road", "host": host, "road": road, "verified": not withdraw}
    return order(socket_path, {**asked, "reason": reason})


def configured(path: Path, name: str | None) -> "Configuration":
    from .config.building import read_configuration

    return read_configuration(path, name)


# --------------------------------------------------------------------------------- how it looks


def show_table(console: Console, found: "Sequence[Examined]") -> None:
    table = Table(box=None, header_style="bold")
    for column in ("host", "road", "level", "power", "took", "machine", "what is wrong"):
        table.add_column(column, overflow="fold")
    for each in found:
        wrong = "; ".join(finding.what for finding in each.findings)
        style = "" if each.is_usable else "yellow"
        power, took = each.power.value, latency(each)
        words = (each.host, each.road, str(each.level), power, took, each.match.value, wrong)
        table.add_row(*words, style=style)
    console.print(table)


def show_each(found: "Sequence[Examined]") -> None:
    for each in found:
        works = "carries a proof" if each.is_usable else "carries no proof"
        click.echo(f"{each.road}, level {each.level}, {each.kind} at {each.address}: {works}")
        click.echo(f"  power {each.power.value}, {latency(each)}, machine {each.match.value}")
        for finding in each.findings:
            click.echo(f"  {finding.what}\n  hint: {finding.remedy}")


def latency(each: "Examined") -> str:
    return "no answer" if each.took_s is None else f"{1e3 * each.took_s:.0f} ms"


def document(each: "Examined") -> dict[str, object]:
    return {
        "host": each.host,
        "road": each.road,
        "level": each.level,
        "kind": each.kind,
        "address": each.address,
        "power": each.power.value,
        "took_s": each.took_s,
        "machine": each.match.value,
        "serials": list(each.identity.serials),
        "signed": each.is_signed,
        "usable": each.is_usable,
        "findings": [finding._asdict() for finding in each.findings],
    }
