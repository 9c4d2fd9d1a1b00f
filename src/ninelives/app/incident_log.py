"""Incidents read back from the journal: when, why, by which proofs, and what became of whom."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ninelives.core.cluster import Note
from ninelives.core.events import Listed
from ninelives.core.model import HostId
from ninelives.engine import journal
from ninelives.engine.journal import Row
from ninelives.engine.ports import Store

from .views import Document, Json

if TYPE_CHECKING:
    from .retention import Beginning

LINES_MAX = 2_000  # of one incident's timeline
BEGINS = ("healthy \u2192 suspect", "unknown \u2192 suspect")
ENDS = "\u2192 healthy"


@dataclass(slots=True)
class Incident:
    """One outage of one host, from its first suspicion on."""

    host: HostId
    number: int  # of this host, from 1
    began: float  # wall seconds, for display
    why: str
    state: str = "suspect"
    ended: float | None = None
    servers: set[str] = field(default_factory=set[str])
    outcomes: dict[str, str] = field(default_factory=dict[str, str])
    lines: list[Json] = field(default_factory=list[Json])

    def line(self) -> Document:
        """Say it in one line."""
        return {
            "host": self.host,
            "number": self.number,
            "began": self.began,
            "ended": self.ended,
            "state": self.state,
            "why": self.why,
            "servers": len(self.servers),
            "done": sum(outcome == "move.done" for outcome in self.outcomes.values()),
        }

    def whole(self) -> Document:
        outcomes = dict[str, Json](self.outcomes)
        return {**self.line(), "outcomes": outcomes, "timeline": self.lines}


def told(store: Store, floor: "Beginning", host: str | None, number: int | None) -> Json:
    """Return all incidents, or one of them with its timeline; None if there is no such one."""
    found = incidents(journal.rows(store, floor.revision), floor.numbers)
    if host is None:
        return [each.line() for each in found]
    one = next((each for each in found if (each.host, each.number) == (host, number)), None)
    return one.whole() if one is not None else None


def begins(note: Note) -> bool:
    """Say whether an incident begins with it."""
    return note.what == "host.moved" and note.detail.startswith(BEGINS)


def incidents(rows: Iterable[Row], before: Mapping[str, int] | None = None) -> list[Incident]:
    """Read all incidents from the rows of a journal, the first one first.

    `before`: how many each host had in what was pruned; numbers go on from there.
    """
    found: list[Incident] = []
    last: dict[str, Incident] = {}
    numbers = Counter[str](before or {})
    for row in rows:
        for note in row.notes:
            if begins(note):
                numbers[note.about] += 1
                number = numbers[note.about]
                last[note.about] = Incident(HostId(note.about), number, row.wall, note.why)
                found.append(last[note.about])
        _follow(row, last)
    return found


def _follow(row: Row, last: dict[str, Incident]) -> None:
    match row.event:
        case Listed(request=request, servers=servers) if request.host in last:
            last[request.host].servers |= {server.id for server in servers}
        case _:
            pass
    for note in row.notes:
        for each in last.values():
            if each.ended is None and (note.about == each.host or note.about in each.servers):
                _tell(each, row, note)


def _tell(incident: Incident, row: Row, note: Note) -> None:
    if len(incident.lines) < LINES_MAX:
        said = {"wall": row.wall, "term": row.term, **note._asdict()}
        incident.lines.append(said)
    if note.about != incident.host:
        incident.outcomes[note.about] = note.what
    elif note.what == "host.moved":
        incident.state = note.detail.partition("\u2192 ")[2]
        if note.detail.endswith(ENDS):
            incident.ended = row.wall
