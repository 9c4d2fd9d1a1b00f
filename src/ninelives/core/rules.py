"""The rule table: what happened to a host (SAFETY 5). Reviewable, replayable, no learned weights.

Pass 1 looks for decisive evidence about this one host and wins over everything but R0. In pass 2
the first row that matches wins. `table` gives every row with its truth value, for `host why`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .classes import FENCE_CLASSES, Class
from .draft import Draft
from .evidence import watched
from .facts import Facts
from .groups import group_is_dead
from .model import Health, HostId, Plane


class Verdict(NamedTuple):
    """A class, and the row that gave it."""

    cls: Class
    rule: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    rule: str
    cls: Class
    condition: str
    holds: Callable[[Facts], bool]


def _is_ordered(facts: Facts) -> bool:
    return any(host == facts.host for host, _ in facts.draft.control.fence_ordered)


def _is_isolated(facts: Facts) -> bool:
    return facts.down == frozenset(facts.planes) and watched(facts.draft, facts.host) is True


def _is_dead_or_frozen(facts: Facts) -> bool:
    if _is_isolated(facts):
        return False
    if facts.fates_down >= 2:
        return True
    return facts.fates_down == 1 and facts.is_corroborated and not facts.any_up


def _is_management_only(facts: Facts) -> bool:
    others = set(facts.planes) - {Plane.MANAGEMENT}
    return facts.down == frozenset({Plane.MANAGEMENT}) and all(
        facts.is_not_down(plane) for plane in others
    )


def _is_tenant_lost(facts: Facts) -> bool:
    others = set(facts.planes) - {Plane.TENANT}
    return facts.down == frozenset({Plane.TENANT}) and all(
        facts.is_not_down(plane) for plane in others
    )


def _is_single_plane(facts: Facts) -> bool:
    return facts.fates == 1 and facts.fates_down == 1


def _is_hung(facts: Facts) -> bool:
    if facts.lives_otherwise or not facts.enough_miss_strong_signs:
        return False
    return facts.weak_only_s >= facts.draft.policy(facts.host).weak_only_s


def _is_dead_panic(facts: Facts) -> bool:
    """A beacon may be forged. It proves nothing: the host is dead by what would prove it anyway."""
    if facts.sights.kdump_since is None:
        return False
    policy = facts.draft.policy(facts.host)
    single = policy.single_plane_fences and _is_single_plane(facts)
    # Its storage session outlives a panic by half a minute: a dump is why, not isolation.
    isolated = policy.isolated_fences and _is_isolated(facts)
    return _is_dead_or_frozen(facts) or _is_hung(facts) or single or isolated


DECISIVE: tuple[Row, ...] = (
    Row("R4a", Class.OOB_LIES, "a device reads off while a plane is up", lambda f: f.oob_lies),
    Row("R5", Class.DEAD_POWER, "off read twice, no plane up", lambda f: f.is_dead_by_power),
    Row("R7", Class.REBOOTED, "it answers as a new boot", lambda f: f.has_new_boot),
)
TABLE: tuple[Row, ...] = (
    Row("R1", Class.PLANNED, "people work on it, or disabled it", lambda f: f.is_planned),
    Row("R2", Class.CONTROL_PLANE, "a canary is bad", lambda f: f.control_plane_bad),
    Row("R3", Class.GROUP, "many of its domain fell silent together", lambda f: f.is_group),
    Row("R4", Class.VANTAGE, "silent, too few may say so", lambda f: f.is_vantage),
    Row("R6", Class.DEAD_PANIC, "dead, and a kdump beacon", _is_dead_panic),
    Row("R8", Class.DEAD_OR_FROZEN, "two planes down, or one and more", _is_dead_or_frozen),
    Row("R8a", Class.HUNG, "only weak signs for long", _is_hung),
    Row("R8b", Class.SINGLE_PLANE, "the only plane there is is down", _is_single_plane),
    Row("R9", Class.ISOLATED, "all networks down, storage written", _is_isolated),
    Row("R10", Class.MANAGEMENT_ONLY, "management alone is down", _is_management_only),
    Row("R11", Class.STORAGE_LOST, "storage lost here alone", lambda f: f.storage_is_lost),
    Row("R12", Class.BACKEND, "a backend is sick for many", lambda f: f.backend_is_sick),
    Row("R13", Class.TENANT_LOST, "tenant network lost alone", _is_tenant_lost),
    Row("R14", Class.LIBVIRT_HUNG, "libvirt silent", lambda f: f.libvirt is not Health.OK),
    Row("R15", Class.NOVA_COMPUTE, "nova-compute down", lambda f: f.compute is not Health.OK),
    Row("R16", Class.AGENT_ONLY, "agent silent, host alive", lambda f: f.agent_is_silent),
    Row("R18", Class.GRAY, "slow or failing hardware", lambda f: f.is_gray),
)


def judge(draft: Draft, host: HostId) -> Verdict:
    """Say what happened to a host. FINE where nothing is wrong with it. Pure."""
    return judged(Facts(draft, host))


def judged(facts: Facts) -> Verdict:
    """Say the same of facts that are asked more afterwards: each is worked out once. Pure."""
    if not has_symptom(facts):
        return Verdict(Class.FINE, "")
    if facts.own_fault:
        return Verdict(Class.OWN_FAULT, "R0")
    for row in DECISIVE:
        if row.holds(facts):
            return Verdict(row.cls, row.rule)
    if _is_ordered(facts):
        return Verdict(Class.ORDERED, "order")
    return _second_pass(facts)


def _second_pass(facts: Facts) -> Verdict:
    for row in TABLE:
        if row.holds(facts):
            return Verdict(row.cls, row.rule)
    return Verdict(Class.UNKNOWN, "R19")


def has_symptom(facts: Facts) -> bool:
    """Say whether there is anything to judge: healthy hosts cost next to nothing."""
    sights = facts.sights
    if _is_ordered(facts) or facts.is_silent or facts.down or facts.has_silent_plane:
        return True
    if sights.is_lost_to_pacemaker or (sights.kdump_since is not None and not facts.any_up):
        return True
    reads = facts.draft.host(facts.host).off_reads
    if reads or facts.has_new_boot or facts.is_weak_only:
        return True
    agent_ill = facts.libvirt is not Health.OK or facts.compute is not Health.OK
    return agent_ill or facts.lacks_storage or facts.is_gray


class Answer(NamedTuple):
    """One row and whether it holds."""

    rule: str
    condition: str
    holds: bool


def table(draft: Draft, host: HostId) -> tuple[Answer, ...]:
    """Return every row with its truth value, in the order in which they are asked. Pure."""
    facts = Facts(draft, host)
    rows = (Answer("R0", "we cannot trust our own eyes", facts.own_fault),)
    return rows + tuple(
        Answer(row.rule, row.condition, row.holds(facts)) for row in (*DECISIVE, *TABLE)
    )


def may_fence(draft: Draft, host: HostId, cls: Class) -> bool:
    """Say whether this class leads to a fence under this host's policy. Pure."""
    policy, sights = draft.policy(host), draft.sights(host)
    match cls:
        case Class.SINGLE_PLANE:
            return policy.single_plane_fences
        case Class.ISOLATED:
            return policy.isolated_fences
        case Class.GROUP:
            return group_is_dead(draft, draft.host(host).group)
        case Class.STORAGE_LOST:
            since = sights.storage_lost_since
            state = draft.host(host).state
            began = since if since is not None else getattr(state, "cls_since", draft.now)
            return draft.now >= began + policy.storage_repair_s
        case _:
            return cls in FENCE_CLASSES
