"""What Nova remembers: hosts, services, servers, migration records and instance actions."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

HostName: TypeAlias = str
ServerId: TypeAlias = str
MigrationId: TypeAlias = int


class VmState(StrEnum):
    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    ERROR = "error"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    RESCUED = "rescued"
    RESIZED = "resized"
    SHELVED_OFFLOADED = "shelved_offloaded"
    DELETED = "deleted"


class TaskState(StrEnum):
    SCHEDULING = "scheduling"
    SPAWNING = "spawning"
    REBUILDING = "rebuilding"
    REBUILD_BLOCK_DEVICE_MAPPING = "rebuild_block_device_mapping"
    REBUILD_SPAWNING = "rebuild_spawning"
    POWERING_OFF = "powering-off"
    POWERING_ON = "powering-on"
    REBOOTING = "rebooting"
    REBOOTING_HARD = "rebooting_hard"
    PAUSING = "pausing"
    UNPAUSING = "unpausing"
    SUSPENDING = "suspending"
    RESUMING = "resuming"
    RESCUING = "rescuing"
    UNRESCUING = "unrescuing"
    SHELVING = "shelving"
    DELETING = "deleting"
    MIGRATING = "migrating"
    RESIZE_MIGRATING = "resize_migrating"
    RESIZE_REVERTING = "resize_reverting"


class PowerState(StrEnum):
    NOSTATE = "nostate"
    RUNNING = "running"
    PAUSED = "paused"
    SHUTDOWN = "shutdown"
    SUSPENDED = "suspended"


class MigrationKind(StrEnum):
    EVACUATION = "evacuation"
    LIVE = "live-migration"
    RESIZE = "resize"


class MigrationStatus(StrEnum):
    ACCEPTED = "accepted"
    PRE_MIGRATING = "pre-migrating"
    DONE = "done"
    PREPARING = "preparing"
    RUNNING = "running"
    MIGRATING = "migrating"
    FINISHED = "finished"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    REVERTED = "reverted"
    CANCELLED = "cancelled"
    FAILED = "failed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Host:
    """What a compute host offers; `vcpus` and `ram_mb` have the allocation ratios in them."""

    name: HostName
    vcpus: int = 64
    ram_mb: int = 262_144
    az: str = "nova"
    aggregates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Service:
    """The row of nova-compute in the services table, without its reports (see `Process`)."""

    host: HostName
    is_forced_down: bool = False
    is_disabled: bool = False
    disabled_reason: str | None = None
    # Placement's COMPUTE_STATUS_DISABLED: set by nova-compute itself, so a dead one cannot.
    has_disabled_trait: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """The nova-compute process itself: a fact of the host, not a record of the database."""

    anchor: float  # its report timer fires at anchor + k × report_interval_s
    last_report: float
    reporting_since: float | None  # None: its reports do not reach the database
    number: int = 1  # +1 at each start; work that an earlier process held in memory is gone
    is_alive: bool = True
    is_ready: bool = True  # start-up finished: it reads its queue and reports
    is_hung: bool = False
    reports_while_hung: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """What a server was asked to be. `disks` are names of storage backends."""

    project: str = "demo"
    flavor: str = "small"
    image: str = "cirros"
    vcpus: int = 1
    ram_mb: int = 512
    is_volume_backed: bool = False
    disks: tuple[str, ...] = ("shared",)
    az: str | None = None
    aggregate: str | None = None
    group: str | None = None  # servers of one group never share a host
    has_vtpm: bool = False
    tags: frozenset[str] = frozenset()
    name: str = ""  # what its owner calls it


@dataclass(frozen=True, slots=True)
class Server:
    id: ServerId
    host: HostName | None
    spec: Spec = Spec()
    vm_state: VmState = VmState.ACTIVE
    task_state: TaskState | None = None
    power_state: PowerState = PowerState.RUNNING
    is_locked: bool = False
    is_deleted: bool = False
    fault: str | None = None
    updated: float = 0.0
    created: float = 0.0
    locked_reason: str | None = None

    @property
    def status(self) -> str:
        """The word of the API for the two states together (nova/api/openstack/common.py)."""
        if self.is_deleted:
            return "DELETED"
        by_task = _STATUS_BY_TASK.get(self.task_state) if self.task_state is not None else None
        if by_task is not None and self.vm_state in {
            VmState.ACTIVE,
            VmState.STOPPED,
            VmState.ERROR,
        }:
            return by_task
        return _STATUS_BY_VM[self.vm_state]


@dataclass(frozen=True, slots=True)
class Migration:
    id: MigrationId
    server: ServerId
    kind: MigrationKind
    source: HostName
    dest: HostName | None
    status: MigrationStatus
    created: float
    updated: float
    # Deleting a server soft-deletes its records: the API and the check at force-up stop seeing
    # them, the clean-up at the start of nova-compute still does (`read_deleted='yes'`).
    is_deleted: bool = False
    user: str = ""  # who asked for it


@dataclass(frozen=True, slots=True)
class Action:
    server: ServerId
    name: str
    user: str
    at: float
    request_id: str


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service as the API shows it."""

    host: HostName
    is_up: bool
    is_forced_down: bool
    is_disabled: bool
    disabled_reason: str | None
    last_report: float
    binary: str = "nova-compute"


_REBUILD = "REBUILD"
_STATUS_BY_TASK = {
    TaskState.REBUILDING: _REBUILD,
    TaskState.REBUILD_BLOCK_DEVICE_MAPPING: _REBUILD,
    TaskState.REBUILD_SPAWNING: _REBUILD,
    TaskState.REBOOTING: "REBOOT",
    TaskState.REBOOTING_HARD: "HARD_REBOOT",
    TaskState.MIGRATING: "MIGRATING",
    TaskState.RESIZE_MIGRATING: "RESIZE",
}
_STATUS_BY_VM = {
    VmState.BUILDING: "BUILD",
    VmState.ACTIVE: "ACTIVE",
    VmState.STOPPED: "SHUTOFF",
    VmState.ERROR: "ERROR",
    VmState.PAUSED: "PAUSED",
    VmState.SUSPENDED: "SUSPENDED",
    VmState.RESCUED: "RESCUE",
    VmState.RESIZED: "VERIFY_RESIZE",
    VmState.SHELVED_OFFLOADED: "SHELVED_OFFLOADED",
    VmState.DELETED: "DELETED",
}
