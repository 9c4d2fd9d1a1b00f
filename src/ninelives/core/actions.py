"""What the world can be asked to do (`do.…`). Each names the object, the episode and the attempt.

Three kinds, told apart by type because the difference is the law (SAFETY 7):

    Read      changes nothing; may be asked again at will
    Absolute  says how things shall be ("off", "down", "disabled"); safe to repeat, offered again
              until its answer arrives, also by the next leader
    Send      makes something happen once ("evacuate"); goes out at most once per attempt. After a
              timeout, a crash or a new term it is looked up, never sent again
"""

from dataclasses import dataclass

from .model import BackendId, BootId, HostId, RoadId, ServerId, Service

# Reads.


@dataclass(frozen=True, slots=True)
class ReadPower:
    """Ask every power device of `host` whether it is on. Answer: on.PowerRead, one per road."""

    host: HostId
    epoch: int


@dataclass(frozen=True, slots=True)
class ReadStorage:
    """Ask each backend whether it has a watcher, lock or session of `host`, and a revocation."""

    host: HostId
    epoch: int


@dataclass(frozen=True, slots=True)
class AskAttestation:
    """Send the host a nonce of this epoch. Answer: on.Attested, or nothing."""

    host: HostId
    epoch: int


@dataclass(frozen=True, slots=True)
class AskPromises:
    """Ask the host's witnesses to promise that they will not exempt it from its watchdog."""

    host: HostId
    epoch: int


@dataclass(frozen=True, slots=True)
class ListServers:
    """List everybody who may have a copy on `host` (SAFETY 4, fenced). Answer: on.Listed."""

    host: HostId
    epoch: int
    round: int


@dataclass(frozen=True, slots=True)
class Watch:
    """List the servers of this episode that are on the move. Answer: on.Watched."""

    host: HostId
    epoch: int
    servers: tuple[ServerId, ...]


@dataclass(frozen=True, slots=True)
class AskTargets:
    """Ask Placement and the filters where `server` may go. Answer: on.TargetsSeen."""

    server: ServerId
    attempt: int


@dataclass(frozen=True, slots=True)
class LookForDomain:
    """Ask the agents of `hosts` whether a domain of `server` is there. Answer: on.DomainsSeen."""

    server: ServerId
    hosts: tuple[HostId, ...]
    attempt: int


Read = (
    ReadPower
    | ReadStorage
    | AskAttestation
    | AskPromises
    | ListServers
    | Watch
    | AskTargets
    | LookForDomain
)


# Absolute actions.


@dataclass(frozen=True, slots=True)
class PowerOff:
    """A shot. Every one stands before all brakes anew, and perform renews the lease before it."""

    host: HostId
    road: RoadId
    epoch: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Revoke:
    """Shut the host out of one backend, without expiry."""

    host: HostId
    backend: BackendId
    epoch: int


@dataclass(frozen=True, slots=True)
class LiftRevocation:
    """Let the host in again; only for a new, attested boot."""

    host: HostId
    backend: BackendId
    epoch: int


@dataclass(frozen=True, slots=True)
class Disable:
    """Disable the compute service with our reason; best effort, beside the roads."""

    host: HostId
    epoch: int


@dataclass(frozen=True, slots=True)
class ForceDown:
    """Tell Nova that the service is down. Never before a proof; retried for ever after one."""

    host: HostId
    epoch: int


@dataclass(frozen=True, slots=True)
class ForceUp:
    """Take our force-down off. Nova answers 400 while evacuation records are `done`."""

    host: HostId
    epoch: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Enable:
    """Enable the service again, only where it was ninelives that disabled it."""

    host: HostId
    epoch: int


@dataclass(frozen=True, slots=True)
class StartCompute:
    """Open the gate for nova-compute (still forced down), or restart it for the n-th time."""

    host: HostId
    epoch: int
    boot: BootId | None
    attempt: int


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Release the boot gate for this boot and epoch: libvirt guests may start again."""

    host: HostId
    epoch: int
    boot: BootId | None


@dataclass(frozen=True, slots=True)
class Restart:
    """Let the agent restart one service. Guests survive it."""

    host: HostId
    epoch: int
    service: Service
    attempt: int


@dataclass(frozen=True, slots=True)
class StopServer:
    """Stop a server that arrived running although its user wanted it stopped."""

    server: ServerId
    attempt: int


@dataclass(frozen=True, slots=True)
class Reserve:
    """Enable a reserved host because capacity lacks (or give it back)."""

    host: HostId
    enabled: bool


@dataclass(frozen=True, slots=True)
class HandOver:
    """Let another controller lead, for a stated reason. Nobody answers: the term ends with it."""

    reason: str
    term: int


Absolute = (
    PowerOff
    | Revoke
    | LiftRevocation
    | Disable
    | ForceDown
    | ForceUp
    | Enable
    | StartCompute
    | OpenGate
    | Restart
    | StopServer
    | Reserve
    | HandOver
)


# Sends.


@dataclass(frozen=True, slots=True)
class Evacuate:
    """Resurrect `server` on `target`. `source` is where every proof says that it cannot write."""

    server: ServerId
    source: HostId
    target: HostId
    epoch: int
    attempt: int


@dataclass(frozen=True, slots=True)
class ResetState:
    """Set a server's state to error so that Nova evacuates it, where its class asks for that."""

    server: ServerId
    source: HostId
    epoch: int
    attempt: int


@dataclass(frozen=True, slots=True)
class StartServer:
    """Start a server that arrived stopped and whose user wants it running."""

    server: ServerId
    host: HostId
    epoch: int
    attempt: int


@dataclass(frozen=True, slots=True)
class HardReboot:
    """Bring a server back in place on its own returned host, or reset a dead guest."""

    server: ServerId
    host: HostId
    epoch: int
    attempt: int


@dataclass(frozen=True, slots=True)
class LiveMigrate:
    """Move a living server away from a host that is sick but not dead."""

    server: ServerId
    source: HostId
    epoch: int
    attempt: int


@dataclass(frozen=True, slots=True)
class PowerOn:
    """Switch a vacated host on."""

    host: HostId
    epoch: int
    attempt: int


ServerSend = Evacuate | ResetState | StartServer | HardReboot | LiveMigrate
Send = ServerSend | PowerOn


# Words for people. Safe to repeat: the receiver drops what it has.


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell somebody. `what` is a stable reason, `about` a host, server or domain."""

    about: str
    what: str
    epoch: int
    detail: str = ""


Action = Read | Absolute | Send | Tell

READS = (
    ReadPower,
    ReadStorage,
    AskAttestation,
    AskPromises,
    ListServers,
    Watch,
    AskTargets,
    LookForDomain,
)
SENDS = (Evacuate, ResetState, StartServer, HardReboot, LiveMigrate, PowerOn)
