"""What the rule table asks about one host at one instant: small questions, answered from sights.

A host without an agent gives fewer strong signs: Nova's record of it, written by its own
nova-compute, and its writes on the storage. Nobody signs for it on its other planes, so these need
not be up but only not be down; and where its record stands still, storage says whether it lives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from .classes import WITNESSED_CLASSES, Class
from .cluster import Sights
from .draft import Draft
from .evidence import (
    LATE_S,
    NOVA,
    is_off_unheard,
    is_own_fault,
    life_lag_s,
    off_twice,
    planes_seen,
    power_is,
    reads_off,
    watched,
)
from .model import Health, HostId, Plane, Power, Seen, Sign
from .policy import WITNESSES_WANTED


@dataclass(frozen=True)
class Facts:
    """What the rows ask about one host at one instant. Each is worked out when first asked."""

    draft: Draft
    host: HostId

    @property
    def sights(self) -> Sights:
        """What was seen of the host."""
        return self.draft.sights(self.host)

    @property
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
    def has_agent(self) -> bool:
        """Somebody signs for this host on each of its planes, and says how it does inside."""
        return self.draft.site(self.host).has_agent

    @property
    def all_up(self) -> bool:
        """Every plane gives the strongest sign that it can: without an agent that may be a ping."""
        enough = (Seen.UP,) if self.has_agent else (Seen.UP, Seen.NOT_DOWN)
        return self.any_up and all(seen in enough for seen in self.planes.values())

    def is_not_down(self, plane: Plane) -> bool:
        """The plane is up, or at least not down; a plane that is not there is neither."""
        return self.planes.get(plane) in (Seen.UP, Seen.NOT_DOWN)

    @cached_property
    def is_silent(self) -> bool:
        """No plane gives any sign, and somebody who should hear one says so."""
        return self.is_unheard and not self._is_written_of

    @cached_property
    def is_unheard(self) -> bool:
        """Nobody hears it, and somebody who should says so; its record may look alive for a while.

        Nova goes on calling a host up whose agentless nova-compute died half a minute ago.
        """
        is_missed = False
        for by in self.sights.heard.values():
            for witness, each in by.items():
                if (each.sign is Sign.STRONG or each.sign is Sign.WEAK) and witness != NOVA:
                    return False
                is_missed = is_missed or each.sign is Sign.SILENT
        return is_missed

    @property
    def _is_written_of(self) -> bool:
        """Nova's record speaks for a host that no agent speaks for."""
        record = self.sights.heard.get(Plane.MANAGEMENT, {}).get(NOVA)
        return record is not None and record.sign is Sign.STRONG

    @property
    def is_gone(self) -> bool:
        """It gives no sign, and enough say so; where too few are left who may, its power does."""
        return self.is_silent and (bool(self.down) or self.is_dead_by_power)

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
        late = life_lag_s(self.draft, self.host) + LATE_S
        reads = self.draft.host(self.host).off_reads
        # A host that just died is still "up" until its silence is seen; a liar's stays up.
        return any(self.draft.now - seen.first_at > late for seen in reads) and self.any_up

    @property
    def is_dead_by_power(self) -> bool:
        """R5: read off twice while suspect, unplanned, no plane up, no strong sign since."""
        if self.any_up or self.off_is_planned or not is_off_unheard(self.draft, self.host):
            return False
        first = min(reads.first_at for reads in off_twice(self.draft, self.host))
        return reads_off(self.draft, self.host, first)

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
        return off or self.sights.is_lost_to_pacemaker or watched(self.draft, self.host) is False

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
    def enough_miss_strong_signs(self) -> bool:
        """As many witnesses get a weak sign or none as a plane that is down would need (5b)."""
        return self._is_dim_to_enough(Sign.WEAK, Sign.SILENT)

    def is_still_missed(self, cls: Class) -> bool:
        """Say whether what only witnesses could tell is borne out by enough of them right now.

        The class was judged when the fence began: each shot wants evidence as fresh as itself.
        """
        if cls not in WITNESSED_CLASSES or is_off_unheard(self.draft, self.host):
            return True
        signs = (Sign.WEAK, Sign.SILENT) if cls is Class.HUNG else (Sign.SILENT,)
        return self._is_dim_to_enough(*signs)

    def _is_dim_to_enough(self, *signs: Sign) -> bool:
        frozen = self.draft.views.frozen
        dim = {
            witness
            for by in self.sights.heard.values()
            for witness, heard in by.items()
            if heard.sign in signs and witness not in frozen
        }
        there_are = len(self.draft.site(self.host).witnesses)
        wanted = min(WITNESSES_WANTED, there_are)
        return len(dim) >= max(self.draft.policy(self.host).witnesses_min, wanted)

    @property
    def libvirt(self) -> Health:
        """How libvirt does, as long as its agent can be believed."""
        agent = self.sights.agent
        return agent.libvirt if agent is not None and self.any_up else Health.OK

    @property
    def compute(self) -> Health:
        """How nova-compute does. Without an agent its own record says so, by standing still."""
        agent, nova = self.sights.agent, self.sights.nova
        if agent is not None and self.any_up:
            return agent.compute
        gone = nova is not None and not nova.is_up and not nova.forced_down
        answers = self.any_up
        if not self.has_agent:
            gone, answers = gone or self.is_weak_only, Seen.NOT_DOWN in self.planes.values()
        return Health.DOWN if gone and answers else Health.OK

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
        lives = (nova is not None and nova.has_advanced) or watched(self.draft, self.host) is True
        weak = Seen.NOT_DOWN in self.planes.values()
        return self.has_agent and weak and not self.any_up and lives

    @property
    def lives_otherwise(self) -> bool:
        """Not R8a: pings alone are left, and something else than a plane says that it lives.

        Of a host without an agent only its storage can say that every strong sign is gone: that
        Nova's record stands still may be nova-compute alone, and leads to no shot (SAFETY 5 b).
        """
        if self.has_agent:
            return self.agent_is_silent
        return watched(self.draft, self.host) is not False

    @property
    def is_gray(self) -> bool:
        """R18: slow or failing hardware."""
        agent = self.sights.agent
        return agent is not None and agent.is_slow and self.any_up

    @property
    def guests_progress(self) -> bool:
        """Guest I/O goes on, says an agent that can be heard now, or the storage without one.

        Storage is read anew in each episode. Until it denies that somebody there writes, a host
        whose record advances is not shot: no answer yet is no evidence of death (SAFETY 5 d).
        """
        if not self.has_agent:
            return self.any_up and watched(self.draft, self.host) is not False
        agent = self.sights.agent
        return agent is not None and agent.guests_progress and self.any_up
