"""The timeline of a run, as an operator reads it: faults, changes of state, what the world did.

       5.0  fault   power c1 off
      11.2  c1      healthy → suspect                signals_lost
      16.9  bmc     c1 power off
      31.4  nova    web runs on c2

Nothing is said of boot noise: what happens at the first instant, hosts that are seen for the first
time, the first leader. Lines of one instant stand in a normal form, so that independent lines
cannot change places: first what befalls the world, then devices and services, then our decisions,
each by name.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Note
from ninelives.core.model import HostId, ServerId

from . import happenings as what
from .timeline_words import condition_words, outcome_line, send_line, state_words


class Line(NamedTuple):
    """One line. `rank` orders lines of one instant; `reason` may be empty."""

    when: float
    rank: int
    who: str
    text: str
    reason: str = ""

    def __str__(self) -> str:
        """Lay it out in columns."""
        return f"{self.when:6.1f}  {self.who:<6}  {self.text:<31}  {self.reason}".rstrip()


FAULT, OUTSIDE, OURS = 0, 1, 2  # ranks


@dataclass(slots=True)
class Timeline:
    """Listens to a world and keeps its lines."""

    lines: list[Line] = field(default_factory=list[Line])
    _moves: dict[ServerId, at.Move] = field(default_factory=dict[ServerId, at.Move])
    _conditions: dict[HostId, str] = field(default_factory=dict[HostId, str])
    _said: set[tuple[object, ...]] = field(default_factory=set[tuple[object, ...]])

    def saw(self, when: float, happening: what.Happening) -> None:
        """Add what is worth saying about one happening."""
        match happening:
            case what.Decided():
                self._decided(when, happening)
            case what.Issued(action=action):
                self._issued(when, action)
            case what.FaultEnded(words=words) if not self._was_commanded(when):
                self._say(when, FAULT, "fault", f"{words} ends")
            case what.ControllerResumed(controller=name, gap_s=gap_s):
                self._say(when, FAULT, name, f"runs again after {gap_s:.0f} s")
            case what.TermTaken(controller=name, term=term) if term > 1:
                self._say(when, OURS, name, f"leads, term {term}")
            case _:
                self._happened(when, happening)

    def commanded(self, when: float, words: str) -> None:
        """Say what befalls the world at `when`, by the words of the story."""
        verb, _, rest = words.partition(" ")
        who = {"user": "user", "operator": "human"}.get(verb, "fault")
        self._say(when, FAULT, who, words if who == "fault" else rest)

    def _was_commanded(self, when: float) -> bool:
        return any(line.when == when and line.rank == FAULT for line in self.lines)

    def _happened(self, when: float, happening: what.Happening) -> None:
        """Add what devices, storage and guests did."""
        match happening:
            case what.HostChanged(host=host, condition=condition):
                before = self._conditions.get(host, "running")
                self._conditions[host] = condition
                self._drop_fallen(when, host)
                if words := condition_words(before, condition):
                    self._say(when, OUTSIDE, "host", f"{host} {words}")
            case what.PowerCut(host=host, meant=meant, ordered_by=by) if by:
                reason = "" if host == meant else f"meant was {meant}"
                self._say(when, OUTSIDE, "bmc", f"{host} power off", reason)
            case what.WritesCut(host=host, backend=backend, is_cut=is_cut):
                words = "shut out" if is_cut else "let in again"
                self._say(when, OUTSIDE, backend, f"{host} {words}")
            case what.DomainStarted(server=server, host=host, is_rebuilt=is_rebuilt, cause=cause):
                reason = "built anew from its image" if is_rebuilt else ""
                self._say(when, OUTSIDE, cause, f"{server} runs on {host}", reason)
            case what.DomainStopped(server=server, host=host):
                self._say(when, OUTSIDE, "guest", f"{server} stops on {host}")
            case _:
                return

    def _drop_fallen(self, when: float, host: HostId) -> None:
        """Drop the lines of guests that stopped because their host did."""
        ending = f" stops on {host}"
        while self.lines and self.lines[-1].when == when and self.lines[-1].text.endswith(ending):
            self.lines.pop()

    def _issued(self, when: float, action: do.Action) -> None:
        if line := send_line(action):
            self._say(when, OURS, *line)

    def _decided(self, when: float, decided: what.Decided) -> None:
        decision, event = decided.decision, decided.event
        if isinstance(event, on.Replied):
            self._replied(when, event)
        for server, move in decision.moves.items():
            self._move(when, server, move)
        for note in decision.notes:
            self._note(when, note)

    def _replied(self, when: float, reply: on.Replied) -> None:
        """Say once what became of a request; the world answers twice at times."""
        key = (reply.action, reply.outcome)
        if key not in self._said and (line := outcome_line(reply)):
            self._said.add(key)
            self._say(when, OUTSIDE, *line)

    def _move(self, when: float, server: ServerId, move: at.Move | None) -> None:
        before = self._moves.pop(server, None)
        if move is None:
            return
        self._moves[server] = move
        old = state_words(before.state) if before and before.epoch == move.epoch else ""
        new = state_words(move.state)
        if old == new or not isinstance(move.state, OUTCOMES):
            return
        self._say(when, OURS, server, new, reason_of_move(move.state))

    def _note(self, when: float, note: Note) -> None:
        """Say what a decision says of itself."""
        match note.what:
            case "host.moved" if note.why != "first_seen":
                arrow = " ".join(note.detail.split()[:3])
                self._say(when, OURS, note.about, arrow, note.why)
            case "host.judged":
                self._say(when, OURS, note.about, f"now looks {note.why}", note.detail)
            case "host.held":
                self._say(when, OURS, note.about, "still held", note.why)
            case "host.stage":
                self._say(when, OURS, note.about, f"returning: {note.why}")
            case "proof.made":
                self._say(when, OURS, note.about, f"proof: {note.why}", note.detail)
            case "told":
                self._say(when, OURS, "tell", f"{note.about}: {note.why}", note.detail)
            case what if what in SHOWN:
                self._say(when, OURS, note.about, what.replace(".", " "), note.why or note.detail)
            case _:
                return

    def _say(self, when: float, rank: int, who: str, text: str, reason: str = "") -> None:
        if when > 0.0 or rank == FAULT:  # the first instant is how the world is set up
            self.lines.append(Line(when, rank, who, text, reason))

    def spoken(self) -> list[Line]:
        """Return the lines in their normal form."""
        return sorted(self.lines, key=order_of)


SHOWN = {  # notes that are said as they are
    "group.began",
    "shot.failed",
    "proof.voided",
    "device.closed",
    "disarmed",
    "reserve.closed",
    "guest.reset",
    "guest.well",
    "order.refused",
}
OUTCOMES = (
    at.Done,
    at.Retry,
    at.WaitingForHost,
    at.Failed,
    at.Skipped,
    at.Cancelled,
)


def reason_of_move(state: at.MoveState) -> str:
    match state:
        case at.Done(host=host):
            return f"on {host}"
        case (
            at.Retry(reason=reason)
            | at.WaitingForHost(reason=reason)
            | at.Failed(reason=reason)
            | at.Skipped(reason=reason)
            | at.Cancelled(reason=reason)
        ):
            return reason
        case _:
            return ""


def order_of(line: Line) -> tuple[float, int, list[int | str]]:
    """Order lines by instant as printed, rank and name; c2 stands before c10."""
    parts = re.split(r"(\d+)", line.who) if line.rank == OURS else [""]
    natural: list[int | str] = [int(part) if part.isdigit() else part for part in parts]
    return round(line.when, 1), line.rank, natural


def printed(lines: Iterable[Line]) -> Iterator[str]:
    """Lay lines out as text."""
    return map(str, lines)
