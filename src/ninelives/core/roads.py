"""Which power devices of a host may be believed, and which may be used without a human."""

from . import actions as do
from . import states as at
from .draft import Draft
from .evidence import is_off_unheard, reads_off
from .facts import Facts
from .model import LOCAL, HostId
from .site import HostSite
from .tallies import is_proved_dead


def usable_roads(draft: Draft, host: HostId) -> tuple[str, ...]:
    """Return the roads that may carry a proof: mapping verified, device not caught lying."""
    control = draft.control
    closed = {address for address, _ in control.closed_devices}
    return tuple(
        road.id
        for road in draft.site(host).roads
        if (road.is_verified or (host, road.id) in control.verified)
        and (host, road.id) not in control.unverified
        and (road.address or road.id) not in closed
    )


def is_wholly_revocable(site: HostSite) -> bool:
    """Say whether a host can be shut out of every shared backend: that alone proves enough."""
    shared = {backend for backend in site.backends if backend != LOCAL}
    return bool(shared) and shared <= site.revocable


def is_closed(draft: Draft, host: HostId, road: str) -> bool:
    """Say whether this road's device was caught lying: what it reads counts for nothing."""
    closed = {address for address, _ in draft.control.closed_devices}
    return any(
        each.id == road and (each.address or each.id) in closed for each in draft.site(host).roads
    )


def suspect_kinds(draft: Draft) -> frozenset[str]:
    """Name the kinds of power device of which one was caught lying (R4a)."""
    site = draft.cluster.site
    return frozenset(
        road.kind
        for address, _ in draft.control.closed_devices
        for host in site.on_device.get(address, ())
        for road in site.hosts[host].roads
        if (road.address or road.id) == address
    )


def again_as(draft: Draft, host: HostId) -> at.Class:
    """Return as what a host that was fenced is shot again: as dead, or as a person ordered."""
    dead = at.Class.DEAD_POWER
    return at.Class.ORDERED if _is_ordered(draft, host) else shot_as(draft, host, dead)


def sent_again_as(draft: Draft, off: do.PowerOff) -> at.Class:
    """Return as what such a shot goes out, once it was decided: its own two reads are spent."""
    dead = at.Class.DEAD_POWER
    return at.Class.ORDERED if _is_ordered(draft, off.host) else sent_as(draft, off, dead)


def _is_ordered(draft: Draft, host: HostId) -> bool:
    return any(ordered == host for ordered, _ in draft.control.fence_ordered)


def shot_as(draft: Draft, host: HostId, cls: at.Class) -> at.Class:
    """Return as what a host in fencing is shot now: as off already only while it reads so, twice.

    What an earlier leader read is hearsay, and power comes back: then every brake holds again, and
    one read of "off" does not lift them. Nor do two of a device while the host gives strong signs,
    or gave one since: it may be wired to another machine (R4a, R5).
    """
    return _unless_on(draft, host, cls) if is_off_unheard(draft, host) else _unless_off(cls)


def sent_as(draft: Draft, off: do.PowerOff, cls: at.Class) -> at.Class:
    """Return as what a shot that was decided goes out: its two reads are spent, none may say on.

    One that was counted never had them. What it reads since then is once, and lifts no brake.
    """
    is_counted = any(
        shot.road == off.road and (shot.sent_at, off.host) in draft.control.shots
        for shot in draft.host(off.host).shots
    )
    return _unless_off(cls) if is_counted else _unless_on(draft, off.host, cls)


def _unless_on(draft: Draft, host: HostId, cls: at.Class) -> at.Class:
    is_off = reads_off(draft, host, draft.now - draft.policy(host).proof_fresh_s)
    return cls if is_off and not Facts(draft, host).any_up else _unless_off(cls)


def hits_nobody(record: at.Host, cls: at.Class) -> bool:
    """Say whether an `off` as this class shoots nobody: it reads off already, or is proved dead."""
    return cls is at.Class.DEAD_POWER or is_proved_dead(record)


def _unless_off(cls: at.Class) -> at.Class:
    return at.Class.DEAD_OR_FROZEN if cls is at.Class.DEAD_POWER else cls


def late_off_ends_at(draft: Draft, host: HostId) -> float | None:
    """Return when no `off` of anybody can still arrive. None: one is still out."""
    record = draft.host(host)
    if any(shot.is_open for shot in record.shots):
        return None
    last = record.last_off_at
    return draft.now if last is None else last + draft.policy(host).off_late_s


def has_late_off_passed(draft: Draft, host: HostId) -> bool:
    """Say whether a power-on is safe from an `off` that a device still carries out."""
    due = late_off_ends_at(draft, host)
    return due is not None and draft.now >= due
