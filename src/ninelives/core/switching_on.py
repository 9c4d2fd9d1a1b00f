"""Switching an empty host on: a send, so once per attempt, and looked up by reading the power.

A device may act late on what it never answered, so that another attempt waits until it cannot any
more, and the host still reads off.
"""

from dataclasses import replace

from . import actions as do
from . import events as on
from . import unanswered, ungated
from .brakes import holding_power_on
from .draft import Draft
from .episode import tell
from .evidence import reads_off
from .facts import Facts
from .model import HostId


def is_due(draft: Draft, host: HostId) -> bool:
    """Say whether nobody was asked yet, or the answer was lost, and nothing came of it."""
    return draft.host(host).power_ons == 0 or _came_to_nothing(draft, host)


def power_on(draft: Draft, host: HostId) -> None:
    """Switch the host on, unless that is under way."""
    record = draft.host(host)
    if record.power_on_open or holding_power_on(draft, host):
        return
    draft.settle(do.PowerOn(host, record.epoch, record.power_ons))
    attempt = record.power_ons + 1
    draft.put_host(replace(record, power_ons=attempt, power_on_open=True))
    timeout = draft.policy(host).request_timeout_s
    draft.act(do.PowerOn(host, record.epoch, attempt), timeout)
    draft.note(host, "power.on_sent", "", f"attempt {attempt}")


def _came_to_nothing(draft: Draft, host: HostId) -> bool:
    """Say whether the last one was never answered, and can be late no more: it reads off still."""
    record, policy = draft.host(host), draft.policy(host)
    last = do.PowerOn(host, record.epoch, record.power_ons)
    if not unanswered.is_unknown(draft, last):
        return False
    due = unanswered.settled_at(draft, last)
    if draft.now < due:
        draft.wake_host(host, due)
        return False
    if not reads_off(draft, host, since=due):
        return False  # it was asked for just now
    if record.power_ons < policy.attempts_max:
        return True
    tell(draft, host, "not_switched_on", f"{record.power_ons} times, and nobody answered")
    draft.settle(last)  # given up: a person has it now
    return False


def seen_up(draft: Draft, host: HostId) -> None:
    """Take an attempt whose answer was lost as answered: the host is led back."""
    record = draft.host(host)
    last = do.PowerOn(host, record.epoch, record.power_ons)
    if unanswered.is_unknown(draft, last):
        draft.settle(last)


def follow(draft: Draft, host: HostId) -> None:
    """While a host is being switched on, by us or by somebody, see what its power says."""
    policy, record = draft.policy(host), draft.host(host)
    comes_ungated = ungated.was_dark(draft, host) and ungated.answers(draft, host)
    is_coming = record.power_on_open or comes_ungated
    if is_coming and not Facts(draft, host).has_new_boot:
        sights = draft.sights(host)
        # At its own pace: each answer leads here again, and would otherwise ask at once anew.
        if draft.now >= sights.power_asked_at + policy.power_poll_s:
            draft.put_sights(sights._replace(power_asked_at=draft.now))
            draft.ask(do.ReadPower(host, record.epoch))
        draft.wake_host(host, draft.now + policy.attest_retry_s)


def replied(draft: Draft, action: do.PowerOn, outcome: on.Outcome) -> None:
    """Fold the answer; whether the host comes is seen."""
    draft.settle(action)
    record = draft.host(action.host)
    tries = record.power_ons - (outcome is on.Outcome.NOT_SENT)  # it certainly did not go out
    draft.put_host(replace(record, power_ons=tries, power_on_open=False))
    if outcome is on.Outcome.UNKNOWN and unanswered.is_automatic(draft, action):
        unanswered.keep(draft, action)
