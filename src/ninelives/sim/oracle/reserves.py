"""L3: a reserved host is lent in need only, one after the other, and is given back."""

from collections.abc import Iterator

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Control, Loan, LoanStage
from ninelives.core.model import HostId, Mode, SegmentId
from ninelives.sim import happenings as so

from .facts import Violation
from .picture import Picture

WAITING = (at.Planned, at.Choosing, at.Retry, at.Resetting)
ON_THE_WAY = (at.Sending, at.Verifying, at.Starting)
DYING = (at.Fencing, at.Fenced)


def lent(picture: Picture, when: float, it: so.Decided, after: Control) -> Iterator[Violation]:
    """Judge what a decision asks for, by what it was told."""
    known = {loan.host: loan for loan in picture.records.control.loans}
    for loan in after.loans:
        if loan.stage is not LoanStage.ASKED or loan.host in known:
            continue
        if not isinstance(it.event, on.TargetsSeen):
            yield Violation("L3", when, loan.host, "lent, and nobody looked for a target")
            continue
        for taker in _takers(picture, it.event):
            yield Violation("L3", when, loan.host, f"lent, although {taker} could take it")
        for other in known.values():
            if _is_in_nobodys_use(picture, other, loan):
                yield Violation("L3", when, loan.host, f"lent, and {other.host} stands unused")


def _takers(picture: Picture, event: on.TargetsSeen) -> Iterator[HostId]:
    """Name who is in service and could have taken the server, as the leader was told."""
    move = picture.records.moves.get(event.request.server)
    if move is None:
        return
    for candidate in event.candidates:
        host = candidate.host
        is_well = isinstance(picture.records.host(host).state, at.Healthy)
        is_near = _segment(picture, host) == _segment(picture, move.host)
        may_hold_it = host in move.writers - move.absent_on
        is_sick = picture.told.sick & set(picture.facts.site.hosts[host].backends)
        is_out = host in picture.told.disabled or may_hold_it or bool(is_sick)
        if is_well and is_near and not is_out:
            yield host


def _is_in_nobodys_use(picture: Picture, other: Loan, loan: Loan) -> bool:
    """Say whether one that serves the same segment is well, and nobody is there or sent there."""
    if _segment(picture, other.host) != _segment(picture, loan.host):
        return False
    is_well = isinstance(picture.records.host(other.host).state, at.Healthy)
    is_named = any(other.host in move.named for move in picture.records.moves.values())
    is_lent = other.stage is LoanStage.SERVING and not other.is_used
    return is_lent and is_well and not is_named


def enabled(picture: Picture, when: float, action: do.Reserve) -> Iterator[Violation]:
    """Judge what really leaves for Nova."""
    host = action.host
    if not picture.facts.site.hosts[host].is_reserved:
        yield Violation("L3", when, host, "it is no reserved host")
    elif action.enabled and not _is_needed(picture, _segment(picture, host)):
        yield Violation("L3", when, host, "enabled, and no server of its segment needs it")


def _is_needed(picture: Picture, segment: SegmentId) -> bool:
    hosts = (host for host in picture.facts.site.hosts if _segment(picture, host) == segment)
    return any(
        isinstance(picture.records.host(host).state, DYING)
        or any(_wants_a_place(move) for move in picture.records.moves_from(host))
        for host in hosts
    )


def _wants_a_place(move: at.Move) -> bool:
    return isinstance(move.state, (WAITING, ON_THE_WAY))


def all_given_back(picture: Picture, when: float) -> Iterator[Violation]:
    """At the end of a healed story: what is empty, and needed by nobody, rests again."""
    control = picture.records.control
    is_due = when - picture.truth.fault_changed_at >= picture.facts.ends_within_s
    if not is_due or not control.is_armed or control.mode is not Mode.ACT or control.segment_modes:
        return
    for host in sorted(picture.facts.site.reserve):
        is_well = isinstance(picture.records.host(host).state, at.Healthy)
        is_free = _is_empty(picture, host) and not _is_needed(picture, _segment(picture, host))
        if is_well and is_free and host not in picture.told.disabled:
            yield Violation("L3", when, host, "still in service, empty and needed by nobody")


def _is_empty(picture: Picture, host: HostId) -> bool:
    """Nobody runs there, and Nova has nobody there or on the way."""
    records = picture.truth.records.values()
    is_named = any(host == record.host or host in record.open_ends for record in records)
    return not picture.truth.guests.get(host) and not is_named


def _segment(picture: Picture, host: HostId) -> SegmentId:
    return picture.facts.site.hosts[host].segment
