"""The facts that everything speaks of: names, signs of life, proofs, servers as Nova shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

HostId = NewType("HostId", str)  # Nova's service UUID, or any name that the inventory maps to it
ServerId = NewType("ServerId", str)
WitnessId = NewType("WitnessId", str)  # a host or a controller, under the name the inventory gives
SegmentId = NewType("SegmentId", str)
BackendId = NewType("BackendId", str)  # a Ceph cluster, an NFS export, "local"
DomainId = NewType("DomainId", str)  # "segment:s", "rack:a", "zone:z", "all"
RoadId = NewType("RoadId", str)  # one way to cut one host's power
BootId = NewType("BootId", str)

LOCAL = BackendId("local")  # a disk on the host itself; only a proof about the cpu covers it


class Plane(StrEnum):
    """One independent way to see a host. The BMC is read, not heard, and so is no member."""

    MANAGEMENT = "management"
    STORAGE = "storage"
    TENANT = "tenant"


class Sign(StrEnum):
    """What one witness gets from one host on one plane (SAFETY 2)."""

    STRONG = "strong"  # signed with a fresh sequence: only a living kernel and agent can make it
    WEAK = "weak"  # ICMP, ARP, TCP accept: a hung kernel gives these too
    SILENT = "silent"  # nothing for the whole of `silence_s`
    UNKNOWN = "unknown"  # no data, an API error, a blind witness: never the same as silent


class Seen(StrEnum):
    """What the witnesses together say of one plane of a host."""

    UP = "up"
    NOT_DOWN = "not_down"
    DOWN = "down"
    SILENT = "silent"  # nobody hears it, and too few of those are qualified to say so
    UNKNOWN = "unknown"


class Power(StrEnum):
    """What a power device says when it is asked."""

    ON = "on"
    OFF = "off"
    UNREADABLE = "unreadable"


class Health(StrEnum):
    """How a service on a host does, as its agent sees it from inside."""

    OK = "ok"
    DOWN = "down"
    HUNG = "hung"


class Service(StrEnum):
    """What an agent can restart without touching a guest."""

    LIBVIRT = "libvirt"
    NOVA_COMPUTE = "nova-compute"
    AGENT = "agent"


class Mode(StrEnum):
    """How much an operator lets ninelives do."""

    OBSERVE = "observe"
    PROPOSE = "propose"
    ACT = "act"


class Method(StrEnum):
    """How a proof came about (SAFETY 3)."""

    POWER_OFF = "power_off"
    PACEMAKER = "pacemaker"
    REBOOTED = "rebooted"
    STORAGE_REVOKED = "storage_revoked"
    LEASE_EXPIRED = "lease_expired"
    DOMAIN_KILLED = "domain_killed"
    HUMAN = "human"


class Validity(StrEnum):
    """Whether a proof still counts. What a fresh read suspends for a while is worked out anew."""

    VALID = "valid"
    VOID = "void"  # contradicted by what came after: never again


@dataclass(frozen=True, slots=True)
class Covers:
    """What a proof forbids its host: to compute, to be on the network, to write these backends."""

    cpu: bool = False
    network: bool = False
    backends: frozenset[BackendId] = frozenset()
    servers: frozenset[ServerId] = frozenset()  # only these, on that host, whatever their disks

    def disk(self, backend: BackendId) -> bool:
        """Say whether no copy on that host can write a disk on `backend`."""
        return self.cpu or backend in self.backends


EVERYTHING = Covers(cpu=True, network=True)


@dataclass(frozen=True, slots=True)
class Proof:
    """A stored reason to believe that a host cannot write. Made in core/proofs.py alone."""

    method: Method
    host: HostId
    epoch: int
    term: int
    at: float  # monotonic seconds of the leader of `term`
    boot: BootId | None  # the boot that it proves dead; None when it was never known
    covers: Covers
    evidence: str  # what was seen, for people
    validity: Validity = Validity.VALID
    contradicted_by: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was judged and turned down. `reason` is stable, `hint` is for people."""

    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a freshly booted host says of itself, signed, in answer to the nonce of an epoch."""

    boot: BootId
    epoch: int
    serial: str  # the system's own serial number: a cloned image cannot fake another machine's
    signed: bool
    gate_closed: bool
    guests: int  # QEMU processes since boot
    autostart: bool
    resume_guests: bool
    opened_by: str = ""  # who opened its gate by hand, in a cold start of the site

    @property
    def is_clean(self) -> bool:
        """The boot gate held: nothing of the old life can have come back by itself."""
        quiet = self.guests == 0 and not self.autostart and not self.resume_guests
        return self.signed and self.gate_closed and quiet


@dataclass(frozen=True, slots=True)
class PacemakerFence:
    """One entry of Pacemaker's fencing history, as the daemon itself read it."""

    key: str  # cluster, target, client, completion: consumed at most once
    succeeded: bool
    action: str  # "off" or "reboot"
    device: str  # "" where no device ran
    is_off_on: bool  # a reboot done as off, then on: the power was seen off in between
    by_confirmation: bool  # stonith_admin --confirm: a human's word, no device ran
    after_life: bool  # completed after the last strong sign of that boot, by order of events


@dataclass(frozen=True, slots=True)
class GuestEnd:
    """What the agent saw of a guest's process that is no more. Signed by that boot."""

    boot: BootId
    has_exited: bool
    is_unlocked: bool | None  # nobody holds its disk; None: the backend did not say


class VmState(StrEnum):
    """Nova's vm_state."""

    ACTIVE = "active"
    STOPPED = "stopped"
    ERROR = "error"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    RESCUED = "rescued"
    RESIZED = "resized"
    SHELVED = "shelved"
    SHELVED_OFFLOADED = "shelved_offloaded"
    BUILDING = "building"
    SOFT_DELETED = "soft-delete"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """One of Nova's migration records: evacuation, live-migration, migration or resize.

    Or the last reboot that we asked for, of which Nova keeps no more than who asked: its number is
    below zero, and it says nothing of how that ended.
    """

    id: int
    kind: str
    source: HostId
    target: HostId | None
    status: str

    @property
    def is_final(self) -> bool:
        """Nova will not touch the server for this record any more."""
        return self.status in FINAL_STATUSES


REBOOT = "reboot"  # the kind of what is no migration: asked for by us, and on record
FINAL_STATUSES = frozenset(
    {"done", "completed", "failed", "error", "cancelled", "confirmed", "reverted"}
)


# What says where a server runs, how big it is or what hangs on it, never whether it runs: no word
# that its user gave before is taken back by it (Nova: nova/compute/instance_actions.py).
WORDLESS_ACTIONS = frozenset(
    {"evacuate", "migrate", "resize", "confirmResize", "revertResize", "lock", "unlock"}
    | {"live-migration", "live_migration_cancel", "live_migration_force_complete"}
    | {"attach_volume", "detach_volume", "swap_volume", "extend_volume"}
    | {"attach_interface", "detach_interface", "createImage", "createBackup", "changePassword"}
)


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """One server at one look, with everything that a decision about it may need."""

    id: ServerId
    host: HostId | None
    vm_state: VmState
    task_state: str | None
    is_running: bool | None  # Nova's power_state; None where Nova does not know
    records: tuple[MoveRecord, ...] = ()
    user_action: str = ""  # its user's last word on whether it runs: "stop", "delete", …
    disks: tuple[BackendId, ...] = ()
    is_image_backed: bool = False
    blocked: str = ""  # why Nova can never evacuate it: "vtpm", "share", "accelerator"
    is_locked: bool = False
    name: str = ""
    project: str = ""
    zone: str = ""
    aggregates: tuple[str, ...] = ()
    flavor: str = ""
    image: str = ""
    tags: Mapping[str, str] | None = None
    group: str = ""  # dependency group
    order: int = 0  # declared order inside the group


@dataclass(frozen=True, slots=True)
class Candidate:
    """One host that Placement and the filters allow for a server."""

    host: HostId
    room: int  # how many such servers still fit
    sees_disk: bool  # its agent saw this server's own disk there within the last minute
