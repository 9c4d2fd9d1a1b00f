"""What operators order. An order is an event: judged, journalled, refusable. `by` is who.

They are part of the vocabulary `on.…`: events.py hands them on.
"""

from dataclasses import dataclass

from .model import DomainId, HostId, Mode, RoadId, ServerId


@dataclass(frozen=True, slots=True)
class Armed:
    """Arm, or disarm with a cause."""

    by: str
    is_armed: bool
    cause: str = ""


@dataclass(frozen=True, slots=True)
class ModeSet:
    """Set how much is allowed, for all ("") or one segment."""

    by: str
    mode: Mode
    segment: str = ""


@dataclass(frozen=True, slots=True)
class MaintenanceSet:
    """Take a host into maintenance, or out of it. An announced job switched it off on purpose."""

    by: str
    host: HostId
    is_on: bool
    reason: str = ""
    is_power_job: bool = False  # it will be switched off by people: that is no death


@dataclass(frozen=True, slots=True)
class Adopted:
    """Take an unknown host that never was seen alive into care: it is suspect from now on."""

    by: str
    host: HostId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmedDead:
    """A named person says that the host is dead. Judged against the evidence, may be refused."""

    by: str
    host: HostId
    typed: str  # the host's name, typed in full
    epoch: int
    looked_at: str
    second: str = ""  # a second person, needed where the evidence speaks against it


@dataclass(frozen=True, slots=True)
class HalfFencedSettled:
    """A human chooses for a host that came back to life under fencing: finish, or undo."""

    by: str
    host: HostId
    epoch: int
    finish: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StormAllowed:
    """Allow `shots` more shots in a domain, for this storm only."""

    by: str
    domain: DomainId
    shots: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PowerOnOrdered:
    """Switch a vacated or quarantined host on."""

    by: str
    host: HostId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Released:
    """Let a quarantined host try again before its soak ended."""

    by: str
    host: HostId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FenceOrdered:
    """Fence a host now: opens an episode, but passes every brake that protects others."""

    by: str
    host: HostId
    typed: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IncidentApproved:
    """Leave to act on one outage, where the mode only proposes. It quotes what was looked at."""

    by: str
    host: HostId
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class IncidentHeld:
    """Hold one outage: nothing more is sent for it until somebody approves it, or it is over."""

    by: str
    host: HostId
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class SignedOff:
    """A person takes responsibility for a server that waits, failed or was skipped."""

    by: str
    server: ServerId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RoadSigned:
    """A person, or doctor's read of serials, says whether this road leads to this host."""

    by: str
    host: HostId
    road: RoadId
    is_verified: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StoreAdopted:
    """Go on with a store that went back, or with another one: believe nothing that it says."""

    by: str
    lost: int  # at most so many decisions are missing in it


Order = (
    Armed
    | ModeSet
    | MaintenanceSet
    | Adopted
    | ConfirmedDead
    | HalfFencedSettled
    | StormAllowed
    | PowerOnOrdered
    | Released
    | FenceOrdered
    | IncidentApproved
    | IncidentHeld
    | SignedOff
    | RoadSigned
    | StoreAdopted
)
