"""`ninelives doctor`: what would go wrong on the day when it counts, found today."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from .cli_config import of_file, of_name
from .client import of_format
from .exits import Exit

if TYPE_CHECKING:
    from .doctor import Examined

STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


@click.command()
@of_file
@of_name
@of_format
def doctor(path: Path, name: str | None, form: str) -> int:
    """Read every power device, probe every address, list Nova: name what is wrong, and its remedy.

    Harms nobody. Each host has a grade: protected, watched (only a person can say that it is dead)
    or blind. Ends with 1 if anything is an error.
    """
    from .config.building import read_configuration
    from .doctor import examined
    from .findings import Grade

    found = asyncio.run(examined(read_configuration(path, name)))
    if form == "json":
        findings = [each._asdict() for each in found.findings]
        click.echo(json.dumps({"hosts": dict(found.hosts), "findings": findings}, indent=2))
    else:
        show(Console(), found)
    is_ill = any(each.grade is Grade.ERROR for each in found.findings)
    return Exit.FOUND if is_ill else Exit.DONE


def show(console: Console, found: "Examined") -> None:
    table = Table(box=None, header_style="bold")
    for column in ("", "about", "what", "remedy"):
        table.add_column(column)
    for each in sorted(found.findings, key=lambda finding: list(STYLES).index(finding.grade)):
        table.add_row(each.grade.value, *each[1:], style=STYLES[each.grade.value])
    if found.findings:
        console.print(table)
    counts = Counter(care.value for care in found.hosts.values())
    words = ", ".join(f"{count} {care}" for care, count in counts.items())
    console.print(f"hosts: {words}", highlight=False)
