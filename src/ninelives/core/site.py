"""The inventory: which hosts there are, how each is seen, shot and led back. Read once, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .model import BackendId, DomainId, HostId, Plane, RoadId, SegmentId, WitnessId


@dataclass(frozen=True, slots=True)
class Road:
    """One power device wired to one host. All devices of a level must succeed."""

    id: RoadId
    level: int = 1
    address: str = ""  # devices that share an address share a lie (chassis, BMC, PDU)
    kind: str = "bmc"
    is_verified: bool = True  # the device's serial equals the host's, or a drill saw it go dark


@dataclass(frozen=True, slots=True)
class HostSite:
    """Everything fixed about one compute host."""

    id: HostId
    segment: SegmentId = SegmentId("default")
    rack: str = ""
    zone: str = ""
    serial: str = ""
    planes: tuple[Plane, ...] = (Plane.MANAGEMENT, Plane.STORAGE, Plane.TENANT)
    shared_fate: tuple[frozenset[Plane], ...] = ()  # planes on one wire count as one
    roads: tuple[Road, ...] = ()
    backends: tuple[BackendId, ...] = ()
    revocable: frozenset[BackendId] = frozenset()  # backends where all its addresses are its alone
    witnesses: tuple[WitnessId, ...] = ()
    quorum_sets: tuple[str, ...] = ()
    has_agent: bool = True
    has_watchdog: bool = False
    is_reserved: bool = False

    @property
    def domains(self) -> tuple[DomainId, ...]:
        """Every set of hosts in which this one is counted, the smallest first."""
        named = (("rack", self.rack), ("segment", self.segment), ("zone", self.zone))
        return (*(DomainId(f"{kind}:{name}") for kind, name in named if name), DomainId("all"))

    def fate(self, plane: Plane) -> frozenset[Plane]:
        """Name the planes that fail together with `plane`, itself included."""
        return next((fate for fate in self.shared_fate if plane in fate), frozenset({plane}))


@dataclass(frozen=True, slots=True)
class QuorumSet:
    """A set of members of which `needed` must live: a store, Ceph monitors, Galera, Pacemaker."""

    name: str
    members: frozenset[HostId]
    needed: int


@dataclass(frozen=True)
class Site:
    """The whole inventory. Two hosts that one name or BMC would match are refused on reading."""

    hosts: Mapping[HostId, HostSite]
    controllers: tuple[WitnessId, ...] = ()
    quorum_sets: Mapping[str, QuorumSet] = field(default_factory=dict[str, QuorumSet])
    controller_hosts: Mapping[WitnessId, HostId] = field(default_factory=dict[WitnessId, HostId])

    @cached_property
    def members(self) -> Mapping[DomainId, frozenset[HostId]]:
        """Map each domain to its hosts."""
        found: dict[DomainId, set[HostId]] = {}
        for site in self.hosts.values():
            for domain in site.domains:
                found.setdefault(domain, set()).add(site.id)
        return {domain: frozenset(hosts) for domain, hosts in found.items()}

    @cached_property
    def segments(self) -> frozenset[SegmentId]:
        """Every segment that has a host."""
        return frozenset(site.segment for site in self.hosts.values())

    @cached_property
    def agentless(self) -> frozenset[HostId]:
        """Every host that has no agent."""
        return frozenset(site.id for site in self.hosts.values() if not site.has_agent)

    @cached_property
    def reserve(self) -> frozenset[HostId]:
        """Every host that is kept for when capacity lacks."""
        return frozenset(site.id for site in self.hosts.values() if site.is_reserved)

    @cached_property
    def alone(self) -> Mapping[HostId, frozenset[HostId]]:
        """Map each host to the set of itself: one for all its servers, who are many."""
        return {host: frozenset({host}) for host in self.hosts}

    @cached_property
    def targets(self) -> Mapping[WitnessId, tuple[HostId, ...]]:
        """Map each witness to the hosts that it watches."""
        found: dict[WitnessId, list[HostId]] = {}
        for site in self.hosts.values():
            for witness in site.witnesses:
                found.setdefault(witness, []).append(site.id)
        return {witness: tuple(hosts) for witness, hosts in found.items()}

    @cached_property
    def watching(self) -> Mapping[DomainId, frozenset[WitnessId]]:
        """Map each domain to everybody who watches a host of it."""
        return {
            domain: frozenset(name for host in hosts for name in self.hosts[host].witnesses)
            for domain, hosts in self.members.items()
        }

    def failure_domain(self, witness: WitnessId) -> str:
        """Name what a witness would die with: its rack, or itself where it has none."""
        site = self.hosts.get(HostId(witness))
        return site.rack or witness if site else witness

    @cached_property
    def witness_domains(self) -> Mapping[HostId, int]:
        """Say of each host over how many failure domains its witnesses are spread."""
        return {
            site.id: len({self.failure_domain(witness) for witness in site.witnesses})
            for site in self.hosts.values()
        }

    @cached_property
    def domains(self) -> Mapping[HostId, tuple[DomainId, ...]]:
        """Map each host to its domains."""
        return {site.id: site.domains for site in self.hosts.values()}

    @cached_property
    def on_device(self) -> Mapping[str, frozenset[HostId]]:
        """Map each power device's address to the hosts wired to it."""
        found: dict[str, set[HostId]] = {}
        for site in self.hosts.values():
            for road in site.roads:
                found.setdefault(road.address or road.id, set()).add(site.id)
        return {address: frozenset(hosts) for address, hosts in found.items()}
