"""A way back that a new suspicion cut short goes on where it was, when that came to nothing.

    returning: restarting ─▶ suspect ─▶ … ─▶ returning: restarting ─▶ soaking ─▶ healthy

Healthy at once, the host would keep a closed gate, and the servers that wait for it would be
forgotten with their episode (ADR 0030). Fenced instead, its servers are listed and planned anew.
"""

from dataclasses import replace

from . import states as at
from .draft import Draft
from .episode import end, move_to
from .in_place import look_up_again
from .model import HostId


def end_or_go_on(draft: Draft, host: HostId, why: str) -> None:
    """Close a suspicion: healthy again, or further on the way back that it cut short."""
    record = draft.host(host)
    if not record.is_half_back:
        end(draft, host, why)
        return
    boot = draft.sights(host).strong_boot if draft.site(host).has_agent else None
    move_to(draft, host, at.Returning(draft.now, at.Stage.RESTARTING, draft.now, boot), why)
    for move in draft.moves_of(host):
        if not isinstance(move.state, at.Done | at.Skipped | at.Cancelled):
            move = replace(move, epoch=record.epoch)  # the host answers to no other
            draft.put_move(move)
            look_up_again(draft, move)
