"""`ninelives sim explore`: every path of a small cloud, shortest first."""

import json
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from .exits import Exit
from .working import working

if TYPE_CHECKING:
    from ninelives.sim.explore import Explored, Found


@click.command()
@click.option(
    "--depth", type=click.IntRange(1), default=12, show_default=True, help="Steps a path."
)
@click.option(
    "--seconds",
    type=click.FloatRange(1.0),
    default=300.0,
    show_default=True,
    help="How long to go on at most.",
)
@click.option("--faults", type=click.IntRange(0), default=3, show_default=True, help="Per path.")
@click.option("--no-symmetry", is_flag=True, help="Tell states apart that differ in names alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def explore(depth: int, seconds: float, faults: int, no_symmetry: bool, as_json: bool) -> int:
    """Walk every path of two hosts, two servers and two controllers.

    Replies come once, twice or never, in every order; time jumps to the next deadline. Ends with 1
    if a law broke, and shows a shortest path to each.
    """
    from ninelives.sim.explore import explore as walk

    with working(f"every path of up to {depth} steps, {seconds:g} s at most"):
        found = walk(depth, seconds, faults, not no_symmetry)
    if as_json:
        click.echo(json.dumps(document(found), indent=2))
    else:
        show(Console(), found)
    return Exit.FOUND if found.violations else Exit.DONE


def document(found: "Explored") -> dict[str, object]:
    return {
        "states": found.states,
        "transitions": found.transitions,
        "depth": found.depth,
        "exhausted": found.exhausted,
        "seconds": round(found.seconds, 1),
        "violations": [
            {
                **each.broken._asdict(),
                "beginning": each.beginning,
                "path": list(map(str, each.path)),
            }
            for each in found.violations
        ],
    }


def show(console: Console, found: "Explored") -> None:
    end = "nothing new is left" if found.exhausted else "there are longer ones"
    console.print(
        f"{found.states:,} states, {found.transitions:,} steps in {found.seconds:.0f} s; "
        f"every path of {found.depth} steps was walked, and {end}",
        soft_wrap=True,
    )
    for each in found.violations:
        console.print(path_of(each), soft_wrap=True)
    if not found.violations:
        console.print("no law is broken")


def path_of(found: "Found") -> Text:
    """Show a shortest path to a broken law, a step a line."""
    text = Text.assemble((f"\n{' '.join(map(str, found.broken))}", "bold red"))
    text.append(f"\n  begins with {found.beginning}")
    for number, step in enumerate(found.path, start=1):
        text.append(f"\n  {number:2}  {step}")
    return text
