"""I25: where the time of an outage went, phase by phase; and what a run exercised.

    undetected ─▶ suspect ─▶ held ─▶ fencing ─▶ listing ─▶ queued ─▶ moving ─▶ starting
    (from its death)                                          └▶ waiting (for its host)

A phase ends where the next begins, so phases tile by construction. The law is about what they
mean: a server that is down never falls back to "undetected" once its host was being fenced (a
gap), and never moves while its host is still only suspected, held or being fenced (an overlap).
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId, ServerId
from ninelives.sim.state_table import IMPOSSIBLE, Pair, named, pairs_of

from .facts import Violation
from .moves import COUNTED
from .picture import Picture

NEVER = "impossible"  # the law that an event breaks which cannot meet such a state
UNSEEN = "undetected"
FAR = frozenset({"fencing", "listing", "queued", "moving", "starting"})
STOPS_GUESTS = frozenset({"off", "panicked", "frozen", "hung"})
OUTAGES_KEPT = 100_000


class Phase(NamedTuple):
    """A part of an outage, in world seconds."""

    name: str
    began: float
    ended: float


class Outage(NamedTuple):
    """A server was down. `ended` is None while it is; `how` says what ended it."""

    server: ServerId
    host: HostId  # that died under it
    marks: tuple[tuple[float, str], ...]  # when each phase began
    ended: float | None = None
    how: str = ""


def phases(outage: Outage, until: float) -> tuple[Phase, ...]:
    """Return the phases, back to back, from the death to `ended`, or to `until` if it goes on."""
    end = until if outage.ended is None else outage.ended
    ends = (*(when for when, _ in outage.marks[1:]), end)
    return tuple(
        Phase(name, began, ended) for (began, name), ended in zip(outage.marks, ends, strict=True)
    )


def phase_of(record: at.Host, move: at.Move | None) -> str:
    """Name where a server that is down stands. Pure."""
    match record.state:
        case at.Healthy() | at.Unknown():
            return UNSEEN
        case at.Suspect() | at.Repairing():
            return "suspect"
        case at.Held():
            return "held"
        case at.Fencing():
            return "fencing"
        case _:
            return _phase_of_move(move.state) if move and move.epoch == record.epoch else "listing"


def _is_led_back(record: at.Host) -> bool:
    return isinstance(record.state, at.Returning)


def _phase_of_move(state: at.MoveState) -> str:
    match state:
        case at.Planned() | at.Choosing() | at.Retry():
            return "queued"
        case at.Resetting() | at.Sending() | at.Verifying():
            return "moving"
        case at.Starting():
            return "starting"
        case _:
            return "waiting"


@dataclass(slots=True)
class Counts:
    """What a run exercised. Cheap: integers, and one key for each pair of state and event."""

    decisions: int = 0
    episodes: int = 0
    leader_changes: int = 0
    proofs_voided: int = 0
    faults: Counter[int] = field(default_factory=Counter[int])  # row of the table → how often
    groups: set[str] = field(default_factory=set[str])  # group incidents
    pairs: dict[Pair, int] = field(default_factory=dict[Pair, int])

    def exercised(self, picture: Picture, when: float, event: on.Event) -> Iterator[Violation]:
        """Count (state before, type of event) of every host and move that an event meets."""
        self.decisions += 1
        records, pairs = picture.records, self.pairs
        for pair in pairs_of(picture.facts.site.hosts, records.hosts, records.moves, event):
            if pair in pairs:
                pairs[pair] += 1
                continue
            pairs[pair] = 1
            if pair in IMPOSSIBLE:
                why = f"met, although {IMPOSSIBLE[pair]}"
                yield Violation(NEVER, when, named(pair), why)

    def fork(self) -> "Counts":
        """Return an independent copy."""
        return Counts(
            self.decisions,
            self.episodes,
            self.leader_changes,
            self.proofs_voided,
            self.faults.copy(),
            self.groups.copy(),
            self.pairs.copy(),
        )


@dataclass(slots=True)
class Outages:
    """Every outage of a server whose host died, open and ended."""

    open: dict[ServerId, Outage] = field(default_factory=dict[ServerId, Outage])
    ran: dict[ServerId, float] = field(default_factory=dict[ServerId, float])  # since when again
    ended: deque[Outage] = field(default_factory=lambda: deque[Outage](maxlen=OUTAGES_KEPT))

    def host_changed(self, picture: Picture, when: float, host: HostId, condition: str) -> None:
        """Begin the outages of everybody on a host that stops; ask before its guests vanish."""
        if condition in STOPS_GUESTS:
            for server in sorted(picture.truth.guests.get(host, ())):
                if server not in self.open and not picture.truth.is_left_behind(server, host):
                    record, move = picture.records.host(host), picture.records.moves.get(server)
                    name = UNSEEN if _is_led_back(record) else phase_of(record, move)
                    self.open[server] = Outage(server, host, ((when, name),))
        elif condition == "running":
            for server in sorted(picture.truth.guests.get(host, ())):
                self.end(when, server, "resumed")

    def started(self, picture: Picture, when: float, server: ServerId) -> None:
        """End it, unless its move goes on: Nova starts what it moves, and may stop it again."""
        move = picture.records.moves.get(server)
        if server not in self.open:
            return
        self.ran[server] = when
        if move is None or not isinstance(move.state, COUNTED):
            self.end(when, server, "runs")

    def end(self, when: float, server: ServerId, how: str) -> None:
        """End an outage, if there is one, at the instant from which it truly runs."""
        outage = self.open.pop(server, None)
        since = self.ran.pop(server, None)
        if outage is None:
            return
        end, words = (when, how) if since is None else (since, "runs")
        marks = (outage.marks[0], *(mark for mark in outage.marks[1:] if mark[0] < end))
        self.ended.append(outage._replace(marks=marks, ended=end, how=words))

    def advance(self, picture: Picture, when: float, server: ServerId) -> Iterator[Violation]:
        """I25: enter the phase in which a decision leaves a server that is down."""
        outage = self.open.get(server)
        if outage is None:
            return
        record, move = picture.records.host(outage.host), picture.records.moves.get(server)
        before, after = outage.marks[-1][1], phase_of(record, move)
        if before == UNSEEN and _is_led_back(record):
            return  # it ran there already, and nobody has seen yet that its host died once more
        is_its = move and (move.host, move.epoch) == (outage.host, record.epoch)
        is_moving = move and is_its and isinstance(move.state, COUNTED)
        if is_moving and isinstance(record.state, at.Suspect | at.Held | at.Fencing):
            yield Violation("I25", when, server, f"overlap: it moves, its host is {after}")
        is_left = before in FAR and after == UNSEEN
        if is_left and server in picture.records.control.signed_off:
            self.end(when, server, "signed off")  # a person lets it lie
            return
        if is_left and not picture.truth.is_wanted_running(server):
            self.end(when, server, "rests")  # paused or stopped by its user: it may stay so
            return
        if is_left:
            yield Violation("I25", when, server, f"gap: down, and nobody at it since {before}")
        if before != after:
            self.open[server] = outage._replace(marks=(*outage.marks, (when, after)))
        if move is not None and isinstance(move.state, at.Skipped | at.Cancelled):
            self.end(when, server, type(move.state).__name__.lower())
        elif move is not None and isinstance(move.state, at.Done):
            self.end(when, server, "rests")  # its user wants it stopped: nothing will start it

    def on_host(self, host: HostId) -> list[ServerId]:
        """Return who is down because this host died."""
        return [server for server, outage in self.open.items() if outage.host == host]

    def fork(self) -> "Outages":
        """Return an independent copy."""
        return Outages(self.open.copy(), self.ran.copy(), self.ended.copy())
