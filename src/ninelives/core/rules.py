"""The rule table: what happened to a host (SAFETY 5). Reviewable, replayable, no learned weights.

Pass 1 looks for decisive evidence about this one host and wins over everything but R0. In pass 2
the first row that matches wins. `table` gives every row with its truth value, for `host why`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from .classes import FENCE_CLASSES, Class
from .cluster import Sights
from .draft import Draft
from .evidence import (
    is_own_fault,
    off_twice,
    planes_seen,
    power_is,
    reads_off,
    watched,
)
from .groups import group_is_dead
from .model import Health, HostId, Plane, Power, Seen, Sign

LATE_S = 2.0  # a witness tells of a silence up to two rounds late


class Verdict(NamedTuple):
    """A class, and the row that gave it."""

    cls: Class
    rule: str


@dataclass(frozen=True)
class Facts:
    """What the rows ask about one host at one instant. Each is worked out when first asked."""

    draft: Draft
    host: HostId

    @cached_property
    def sights(self) -> Sights:
        """What was seen of the host."""
        return self.draft.sights(self.host)

    @cached_property
    def planes(self) -> Mapping[Plane, Seen]:
        """How each configured plane looks."""
        return planes_seen(self.draft, self.host)

    @cached_property
    def down(self) -> frozenset[Plane]:
        """The planes that are down."""
        return frozenset(plane for plane, seen in self.planes.items() if seen is Seen.DOWN)

    @cached_property
    def fates_down(self) -> int:
        """How many planes of different fate are down."""
        site = self.draft.site(self.host)
        fates = {site.fate(plane) & set(site.planes) for plane in self.planes}
        return sum(1 for fate in fates if fate <= self.down)

    @cached_property
    def fates(self) -> int:
        """How many planes of different fate there are."""
        site = self.draft.site(self.host)
        return len({site.fate(plane) for plane in site.planes})

    @property
    def any_up(self) -> bool:
        """Some plane gives a strong sign."""
        return Seen.UP in self.planes.values()

    @property
    def all_up(self) -> bool:
        """Every configured plane gives a strong sign."""
        return all(seen is Seen.UP for seen in self.planes.values())

    def is_not_down(self, plane: Plane) -> bool:
        """The plane is up, or at least not down; a plane that is not there is neither."""
        return self.planes.get(plane) in (Seen.UP, Seen.NOT_DOWN)

    @cached_property
    def is_silent(self) -> bool:
        """No plane gives any sign, and somebody who should hear one says so."""
        signs = {each.sign for by in self.sights.heard.values() for each in by.values()}
        return Sign.SILENT in signs and not ({Sign.STRONG, Sign.WEAK} & signs)

    @property
    def own_fault(self) -> bool:
        """R0: we cannot trust our own eyes, or could not until a moment ago."""
        return is_own_fault(self.draft, self.draft.policy(self.host))

    @cached_property
    def is_planned(self) -> bool:
        """R1: maintenance, or an operator's disable or force-down."""
        nova = self.sights.nova
        theirs = nova is not None and (nova.disabled or nova.forced_down) and not nova.is_ours
        return theirs or self.in_maintenance

    @property
    def in_maintenance(self) -> bool:
        """People work on this host."""
        return any(job.host == self.host for job in self.draft.control.maintenance)

    @property
    def off_is_planned(self) -> bool:
        """Somebody announced that the power goes, or policy leaves hosts in maintenance alone."""
        jobs = [job for job in self.draft.control.maintenance if job.host == self.host]
        recovers = self.draft.policy(self.host).maintenance_recovers
        return any(job.is_power_job or not recovers for job in jobs)

    @property
    def control_plane_bad(self) -> bool:
        """R2: a canary of Nova, Keystone, database or bus is bad, or was until a moment ago."""
        views = self.draft.views
        if views.bad_canaries:
            return True
        until = views.canaries_bad_until
        return until is not None and self.draft.now < until + self.draft.policy(self.host).confirm_s

    @property
    def is_group(self) -> bool:
        """R3: its silence began together with that of others of its domain."""
        return bool(self.draft.host(self.host).group)

    @cached_property
    def is_vantage(self) -> bool:
        """R4: silent, but too few who may say so; or it is we who see nothing."""
        return (self.is_silent or self.has_silent_plane) and not self.down

    @property
    def has_silent_plane(self) -> bool:
        """Nobody hears some plane, but so much else is silent there that nobody is qualified."""
        return Seen.SILENT in self.planes.values()

    @property
    def oob_lies(self) -> bool:
        """R4a: a device says off while the host gives strong signs."""
        late = self.draft.policy(self.host).silence_s + LATE_S
        reads = self.draft.host(self.host).off_reads
        # A host that just died is still "up" until its silence is seen; a liar's stays up.
        return any(self.draft.now - seen.first_at > late for seen in reads) and self.any_up

    @property
    def is_dead_by_power(self) -> bool:
        """R5: read off twice while suspect, unplanned, no plane up, no strong sign since."""
        twice = off_twice(self.draft, self.host)
        if not twice or self.any_up or self.off_is_planned:
            return False
        first = min(reads.first_at for reads in twice)
        strong = self.sights.strong_at
        return (strong is None or strong < first) and reads_off(self.draft, self.host, first)

    @property
    def has_new_boot(self) -> bool:
        """R7: it answers as a boot that is not the one we knew."""
        boot = self.draft.host(self.host).boot
        seen = self.sights.strong_boot
        return boot is not None and seen is not None and seen != boot and self.any_up

    @property
    def is_corroborated(self) -> bool:
        """Something other than a plane says that the host is gone."""
        off = power_is(self.sights, Power.OFF)
        return off or self.sights.is_lost_to_pacemaker or watched(self.sights) is False

    @property
    def is_weak_only(self) -> bool:
        """Nothing but weak signs come by now: a hung kernel, or a dead agent."""
        weak = Seen.NOT_DOWN in self.planes.values()
        return weak and not self.any_up and self.sights.strong_until is not None

    @property
    def weak_only_s(self) -> float:
        """How long nothing but weak signs came. 0 while strong ones come, or none at all."""
        since = self.sights.strong_until
        return self.draft.now - since if self.is_weak_only and since is not None else 0.0

    @property
    def libvirt(self) -> Health:
        """How libvirt does, as long as its agent can be believed."""
        agent = self.sights.agent
        return agent.libvirt if agent is not None and self.any_up else Health.OK

    @property
    def compute(self) -> Health:
        """How nova-compute does."""
        agent, nova = self.sights.agent, self.sights.nova
        if agent is not None and self.any_up:
            return agent.compute
        gone = nova is not None and not nova.is_up and not nova.forced_down
        return Health.DOWN if gone and self.any_up else Health.OK

    @property
    def storage_is_lost(self) -> bool:
        """R11: the host lost its storage, its peers did not."""
        return self.lacks_storage and not self.backend_is_sick

    @property
    def lacks_storage(self) -> bool:
        """Its guests cannot write, whoever is to blame: the host (R11), or the backend (R12)."""
        agent = self.sights.agent
        says = agent is not None and agent.storage_lost
        return says or self.down == frozenset({Plane.STORAGE})

    @property
    def backend_is_sick(self) -> bool:
        """R12: a backend of this host is sick for many."""
        return bool(self.draft.views.sick_backends & set(self.draft.site(self.host).backends))

    @property
    def agent_is_silent(self) -> bool:
        """R16: no strong sign on any plane, but the host lives by other strong signs."""
        nova = self.sights.nova
        lives = (nova is not None and nova.has_advanced) or watched(self.sights) is True
        had = self.draft.site(self.host).has_agent
        weak = Seen.NOT_DOWN in self.planes.values()
        return had and weak and not self.any_up and lives

    @property
    def is_gray(self) -> bool:
        """R18: slow or failing hardware."""
        agent = self.sights.agent
        return agent is not None and agent.is_slow and self.any_up

    @property
    def guests_progress(self) -> bool:
        """Guest I/O goes on, says an agent that can be heard now."""
        agent = self.sights.agent
        return agent is not None and agent.guests_progress and self.any_up


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
    return facts.down == frozenset(facts.planes) and watched(facts.sights) is True


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
    lives = facts.agent_is_silent
    return facts.weak_only_s >= facts.draft.policy(facts.host).weak_only_s and not lives


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
