"""What can happen (`on.…`): facts with a source. An operator's order is an event like any other.

No event carries an instant of another clock: `now` is the leader's own, given beside the event.
"""

from dataclasses import dataclass
from enum import StrEnum

from . import actions as do
from .model import (
    Attestation,
    BackendId,
    BootId,
    Candidate,
    GuestEnd,
    Health,
    HostId,
    PacemakerFence,
    Plane,
    Power,
    RoadId,
    ServerId,
    ServerSeen,
    Sign,
    WitnessId,
)
from .orders import (
    Adopted,
    Armed,
    ConfirmedDead,
    FenceOrdered,
    HalfFencedSettled,
    IncidentApproved,
    IncidentHeld,
    MaintenanceSet,
    ModeSet,
    Order,
    PowerOnOrdered,
    Released,
    RoadSigned,
    SignedOff,
    StoreAdopted,
    StormAllowed,
)
from .setting import Setting

# The leader itself.


@dataclass(frozen=True, slots=True)
class TermBegan:
    """This controller leads from now on. Every wait, grace and proof of freshness starts anew."""

    term: int
    leader: WitnessId
    is_unclean: bool = False  # the leader before us ended without a word: it may still be sending
    setting: Setting | None = None  # under which it decides; None: under that of the term before


@dataclass(frozen=True, slots=True)
class OwnFault:
    """We froze, our clock jumped, our loop lags, our links are gone (R0). `ended` heals it."""

    reason: str
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Woke:
    """A time that a decision asked for has come. `subject` is a key of `Cluster.wakes`."""

    subject: str


# Sightings.


@dataclass(frozen=True, slots=True)
class Change:
    """What one witness now gets from one host on one plane, when that changed."""

    host: HostId
    plane: Plane
    sign: Sign
    boot: BootId | None = None  # known for strong signs only


@dataclass(frozen=True, slots=True)
class Sighted:
    """One witness tells what changed in its view, in one message.

    `references` maps each plane on which that changed to how many declared reference addresses
    (gateway, storage, controllers) the witness sees, and of how many.
    """

    witness: WitnessId
    changes: tuple[Change, ...]
    references: tuple[tuple[Plane, int, int], ...] = ()
    was_frozen: bool = False  # the witness did not run itself: what it missed means nothing


@dataclass(frozen=True, slots=True)
class PowerRead:
    """A power device answered."""

    host: HostId
    road: RoadId
    power: Power


@dataclass(frozen=True, slots=True)
class StorageSeen:
    """What one backend knows of a host. None: the backend did not say."""

    host: HostId
    backend: BackendId
    watched: bool | None  # a watcher, lock, session or write of that host lives
    revoked: bool | None  # every address of the host is shut out, seen in force


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """The agent's look inside its host changed. Strong by itself: the report is signed."""

    host: HostId
    boot: BootId
    libvirt: Health = Health.OK
    compute: Health = Health.OK
    storage_lost: bool = False
    guests_progress: bool = True  # guest I/O went on since the last report
    is_slow: bool = False  # ECC, disk, scheduling delays
    watchdog_armed: bool = False  # attested inside the lease that this report renews
    bad_guests: tuple[ServerId, ...] = ()


@dataclass(frozen=True, slots=True)
class Renewed:
    """A host lease was renewed: the leader received it in this term."""

    host: HostId
    boot: BootId
    watchdog_armed: bool


@dataclass(frozen=True, slots=True)
class Promised:
    """A witness promises not to exempt the host from its watchdog in this episode."""

    witness: WitnessId
    host: HostId
    epoch: int


@dataclass(frozen=True, slots=True)
class NovaSeen:
    """Nova's record of a compute service changed."""

    host: HostId
    is_up: bool
    has_advanced: bool  # written by that boot since the last look: a strong sign
    forced_down: bool
    disabled: bool
    is_ours: bool  # the disable reason and the force-down are those that ninelives set
    is_reserve: bool = False  # it is disabled, and the reason says that it is kept in reserve
    still_reports: bool = False  # forced down, and yet its record grew within `record_silence_s`


@dataclass(frozen=True, slots=True)
class KdumpSeen:
    """A kdump beacon, signed or not. Proves nothing; may delay the power-off."""

    host: HostId
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Attested:
    """A freshly booted host answered our nonce."""

    host: HostId
    attestation: Attestation


@dataclass(frozen=True, slots=True)
class PacemakerFenced:
    """Pacemaker's fencing history has a new entry for this host."""

    host: HostId
    fence: PacemakerFence


@dataclass(frozen=True, slots=True)
class PacemakerLost:
    """Pacemaker lost the whole host (not one resource), or sees it again."""

    host: HostId
    is_lost: bool


@dataclass(frozen=True, slots=True)
class CanarySeen:
    """One probe of the control plane: "nova", "keystone", "scheduler", "database", "bus"."""

    name: str
    is_ok: bool


@dataclass(frozen=True, slots=True)
class BackendSeen:
    """A storage backend is sick for many, or well again."""

    backend: BackendId
    is_ok: bool


# Servers.


@dataclass(frozen=True, slots=True)
class Listed:
    """Everybody who may have a copy on the host. Incomplete: a cell was down, or a page missing."""

    request: do.ListServers
    servers: tuple[ServerSeen, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """How the servers on the move look now. A deleted one comes with vm_state deleted."""

    request: do.Watch
    servers: tuple[ServerSeen, ...]


@dataclass(frozen=True, slots=True)
class TargetsSeen:
    """Where Placement and the filters would put the server, in their order."""

    request: do.AskTargets
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class DomainsSeen:
    """On which of the asked hosts a domain of the server is, is not, or cannot be seen (None)."""

    request: do.LookForDomain
    present: tuple[tuple[HostId, bool | None], ...]


@dataclass(frozen=True, slots=True)
class GuestSeen:
    """One guest on a healthy host crashed, hangs or does well again."""

    server: ServerSeen
    host: HostId
    health: Health
    end: GuestEnd | None = None  # of one that crashed


# Answers of actions.


class Outcome(StrEnum):
    """What became of a request."""

    DONE = "done"  # accepted by the other side; whether it worked is seen elsewhere
    REFUSED = "refused"  # the other side said no
    UNKNOWN = "unknown"  # no answer: it may have happened, or may yet
    NOT_SENT = "not_sent"  # perform's last check turned it down: it certainly did not happen


@dataclass(frozen=True, slots=True)
class Replied:
    """The answer to one request, carried whole: last week's answer fits nothing tonight."""

    action: do.Action
    outcome: Outcome
    reason: str = ""
    detail: str = ""


HostEvent = (
    PowerRead
    | StorageSeen
    | AgentSaid
    | Renewed
    | Promised
    | NovaSeen
    | KdumpSeen
    | Attested
    | PacemakerFenced
    | PacemakerLost
)
ServerEvent = Listed | Watched | TargetsSeen | DomainsSeen | GuestSeen
Event = (
    TermBegan
    | OwnFault
    | Woke
    | Sighted
    | CanarySeen
    | BackendSeen
    | HostEvent
    | ServerEvent
    | Replied
    | Order
)

__all__ = [
    "Adopted",
    "AgentSaid",
    "Armed",
    "Attested",
    "BackendSeen",
    "CanarySeen",
    "Change",
    "ConfirmedDead",
    "DomainsSeen",
    "Event",
    "FenceOrdered",
    "GuestSeen",
    "HalfFencedSettled",
    "HostEvent",
    "IncidentApproved",
    "IncidentHeld",
    "KdumpSeen",
    "Listed",
    "MaintenanceSet",
    "ModeSet",
    "NovaSeen",
    "Order",
    "Outcome",
    "OwnFault",
    "PacemakerFenced",
    "PacemakerLost",
    "PowerOnOrdered",
    "PowerRead",
    "Promised",
    "Released",
    "Renewed",
    "Replied",
    "RoadSigned",
    "ServerEvent",
    "Sighted",
    "SignedOff",
    "StorageSeen",
    "StoreAdopted",
    "StormAllowed",
    "TargetsSeen",
    "TermBegan",
    "Watched",
    "Woke",
]
