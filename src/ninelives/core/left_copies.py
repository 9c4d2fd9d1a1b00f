"""What an ended episode must not forget: a copy of a server that may be left where it was sent.

Nova can fail a rebuild after its domain came up, and then names the old host again, with every
record final. A person may sign such a server off, and its host returns; the copy runs on. So the
move stays, and the next plan of this server counts whoever may hold the copy among its writers,
until a domain is seen absent there, or proved dead.
"""

from dataclasses import replace

from . import migrating
from . import states as at
from .draft import Draft
from .model import VmState
from .targets import unproved_writers

COPY_LEFT = "copy_left"
ENDED = (at.WaitingForHost, at.Failed, at.Skipped, at.Cancelled)
DELETES = frozenset({"delete", "forceDelete"})  # its domains go with it; it is never planned again


def keep_or_drop(draft: Draft, move: at.Move) -> None:
    """End a move with its episode: the journal keeps what became of it.

    A copy keeps the move, and so does a migration of which nobody has seen the end.
    """
    if migrating.is_open(move):
        migrating.keep(draft, move)
        return
    if is_left(move) and move.epoch != draft.host(move.host).epoch:
        return  # no list of this episode named it: what an earlier one left is left still
    left = unproved_writers(draft, move, move.host) if _rests_at_home(move) else ()
    if not left:
        draft.drop_move(move)
        return
    state = at.Skipped(draft.now, COPY_LEFT)
    draft.put_move(replace(move, state=state, writers=frozenset({move.host, *left})))
    draft.note(move.server, "move.kept", COPY_LEFT, ",".join(left))


def is_left(move: at.Move) -> bool:
    """Say whether all that is open of a move is a copy that its episode left. Pure."""
    return isinstance(move.state, at.Skipped) and move.state.reason == COPY_LEFT


def _rests_at_home(move: at.Move) -> bool:
    seen = move.seen
    is_deleted = seen.vm_state is VmState.DELETED or seen.user_action in DELETES
    is_home = seen.host in (move.host, None)
    return isinstance(move.state, ENDED) and is_home and not is_deleted
