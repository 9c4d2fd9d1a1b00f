"""What the engine asks of the world, as Protocols that adapters and the simulator both keep.

The store keeps bytes and knows nothing of what they mean; the codec does. Its laws, held to by
one contract test for every implementation:

  - a batch is written whole or not at all, and once acknowledged it survives a power loss;
  - it is written only if the lease's term and the store's revision are those the batch names,
    checked in the same transaction that writes;
  - revisions are dense and terms never decrease.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ninelives.core.events import Outcome, StorageSeen
from ninelives.core.model import (
    Attestation,
    BackendId,
    BootId,
    Candidate,
    HostId,
    Power,
    RoadId,
    ServerId,
    ServerSeen,
    Service,
    WitnessId,
)

if TYPE_CHECKING:
    from ninelives.engine.lease import Tenure

JOURNAL_PAGE_MAX = 1_000  # entries that one call of `Store.journal` may ask for


@dataclass(frozen=True, slots=True)
class Entry:
    """One journalled decision."""

    revision: int  # +1 each, dense
    term: int
    at: float  # monotonic seconds of the leader of that term
    wall: float  # seconds since the epoch, for display only
    event: bytes
    notes: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction: the entries in order, and the records as they are after the last of them."""

    term: int
    expect: int  # the store's revision before this batch
    entries: tuple[Entry, ...]
    puts: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    drops: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        # A change without a journalled decision could never be explained or replayed.
        assert self.entries, "a batch without a decision"
        assert not self.drops & self.puts.keys(), "one record both put and dropped"
        for revision, entry in enumerate(self.entries, self.expect + 1):
            assert entry.revision == revision, "revisions must be dense"
            assert entry.term == self.term, "an entry of another term"

    @property
    def revision(self) -> int:
        """The store's revision after this batch."""
        return self.expect + len(self.entries)


class StoreIdentity(NamedTuple):
    """Which store this is and how far it has come."""

    store_id: str
    revision: int
    term: int


class LeaseRow(NamedTuple):
    """Who leads. Held by nobody (""): its holder let go, or nobody led yet (term 0).

    `beat` grows with every renewal.
    """

    holder: str
    term: int
    beat: int


@dataclass(frozen=True, slots=True)
class Committed:
    """Durable up to and including this revision."""

    revision: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing was written: the store stands at another revision than expected."""

    revision: int


@dataclass(frozen=True, slots=True)
class TermLost:
    """Nothing was written: somebody else leads, in this term."""

    term: int


class Store(Protocol):
    """The durable memory of the controllers. Synchronous; raises `StoreError`, nothing else.

    `StoreUnavailable` from `commit`, `renew` or `take` leaves open whether it was written: the
    caller reads `identity` or `lease` before it goes on, and repeats nothing blindly.
    """

    def identity(self) -> StoreIdentity:
        """Which store this is, and its highest revision and term."""
        ...

    def load(self) -> Mapping[str, bytes]:
        """All records. They belong to one revision only for the holder of the lease."""
        ...

    def commit(self, batch: Batch) -> Committed | Conflict | TermLost:
        """Write all of `batch` durably, if term and revision are still those it names."""
        ...

    def journal(self, after: int, limit: int) -> Sequence[Entry]:
        """At most `limit` entries (1 to JOURNAL_PAGE_MAX) above revision `after`, in order."""
        ...

    def lease(self) -> LeaseRow:
        """The lease as it stands."""
        ...

    def renew(self, row: LeaseRow) -> LeaseRow | None:
        """Beat once more, if the lease is still exactly `row`."""
        ...

    def take(self, seen: LeaseRow, holder: str) -> LeaseRow | None:
        """Begin the next term under `holder`, if nothing changed since `seen`."""
        ...

    def release(self, row: LeaseRow) -> bool:
        """Let go: held by nobody, the term unchanged, if the lease is still exactly `row`."""
        ...

    def disarmed(self) -> str | None:
        """Why no controller may act, or None while they may."""
        ...

    def set_disarmed(self, cause: str | None) -> None:
        """Forbid acting to every leader, now and later, or allow it again. Needs no lease."""
        ...


class Pin(NamedTuple):
    """What one controller sees, as it wrote it. `beat` grows while it goes on looking."""

    beat: int
    body: bytes


class Board(Protocol):
    """Where every controller, standbys too, shows what it sees. Raises `StoreError`, nothing else.

    Nothing rests on it but evidence: a pin that is lost, or old, is a witness that says nothing.
    """

    def pin(self, witness: WitnessId, pin: Pin) -> None:
        """Show `pin` instead of the last one of this witness."""
        ...

    def pins(self) -> Mapping[WitnessId, Pin]:
        """What everybody shows."""
        ...


# ------------------------------------------------------------------------- the world outside
#
# What is asked of the world is asked with `await`, and can be cancelled at any instant: a leader
# that lost its lease stops so. A call returns what was seen or answered; where nothing is known it
# raises a `PortError`. It never tries again by itself: whether to repeat is the core's decision.


class Answer(NamedTuple):
    """What the other side said to an order. `reason` is stable: "already_off", "records_done"."""

    outcome: Outcome
    reason: str = ""
    detail: str = ""


ACCEPTED = Answer(Outcome.DONE)


class Clock(Protocol):
    """Time of this machine."""

    def now(self) -> float:
        """Seconds of CLOCK_BOOTTIME: never back, on while the machine sleeps."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch, for display only."""
        ...


class LeaseGuard(Protocol):
    """Whoever kills us at the end of our tenure. Every call may raise `GuardLost`."""

    def watch(self, tenure: "Tenure") -> None:
        """Kill us when `tenure` ends, unless told of a later one before."""
        ...

    def rest(self) -> None:
        """Kill us no more: we do not lead, and nothing of ours is under way."""
        ...

    def armed_until(self) -> float | None:
        """The deadline that it last acknowledged; None while it rests."""
        ...


class PowerDevices(Protocol):
    """Every power device of every host."""

    async def read(self, host: HostId, road: RoadId) -> Power:
        """Ask one device. UNREADABLE where it answers but does not say."""
        ...

    async def switch_off(self, host: HostId, road: RoadId) -> Answer:
        """Order `off`, absolutely, and at once: nothing waits between the last check and the wire.

        Refused with "already_off" where it was; not sent ("busy") where it would have to wait.
        """
        ...

    async def switch_on(self, host: HostId) -> Answer:
        """Order `on`, by the first level of devices that answers."""
        ...


class StorageBackends(Protocol):
    """Every storage backend that hosts write to."""

    async def look(self, host: HostId, backend: BackendId) -> StorageSeen:
        """Ask for watchers, locks and sessions of a host, and for its revocation."""
        ...

    async def revoke(self, host: HostId, backend: BackendId) -> Answer:
        """Shut every address of a host out, without expiry."""
        ...

    async def lift(self, host: HostId, backend: BackendId) -> Answer:
        """Let it in again."""
        ...


class Compute(Protocol):
    """Nova and Placement. An order that was accepted is seen done elsewhere, by listing.

    An order leaves at once or not at all: one that would have to wait in a line is `NOT_SENT`.
    """

    async def list_servers(self, host: HostId) -> tuple[tuple[ServerSeen, ...], bool]:
        """Everybody who may have a copy on `host` (SAFETY 4), and whether that is everybody."""
        ...

    async def show(self, servers: tuple[ServerId, ...]) -> tuple[ServerSeen, ...]:
        """How these servers are now, in few requests. A deleted one has vm_state deleted."""
        ...

    async def targets(self, server: ServerId) -> tuple[Candidate, ...]:
        """Where Placement and the filters would put a server, best first."""
        ...

    async def evacuate(self, server: ServerId, target: HostId) -> Answer: ...
    async def start(self, server: ServerId) -> Answer: ...
    async def stop(self, server: ServerId) -> Answer: ...
    async def reset_state(self, server: ServerId) -> Answer:
        """Set its state to error and take its task state away (os-resetState)."""
        ...

    async def hard_reboot(self, server: ServerId) -> Answer: ...
    async def live_migrate(self, server: ServerId) -> Answer: ...

    async def disable(self, host: HostId, epoch: int) -> Answer:
        """Disable the service with the reason `ninelives:<epoch>`."""
        ...

    async def enable(self, host: HostId) -> Answer: ...

    async def reserve(self, host: HostId, enabled: bool) -> Answer:
        """Enable a reserved host, or disable it again."""
        ...

    async def force_down(self, host: HostId) -> Answer: ...

    async def force_up(self, host: HostId) -> Answer:
        """Refused with "records_done" while evacuation records are not completed."""
        ...


class Agents(Protocol):
    """The agents on compute hosts and the witnesses beside them."""

    async def attest(self, host: HostId, epoch: int) -> Attestation:
        """Ask a host to sign a nonce of this epoch."""
        ...

    async def promise(self, witness: WitnessId, host: HostId, epoch: int) -> bool:
        """Ask a witness not to exempt `host` from its watchdog in this episode."""
        ...

    async def has_domain(self, host: HostId, server: ServerId) -> bool:
        """Whether a domain of `server` is on `host`, running or not."""
        ...

    async def start_compute(self, host: HostId, boot: BootId | None) -> Answer: ...
    async def open_gate(self, host: HostId, boot: BootId | None) -> Answer: ...
    async def restart(self, host: HostId, service: Service) -> Answer: ...


class Word(NamedTuple):
    """What somebody is told. `what` is stable: "held:mode", "zombie_risk", "hands_over"."""

    about: str
    what: str
    epoch: int
    detail: str


class Notifier(Protocol):
    """Whoever is told: people, a webhook, an alert manager. It drops what it was told already."""

    async def tell(self, about: str, what: str, epoch: int, detail: str) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The whole world outside, as one leader reaches it."""

    store: Store
    clock: Clock
    guard: LeaseGuard
    power: PowerDevices
    storage: StorageBackends
    compute: Compute
    agents: Agents
    notifier: Notifier
