"""`ninelives controller`: the daemon. Start two or more; one leads."""

from pathlib import Path

import click

from .cli_config import of_file, of_name
from .exits import Exit


@click.command()
@of_file
@of_name
def controller(path: Path, name: str | None) -> int:
    """Watch the hosts of a cloud, and bring back what dies with them.

    SIGTERM hands over to another controller, SIGHUP takes a new configuration whole or not at all.
    """
    from .daemon import run

    run(path, name)
    return Exit.DONE
