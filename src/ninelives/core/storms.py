"""When a storm is over: spent shots and a person's allowance must not weigh on the next one."""

from dataclasses import replace

from .brakes import storm_cap_of_share, storm_count_now
from .draft import Draft
from .model import DomainId


def calm(draft: Draft) -> None:
    """Forget shots beyond the window, and each allowance whose storm is over.

    An allowance is for this storm only. A new leader restarts the window of every shot that is
    remembered, so one of last week must not be remembered.
    """
    control = draft.control
    longest = max(policy.storm_window_s for policy in draft.cluster.policies())
    # The same sum as in the wake below: a difference rounds otherwise, and would ask for ever.
    recent = tuple(shot for shot in control.shots if draft.now < shot[0] + longest)
    if recent != control.shots:
        draft.put_control(replace(control, shots=recent))
    if recent:
        draft.wake("storm", min(when for when, _ in recent) + longest)
    _end_allowances(draft)


def _end_allowances(draft: Draft) -> None:
    left = tuple(pair for pair in draft.control.storm_allowed if _still_rages(draft, pair[0]))
    if left != draft.control.storm_allowed:
        draft.put_control(replace(draft.control, storm_allowed=left))


def _still_rages(draft: Draft, domain: DomainId) -> bool:
    return storm_count_now(draft, domain) > storm_cap_of_share(draft, domain)
