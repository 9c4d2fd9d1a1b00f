"""When a storm is over: spent shots and a person's allowance must not weigh on the next one."""

from collections.abc import Iterable
from dataclasses import replace

from .brakes import counted_until, storm_cap_of_share, storm_count_now
from .draft import Draft
from .model import DomainId, HostId

Shots = Iterable[tuple[float, HostId]]


def calm(draft: Draft) -> None:
    """Forget shots that count no more, and each allowance whose storm is over.

    An allowance is for this storm only. A new leader restarts the window of every shot that is
    remembered, so one of last week must not be remembered.
    """
    forget(draft)
    if shots := draft.control.shots:
        draft.wake("storm", min(counted_until(draft, *shot) for shot in shots))
    _end_allowances(draft)


def forget(draft: Draft) -> None:
    """Forget shots that count no more, and with each the leave that it used up.

    Leave for two more is two hosts more in this storm, and not in each window of a long one.
    """
    control = draft.control
    recent = tuple(shot for shot in control.shots if draft.now < counted_until(draft, *shot))
    if recent == control.shots:
        return
    left = tuple(
        (domain, more - _used(draft, domain, control.shots) + _used(draft, domain, recent))
        for domain, more in control.storm_allowed
    )
    _put(draft, recent, left)


def restart(draft: Draft, shots: tuple[tuple[float, HostId], ...]) -> None:
    """Start every window again for a new leader, without the leave that was used up by then.

    The hosts that were shot count for longer now. They must not keep their leave as much longer,
    and be shot once more on it: the change of leader would have allowed that.
    """
    left = tuple(
        (domain, more - _used(draft, domain, shots)) for domain, more in draft.control.storm_allowed
    )
    _put(draft, shots, left)
    draft.wake("storm", min(counted_until(draft, *shot) for shot in shots))


def _used(draft: Draft, domain: DomainId, shots: Shots) -> int:
    """Count the shots in a domain beyond its share: somebody's leave was spent on each."""
    members = draft.cluster.site.members.get(domain)
    if members is None:
        return 0  # its last host left the inventory
    struck = {host for _, host in shots} & members
    return max(0, len(struck) - storm_cap_of_share(draft, domain))


def _put(
    draft: Draft, shots: tuple[tuple[float, HostId], ...], left: tuple[tuple[DomainId, int], ...]
) -> None:
    allowed = tuple((domain, more) for domain, more in left if more > 0)
    draft.put_control(replace(draft.control, shots=shots, storm_allowed=allowed))


def _end_allowances(draft: Draft) -> None:
    left = tuple(pair for pair in draft.control.storm_allowed if _still_rages(draft, pair[0]))
    if left != draft.control.storm_allowed:
        draft.put_control(replace(draft.control, storm_allowed=left))


def _still_rages(draft: Draft, domain: DomainId) -> bool:
    if domain not in draft.cluster.site.members:
        return False  # its last host left the inventory
    return storm_count_now(draft, domain) > storm_cap_of_share(draft, domain)
