"""Whether the leader stands where it can see (R4), and who leads better if it does not.

    most of what it looks at on some plane is silent to the leader, its own references included
    another controller, heard in this term, sees nearly all of it on every plane
    that lasts for `confirm_s` ─▶ told once, and leadership handed over

Its silence alone could be a dead rack, and then the other controllers miss the same hosts. Nobody
is shot on a blind leader's word; but it cannot reach whoever really dies either, so it lets
somebody lead who can. The new leader was the better one on every plane: it does not hand back.
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from .draft import Draft
from .evidence import CONTROL_GROUP_MIN, is_own_fault
from .model import Mode, Plane, WitnessId
from .tallies import seen_key, silent_key

WAKE = "vantage"
WHAT = "hands_over"


def look(draft: Draft) -> None:
    """See whether another controller should lead, and let it, once that stood long enough."""
    policy, views = draft.cluster.policy, draft.views
    better = better_placed(draft)
    if better is None:
        if views.blind_since is not None:
            draft.put_views(replace(views, blind_since=None))
        return
    since = views.blind_since if views.blind_since is not None else draft.now
    if views.blind_since is None:
        draft.put_views(replace(views, blind_since=since))
    if draft.now < since + policy.confirm_s:
        draft.wake(WAKE, since + policy.confirm_s)
    elif _is_kept(draft) or _awaits_an_answer(draft):
        draft.wake(WAKE, draft.now + policy.watch_s)
    else:
        _hand_over(draft, better)


def better_placed(draft: Draft) -> WitnessId | None:
    """Name the controller that sees well where the leader does not; None where all is well. Pure.

    It costs a few look-ups: counters are compared, never hosts.
    """
    views = draft.views
    if not is_blind(draft, views.leader) or is_own_fault(draft, draft.cluster.policy):
        return None
    for other in draft.cluster.site.controllers:
        is_heard = other in views.witnesses and other not in views.frozen
        if other != views.leader and is_heard and _is_better(draft, other):
            return other
    return None


def is_blind(draft: Draft, witness: WitnessId) -> bool:
    """Say whether most of what a witness looks at is silent to it, on some plane. Pure."""
    looks = (_seen_and_silent(draft, witness, plane) for plane in Plane)
    return any(silent > seen and seen + silent >= CONTROL_GROUP_MIN for seen, silent in looks)


def _is_better(draft: Draft, other: WitnessId) -> bool:
    """Say whether it misses next to nothing on any plane, and sees hosts that the leader misses."""
    share = draft.cluster.policy.qualified_share
    looks = (_seen_and_silent(draft, other, plane) for plane in Plane)
    ours = sum(draft.count(seen_key(draft.views.leader, plane)) for plane in Plane)
    theirs = sum(draft.count(seen_key(other, plane)) for plane in Plane)
    return theirs > ours and all(seen >= share * (seen + silent) for seen, silent in looks)


def _seen_and_silent(draft: Draft, witness: WitnessId, plane: Plane) -> tuple[int, int]:
    """Count hosts not proved dead, and reference addresses."""
    reached, declared = draft.views.references.get((witness, plane), (0, 0))
    seen = draft.count(seen_key(witness, plane))
    silent = draft.count(silent_key(witness, plane))
    return seen + reached, silent + declared - reached


def _is_kept(draft: Draft) -> bool:
    """Who is told to look on, or is disarmed, gives away nothing either."""
    return not draft.control.is_armed or draft.control.mode is not Mode.ACT


def _awaits_an_answer(draft: Draft) -> bool:
    """A send whose answer nobody hears would be unknown to the next leader for `nova_settle_s`."""
    return any(isinstance(action, do.SENDS) for action in draft.cluster.outbox)


def _hand_over(draft: Draft, better: WitnessId) -> None:
    leader, term = draft.views.leader, draft.views.term
    action = do.HandOver("vantage", term)
    if draft.entry(action) is not None:
        return
    detail = f"{better} sees more"
    draft.act(do.Tell(leader, WHAT, term, detail), draft.cluster.policy.tell_within_s)
    draft.act(action, retry_s=draft.cluster.policy.request_timeout_s)
    draft.note(leader, "told", WHAT, detail)


def replied(draft: Draft, event: on.Replied) -> None:
    """Fold that it did not go out: whatever stood against it, it is looked at anew."""
    draft.settle(event.action)
    draft.put_views(replace(draft.views, blind_since=None))
    look(draft)


def objection(draft: Draft, action: do.HandOver) -> str:
    """Return why leadership is kept after all, "" if it is not. Pure."""
    if action.term != draft.views.term:
        return "other_term"
    if draft.control.mode is not Mode.ACT:
        return "mode"
    return "" if better_placed(draft) is not None else "sees_again"
