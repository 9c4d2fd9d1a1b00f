"""`ninelives sim compare`: the same trouble for ninelives, Masakari and instanceha."""

import json
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from .compare_table import by_family, by_policy
from .exits import Exit
from .working import working

if TYPE_CHECKING:
    from ninelives.sim.compare import Comparison, Score


LEGEND = """\
Back: from the end of a server's host until it runs on one again; who never did
counts as never, and who died by a false shot is counted there alone. Twice: two
copies awake at once, both able to write one disk. Anew: built from the image."""


@click.command()
@click.option(
    "--hours",
    type=click.FloatRange(2.0),
    default=36.0,
    show_default=True,
    help="Simulated hours that each policy lives through.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Where chance begins.")
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes at a time."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Draw the picture into this file.",
)
def compare(hours: float, seed: int, jobs: int, as_json: bool, svg: Path | None) -> int:
    """Let ninelives and two naive policies live through the same worlds.

    The policies do what Masakari and instanceha do by their defaults. Everybody has the same hosts,
    servers, power devices, faults at the same instants, and operators. The truth is counted, not
    what anybody believes.
    """
    from ninelives.sim import compare as sim

    worlds = sim.worlds_for(hours)
    with working(f"{worlds} worlds, {len(sim.POLICIES)} policies", worlds) as advance:
        found = sim.compare(
            worlds, seed, jobs, advance=lambda done: advance(done, f"{done}/{worlds}")
        )
    if svg is not None:
        from .compare_picture import drawn

        svg.write_text(drawn(found), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(document(found), indent=2))
    else:
        show(Console(), found)
    return Exit.DONE


def show(console: Console, found: "Comparison") -> None:
    """Print both tables, and how to read them."""
    console.print(
        f"{found.worlds} worlds, {found.hours:g} simulated hours for each policy, "
        f"seed {found.seed}; the best is bold",
        soft_wrap=True,
    )
    console.print(by_policy(found))
    console.print("ninelives balanced / Masakari / instanceha, by what befell the worlds:")
    console.print(by_family(found))
    console.print(LEGEND)


def document(found: "Comparison") -> dict[str, object]:
    from ninelives.sim.compare_worlds import FAMILIES

    return {
        "seed": found.seed,
        "worlds": found.worlds,
        "hours": found.hours,
        "policies": {
            policy: {
                "total": score_document(found.total(policy)),
                "families": {
                    family: score_document(found.of(policy, family)) for family in FAMILIES
                },
            }
            for policy in found.policies
        },
    }


def score_document(score: "Score") -> dict[str, object]:
    """Turn a score into what JSON can say: a downtime without end is null."""

    def finite(value: float) -> float | None:
        return None if isinf(value) else value

    return {
        "false_fences": score.false_fences,
        "guests_killed": score.guests_killed,
        "zombies": score.zombies,
        "zombie_s": score.zombie_s,
        "wiped": score.wiped,
        "deaths": score.deaths,
        "lost": score.lost,
        "forgotten": score.forgotten,
        "median_s": finite(score.percentile(0.5)),
        "p90_s": finite(score.percentile(0.9)),
        "worst_s": finite(score.worst),
    }
