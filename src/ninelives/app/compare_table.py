"""The tables of a comparison: every policy over all worlds, and family by family."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isinf
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ninelives.sim.compare import Comparison, Score


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is compared. Less is better."""

    name: str
    of: "Callable[[Score], float]"
    words: Callable[[float], str]
    is_ranked: bool = True


def count(value: float) -> str:
    return f"{value:.0f}"


def seconds(value: float) -> str:
    return "never" if isinf(value) else f"{value:.0f} s"


SHOTS = Measure("healthy hosts shot", lambda score: score.false_fences, count)
LOST = Measure("servers lost", lambda score: score.lost, count)
FORGOTTEN = Measure("lost, nobody was told", lambda score: score.forgotten, count)
MEDIAN = Measure("half are back within", lambda score: score.percentile(0.5), seconds)
MEASURES: Sequence[Measure] = (
    SHOTS,
    Measure("guests killed by it", lambda score: score.guests_killed, count),
    Measure("servers run twice", lambda score: score.zombies, count),
    Measure("and written twice for", lambda score: score.zombie_s, seconds),
    Measure("disks built anew", lambda score: score.wiped, count),
    LOST,
    FORGOTTEN,
    MEDIAN,
    Measure("90 % are back within", lambda score: score.percentile(0.9), seconds),
    Measure("longest that ended", lambda score: score.worst, seconds, is_ranked=False),
)
BY_FAMILY: Sequence[tuple[str, Measure]] = (
    ("hosts shot", SHOTS),
    ("servers lost", LOST),
    ("nobody told", FORGOTTEN),
    ("half within", MEDIAN),
)
IN_FAMILIES = ("ninelives balanced", "Masakari", "instanceha")


def by_policy(found: "Comparison") -> Table:
    """One column a policy. The best value of each row is bold, whoever has it."""
    scores = [found.total(policy) for policy in found.policies]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for policy in found.policies:
        table.add_column(
            policy.replace(" ", "\n"), justify="right", no_wrap=True, vertical="bottom"
        )
    for measure in MEASURES:
        table.add_row(measure.name, *row_of(measure, scores))
    table.add_row("deaths of servers", *(count(score.deaths) for score in scores))
    return table


def by_family(found: "Comparison") -> Table:
    """One row a family of trouble; in each cell ninelives, Masakari and instanceha."""
    from ninelives.sim.compare_worlds import FAMILIES

    shown = [policy for policy in IN_FAMILIES if policy in found.policies]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("hosts die, and", no_wrap=True)
    for name, _ in BY_FAMILY:
        table.add_column(name, justify="right", no_wrap=True)
    for family in FAMILIES:
        scores = [found.of(policy, family) for policy in shown]
        cells = (Text(" / ").join(row_of(measure, scores)) for _, measure in BY_FAMILY)
        table.add_row(family, *cells)
    return table


def row_of(measure: Measure, scores: Sequence["Score"]) -> list[Text]:
    """Show one measure of several scores. A time is nothing where nobody died."""
    is_time = measure.words is seconds
    values = [measure.of(score) for score in scores]
    least = min(values, default=inf) if measure.is_ranked else -inf
    return [
        Text("–")
        if is_time and not score.deaths
        else Text(measure.words(value), style="bold" if value == least < inf else "")
        for value, score in zip(values, scores, strict=True)
    ]
