"""Everything the leader knows, and one event's worth of change on top of it.

    Cluster   the state: durable records (control, hosts, moves, outbox), and what was seen in this
              term only (sights, views), which no new leader inherits
    Draft     an overlay that one `decide` writes into; the cluster under it stays as it was
    Decision  what the draft came to: to be made durable, then applied, then acted upon

Shared numbers ("how many hosts of this rack want a shot?") are counters over keys. Each record
says to which keys it contributes; a draft keeps the difference. So the cost of an event does not
grow with the fleet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf
from typing import NamedTuple

from . import actions as do
from . import events as on
from . import states as at
from .model import (
    BackendId,
    BootId,
    DomainId,
    HostId,
    Mode,
    Plane,
    Power,
    RoadId,
    Seen,
    SegmentId,
    ServerId,
    Sign,
    WitnessId,
)
from .policy import BALANCED, Policy
from .site import Site
from .tallies import Key


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A host that people work on."""

    host: HostId
    by: str
    reason: str
    is_power_job: bool


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person said of one host's outage: act on it, or hold."""

    host: HostId
    is_given: bool
    by: str
    reason: str


class LoanStage(StrEnum):
    """How far the loan of a reserved host is, as Nova shows it (reserve.py)."""

    ASKED = "asked"
    SERVING = "serving"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Loan:
    """A reserved host that is not at rest."""

    host: HostId
    need: HostId  # whose servers lacked a target; itself where somebody else enabled it
    stage: LoanStage
    since: float
    is_used: bool = False  # servers were seen there


@dataclass(frozen=True, slots=True)
class Control:
    """What operators and our own bugs decided. Durable."""

    is_armed: bool = True
    cause: str = ""  # why not armed
    is_adopted: bool = False  # the store lost history: what was sent then may yet begin (adoption)
    mode: Mode = Mode.ACT
    segment_modes: tuple[tuple[SegmentId, Mode], ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    storm_allowed: tuple[tuple[DomainId, int], ...] = ()
    closed_devices: tuple[tuple[str, str], ...] = ()  # address of a power device → why
    unverified: tuple[tuple[HostId, RoadId], ...] = ()
    verified: tuple[tuple[HostId, RoadId], ...] = ()
    shots: tuple[tuple[float, HostId], ...] = ()  # every `off` within the storm window
    signed_off: tuple[ServerId, ...] = ()
    fence_ordered: tuple[tuple[HostId, str], ...] = ()
    consents: tuple[Consent, ...] = ()  # at most one of each host
    loans: tuple[Loan, ...] = ()  # of reserved hosts, at most one of each


HeardOn = tuple[WitnessId, Plane]
Reached = tuple[int, int]  # of the declared references: how many, of how many


class Heard(NamedTuple):
    """What one witness has of one host on one plane."""

    sign: Sign
    boot: BootId | None
    since: float


class PowerSeen(NamedTuple):
    power: Power
    at: float
    since: float = -inf  # when this device began to read so


class StorageView(NamedTuple):
    watched: bool | None
    revoked: bool | None
    at: float


class Renewal(NamedTuple):
    boot: BootId
    is_armed: bool
    at: float


class Sights(NamedTuple):
    """What was seen of one host in this term. Never stored: silence counts while we listened.

    A tuple, for it has many fields and most events change one of them: that costs a fifth.
    """

    host: HostId
    heard: Mapping[Plane, Mapping[WitnessId, Heard]] = {}
    power: Mapping[RoadId, PowerSeen] = {}
    storage: Mapping[BackendId, StorageView] = {}
    agent: on.AgentSaid | None = None
    nova: on.NovaSeen | None = None
    nova_at: float = 0.0  # when that was told: it is, only when something changed
    agent_at: float = 0.0
    attested: on.Attested | None = None
    attested_at: float = 0.0
    strong_at: float | None = None  # the last strong sign of any kind
    strong_boot: BootId | None = None
    strong_until: float | None = None  # when the last strong sign on any plane went away
    is_lost_sight: bool = False  # we looked away: it may have fallen silent just then, or before
    storage_lost_since: float | None = None
    kdump_since: float | None = None
    is_lost_to_pacemaker: bool = False
    renewal: Renewal | None = None
    promises: frozenset[WitnessId] = frozenset()
    replaced: tuple[tuple[BootId, float], ...] = ()  # boots that another one followed, and when
    rival: str = ""  # a replaced boot was heard again: two machines bear one name
    kept: tuple[str, ...] = ()  # brakes and reasons that somebody was told about in this state
    power_asked_at: float = -1e9
    storage_asked_at: float = -1e9
    promises_asked_at: float = -1e9
    attestation_asked_at: float = -1e9
    list_asked_at: float = -1e9  # while its force-down is open
    force_down_asked_at: float = -1e9
    is_force_down_lost: bool = False  # Nova shows none any more, or none to a new leader


@dataclass(frozen=True, slots=True)
class Views:
    """What was seen of everything else in this term."""

    term: int = 0
    leader: WitnessId = WitnessId("")
    began_at: float = 0.0
    is_unclean: bool = False
    own_fault: str = ""
    fault_ended_at: float | None = None
    bad_canaries: Mapping[str, float] = field(default_factory=dict[str, float])
    canaries_bad_until: float | None = None
    sick_backends: frozenset[BackendId] = frozenset()
    witnesses: frozenset[WitnessId] = frozenset()  # heard in this term
    frozen: Mapping[WitnessId, float] = field(default_factory=dict[WitnessId, float])
    references: Mapping[HeardOn, Reached] = field(default_factory=dict[HeardOn, Reached])
    blind_since: float | None = None  # the leader sees little, and another controller sees well


@dataclass(frozen=True, slots=True)
class Entry:
    """One request in the outbox."""

    action: do.Action
    term: int
    at: float
    retry_at: float
    tries: int = 1
    is_unknown: bool = False


class Note(NamedTuple):
    """Something worth a log line, a journal row and a place in a timeline."""

    about: str
    what: str  # stable: "host.suspected", "brake.held", …
    why: str = ""
    detail: str = ""


class Decision(NamedTuple):
    """What one event came to. `None` in a mapping removes the record."""

    hosts: Mapping[HostId, at.Host]
    moves: Mapping[ServerId, at.Move | None]
    outbox: Mapping[do.Action, Entry | None]
    control: Control | None
    sights: Mapping[HostId, Sights]
    views: Views | None
    wakes: Mapping[str, float | None]
    counts: Mapping[Key, int]
    actions: tuple[do.Action, ...]
    notes: tuple[Note, ...]
    is_heard_anew: bool = False  # what is heard changed, or who may say so: judge every plane anew

    @property
    def is_durable(self) -> bool:
        """Whether any record that must outlive this leader changed."""
        return bool(self.hosts or self.moves or self.outbox or self.control)


@dataclass(slots=True)
class Cluster:
    """The state between two decisions. Only `apply` changes it."""

    site: Site
    policy: Policy = BALANCED
    segment_policies: Mapping[SegmentId, Policy] = field(default_factory=dict[SegmentId, Policy])
    now: float = 0.0
    control: Control = field(default_factory=Control)
    hosts: dict[HostId, at.Host] = field(default_factory=dict)
    moves: dict[ServerId, at.Move] = field(default_factory=dict)
    outbox: dict[do.Action, Entry] = field(default_factory=dict)
    sights: dict[HostId, Sights] = field(default_factory=dict)
    views: Views = field(default_factory=Views)
    wakes: dict[str, float] = field(default_factory=dict)
    counts: dict[Key, int] = field(default_factory=dict)
    active: dict[HostId, None] = field(default_factory=dict)
    moves_of: dict[HostId, dict[ServerId, None]] = field(default_factory=dict)
    # How planes look, judged when first asked. Most events are about something else than what
    # witnesses hear, and would judge the very same signs again.
    planes: dict[HostId, Mapping[Plane, Seen]] = field(default_factory=dict)

    def apply(self, decision: Decision) -> None:
        """Adopt a decision."""
        for host_id, host in decision.hosts.items():
            self.hosts[host_id] = host
            if isinstance(host.state, at.Healthy | at.Unknown):
                self.active.pop(host_id, None)
            else:
                self.active[host_id] = None
        for server, move in decision.moves.items():
            self._adopt_move(server, move)
        for action, entry in decision.outbox.items():
            if entry is None:
                self.outbox.pop(action, None)
            else:
                self.outbox[action] = entry
        self.sights.update(decision.sights)
        self.control = decision.control or self.control
        self.views = decision.views or self.views
        for subject, due in decision.wakes.items():
            if due is None:
                self.wakes.pop(subject, None)
            else:
                self.wakes[subject] = due
        for key, difference in decision.counts.items():
            self.counts[key] = self.counts.get(key, 0) + difference
        if decision.is_heard_anew:
            self.planes = {}

    def _adopt_move(self, server: ServerId, move: at.Move | None) -> None:
        before = self.moves.pop(server, None)
        if before is not None and (move is None or move.host != before.host):
            self.moves_of[before.host].pop(server, None)
        if move is not None:
            self.moves[server] = move
            self.moves_of.setdefault(move.host, {})[server] = None

    def fork(self) -> "Cluster":
        """Return an independent copy; records are immutable and shared."""
        return replace(
            self,
            hosts=dict(self.hosts),
            moves=dict(self.moves),
            outbox=dict(self.outbox),
            sights=dict(self.sights),
            wakes=dict(self.wakes),
            counts=dict(self.counts),
            active=dict(self.active),
            moves_of={host: dict(servers) for host, servers in self.moves_of.items()},
            planes=dict(self.planes),
        )

    def policies(self) -> list[Policy]:
        """Return the numbers that hold for some host, one entry a segment."""
        ours, others = self.policy, self.segment_policies
        return [others.get(segment, ours) for segment in self.site.segments]

    def policy_of(self, host: HostId) -> Policy:
        """Return the numbers that hold for this host's segment."""
        if not self.segment_policies:
            return self.policy
        return self.segment_policies.get(self.site.hosts[host].segment, self.policy)
