"""Sends whose answer was lost: they stay in the outbox until it is seen what became of them.

    sent ─▶ no answer ─▶ unknown ─┬─▶ seen to have been asked ─▶ as if it had been answered
                                  └─▶ not seen, late enough ─▶ it came to nothing: decided anew

Law: what is unknown is looked up, never offered again. For a move Nova's own record tells, and its
state remembers that; a reboot at home and a power-on are remembered here.
"""

from dataclasses import replace

from . import actions as do
from . import states as at
from .cluster import Entry
from .draft import Draft

EMPTY_LOOKS = 2  # before what was sent, and is nowhere to be seen, is sent again


def keep(draft: Draft, action: do.HardReboot | do.PowerOn) -> None:
    """Let it stand: nobody knows whether it arrived, or will yet."""
    settled_at = draft.now + draft.policy(action.host).nova_settle_s
    draft.outbox[action] = Entry(
        action, draft.views.term, draft.now, settled_at, tries=0, is_unknown=True
    )


def hand_on(draft: Draft, action: do.Action) -> None:
    """Let the next leader know of a send that was never answered, where nothing else says so."""
    match action:
        case do.HardReboot(server=server, attempt=attempt):
            move = draft.move(server)
            if move is None or move.attempt != attempt:
                return
            if isinstance(move.state, at.WaitingForHost | at.Failed):
                keep(draft, action)
        case do.PowerOn() if is_automatic(draft, action):
            keep(draft, action)
        case _:
            pass


def is_automatic(draft: Draft, action: do.PowerOn) -> bool:
    """Say whether policy, not a person alone, wants it, and waits for it: then it is tried again.

    Whoever came up before the answer was given up is led back by then: nothing is left to see.
    """
    record = draft.host(action.host)
    is_awaited = record.power_ons == action.attempt and isinstance(record.state, at.Vacated)
    return is_awaited and draft.policy(action.host).power_on_after_vacated


def is_unknown(draft: Draft, action: do.Action) -> bool:
    """Say whether its answer was lost, and nothing was seen of it since."""
    entry = draft.entry(action)
    return entry is not None and entry.is_unknown


def settled_at(draft: Draft, action: do.Action) -> float:
    """Return from when on it can no longer arrive."""
    entry = draft.entry(action)
    assert entry is not None
    return entry.retry_at


def looked_in_vain(draft: Draft, action: do.HardReboot) -> bool:
    """Count a look that shows nothing of it; say whether there were enough, late enough."""
    entry = draft.entry(action)
    assert entry is not None
    if draft.now < entry.retry_at:
        return False
    if entry.tries < EMPTY_LOOKS:
        draft.outbox[action] = replace(entry, tries=entry.tries + 1)
        return False
    return True
