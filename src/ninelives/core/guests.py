"""One guest that is bad on a healthy host: its short ladder of resets (R17)."""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import migrating, proofs
from . import states as at
from .draft import Draft
from .facts import Facts
from .left_copies import is_left
from .model import Health, HostId, Refusal, ServerId, ServerSeen
from .plan import word_of_user
from .protection import Remedy, promise_for
from .queued import waits_at


def guest_seen(draft: Draft, event: on.GuestSeen) -> None:
    """Reset a guest that crashed or hangs, if its class says so, a bounded number of times."""
    host, server = event.host, event.server
    migrating.seen(draft, server)
    known = draft.move(server.id)
    if not isinstance(draft.host(host).state, at.Healthy):
        return  # whatever happens to the host decides about its guests
    if event.health is Health.OK:
        _guest_is_well(draft, known)
        return
    policy = draft.policy(host)
    promise = promise_for(server, policy.rules, policy.default)
    remedy = promise.server_crashes if event.health is Health.DOWN else promise.guest_hangs
    is_kept = Facts(draft, host).in_maintenance or not draft.control.is_armed
    if remedy is not Remedy.RESTART or is_kept:
        _tell_guest(draft, host, server, "guest_bad")
        return
    # Of a guest that crashed Nova soon says "stopped" by itself: only a word of its user counts.
    if word_of_user(server) not in (None, at.Will.RUNNING) or server.task_state is not None:
        return  # its user, or Nova, is at it
    if not all(record.is_final for record in server.records):
        # A rebuild that died half way may lie in a queue: whoever resets it makes a second writer.
        _tell_guest(draft, host, server, "guest_held:record_open")
        return
    if known is not None and not _may_reset_again(draft, known):
        return  # one reset is under way: its outcome is looked at, not repeated
    if (known is not None and is_left(known)) or waits_at(draft, server.id) - {host}:
        _tell_guest(draft, host, server, "guest_held:copy_left")
        return
    killed = proofs.domain_killed(draft, event) if event.health is Health.DOWN else None
    if isinstance(killed, Refusal):
        _tell_guest(draft, host, server, f"guest_held:{killed.reason}")
        return
    series = known if known is not None and isinstance(known.state, at.Mending) else None
    tries = series.attempt - series.first if series is not None else 0
    if tries >= policy.guest_resets_max:
        _tell_guest(draft, host, server, "guest_given_up")
        return
    state = at.Mending(draft.now, is_migration=False, is_sent=True)
    epoch, first = draft.host(host).epoch, _first_number(draft, host, series)
    move = at.Move(server.id, host, epoch, state, server, promise, ran=True, will=at.Will.RUNNING)
    move = replace(move, attempt=first + tries + 1, first=first, writers=frozenset({host}))
    draft.put_move(replace(move, began=draft.now, killed=killed))
    if killed is not None:
        draft.note(server.id, "proof.made", killed.method, killed.evidence)
    draft.act(do.HardReboot(server.id, host, epoch, move.attempt), policy.request_timeout_s)
    draft.note(server.id, "guest.reset", event.health.value, f"attempt {tries + 1}")
    draft.wake(f"guest/{server.id}", draft.now + policy.guest_window_s)


def _first_number(draft: Draft, host: HostId, series: at.Move | None) -> int:
    """Return the number before a guest's first reset, and set its numbers aside."""
    if series is not None:
        return series.first
    record = draft.host(host)
    most = draft.policy(host).guest_resets_max
    draft.put_host(replace(record, resets=record.resets + most))
    return record.resets


def _may_reset_again(draft: Draft, known: at.Move) -> bool:
    """A reset has its time to help; one whose answer was lost may yet begin."""
    if not isinstance(known.state, at.Mending) or known.state.is_well:
        return True
    policy = draft.policy(known.host)
    wait = policy.nova_settle_s if known.state.is_unknown else policy.guest_silent_s
    return not known.state.is_migration and not (
        known.state.is_sent or draft.now < known.state.since + wait
    )


def reset_replied(draft: Draft, move: at.Move, event: on.Replied) -> None:
    """Fold the answer to a reset; whether the guest lives again, its agent will say."""
    assert isinstance(move.state, at.Mending)
    is_unknown = event.outcome is on.Outcome.UNKNOWN
    answered = replace(move.state, since=draft.now, is_sent=False, is_unknown=is_unknown)
    draft.put_move(replace(move, state=answered))
    if event.outcome is on.Outcome.REFUSED:
        _tell_guest(draft, move.host, move.seen, "guest_reset_refused")


def _guest_is_well(draft: Draft, known: at.Move | None) -> None:
    """It lives again: the counter stays for the window, so that a loop is seen as one."""
    if known is not None and isinstance(known.state, at.Mending) and not known.state.is_migration:
        rested = replace(known.state, is_sent=False, is_well=True)
        draft.put_move(replace(known, state=rested))
        draft.note(known.server, "guest.well")


def guest_window_over(draft: Draft, server: str) -> None:
    """Forget how often a guest was reset, once it did well for the whole window.

    One that was moved away alive is looked at instead, until that has ended.
    """
    known = draft.move(ServerId(server))
    if known is not None and migrating.is_open(known):
        migrating.look_again(draft, known)
    elif known is not None and isinstance(known.state, at.Mending):
        draft.drop_move(known)


def _tell_guest(draft: Draft, host: HostId, server: ServerSeen, what: str) -> None:
    told = do.Tell(server.id, what, draft.host(host).epoch)
    if draft.entry(told) is None:
        draft.act(told, draft.policy(host).tell_within_s)
        draft.note(server.id, "told", what)
