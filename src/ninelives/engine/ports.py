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
from typing import NamedTuple, Protocol

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
    """Who leads. Nobody did yet: term 0, held by nobody. `beat` grows with every renewal."""

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

    def disarmed(self) -> str | None:
        """Why no controller may act, or None while they may."""
        ...

    def set_disarmed(self, cause: str | None) -> None:
        """Forbid acting to every leader, now and later, or allow it again. Needs no lease."""
        ...
