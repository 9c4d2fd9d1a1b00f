"""What can be asked of Nova's API (and of Placement), and how it answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from .records import (
    Action,
    HostName,
    Migration,
    MigrationId,
    MigrationStatus,
    Server,
    ServerId,
    ServiceView,
    Spec,
    VmState,
)

Microversion: TypeAlias = tuple[int, int]
V2_95: Microversion = (2, 95)


@dataclass(frozen=True, slots=True)
class Caller:
    user: str
    is_admin: bool = False


ADMIN = Caller("admin", is_admin=True)


class Verb(StrEnum):
    """The simple server actions: named as Nova names them in its messages."""

    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    HARD_REBOOT = "hard_reboot"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    SUSPEND = "suspend"
    RESUME = "resume"
    RESCUE = "rescue"
    UNRESCUE = "unrescue"
    SHELVE = "shelve"


@dataclass(frozen=True, slots=True)
class ListServices:
    pass


@dataclass(frozen=True, slots=True)
class UpdateService:
    """Change what is not None."""

    host: HostName
    forced_down: bool | None = None
    disabled: bool | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ListServers:
    """With `changes_since` deleted servers are listed too, as Nova does."""

    host: HostName | None = None
    changes_since: float | None = None


@dataclass(frozen=True, slots=True)
class ShowServer:
    server: ServerId


@dataclass(frozen=True, slots=True)
class Evacuate:
    server: ServerId
    host: HostName | None = None
    microversion: Microversion = V2_95
    force: bool | None = None
    on_shared_storage: bool | None = None
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class ActOn:
    server: ServerId
    verb: Verb
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class LiveMigrate:
    server: ServerId
    host: HostName | None = None
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class AbortLiveMigration:
    server: ServerId
    migration: MigrationId
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class Resize:
    """Cold migration when the flavor stays; here only the move matters."""

    server: ServerId
    host: HostName | None = None
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class ConfirmResize:
    server: ServerId
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class RevertResize:
    server: ServerId
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class ResetState:
    server: ServerId
    to: VmState = VmState.ERROR
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class CreateServer:
    """A new server under an id that the caller made; `host` names where it must go."""

    server: ServerId
    spec: Spec
    host: HostName | None = None
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class DeleteServer:
    server: ServerId
    by: Caller = ADMIN


@dataclass(frozen=True, slots=True)
class Lock:
    server: ServerId
    locked: bool = True
    by: Caller = ADMIN
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ListMigrations:
    """Filters that are None let everything pass; `host` is source or destination."""

    server: ServerId | None = None
    host: HostName | None = None
    status: MigrationStatus | None = None


@dataclass(frozen=True, slots=True)
class ListActions:
    server: ServerId


@dataclass(frozen=True, slots=True)
class ListAllocations:
    """Placement: who holds resources on this host."""

    host: HostName


@dataclass(frozen=True, slots=True)
class ListCandidates:
    """Hosts to which the filters would let this server go now, in the scheduler's order."""

    server: ServerId


@dataclass(frozen=True, slots=True)
class ReadCatalogue:
    """Whatever the API answers and this model does not hold: flavors, limits, versions."""


Request: TypeAlias = (
    ListServices
    | UpdateService
    | ListServers
    | ShowServer
    | Evacuate
    | ActOn
    | LiveMigrate
    | AbortLiveMigration
    | Resize
    | ConfirmResize
    | RevertResize
    | CreateServer
    | ResetState
    | DeleteServer
    | Lock
    | ListMigrations
    | ListActions
    | ListAllocations
    | ListCandidates
    | ReadCatalogue
)

Body: TypeAlias = (
    Server
    | ServiceView
    | tuple[Server, ...]
    | tuple[ServiceView, ...]
    | tuple[Migration, ...]
    | tuple[Action, ...]
    | tuple[str, ...]
    | None
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`after_s`: how long the caller waited for it; what was asked is done at once."""

    status: int
    body: Body = None
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    status: int
    message: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The connection broke. Whether the request was taken cannot be told from outside."""

    reason: str
    after_s: float = 0.0


Reply: TypeAlias = Answer | Fault | NoAnswer
