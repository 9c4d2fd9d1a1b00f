"""`ninelives config check|show|schema`: is the file good, what does it say, what may it say."""

import json
from pathlib import Path

import click

from .exits import Exit, Group

DEFAULT_FILE = Path("/etc/ninelives/ninelives.toml")

of_file = click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    envvar="NINELIVES_CONFIG",
    help="The configuration; a conf.d beside it is read, too.",
)
of_name = click.option("--name", help="Which of the controllers; its machine's name unless given.")


@click.group(cls=Group)
def config() -> None:
    """Check, show and describe the configuration."""


@config.command()
@of_file
@of_name
def check(path: Path, name: str | None) -> int:
    """Read it as a controller would, and say what is wrong with it."""
    from .config.building import read_configuration

    found = read_configuration(path, name)
    site = found.setting.site
    click.echo(
        f"{path}: good; {len(site.hosts)} hosts in {len(site.segments)} segments, "
        f"{len(site.controllers)} controllers, mode {found.modes.default.value}"
    )
    return Exit.DONE


@config.command()
@of_file
def show(path: Path) -> int:
    """Show what is in force, every default filled in; secrets are named, never shown."""
    from .config.reading import read_file

    file, _ = read_file(path)
    click.echo(json.dumps(file.model_dump(mode="json", exclude={"defaults"}), indent=2))
    return Exit.DONE


@config.command()
def schema() -> int:
    """Print the JSON schema, for editors."""
    from .config.document import File

    click.echo(json.dumps(File.model_json_schema(), indent=2))
    return Exit.DONE
