"""Making a server movable that Nova refuses to evacuate: its state is reset, by class only.

    choosing ─▶ resetting ─▶ planned ─▶ choosing ─▶ sending …
                    └─▶ retry    refused, or without effect for the whole settle time

Off unless its class asks for it, for something is lost: the memory of a suspended server, the
rescue of a rescued one. A resized one is left alone: only its user decides between its two hosts.

The proofs must stand and a target must be there first, so that nobody is left in error for nothing.
The request also takes away the task state. It must never strike an evacuation, and so none is sent
before its answer came, or the settle time has passed.
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import states as at
from .draft import Draft
from .model import ServerSeen, VmState
from .protection import Promise

RESETTABLE = frozenset({VmState.PAUSED, VmState.SUSPENDED, VmState.RESCUED})


def may_reset(server: ServerSeen, promise: Promise) -> bool:
    """Say whether its class has its state reset. Pure."""
    return promise.resets_state and server.vm_state in RESETTABLE


def begin(draft: Draft, move: at.Move) -> None:
    """Send the one reset of this attempt."""
    attempt = move.attempt + 1
    draft.put_move(replace(move, state=at.Resetting(draft.now), attempt=attempt))
    action = do.ResetState(move.server, move.host, move.epoch, attempt)
    draft.act(action, draft.policy(move.host).request_timeout_s)
    draft.note(move.server, "move.reset", move.seen.vm_state, f"attempt {attempt}")


def replied(draft: Draft, event: on.Replied) -> at.Move | None:
    """Fold the answer. Return the move where it was refused: the attempt is spent."""
    action = event.action
    assert isinstance(action, do.ResetState)
    draft.settle(action)
    move = draft.move(action.server)
    if move is None or (move.epoch, move.attempt) != (action.epoch, action.attempt):
        return None
    if not isinstance(move.state, at.Resetting):
        return None
    match event.outcome:
        case on.Outcome.REFUSED:
            return move
        case on.Outcome.NOT_SENT:
            later = at.Retry(draft.now + draft.policy(move.host).watch_s, "not_sent")
            draft.put_move(replace(move, attempt=move.attempt - 1, state=later))
            draft.note(move.server, "move.not_sent", event.reason)
        case on.Outcome.DONE:
            draft.put_move(replace(move, state=replace(move.state, is_taken=True)))
        case on.Outcome.UNKNOWN:
            draft.put_move(replace(move, state=at.Resetting(draft.now)))
            draft.note(move.server, "move.unknown", event.reason)
    draft.wake_host(move.host, draft.now)
    return None


def is_spent(draft: Draft, move: at.Move, state: at.Resetting) -> bool:
    """See the server in error and let it move, or say that nothing came of this attempt."""
    is_late = draft.now >= state.since + draft.policy(move.host).nova_settle_s
    if not state.is_taken and not is_late:
        return False
    if move.seen.vm_state in RESETTABLE:
        return is_late
    draft.put_move(replace(move, state=at.Planned(draft.now)))
    return False
