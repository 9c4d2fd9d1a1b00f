"""Many hosts that fall silent together are one event, not many (R3)."""

from dataclasses import replace

from . import states as at
from .draft import Draft
from .evidence import watched
from .model import DomainId, HostId


def join(draft: Draft, host: HostId) -> None:
    """See whether the suspicion of `host`, just begun, is part of a group; mark all its members."""
    policy = draft.policy(host)
    together = {
        other.id: other
        for other in draft.active()
        if _began_now(other, draft, policy.group_window_s)
    }
    for domain in draft.site(host).domains:
        members = draft.cluster.site.members[domain]
        fallen = [other for other in together.values() if other.id in members]
        if len(fallen) >= max(policy.group_min, policy.group_share * len(members)):
            _mark(draft, domain, fallen)
            return


def _began_now(host: at.Host, draft: Draft, window_s: float) -> bool:
    match host.state:
        case at.Suspect(since=since, cls=cls):
            return cls in SILENT and draft.now - since <= window_s
        case _:
            return False


SILENT = frozenset(
    {at.Class.VANTAGE, at.Class.UNKNOWN, at.Class.GROUP, at.Class.DEAD_OR_FROZEN}
    | {at.Class.SINGLE_PLANE, at.Class.ISOLATED, at.Class.MANAGEMENT_ONLY, at.Class.TENANT_LOST}
)


def _mark(draft: Draft, domain: DomainId, fallen: list[at.Host]) -> None:
    known = [host.group for host in fallen if host.group]
    group = known[0] if known else f"{domain}@{draft.views.term}.{draft.now:.0f}"
    if not known:
        draft.note(domain, "group.began", "fell_silent_together", f"{len(fallen)} hosts")
    for host in fallen:
        if not host.group:
            draft.put_host(replace(draft.host(host.id), group=group))
            draft.wake_host(host.id, draft.now)


def group_is_dead(draft: Draft, group: str) -> bool:
    """Say whether storage sees no watcher of any member: then the whole group is dead. Pure."""
    members = [host.id for host in draft.active() if host.group == group]
    return bool(members) and all(watched(draft, host) is False for host in members)
