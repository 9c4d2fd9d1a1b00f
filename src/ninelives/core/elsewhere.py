"""A server that is elsewhere by now: follow who moved it, or see where a domain of it is."""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import states as at
from .draft import Draft
from .episode import tell
from .model import HostId, ServerSeen
from .targets import open_records


def follow_elsewhere(draft: Draft, move: at.Move) -> None:
    """Nova says that it lives elsewhere by now: follow who moved it, or leave it alone.

    An earlier request of ours that came late, or another rescuer's, is the one move in flight; a
    live migration that ended is none of ours.
    """
    if isinstance(move.state, at.Starting):
        _follow_on(draft, move, move.state)
    seen = move.seen
    waits = isinstance(move.state, at.Planned | at.Retry | at.WaitingForHost)
    if not waits or seen.host in (move.host, None) or open_records(draft, move):
        return
    host = HostId(seen.host or "")
    is_evacuated = any(
        entry.kind == "evacuation" and entry.source == move.host and entry.target in (host, None)
        for entry in seen.records
    )
    state: at.MoveState = at.Skipped(draft.now, "lives_elsewhere")
    is_leaving = seen.task_state == "migrating"  # it only stood there: no request arrived
    if (host in move.named or is_evacuated) and not is_leaving:
        state = at.Verifying(draft.now, host)
    is_adopted = move.is_adopted or host not in move.named
    draft.put_move(replace(move, state=state, is_adopted=is_adopted))
    draft.note(move.server, "move.elsewhere", type(state).__name__.lower(), host)
    if isinstance(state, at.Skipped):
        draft.ask(do.LookForDomain(move.server, (host,), move.attempt))


def _follow_on(draft: Draft, move: at.Move, state: at.Starting) -> None:
    """Somebody took it on from where it arrived, to a third host: it shall run there.

    On the first nothing starts any more; when that one dies, its episode waits for this very move.
    """
    seen = move.seen
    if seen.host in (state.target, move.host, None) or seen.task_state is not None:
        return
    if open_records(draft, move, move.known_records):
        return
    host = HostId(seen.host or "")
    there = replace(state, target=host)
    absent_on = move.absent_on - {host}
    draft.put_move(replace(move, state=there, is_adopted=True, absent_on=absent_on))
    draft.note(move.server, "move.elsewhere", "starting", host)


def has_fallen_back(move: at.Move, server: ServerSeen) -> bool:
    """Say whether Nova names its old host again of a server that was seen to arrive elsewhere.

    A database that fails over forgets its last writes. The copy that arrived goes on running where
    Nova knows of none, and the old host would start it a second time. Pure.
    """
    has_arrived = isinstance(move.state, at.Done) and move.state.host != move.host
    return has_arrived and server.host == move.host


def is_at_stake(draft: Draft, host: HostId, server: ServerSeen) -> bool:
    """Say whether a start of nova-compute could destroy it, or be that of a second copy."""
    move = draft.move(server.id)
    if move is not None and move.host == host and has_fallen_back(move, server):
        return True
    is_open = any(record.source == host and not record.is_final for record in server.records)
    return is_open and server.host in (host, None)


def domains_seen(draft: Draft, event: on.DomainsSeen) -> None:
    """Fold where a domain of the server is: absent clears a writer, present needs a human."""
    move = draft.move(event.request.server)
    if move is None:
        return
    if event.request.attempt != move.attempt:
        _take_back(draft, move, event)
        return
    here = tuple(host for host, present in event.present if present)
    absent = frozenset(host for host, present in event.present if present is False)
    # A start that waits for its old host is alone only where no rebuild left a copy (queued.py).
    is_queued = move.server in draft.host(move.host).queued
    if isinstance(move.state, at.Cancelled):
        if here:
            tell(draft, move.host, f"orphan:{move.server}", ",".join(here))
        if is_queued:
            _keep(draft, move, (move.absent_on | absent) - _unseen(event))
        return
    is_elsewhere = isinstance(move.state, at.Skipped) and move.state.reason == "lives_elsewhere"
    if is_elsewhere and move.seen.host in absent:
        # It had switched over to the host that died: Nova names a host on which nothing runs.
        draft.put_move(replace(move, state=at.Failed(draft.now, "nowhere")))
        tell(draft, move.host, f"server_failed:{move.server}", "nowhere")
        return
    waits = isinstance(move.state, at.Planned | at.Retry | at.WaitingForHost)
    if waits and move.seen.host != move.host and move.seen.host in here:
        # Nova names the host on which it was seen: it had moved there, whatever a record says.
        draft.put_move(replace(move, state=at.Skipped(draft.now, "lives_elsewhere")))
        draft.note(move.server, "move.elsewhere", "seen", move.seen.host or "")
        draft.wake_host(move.host, draft.now)
        return
    rests = is_queued and isinstance(move.state, at.Failed | at.Skipped)
    is_cleared = waits or rests or isinstance(move.state, at.Starting)
    _keep(draft, move, (move.absent_on | absent if is_cleared else move.absent_on) - _unseen(event))
    if here:
        tell(draft, move.host, f"adopt:{move.server}", ",".join(here))


def _unseen(event: on.DomainsSeen) -> frozenset[HostId]:
    """Return who was not seen without it: they are asked again, also right before a send."""
    return frozenset(host for host, present in event.present if present is not False)


def _take_back(draft: Draft, move: at.Move, event: on.DomainsSeen) -> None:
    """Let a late answer forbid, never allow: asked before the attempt, it came after its decision.

    The host went dark between two looks; what the first one saw there is no longer seen.
    """
    _keep(draft, move, move.absent_on - _unseen(event))


def _keep(draft: Draft, move: at.Move, absent_on: frozenset[HostId]) -> None:
    if absent_on != move.absent_on:
        draft.put_move(replace(move, absent_on=absent_on))
        draft.wake_host(move.host, draft.now)
