"""What truly happens in the simulated world, whoever knows of it. The oracle judges by these.

Instants are world seconds: the one true clock, which no controller can read.
"""

from dataclasses import dataclass

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.cluster import Decision
from ninelives.core.model import BackendId, BootId, HostId, ServerId, WitnessId


@dataclass(frozen=True, slots=True)
class DomainStarted:
    """A QEMU of this server runs on this host from now on (spawned, resumed, autostarted)."""

    server: ServerId
    host: HostId
    is_rebuilt: bool  # its disk was built anew from the image
    cause: str = (
        "nova"  # who let it start: "nova", "autostart" (libvirt at boot), "user", "foreign"
    )


@dataclass(frozen=True, slots=True)
class DomainPaused:
    """A QEMU that runs computes nothing from now on, or again (`is_over`). It may write."""

    server: ServerId
    host: HostId
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class DomainStopped:
    """It does not run there any more: stopped, destroyed, or its host lost power."""

    server: ServerId
    host: HostId


@dataclass(frozen=True, slots=True)
class HostChanged:
    """A host's true condition: "running", "frozen", "hung", "panicked", "off", "booting"."""

    host: HostId
    condition: str
    boot: BootId | None


@dataclass(frozen=True, slots=True)
class ComputeStarted:
    """A host's nova-compute starts: with its boot, or once its gate lets it. It reads its queue."""

    host: HostId
    is_gated: bool = True  # a closed gate refuses whatever guest it starts


@dataclass(frozen=True, slots=True)
class WritesCut:
    """A backend shuts a host out in truth, or lets it in again."""

    host: HostId
    backend: BackendId
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """A controller's decision became durable. `now` is that controller's own monotonic clock."""

    controller: WitnessId
    term: int
    revision: int
    now: float
    event: on.Event
    decision: Decision


@dataclass(frozen=True, slots=True)
class Issued:
    """A controller really let a request out, after perform's last check."""

    controller: WitnessId
    term: int
    action: do.Action


@dataclass(frozen=True, slots=True)
class PowerCut:
    """A device really cut a host's power. `ordered_by` is "" when nobody of ours ordered it."""

    host: HostId  # the host that lost its power, not the one that was meant
    meant: HostId
    ordered_by: WitnessId | str


@dataclass(frozen=True, slots=True)
class TermTaken:
    """A controller holds the lease of a new term."""

    controller: WitnessId
    term: int


@dataclass(frozen=True, slots=True)
class FaultBegan:
    """A fault of the table (ha-systems 4.4) takes hold; `number` is its row there."""

    number: int
    words: str


@dataclass(frozen=True, slots=True)
class FaultEnded:
    """It is healed."""

    number: int
    words: str


@dataclass(frozen=True, slots=True)
class UserActed:
    """A user, not ninelives, did something to a server: "stop", "delete", "shelve", "start"."""

    server: ServerId
    action: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """Nova writes down where it has a server, or changes a migration record of it.

    `host` is Nova's own word (None: nowhere), `open_ends` are those of records that are not final.
    """

    server: ServerId
    host: HostId | None
    open_ends: frozenset[HostId] = frozenset()


@dataclass(frozen=True, slots=True)
class WellChanged:
    """A host truly does all of its work in reach of everybody from now on, or no longer."""

    host: HostId
    is_well: bool


@dataclass(frozen=True, slots=True)
class LeaseChanged:
    """From now on the leader truly gets a boot's renewals, or the one just received was the last.

    `is_armed`: the watchdog will truly fire when renewals end, whatever the host attests.
    """

    host: HostId
    boot: BootId
    is_renewing: bool
    is_armed: bool


@dataclass(frozen=True, slots=True)
class ControllerPaused:
    """A controller stands still, alone or with its whole machine, clock and guard."""

    controller: WitnessId
    is_machine: bool


@dataclass(frozen=True, slots=True)
class ControllerResumed:
    """A controller runs again after it stood still. Its own clock went on by `gap_s` meanwhile."""

    controller: WitnessId
    gap_s: float


Happening = (
    DomainStarted
    | DomainPaused
    | DomainStopped
    | HostChanged
    | ComputeStarted
    | WritesCut
    | Decided
    | Issued
    | PowerCut
    | TermTaken
    | FaultBegan
    | FaultEnded
    | UserActed
    | Recorded
    | WellChanged
    | LeaseChanged
    | ControllerPaused
    | ControllerResumed
)
