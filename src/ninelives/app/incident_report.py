"""An incident as people read it afterwards: when, why, proofs, servers, and where the time went."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ninelives.core import states

from .demo_screen import dash, is_ascii
from .incidents import WHY, Incident, outcome_words, together, worst_outage

BAR = 30  # cells of the longest phase
PHASE_STYLES = {
    "unnoticed": "red",
    "suspect": "yellow",
    "fencing": "bold red",
    "fenced": "magenta",
    "moving": "cyan",
}


def report(console: Console, number: int, group: Sequence[Incident]) -> RenderableType:
    """Draw one incident, of one host or of several that fell silent together."""
    plain, first = is_ascii(console), group[0]
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("end", Text(ending(group)))
    table.add_row("why", Text(f"{first.cls}: {WHY.get(first.cls, 'see the rule table')}"))
    if reasons := dict.fromkeys(reason for each in group for reason in each.held_for):
        table.add_row("held for", Text(", ".join(reasons)))
    rows = [row for each in group for row in servers(each)]
    for label, lines in (("proofs", proofs(group)), ("servers", rows or [Text("none touched")])):
        for index, row in enumerate(lines):
            table.add_row(label if index == 0 else "", row)
    longest = max(group, key=lambda each: sum(took for _, took in each.phases))
    if longest.phases:
        table.add_row("time", phases(longest, plain))
    title = Text(heading(number, group), "bold")
    return Group(Rule(title, align="left", characters=dash(plain)), table, Text())


def heading(number: int, group: Sequence[Incident]) -> str:
    names = ", ".join(each.host for each in group)
    ends = [each.marks.get("vacated", each.ended) for each in group]
    known = [end for end in ends if end is not None]
    began = min(each.last_life for each in group)
    span = f"{began:.0f} s to {max(known):.0f} s" if len(known) == len(group) else "not over"
    return f"incident {number}: {names}  ({span})"


def ending(group: Sequence[Incident]) -> str:
    """Say in one sentence how it ended."""
    moves = [move for each in group for move in each.moves.values()]
    moved = sum(1 for move in moves if isinstance(move.state, states.Done))
    worst = [worst_outage(each) for each in group]
    away = max((found[1] for found in worst if found), default=None)
    if all(each.is_false_alarm for each in group):
        who = f"{group[0].host} lives" if len(group) == 1 else f"all {len(group)} live"
        return f"{who}: nobody was shot, no server was touched"
    if not any("fenced" in each.marks for each in group):
        return f"{last_mark(group[0])}: no server was touched"
    longest = f", away for {away:.0f} s at most" if away is not None else ""
    return f"{moved} of {len(moves)} servers recovered{longest}"


def last_mark(incident: Incident) -> str:
    return max(incident.marks, key=incident.marks.__getitem__, default="suspect")


def proofs(group: Sequence[Incident]) -> list[Text]:
    """Say by what the hosts were known to write no more."""
    found = [proof for each in group for proof in each.proofs]
    if not found:
        return [Text("none, so nothing was started elsewhere")]
    return [
        Text.assemble((proof.method, "bold"), f"  {proof.validity}  {proof.evidence}")
        for proof in found
    ]


def servers(incident: Incident) -> list[Text]:
    rows: list[Text] = []
    for server, move in incident.moves.items():
        away = incident.outage_s(server)
        words = f"  away {away:.0f} s" if away is not None else ""
        rows.append(Text.assemble((f"{server:<8}", "bold"), f" {outcome_words(move)}{words}"))
    return rows


def phases(incident: Incident, plain: bool) -> Text:
    """Draw the outage as bars that tile it."""
    longest = max(took for _, took in incident.phases)
    text = Text()
    for name, took in incident.phases:
        cells = max(1, round(BAR * took / longest))
        text.append(f"{name:<10}")
        text.append(("#" if plain else "▇") * cells, style=PHASE_STYLES[name])
        text.append(f" {took:.1f} s\n")
    text.rstrip()
    return text


def print_reports(console: Console, incidents: Sequence[Incident]) -> None:
    """Print all of them."""
    for number, group in enumerate(together(incidents), start=1):
        console.print(report(console, number, group))
