"""Pieces of work inside Nova: RPC messages, and what a process holds in its memory between two
steps.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from .records import HostName, MigrationId, ServerId, VmState
from .requests import Microversion, Request, Verb


class Stage(Enum):
    """How far the destination is with a rebuild; the names say what it does next."""

    CLAIM = auto()
    LOOK = auto()
    PREPARE = auto()
    MAP_DISKS = auto()
    SPAWN = auto()
    SPAWNING = auto()
    SPAWNED = auto()
    POWER_OFF = auto()
    STOPPED = auto()
    FINISH = auto()


class MoveStage(Enum):
    PREPARE = auto()
    RUN = auto()
    ANSWERED = auto()
    FINISH = auto()


@dataclass(frozen=True, slots=True)
class LateRequest:
    """A request out of the API's backlog."""

    request: Request


@dataclass(frozen=True, slots=True)
class ScheduleEvacuation:
    migration: MigrationId
    server: ServerId
    source: HostName
    host: HostName | None
    microversion: Microversion
    is_forced: bool
    on_shared_storage: bool | None
    by: str


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A rebuild on the destination; `vm_state` is where the server shall end."""

    migration: MigrationId
    server: ServerId
    host: HostName
    stops_at_end: bool
    on_shared_storage: bool | None
    by: str
    stage: Stage = Stage.CLAIM
    vm_state: VmState = VmState.ACTIVE
    rebuild_image: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    server: ServerId
    host: HostName
    verb: Verb
    by: str
    is_started: bool = False  # its time has passed: now it takes effect


@dataclass(frozen=True, slots=True)
class Acted:
    """The hypervisor answered a start."""

    act: Act
    error: str | None


@dataclass(frozen=True, slots=True)
class Terminate:
    server: ServerId
    host: HostName
    is_started: bool = False


@dataclass(frozen=True, slots=True)
class SyncPower:
    """The periodic look that stops a domain which the database holds to be stopped."""

    server: ServerId
    host: HostName


@dataclass(frozen=True, slots=True)
class Startup:
    host: HostName
    is_clean: bool = False  # the clean-up ran; what is left is to open the queue


@dataclass(frozen=True, slots=True)
class ScheduleMove:
    """A live migration or a resize, in the conductor."""

    migration: MigrationId
    host: HostName | None


@dataclass(frozen=True, slots=True)
class LiveMove:
    migration: MigrationId
    stage: MoveStage = MoveStage.PREPARE
    error: str | None = None
    is_aborted: bool = False


@dataclass(frozen=True, slots=True)
class AbortMove:
    migration: MigrationId


@dataclass(frozen=True, slots=True)
class ColdMove:
    migration: MigrationId
    stage: MoveStage = MoveStage.PREPARE
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Revert:
    """A resize taken back: ended on the destination, then started where it came from."""

    migration: MigrationId
    stage: MoveStage = MoveStage.PREPARE
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ScheduleBuild:
    """A new server, in the conductor."""

    server: ServerId
    host: HostName | None
    by: str


@dataclass(frozen=True, slots=True)
class Build:
    server: ServerId
    host: HostName
    by: str
    stage: MoveStage = MoveStage.PREPARE
    error: str | None = None


Work: TypeAlias = (
    LateRequest
    | ScheduleEvacuation
    | Rebuild
    | Act
    | Acted
    | Terminate
    | SyncPower
    | Startup
    | ScheduleMove
    | LiveMove
    | AbortMove
    | ColdMove
    | Revert
    | ScheduleBuild
    | Build
)


@dataclass(frozen=True, slots=True)
class Step:
    """Work and where it runs: `host` None is the control plane.

    `process` None is a message: it waits for any process. A number is the memory of that very
    process, and is lost with it; 0 is the control plane's, which is never lost.
    """

    work: Work
    host: HostName | None = None
    process: int | None = None
