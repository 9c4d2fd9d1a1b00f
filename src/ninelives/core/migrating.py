"""A live migration that was sent is followed to its end, also when its host is well again.

    sent ─▶ held: its lists show what became of it ─▶ done, failed
      └──▶ healthy: its episode is over, and Nova may still work on it; it is read again ─▶ dropped

Whoever forgot it would send a second one beside it in the next episode (I16), or reset its guest.
"""

from dataclasses import replace

from . import actions as do
from . import states as at
from .draft import Draft
from .model import MoveRecord, ServerSeen, VmState

EMPTY_LOOKS = 2  # late ones, before what is nowhere to be seen was never begun


def is_open(move: at.Move) -> bool:
    """Say whether its server was sent away alive, and it is not known how that ended. Pure."""
    return isinstance(move.state, at.Mending) and move.state.is_migration


def is_left(draft: Draft, move: at.Move) -> bool:
    """Say whether the episode in which it was sent is over: no list of it shows its end. Pure."""
    record = draft.host(move.host)
    is_past = move.epoch != record.epoch or isinstance(record.state, at.Healthy)
    return is_open(move) and is_past


def keep(draft: Draft, move: at.Move) -> None:
    """Keep a migration beyond its episode; look at it when Nova had its time for it."""
    assert isinstance(move.state, at.Mending)
    settled_at = move.state.since + draft.policy(move.host).nova_settle_s
    draft.wake(f"guest/{move.server}", max(settled_at, draft.now))


def look_again(draft: Draft, move: at.Move) -> None:
    """Read a server whose migration was left open, until its end was seen."""
    if not is_left(draft, move):
        return  # the lists of its episode show it, or will; with its end it is kept, and wakes
    draft.ask(do.Watch(move.host, draft.host(move.host).epoch, (move.server,)))
    draft.wake(f"guest/{move.server}", draft.now + draft.policy(move.host).vacated_look_s)


def seen(draft: Draft, server: ServerSeen) -> None:
    """Drop a migration that was left open, once it is over or certainly never began.

    A record that Nova does not end keeps it, however long: its database may forget the record, and
    the work goes on.
    """
    move = draft.move(server.id)
    if move is None or not is_left(draft, move):
        return
    assert isinstance(move.state, at.Mending)
    own = [record for record in server.records if _may_be_its(move, record)]
    looks = move.state.empty_looks
    if server.vm_state is VmState.DELETED:
        is_over = True
    elif own:
        is_over = all(record.is_final for record in own)
    elif draft.now < move.state.since + draft.policy(move.host).nova_settle_s:
        return  # it may yet begin
    else:
        is_over, looks = looks >= EMPTY_LOOKS, looks + 1
    if is_over:
        draft.drop_move(move)
    elif looks != move.state.empty_looks:
        draft.put_move(replace(move, state=replace(move.state, empty_looks=looks)))


def _may_be_its(move: at.Move, record: MoveRecord) -> bool:
    is_new = record.id not in move.known_records
    return is_new and record.kind == "live-migration" and record.source == move.host
