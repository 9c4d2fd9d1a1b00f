"""Where and when the next server may go: order, limits, named targets, and who may still write."""

from collections.abc import Iterable

from . import states as at
from .draft import Draft
from .evidence import power_is
from .lost_work import is_lost
from .model import Candidate, HostId, MoveRecord, Power
from .proofs import covers_disks, permits_start
from .protection import Keep
from .tallies import MOVING, backend_key, project_key, target_key

PENDING = (at.Planned, at.Retry, *at.IN_FLIGHT)


def in_order(moves: Iterable[at.Move]) -> list[at.Move]:
    """Sort moves as their owners were promised: tier, dependency group, declared order."""
    return sorted(
        moves, key=lambda move: (move.promise.tier, move.seen.group, move.seen.order, move.server)
    )


def waits_for_group(draft: Draft, move: at.Move, others: list[at.Move]) -> bool:
    """Say whether a predecessor in its dependency group is not ready, failed or overdue yet."""
    if not move.seen.group:
        return False
    deadline = move.promise.deadline_s or draft.policy(move.host).verify_timeout_s
    return any(
        other.seen.group == move.seen.group
        and (other.promise.tier, other.seen.order) < (move.promise.tier, move.seen.order)
        and isinstance(other.state, PENDING)
        and draft.now < other.began + deadline
        for other in others
    )


def has_room(draft: Draft, move: at.Move) -> bool:
    """Say whether the limits for backend, project and all allow one more move."""
    policy = draft.policy(move.host)
    if draft.count(MOVING) >= policy.moves_max:
        return False
    return has_project_room(draft, move) and all(
        draft.count(backend_key(disk)) < policy.backend_moves_max for disk in set(move.seen.disks)
    )


def has_project_room(draft: Draft, move: at.Move) -> bool:
    """Say whether the move's own project may have one more on the way."""
    most = draft.policy(move.host).project_moves_max
    return draft.count(project_key(move.seen.project)) < most


def choose(draft: Draft, move: at.Move, candidates: tuple[Candidate, ...]) -> HostId | str:
    """Name the target, or return why there is none right now as a plain reason.

    Placement proposes, in its order; we spread, keep inside the limits, and never name a host on
    which a copy might still be, unless the attempt before named it (then a duplicate meets itself).
    """
    limit = draft.policy(move.host).target_moves_max
    again = named_again(draft, move)
    if again is not None:
        is_proposed = any(entry.host == again for entry in candidates)
        if not is_proposed or not takes_servers(draft, again):
            return "again_not_allowed"
        return again if draft.count(target_key(again)) < limit else "limits"
    fitting = [entry for entry in candidates if _is_allowed(draft, move, entry.host)]
    if not fitting:
        return "no_target"
    if move.seen.is_image_backed and move.promise.data is Keep.PRESERVE:
        fitting = [entry for entry in fitting if entry.sees_disk]
        if not fitting:
            return "data_would_be_lost"
    free = [entry for entry in fitting if draft.count(target_key(entry.host)) < limit]
    if not free:
        return "limits"

    def burden(entry: Candidate) -> tuple[bool, int]:
        return entry.host in move.named, draft.count(target_key(entry.host))

    return min(free, key=burden).host


def named_again(draft: Draft, move: at.Move) -> HostId | None:
    """Return the one target that the next attempt may name, None while it is free to choose.

    What was sent there may still arrive, so another only while that one is proved dead: should it
    come back before anything was sent elsewhere, the late request may still bring a copy up there.
    """
    is_free = move.again is None or is_dead(draft, move.again, move)
    return None if is_free else move.again


def _is_allowed(draft: Draft, move: at.Move, target: HostId) -> bool:
    return may_be_target(draft, move, target) and takes_servers(draft, target)


def may_be_target(draft: Draft, move: at.Move, target: HostId) -> bool:
    """Say whether the server may go to a host, were it in service."""
    if target not in draft.cluster.site.hosts:
        return False
    if target in move.writers and target not in move.absent_on:
        return False  # a copy may still be there; seen absent, a target may be tried again
    same_segment = draft.site(target).segment == draft.site(move.host).segment
    site = draft.site(target)
    sick = draft.views.sick_backends & set(site.backends) & set(move.seen.disks)
    return same_segment and not sick


def takes_servers(draft: Draft, target: HostId) -> bool:
    """Say whether a host is in service, for us and in Nova's last record of it.

    Placement hears of a disable late, and never of a force-down.
    """
    nova = draft.sights(target).nova
    is_out = nova is not None and (nova.disabled or nova.forced_down)
    return not is_out and isinstance(draft.host(target).state, at.Healthy)


def unproved_writers(draft: Draft, move: at.Move, target: HostId | None) -> tuple[HostId, ...]:
    """Return who, but the target, could still write: no proof for its disks, not seen absent."""
    return tuple(
        writer
        for writer in sorted(move.writers)
        if writer != target
        and writer not in move.absent_on
        and not (
            writer in draft.cluster.site.hosts and covers_disks(draft.host(writer), move.seen.disks)
        )
    )


def stale_writers(draft: Draft, move: at.Move, target: HostId | None) -> tuple[HostId, ...]:
    """Return whose proof stands, but permits no start now: who knows whether it is on again?"""
    return tuple(
        writer
        for writer in sorted(move.writers)
        if writer != target and writer not in move.absent_on
        if writer in draft.cluster.site.hosts
        if not permits_start(draft, writer)
    )


def stays_unread(draft: Draft, host: HostId) -> bool:
    """Say whether a host that is on again will neither read off nor be seen to run nothing.

    It is led back, or waits to be, and has no agent that could say what runs there.
    """
    is_back = isinstance(draft.host(host).state, at.Vacated | at.Returning | at.Quarantined)
    return is_back and not draft.site(host).has_agent and power_is(draft.sights(host), Power.ON)


def open_records(draft: Draft, move: at.Move, but: frozenset[int] = frozenset()) -> bool:
    """Say whether Nova still works on a record of this server that nothing has settled.

    A record whose ends died stays open for ever: Nova itself never cleans it. It is unstuck only by
    proof, or by the look that found no domain there (attack 2). An evacuation needs the proof: its
    rebuild may wait in the target's queue, and no look sees that. The proof of an earlier outage
    will do, if it is remembered that the work died there (lost_work).
    """
    return any(
        not record.is_final and record.id not in but and not _is_settled(draft, move, record)
        for record in move.seen.records
    )


def _is_settled(draft: Draft, move: at.Move, record: MoveRecord) -> bool:
    if record.target is None:
        return False
    if is_dead(draft, record.target, move):
        return True
    if record.kind == "evacuation":
        return is_lost(draft, record)
    has_no_driver = is_lost(draft, record) or is_dead(draft, record.source, move)
    return has_no_driver and record.target in move.absent_on


def ends_to_look_at(draft: Draft, move: at.Move) -> tuple[HostId, ...]:
    """Return where a migration that the death cut short may have left a domain."""
    ends = {
        record.target
        for record in move.seen.records
        if not record.is_final and record.kind != "evacuation" and record.target is not None
        if not _is_settled(draft, move, record)
    }
    return tuple(sorted(ends))


def is_dead(draft: Draft, host: HostId, move: at.Move) -> bool:
    """Say whether a standing proof says that no copy of this server on `host` can write."""
    known = host in draft.cluster.site.hosts
    return known and covers_disks(draft.host(host), move.seen.disks)
