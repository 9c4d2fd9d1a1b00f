"""How `host why` looks: the answer first, then what it rests on, every row and every brake."""

from collections.abc import Iterable
from itertools import groupby

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from .demo_screen import dash, is_ascii
from .host_why import HostWhy, RuleRow

HISTORY_LINES = 12


def show(console: Console, why: HostWhy) -> None:
    """Print the whole answer."""
    plain = is_ascii(console)
    console.print(
        Text.assemble(
            (f"{why.host} is {why.state}", "bold"), f"  at {why.wall:.1f} s: {why.meaning}"
        )
    )
    console.print(
        f"episode {why.episode} · term {why.term} of {why.leader} · revision {why.revision}",
        style="dim",
    )
    for title, part in (
        ("rules: the first that holds decides", rule_table(why.rows, plain)),
        (f"brakes on a shot for this class ({fence_words(why)})", brake_table(why, plain)),
        ("signs of life", sign_table(why)),
        ("what was read", reading_table(why)),
        ("proofs that it cannot write", proof_table(why)),
        ("how it came there", history_table(why)),
    ):
        console.print()
        console.rule(Text(title, style="bold"), align="left", characters=dash(plain))
        console.print(part)


def fence_words(why: HostWhy) -> str:
    return "this class may fence" if why.may_fence else "this class never fences by itself"


def grid(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=bool(headings), header_style="dim")
    for heading in headings:
        table.add_column(heading, no_wrap=heading not in {"condition", "what it saw"})
    return table


def mark(holds: bool, plain: bool) -> Text:
    """Say yes or no with a symbol and a word."""
    if holds:
        return Text("* yes" if plain else "● yes", style="bold yellow")
    return Text("- no" if plain else "○ no", style="dim")


def rule_table(rows: Iterable[RuleRow], plain: bool) -> RenderableType:
    table = grid("rule", "holds", "class", "condition", "")
    for row in rows:
        decides = Text(("<" if plain else "◀") + " decides", "bold green") if row.decides else ""
        style = "" if row.holds else "dim"
        table.add_row(
            row.rule, mark(row.holds, plain), row.cls, row.condition, decides, style=style
        )
    return table


def brake_table(why: HostWhy, plain: bool) -> RenderableType:
    table = grid("brake", "holds", "what it saw")
    for tested in why.brakes:
        detail = tested.detail
        if detail and not tested.holds:
            detail += "  (does not count for this class)"
        style = "" if tested.holds else "dim"
        table.add_row(tested.brake, mark(tested.holds, plain), detail, style=style)
    return table


def sign_table(why: HostWhy) -> RenderableType:
    table = grid("plane", "is", "witnesses")
    verdicts = dict(why.planes)
    for plane, signs in groupby(why.signs, key=lambda sign: sign.plane):
        said = [f"{sign.witness} {sign.sign} {sign.for_s:.1f} s" for sign in signs]
        table.add_row(plane, verdicts.get(plane, ""), "  ".join(said))
    return table if why.signs else Text("nothing was seen in this term", style="dim")


def reading_table(why: HostWhy) -> RenderableType:
    table = grid("from", "says", "ago")
    for reading in why.readings:
        table.add_row(reading.of, reading.says, f"{reading.age_s:.1f} s")
    return table if why.readings else Text("nothing was read", style="dim")


def proof_table(why: HostWhy) -> RenderableType:
    return Text("\n".join(why.proofs) or "none: nothing may be started elsewhere", style="")


def history_table(why: HostWhy) -> RenderableType:
    table = grid("second", "what", "why")
    for change in why.history[-HISTORY_LINES:]:
        table.add_row(f"{change.wall:.1f}", change.what, change.why)
    return table if why.history else Text("nothing happened to it", style="dim")
