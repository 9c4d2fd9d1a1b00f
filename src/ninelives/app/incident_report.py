"""An incident as people read it afterwards: when, why, proofs, servers, and where the time went."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ninelives.core import states

from .demo_screen import dash, is_ascii
from .incidents import WHY, Incident, outcome_words, worst_outage

BAR = 30  # cells of the longest phase
PHASE_STYLES = {
    "unnoticed": "red",
    "suspect": "yellow",
    "fencing": "bold red",
    "fenced": "magenta",
    "moving": "cyan",
}


def report(console: Console, number: int, incident: Incident) -> RenderableType:
    """Draw one incident."""
    plain = is_ascii(console)
    ended = incident.marks.get("vacated", incident.ended)
    span = f"{incident.last_life:.0f} s to {ended:.0f} s" if ended else "not over"
    title = Text(f"incident {number}  {incident.host}, episode {incident.epoch}  ({span})", "bold")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("end", Text(ending(incident)))
    table.add_row("why", Text(f"{incident.cls}: {WHY.get(incident.cls, 'see the rule table')}"))
    if incident.held_for:
        table.add_row("held for", Text(", ".join(incident.held_for)))
    for label, rows in (("proofs", proofs(incident)), ("servers", servers(incident))):
        for index, row in enumerate(rows):
            table.add_row(label if index == 0 else "", row)
    if incident.phases:
        table.add_row("time", phases(incident, plain))
    return Group(Rule(title, align="left", characters=dash(plain)), table, Text())


def ending(incident: Incident) -> str:
    """Say in one sentence how it ended."""
    worst = worst_outage(incident)
    moved = [each for each in incident.moves.values() if isinstance(each.state, states.Done)]
    if incident.is_false_alarm:
        return f"{incident.host} lives: nobody was shot, no server was touched"
    if "fenced" not in incident.marks:
        return f"{incident.host} is {last_mark(incident)}: nobody was shot, no server was touched"
    away = f", away for {worst[1]:.0f} s at most" if worst else ""
    return f"{len(moved)} of {len(incident.moves)} servers recovered{away}"


def last_mark(incident: Incident) -> str:
    return max(incident.marks, key=incident.marks.__getitem__, default="suspect")


def proofs(incident: Incident) -> list[Text]:
    """Say by what the host was known to write no more."""
    if not incident.proofs:
        return [Text("none, so nothing was started elsewhere")]
    return [
        Text.assemble((proof.method, "bold"), f"  {proof.validity}  {proof.evidence}")
        for proof in incident.proofs
    ]


def servers(incident: Incident) -> list[Text]:
    rows: list[Text] = []
    for server, move in incident.moves.items():
        away = incident.outage_s(server)
        words = f"  away {away:.0f} s" if away is not None else ""
        rows.append(Text.assemble((f"{server:<8}", "bold"), f" {outcome_words(move)}{words}"))
    return rows or [Text("none was touched")]


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
    for number, incident in enumerate(incidents, start=1):
        console.print(report(console, number, incident))
