"""Where a host and a server's move can be (`at.…`). A field exists only where it means something.

    unknown ▶ healthy ▶ suspect ▶ fencing ▶ fenced ▶ evacuating ▶ vacated ▶ returning ▶ healthy
                 ▲       │ │ │     ▲ │       ▲                               │  │
                 └───────┘ │ └─────┼─┼───────┘ a proof without our shot      │  └▶ quarantined
                           ├▶ repairing                                      └▶ suspect (ADR 0017)
                           └▶ held(reason) ◀─┘

Every instant is in seconds of the current leader's clock, and begins anew with its term.
"""

from dataclasses import dataclass
from enum import StrEnum

from .classes import Class as Class  # noqa: PLC0414  # handed on, as a part of `at.…`
from .model import BackendId, BootId, HostId, Proof, RoadId, ServerId, ServerSeen
from .protection import Promise

# Hosts.


@dataclass(frozen=True, slots=True)
class Unknown:
    """Never seen alive by this store: no class, no shot, no proof."""


@dataclass(frozen=True, slots=True)
class Healthy:
    """Strong signs on every configured plane."""

    since: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """Something is wrong; nothing is done but to look harder."""

    since: float
    cls: Class
    cls_since: float  # the class must hold for `confirm_s` before anything is done about it


@dataclass(frozen=True, slots=True)
class Repairing:
    """A service inside the host is restarted; guests live on."""

    since: float
    cls: Class
    attempt: int
    deadline: float


@dataclass(frozen=True, slots=True)
class Held:
    """A brake, or no road to a proof. `reason` says which evidence or decision moves it on."""

    since: float
    reason: str
    cls: Class


@dataclass(frozen=True, slots=True)
class Fencing:
    """The roads to a proof are running. After the first effect no way leads back to healthy."""

    since: float
    cls: Class
    told_unfenceable: bool = False


@dataclass(frozen=True, slots=True)
class Fenced:
    """A sufficient proof is durable. Nova is told; everybody who may be hurt is listed."""

    since: float


@dataclass(frozen=True, slots=True)
class Evacuating:
    """The plan is durable and servers move. Two clean lists in a row end it."""

    since: float
    clean_lists: int = 0
    round: int = 0
    next_list: float = 0.0


@dataclass(frozen=True, slots=True)
class Vacated:
    """Every server has an outcome. The host stays off until somebody or a policy wants it back."""

    since: float


class Stage(StrEnum):
    """Where on its way back a host is (SAFETY 8), in this order."""

    ATTESTING = "attesting"  # on; a new boot, gate closed, no guest
    LIFTING = "lifting"  # revocations lifted and every record from it final
    COMPUTE = "compute"  # nova-compute runs while forced down; records become completed
    FORCING_UP = "forcing_up"
    RESTARTING = "restarting"  # servers that wait in place
    SOAKING = "soaking"
    ENABLING = "enabling"


@dataclass(frozen=True, slots=True)
class Returning:
    """Led back step by step."""

    since: float
    stage: Stage
    stage_since: float
    boot: BootId | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Fell too often, or failed its checks. Stays disabled; the soak grows."""

    since: float
    until: float
    cause: str


HostState = (
    Unknown
    | Healthy
    | Suspect
    | Repairing
    | Held
    | Fencing
    | Fenced
    | Evacuating
    | Vacated
    | Returning
    | Quarantined
)

ARROWS: frozenset[tuple[type, type]] = frozenset(
    {
        (Unknown, Healthy),
        (Unknown, Suspect),
        (Healthy, Suspect),
        (Suspect, Healthy),
        (Suspect, Repairing),
        (Suspect, Fencing),
        (Suspect, Held),
        (Suspect, Fenced),
        *((Repairing, state) for state in (Healthy, Fencing, Held)),
        (Held, Suspect),
        (Held, Fencing),
        (Held, Fenced),
        (Held, Healthy),
        (Fencing, Fenced),
        (Fencing, Held),
        (Fenced, Evacuating),
        (Evacuating, Vacated),
        (Vacated, Returning),
        (Returning, Healthy),
        (Returning, Quarantined),
        (Returning, Suspect),  # died again after its servers were let in (ADR 0017)
        (Quarantined, Returning),
        *((state, Returning) for state in (Suspect, Repairing, Held)),  # cut short (ADR 0030)
    }
)


@dataclass(frozen=True, slots=True)
class Shot:
    """How far one power road is in this episode."""

    road: RoadId
    attempt: int = 0
    sent_at: float | None = None
    is_open: bool = False  # sent and not answered: nobody knows
    was_accepted: bool = False  # acknowledged in this episode, or refused because already off
    retry_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Revocation:
    """One backend that shuts, or shut, the host out."""

    backend: BackendId
    in_force: bool = False
    lifted: bool = False
    asked_at: float = 0.0  # asked for again long before any backend forgets it


@dataclass(frozen=True, slots=True)
class OffReads:
    """Consecutive reads of "off" on one road in this episode; one "on" starts over."""

    road: RoadId
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class Host:
    """The durable record of one host."""

    id: HostId
    epoch: int = 0
    state: HostState = Unknown()
    boot: BootId | None = None  # the last boot that gave a strong sign
    proofs: tuple[Proof, ...] = ()
    shots: tuple[Shot, ...] = ()
    off_reads: tuple[OffReads, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    is_touched: bool = False  # an effect was handed out in this episode
    was_on: bool = False  # its power was read on in this episode: our off is a real shot
    disabled_by_us: bool = False
    forced_down_by_us: bool = False
    episodes: tuple[float, ...] = ()  # when the last ones began; counts for quarantine
    false_alarms: tuple[float, ...] = ()  # suspicions that came to nothing; counts for flapping
    zombie_risk: str = ""  # a proof was contradicted: everything automatic stops for this host
    fences_used: tuple[str, ...] = ()  # Pacemaker events that are spent
    last_off_at: float | None = None  # the last `off` by anybody that we know of
    level: int = 1  # the level of power devices that is being tried
    rounds: int = 0  # how often all levels failed
    power_ons: int = 0  # how often we were asked to switch it on in this episode
    power_on_open: bool = False  # a power-on of ours is unanswered
    group: str = ""  # the group incident that this episode belongs to
    lost_work: tuple[int, ...] = ()  # Nova's records that died open with an earlier boot of it
    queued: tuple[ServerId, ...] = ()  # whose start may wait for its next boot (queued.py)
    is_half_back: bool = False  # it fell while its servers were let in: that goes on first
    resets: int = 0  # numbers of reboots and live migrations of its servers used in this epoch


# Moves.


class Will(StrEnum):
    """What its user wants of a server (SAFETY 2)."""

    RUNNING = "running"
    STOPPED = "stopped"
    NOT_MOVED = "not_moved"  # deleting, shelving: let it go


@dataclass(frozen=True, slots=True)
class Planned:
    """Waits for its turn: `wanting` names what it waits for, "" when nothing but order."""

    since: float
    wanting: str = ""


@dataclass(frozen=True, slots=True)
class Choosing:
    """Placement was asked for targets."""

    since: float


@dataclass(frozen=True, slots=True)
class Resetting:
    """Nova refuses to evacuate it as it is; its class has its state reset to error."""

    since: float
    is_taken: bool = False  # Nova said so; without its answer the request may yet arrive


@dataclass(frozen=True, slots=True)
class Sending:
    """The evacuate is in the outbox; `is_unknown` when its answer was lost."""

    since: float
    target: HostId
    is_unknown: bool = False
    empty_looks: int = 0  # looks, after the settle time, that found no record of it
    was_named: bool = False  # an attempt before named this target too


@dataclass(frozen=True, slots=True)
class Verifying:
    """Nova accepted. Seen: host ≠ source, expected vm_state, no task_state, record final."""

    since: float
    target: HostId
    empty_looks: int = 0  # looks, after the settle time, that found neither it nor a record


@dataclass(frozen=True, slots=True)
class Starting:
    """Arrived stopped, or running against its user's will; being put right."""

    since: float
    target: HostId
    is_sent: bool = False
    is_unknown: bool = False
    tries: int = 0  # how often it was tried anew


@dataclass(frozen=True, slots=True)
class Retry:
    """Failed; tried again at `at`, elsewhere."""

    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class WaitingForHost:
    """Cannot be had elsewhere: brought back in place when its host returns."""

    since: float
    reason: str
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class Mending:
    """A guest on a living host is reset (R17), or moved away alive (R13, R18)."""

    since: float
    is_migration: bool
    is_sent: bool = False
    is_unknown: bool = False
    is_well: bool = False  # it lived again: the next crash is another one
    empty_looks: int = 0  # at a migration of an episode that is over


@dataclass(frozen=True, slots=True)
class Done:
    """Runs, or rests as its user wants, on `host`; seen."""

    at: float
    host: HostId


@dataclass(frozen=True, slots=True)
class Failed:
    """All attempts are spent. Somebody was told; waits to be signed off or for its host."""

    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not moved, for a reason that its class or Nova gives."""

    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Its user deleted, shelved or otherwise took it out of our hands."""

    at: float
    reason: str


MoveState = (
    Planned
    | Choosing
    | Resetting
    | Sending
    | Verifying
    | Starting
    | Retry
    | WaitingForHost
    | Mending
    | Done
    | Failed
    | Skipped
    | Cancelled
)
IN_FLIGHT = (Choosing, Resetting, Sending, Verifying, Starting)
FINAL = (Done, Failed, Skipped, Cancelled)


@dataclass(frozen=True, slots=True)
class Move:
    """The durable record of one server's resurrection in one episode."""

    server: ServerId
    host: HostId  # where it was when its host died
    epoch: int
    state: MoveState
    seen: ServerSeen  # how it looked last
    promise: Promise
    ran: bool  # it ran at the last healthy sight
    will: Will
    attempt: int = 0
    first: int = 0  # attempts of plans before this one: no number is used twice
    named: tuple[HostId, ...] = ()  # every target that we ever named in this episode
    writers: frozenset[HostId] = frozenset()
    absent_on: frozenset[HostId] = frozenset()  # writers on which its domain was seen absent
    began: float = 0.0
    again: HostId | None = None  # the next attempt must name this target: the last may yet arrive
    known_records: frozenset[int] = frozenset()  # Nova's records before our last send
    is_adopted: bool = False  # somebody else's evacuation: watched, never sent
    killed: Proof | None = None  # its process is gone and its disk free: a restart where it was
