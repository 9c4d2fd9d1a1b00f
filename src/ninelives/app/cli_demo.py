"""`ninelives demo`: see it work, without a cloud."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from .exits import Exit


@click.command()
@click.option("--plain", is_flag=True, help="Lines only, no waiting (chosen where no terminal is).")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 100.0),
    default=1.0,
    show_default=True,
    help="2 shows everything in half the time.",
)
@click.option("--real", is_flag=True, help="The true controllers, in true time: a minute.")
def demo(plain: bool, speed: float, real: bool) -> int:
    """Watch four outages in a simulated cloud, and read their incident reports.

    With --real: two controllers as they run in production, over true HTTP against an OpenStack that
    stands in; a host loses its power, and then the leader its life.

    A power loss, a freeze that wakes up, a switch failure, a dead BMC. Nothing outside this
    process is touched; it ends by itself.
    """
    from .demo import show_live, show_plain
    from .incident_report import print_reports

    console = Console()
    if real:
        from .demo_real import show_real

        return Exit.DONE if show_real(console) else Exit.FOUND
    shown = (
        show_plain(console)
        if plain or not console.is_terminal or console.is_dumb_terminal
        else show_live(console, speed)
    )
    for show in shown:
        console.print(Text(show.title, style="bold reverse"))
        print_reports(console, show.incidents)
    wrong = [each for show in shown for each in (*show.played.violations, *show.played.failed)]
    for each in wrong:
        click.echo(f"this should not have happened: {each}", err=True)
    where_to_read_on(console)
    return Exit.FOUND if wrong else Exit.DONE


def where_to_read_on(console: Console) -> None:
    """Say what to try next, in commands that work from here."""
    program = "ninelives" if shutil.which("ninelives") else "./run"
    with as_file(files("ninelives.sim").joinpath("stories", "freeze.txt")) as path:
        story = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    console.print(Text("Read on", style="bold"))
    for line, what in (
        (f"{program} sim play {story} --journal freeze.journal", "one story; change it and see"),
        (f"{program} host why c1 --journal freeze.journal --at 17", "why c1 was shot"),
        ("docs/tutorial.md", "the first hour"),
        ("docs/concepts/safety.md", "why no server ever runs twice"),
    ):
        console.print(
            Text.assemble("  ", (line, "cyan"), (f"\n      {what}", "dim")), soft_wrap=True
        )
