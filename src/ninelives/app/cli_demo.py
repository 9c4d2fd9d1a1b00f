"""`ninelives demo`: see it work, without a cloud."""

import sys
from importlib.resources import as_file, files

import click
from rich.console import Console

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
def demo(plain: bool, speed: float) -> int:
    """Watch four outages in a simulated cloud, and read their incident reports.

    A power loss, a freeze that wakes up, a switch failure, a dead BMC. Nothing outside this
    process is touched; it ends by itself.
    """
    from .demo import show_live, show_plain
    from .incident_report import print_reports

    console = Console()
    shown = (
        show_plain(console)
        if plain or not console.is_terminal or console.is_dumb_terminal
        else show_live(console, speed)
    )
    for show in shown:
        console.rule(f"[bold]{show.title}", align="left", characters="=")
        print_reports(console, show.incidents)
    wrong = [each for show in shown for each in (*show.played.violations, *show.played.failed)]
    for each in wrong:
        click.echo(f"this should not have happened: {each}", err=True)
    where_to_read_on(console)
    return Exit.FOUND if wrong else Exit.DONE


def where_to_read_on(console: Console) -> None:
    """Say what to try next."""
    name = sys.argv[0].rpartition("/")[2] if sys.argv[0].endswith("run") else "ninelives"
    with as_file(files("ninelives.sim").joinpath("stories", "freeze.txt")) as story:
        console.print("[bold]Read on")
        console.print(f"  {story}\n      the second story; change it and play it again:")
        console.print(f"  {name} sim play {story}")
        console.print("  docs/concepts/safety.md\n      why no server ever runs twice")
        console.print("  docs/tutorial.md\n      the first hour with ninelives")
