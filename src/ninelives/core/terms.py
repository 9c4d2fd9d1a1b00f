"""A new leader, and its own eyes: nothing that was forbidden becomes allowed by taking over.

At a new term every wait, grace, cooldown, soak and `T_safe` starts again in full: instants of
another process mean nothing here. What was sent and not answered is unknown; it is looked up.
"""

from dataclasses import replace

from . import actions as do
from . import adoption, reserve, storms, unanswered
from . import events as on
from . import states as at
from .cluster import Views
from .draft import Draft


def began(draft: Draft, event: on.TermBegan) -> None:
    """Start a term: forget what was seen, restart every wait, look at everything that is open."""
    views = Views(event.term, event.leader, draft.now, event.is_unclean)
    draft.put_views(views)
    shots = tuple((draft.now, host) for _, host in draft.control.shots)
    if shots:
        storms.restart(draft, shots)
    for record in list(draft.cluster.hosts.values()):
        _restart_host(draft, record)
    for move in list(draft.cluster.moves.values()):
        _restart_move(draft, move)
    _restart_outbox(draft)
    reserve.began(draft)
    adoption.wait_to_settle(draft)
    draft.note("control", "term.began", event.leader, f"term {event.term}")


def _restart_host(draft: Draft, record: at.Host) -> None:
    now = draft.now
    fresh = replace(
        record,
        state=_restart_state(record.state, now),
        shots=tuple(_restart_shot(shot, now) for shot in record.shots),
        off_reads=(),
        episodes=tuple(now for _ in record.episodes),
        false_alarms=tuple(now for _ in record.false_alarms),
        last_off_at=None if record.last_off_at is None else now,
        power_on_open=False,
        revocations=tuple(replace(entry, asked_at=NEVER) for entry in record.revocations),
        proofs=tuple(replace(proof, at=now) for proof in record.proofs),
    )
    if fresh != record:
        draft.put_host(fresh)
    if not isinstance(record.state, at.Healthy | at.Unknown):
        draft.wake_host(record.id, now)


NEVER = -1e9  # due at once: what only the last leader knows to have renewed is renewed again


def _restart_shot(shot: at.Shot, now: float) -> at.Shot:
    """An answer to the old leader never reaches us; the device may act late all the same."""
    sent_at = None if shot.sent_at is None else now
    return replace(shot, sent_at=sent_at, retry_at=now, is_open=False, was_accepted=False)


def _restart_state(state: at.HostState, now: float) -> at.HostState:
    match state:
        case at.Healthy() | at.Unknown():
            return state
        case at.Suspect(cls=cls):
            return at.Suspect(now, cls, now)
        case at.Repairing(deadline=deadline, since=since):
            return replace(state, since=now, deadline=now + deadline - since)
        case at.Evacuating(round=number):
            return at.Evacuating(now, round=number)
        case at.Returning():
            return replace(state, since=now, stage_since=now)
        case at.Quarantined(since=since, until=until, cause=cause):
            return at.Quarantined(now, now + until - since, cause)
        case at.Held() | at.Fencing() | at.Fenced() | at.Vacated():
            return replace(state, since=now)


def _restart_move(draft: Draft, move: at.Move) -> None:
    now = draft.now
    state: at.MoveState = move.state
    match move.state:
        case at.Planned(wanting=wanting):
            state = at.Planned(now, wanting)
        case at.Choosing():
            state = at.Planned(now)
        case at.Resetting():
            state = at.Resetting(now)
        case at.Sending(target=target):
            state = at.Sending(now, target, is_unknown=True)
        case at.Verifying(target=target):
            state = at.Verifying(now, target)
        case at.Starting(target=target):
            later = now + draft.policy(move.host).nova_settle_s
            state = at.Starting(later, target, is_sent=False)
        case at.Retry(reason=reason):
            state = at.Retry(now + draft.policy(move.host).retry_s, reason)
        case at.WaitingForHost():
            state = replace(move.state, since=now)
        case at.Mending(is_migration=is_migration):
            # What the old leader sent may yet begin: it is unknown for the whole settle time.
            state = replace(move.state, since=now, is_sent=False, is_unknown=True)
            # Its window starts again, too: nobody else would end it.
            policy = draft.policy(move.host)
            wait = policy.nova_settle_s if is_migration else policy.guest_window_s
            draft.wake(f"guest/{move.server}", now + wait)
        case at.Done() | at.Failed() | at.Skipped() | at.Cancelled():
            return
    draft.put_move(replace(move, state=state, began=now))


def _restart_outbox(draft: Draft) -> None:
    """Offer absolute actions again; a shot stands before its brakes anew; a send is looked up.

    That the last leader handed over is done: whoever leads now must not do so in its turn.
    """
    for action, entry in list(draft.cluster.outbox.items()):
        if isinstance(action, (*do.SENDS, do.PowerOff, do.HandOver)):
            draft.outbox[action] = None
            unanswered.hand_on(draft, action)
        else:
            term = draft.views.term
            again = replace(entry, term=term, at=draft.now, retry_at=draft.now)
            draft.outbox[action] = again
    draft.wakes["outbox"] = draft.now


# The outbox within a term.


def offer_again(draft: Draft) -> list[do.Send | do.PowerOff]:
    """Offer every absolute action whose answer is overdue. Disarmed, nothing is offered.

    Return the sends whose answer never came at all: perform bounds every request, so by now their
    outcome is unknown, and whoever waits for them must look it up.
    """
    draft.woke("outbox")
    overdue: list[do.Send | do.PowerOff] = []
    for action, entry in list(draft.cluster.outbox.items()):
        if entry.is_unknown:
            continue  # whoever waits for it looks it up
        if isinstance(action, (*do.SENDS, do.PowerOff)):
            if draft.now >= entry.retry_at + OVERDUE_S:
                overdue.append(action)
                continue
            due = entry.retry_at + OVERDUE_S
        else:
            if draft.now >= entry.retry_at and _may_offer(draft, action):
                _offer(draft, action)
            due = (draft.entry(action) or entry).retry_at
        draft.wake("outbox", max(due, draft.now + RETRY_MIN_S))
    return overdue


RETRY_MIN_S = 1.0
RETRY_MAX_S = 60.0


def _may_offer(draft: Draft, action: do.Action) -> bool:
    return draft.control.is_armed or isinstance(action, do.Tell | do.Revoke)


def _offer(draft: Draft, action: do.Action) -> None:
    entry = draft.entry(action)
    assert entry is not None
    tries = entry.tries + 1
    pause = min(2.0**tries, RETRY_MAX_S)
    draft.outbox[action] = replace(entry, at=draft.now, retry_at=draft.now + pause, tries=tries)
    draft.actions.append(action)


OVERDUE_S = 60.0


def voided(draft: Draft, event: on.OwnFault) -> None:
    """We cannot trust our eyes (R0): void what they said, and look again for a full window."""
    views = draft.views
    if event.ended:
        fresh = replace(views, own_fault="", fault_ended_at=draft.now)
    else:
        fresh = replace(views, own_fault=event.reason)
        draft.note("control", "own_fault", event.reason)
    draft.put_views(fresh)
    for record in list(draft.active()):
        if isinstance(record.state, at.Suspect):
            restarted = at.Suspect(draft.now, record.state.cls, draft.now)
            draft.put_host(replace(record, state=restarted, off_reads=()))
        elif record.off_reads:
            draft.put_host(replace(record, off_reads=()))
        draft.wake_host(record.id, draft.now)
    policy = draft.cluster.policy
    draft.wake("control", draft.now + policy.silence_s + policy.confirm_s)
