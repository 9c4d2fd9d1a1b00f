"""`ninelives notify test`: does everybody hear who is to be told?"""

import asyncio
from pathlib import Path

import click

from .cli_config import of_file, of_name
from .exits import Exit, Group


@click.group(cls=Group)
def notify() -> None:
    """Look after those who are told."""


@notify.command()
@of_file
@of_name
def test(path: Path, name: str | None) -> int:
    """Tell each receiver of the configuration a word that means nothing, and say who took it."""
    from ninelives.engine.ports import Word

    from .config.building import read_configuration
    from .notices import receiver_of, sent

    found = read_configuration(path, name)
    word = Word(found.me, "test", 0, "a test of ninelives: nothing happened")
    failed = 0
    for each in found.told:
        why = asyncio.run(sent(receiver_of(each), word))
        failed += bool(why)
        click.echo(f"{each.name}: {why or 'taken'}")
    if not found.told:
        click.echo("nobody is told but the log: the configuration has no [[notify]]")
    return Exit.FOUND if failed else Exit.DONE
