"""Incidents read back from the journal: when, why, by which proofs, and what became of whom."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

from ninelives.core.cluster import Note
from ninelives.core.events import Listed
from ninelives.core.model import HostId
from ninelives.engine import journal
from ninelives.engine.journal import Row
from ninelives.engine.ports import Store

from .incident_marks import begins, ends
from .retention import Bases, floor_of
from .views import Document, Json

LINES_MAX = 2_000  # of one incident's timeline


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


@dataclass(slots=True)
class Book:
    """The incidents of one journal, read as far as it had come: who looks each second reads little.

    Safe to use from several threads.
    """

    found: list[Incident] = field(default_factory=list[Incident])  # the first one first
    revision: int = 0  # read up to here
    _last: dict[str, Incident] = field(default_factory=dict[str, Incident])
    _numbers: Counter[str] = field(default_factory=Counter[str])
    _reading: Lock = field(default_factory=Lock)

    def told(self, store: Store, bases: Bases, host: str | None, number: int | None) -> Json:
        """Return all incidents, or one with its timeline; None if there is no such one."""
        with self._reading:
            self.read(store, bases)
            if host is None:
                return [each.line() for each in self.found]
            wanted = (host, number)
            one = next((each for each in self.found if (each.host, each.number) == wanted), None)
            return one.whole() if one is not None else None

    def read(self, store: Store, bases: Bases) -> None:
        """Read on; anew from the floor where what comes next was pruned meanwhile."""
        if bases.floor_revision() > self.revision:
            floor = floor_of(bases)
            self.found, self._last = [], {}
            self.revision, self._numbers = floor.revision, Counter(floor.numbers)
        for row in journal.rows(store, self.revision):
            self.fold(row)

    def fold(self, row: Row) -> None:
        """Take in one row."""
        for note in row.notes:
            if begins(note):
                self._numbers[note.about] += 1
                number = self._numbers[note.about]
                begun = Incident(HostId(note.about), number, row.wall, note.why)
                self._last[note.about] = begun
                self.found.append(begun)
        _follow(row, self._last)
        self.revision = row.revision


def _follow(row: Row, last: dict[str, Incident]) -> None:
    match row.event:
        case Listed(request=request, servers=servers) if request.host in last:
            if last[request.host].ended is None:  # a reserved host that serves is listed, too
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
        if ends(note):
            incident.ended = row.wall
