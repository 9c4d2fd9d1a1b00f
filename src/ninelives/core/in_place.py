"""Bringing servers back on their own host, once it is back: whoever could not be had elsewhere.

Each gets one hard reboot, and is final only when it runs, is deleted, or a human signed it off:
till then its host is not healthy, for an episode that ends forgets its servers (attack 21).
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import states as at
from . import unanswered, ungated
from .arrival import done
from .draft import Draft
from .episode import tell
from .fencing import read_evidence
from .model import REBOOT, HostId, VmState
from .plan import word_of_user
from .targets import (
    ends_to_look_at,
    in_order,
    open_records,
    stale_writers,
    unproved_writers,
)

LEFT = (at.WaitingForHost, at.Failed)


def restart_in_place(draft: Draft, host: HostId) -> bool:
    """Bring back who waited for the host, once each, verified. Return whether all is settled."""
    record, policy = draft.host(host), draft.policy(host)
    moves = in_order(draft.moves_of(host))
    open_ones = [move for move in moves if isinstance(move.state, LEFT) and not _rests(draft, move)]
    open_ones += [move for move in moves if _is_followed(draft, move)]
    if open_ones:
        servers = tuple(sorted(move.server for move in open_ones))
        draft.ask(do.Watch(host, record.epoch, servers))
        draft.wake_host(host, draft.now + policy.watch_s)
    return not open_ones


def _is_followed(draft: Draft, move: at.Move) -> bool:
    """Say whether it went elsewhere after all, and has not ended there yet.

    It is started there only once it is seen that no copy came up here: the gate is open by now.
    """
    if not isinstance(move.state, at.Verifying | at.Starting):
        return False
    stale = stale_writers(draft, move, move.state.target)
    if stale:
        draft.ask(do.LookForDomain(move.server, stale, move.attempt))
    return True


def _rests(draft: Draft, move: at.Move) -> bool:
    """Send the one hard reboot if it is due, and say whether nothing is left to do."""
    will = word_of_user(move.seen) or move.will
    if will is at.Will.NOT_MOVED or not move.ran or move.server in draft.control.signed_off:
        return True
    if move.seen.host not in (move.host, None):
        return will is at.Will.STOPPED or not _is_held_elsewhere(draft, move)
    if will is at.Will.STOPPED:
        return False  # so it was seen last, perhaps long ago: its user may have started it since
    match move.state:
        case at.WaitingForHost(is_sent=True, since=since):
            if draft.now >= since + draft.policy(move.host).verify_timeout_s:
                _fail(draft, move, "in_place_failed")
        case at.WaitingForHost() as state if draft.control.is_armed:
            if not _is_under_way(draft, move):
                _reboot(draft, move, state)
        case _:
            pass
    return False


def _is_held_elsewhere(draft: Draft, move: at.Move) -> bool:
    """Say whether somebody took it on, and it does not run there: it is followed at the next look.

    An open record is in the way of that, until the other end of it was seen without it.
    """
    if not isinstance(move.state, at.WaitingForHost) or move.seen.vm_state is VmState.ACTIVE:
        return False
    if ends := ends_to_look_at(draft, move):
        draft.ask(do.LookForDomain(move.server, ends, move.attempt))
    if open_records(draft, move):
        tell(draft, move.host, f"move_held:{move.server}", "record_open")
    return True


def _is_under_way(draft: Draft, move: at.Move) -> bool:
    """Say whether Nova is at it already: what its host died under, nova-compute goes on with.

    A task that nobody goes on with stands there for ever, and is in the way for the settle time.
    """
    state = draft.host(move.host).state
    since = state.stage_since if isinstance(state, at.Returning) else draft.now
    has_time = draft.now < since + draft.policy(move.host).nova_settle_s
    return move.seen.task_state is not None and has_time


def _reboot(draft: Draft, move: at.Move, state: at.WaitingForHost) -> None:
    if _may_run_elsewhere(draft, move) or not ungated.is_heard(draft, move.host):
        return  # what waits in the queue of one that fell silent runs at its next boot, whenever
    sent = replace(state, since=draft.now, is_sent=True)
    known = move.known_records | _reboots(move)
    move = replace(move, state=sent, attempt=move.attempt + 1, known_records=known)
    draft.put_move(move)
    draft.act(_reboot_of(move), draft.policy(move.host).request_timeout_s)


def _may_run_elsewhere(draft: Draft, move: at.Move) -> bool:
    """At home, too, it starts alone: an end of an old resize or evacuation is looked at first.

    One that is proved dead has to be read so anew: the last check would turn down each request.
    """
    others = unproved_writers(draft, move, move.host)
    stale = stale_writers(draft, move, move.host)
    looked_at = tuple(sorted({*others, *stale}))
    if not looked_at:
        return False
    for writer in stale:
        read_evidence(draft, writer)
    draft.ask(do.LookForDomain(move.server, looked_at, move.attempt))
    state, patience_s = draft.host(move.host).state, draft.policy(move.host).look_again_s
    is_long = isinstance(state, at.Returning) and draft.now >= state.stage_since + patience_s
    if others or is_long:
        tell(draft, move.host, f"move_held:{move.server}", "needs " + ", ".join(looked_at))
    return True


def _fail(draft: Draft, move: at.Move, reason: str) -> None:
    draft.put_move(replace(move, state=at.Failed(draft.now, reason)))
    tell(draft, move.host, f"server_failed:{move.server}", reason)


def verify_in_place(draft: Draft, move: at.Move) -> None:
    """See it run on its own host, whoever brought it back, or rest there as its user wants."""
    move = _looked_up(draft, move)
    seen = move.seen
    runs = seen.vm_state is VmState.ACTIVE and seen.task_state is None and seen.is_running
    is_well = (runs and _is_answered(draft, move)) or _rests_as_wanted(draft, move)
    if seen.host == move.host and is_well:
        done(draft, move, move.host)


def _rests_as_wanted(draft: Draft, move: at.Move) -> bool:
    """Say whether its user wants it to rest, seen since its host may run guests again.

    Whoever starts it from here on is served by Nova itself; a start before that came to nothing.
    """
    state = draft.host(move.host).state
    is_back = isinstance(state, at.Returning) and state.stage is at.Stage.RESTARTING
    return is_back and move.ran and (word_of_user(move.seen) or move.will) is at.Will.STOPPED


def _is_answered(draft: Draft, move: at.Move) -> bool:
    """Nova says "active" of a server whose host died, too: only after the reboot it means it.

    Also when the leader that decided it died before it sent it, or its answer was lost.
    """
    if isinstance(move.state, at.WaitingForHost) and not move.state.is_sent:
        return False
    return draft.entry(_reboot_of(move)) is None


def _reboot_of(move: at.Move) -> do.HardReboot:
    return do.HardReboot(move.server, move.host, move.epoch, move.attempt)


def _reboots(move: at.Move) -> frozenset[int]:
    return frozenset(entry.id for entry in move.seen.records if entry.kind == REBOOT)


def _looked_up(draft: Draft, move: at.Move) -> at.Move:
    """See in Nova's records whether a reboot whose answer was lost was ever asked for.

    If none was, late enough and seen twice, the server is rebooted anew, as long as its host has
    not waited for that too long already. Who failed stays failed: a person was told.
    """
    reboot = _reboot_of(move)
    if not unanswered.is_unknown(draft, reboot):
        return move
    if _reboots(move) - move.known_records:
        draft.settle(reboot)
        return move
    state = move.state
    if not isinstance(state, at.WaitingForHost) or move.seen.task_state is not None:
        return move
    if not unanswered.looked_in_vain(draft, reboot):
        return move
    host = draft.host(move.host).state
    began = host.stage_since if isinstance(host, at.Returning) else draft.now
    if draft.now >= began + draft.policy(move.host).verify_timeout_s:
        _fail(draft, move, "in_place_failed")
    else:
        draft.settle(reboot)
        draft.put_move(replace(move, state=at.WaitingForHost(draft.now, state.reason)))
        draft.note(move.server, "move.not_rebooted", "no_record")
        draft.wake_host(move.host, draft.now)
    return draft.move(move.server) or move


def look_up_again(draft: Draft, move: at.Move) -> None:
    """Take no word for the reboot any more: its episode is over, and its answer with it."""
    if isinstance(move.state, at.WaitingForHost) and move.state.is_sent:
        unanswered.keep(draft, _reboot_of(move))


def reboot_replied(draft: Draft, move: at.Move, event: on.Replied) -> None:
    """Fold the answer to the hard reboot: once, then it is seen or a human is told."""
    state = move.state
    if not isinstance(state, at.WaitingForHost):
        return
    match event.outcome:
        case on.Outcome.NOT_SENT:
            waits = at.WaitingForHost(draft.now, state.reason)
            draft.put_move(replace(move, state=waits))
        case on.Outcome.REFUSED:
            _fail(draft, move, event.reason or "refused")
        case on.Outcome.UNKNOWN:
            unanswered.keep(draft, _reboot_of(move))
        case on.Outcome.DONE:
            pass  # what is seen decides
