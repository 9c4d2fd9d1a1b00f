"""What nova-compute does to its hypervisor (effects), and what the hypervisor's world says back
(facts).

The caller owns the hypervisors: the model only asks. An effect that waits for an answer carries
`work`, and the fact that answers it quotes that number.
"""

from dataclasses import dataclass
from typing import TypeAlias

from .records import HostName, ServerId


@dataclass(frozen=True, slots=True)
class LookForDisk:
    """Is the server's own disk visible on this host, and has the host a domain of it already?"""

    host: HostName
    server: ServerId
    work: int


@dataclass(frozen=True, slots=True)
class SpawnDomain:
    """Define and start it. `rebuild_image`: on a new disk from the image, not on the old disk."""

    host: HostName
    server: ServerId
    rebuild_image: bool
    work: int
    by: str  # who asked for it


@dataclass(frozen=True, slots=True)
class StartDomain:
    """Start, unpause or reboot: afterwards the domain runs."""

    host: HostName
    server: ServerId
    work: int
    by: str  # who asked for it


@dataclass(frozen=True, slots=True)
class PauseDomain:
    host: HostName
    server: ServerId


@dataclass(frozen=True, slots=True)
class StopDomain:
    host: HostName
    server: ServerId


@dataclass(frozen=True, slots=True)
class DestroyDomain:
    """Remove the domain; `with_disks` its disks too, but those on a backend that
    `spare_if_shared_with` also sees.
    """

    host: HostName
    server: ServerId
    with_disks: bool
    spare_if_shared_with: HostName | None = None


@dataclass(frozen=True, slots=True)
class MigrateDomain:
    source: HostName
    dest: HostName
    server: ServerId
    work: int


@dataclass(frozen=True, slots=True)
class AbortDomainMigration:
    """Answered by `Migrated(ok=False)` of that work, or by `ok=True` where it comes too late."""

    source: HostName
    server: ServerId
    work: int


Effect: TypeAlias = (
    LookForDisk
    | SpawnDomain
    | StartDomain
    | PauseDomain
    | StopDomain
    | DestroyDomain
    | MigrateDomain
    | AbortDomainMigration
)


@dataclass(frozen=True, slots=True)
class DiskSeen:
    work: int
    on_disk: bool
    has_domain: bool = False


@dataclass(frozen=True, slots=True)
class Spawned:
    """Answers SpawnDomain and StartDomain. `error` None: it runs."""

    work: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Migrated:
    """`error` None: switched over, it runs on the destination and no longer on the source."""

    work: int
    error: str | None = None
    is_aborted: bool = False


@dataclass(frozen=True, slots=True)
class DomainGone:
    """A domain ended by itself (crash, shutdown from inside) under a nova-compute that runs."""

    host: HostName
    server: ServerId


@dataclass(frozen=True, slots=True)
class ComputeStarted:
    host: HostName


@dataclass(frozen=True, slots=True)
class ComputeStopped:
    """Killed, stopped, or its host lost power: what it held in memory is gone, its queue is not."""

    host: HostName


@dataclass(frozen=True, slots=True)
class ComputeHung:
    """It stands still, alone or with its host; with `reports` its heartbeat thread goes on."""

    host: HostName
    reports: bool = False


@dataclass(frozen=True, slots=True)
class ComputeResumed:
    host: HostName


Fact: TypeAlias = (
    DiskSeen
    | Spawned
    | Migrated
    | DomainGone
    | ComputeStarted
    | ComputeStopped
    | ComputeHung
    | ComputeResumed
)
