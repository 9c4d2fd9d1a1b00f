"""The store of a simulated world: the contract of `ports.Store` in memory, and ways to fail it."""

from collections.abc import Mapping, Sequence
from copy import copy
from enum import Enum, auto

from ninelives.engine.errors import StoreUnavailable
from ninelives.engine.ports import (
    JOURNAL_PAGE_MAX,
    Batch,
    Committed,
    Conflict,
    Entry,
    LeaseRow,
    StoreIdentity,
    TermLost,
)


class Answers(Enum):
    """How the store treats whoever calls it."""

    ALWAYS = auto()
    NEVER = auto()  # nothing is read or written
    REPLY_LOST = auto()  # it is written, but the caller never learns


class MemoryStore:
    """One store, shared by every controller of a world. Set `answers` to make it fail."""

    def __init__(self, store_id: str = "memory") -> None:
        self.answers = Answers.ALWAYS
        self._store_id = store_id
        self._records: dict[str, bytes] = {}
        self._journal: list[Entry] = []
        self._lease = LeaseRow("", 0, 0)
        self._disarmed: str | None = None

    def fork(self) -> "MemoryStore":
        """Copy this store for another world, or keep it as the backup somebody will restore."""
        twin = copy(self)
        twin._records = dict(self._records)  # noqa: SLF001 - of its own class
        twin._journal = list(self._journal)  # noqa: SLF001 - of its own class
        return twin

    def identity(self) -> StoreIdentity:
        self._hear()
        return StoreIdentity(self._store_id, len(self._journal), self._lease.term)

    def load(self) -> Mapping[str, bytes]:
        self._hear()
        return dict(self._records)

    def commit(self, batch: Batch) -> Committed | Conflict | TermLost:
        self._hear()
        if batch.term != self._lease.term:
            return TermLost(self._lease.term)
        if batch.expect != len(self._journal):
            return Conflict(len(self._journal))
        self._journal.extend(batch.entries)
        self._records.update(batch.puts)
        for key in batch.drops:
            self._records.pop(key, None)
        self._reply()
        return Committed(batch.revision)

    def journal(self, after: int, limit: int) -> Sequence[Entry]:
        assert after >= 0
        assert 1 <= limit <= JOURNAL_PAGE_MAX
        self._hear()
        return self._journal[after : after + limit]

    def lease(self) -> LeaseRow:
        self._hear()
        return self._lease

    def renew(self, row: LeaseRow) -> LeaseRow | None:
        assert row.holder, "nobody cannot renew"
        return self._swap(row, row._replace(beat=row.beat + 1))

    def take(self, seen: LeaseRow, holder: str) -> LeaseRow | None:
        assert holder, "nobody cannot lead"
        return self._swap(seen, LeaseRow(holder, seen.term + 1, 0))

    def release(self, row: LeaseRow) -> bool:
        assert row.holder, "nobody has nothing to let go"
        return self._swap(row, LeaseRow("", row.term, row.beat + 1)) is not None

    def disarmed(self) -> str | None:
        self._hear()
        return self._disarmed

    def set_disarmed(self, cause: str | None) -> None:
        self._hear()
        self._disarmed = cause
        self._reply()

    def _swap(self, seen: LeaseRow, wanted: LeaseRow) -> LeaseRow | None:
        self._hear()
        if self._lease != seen:
            return None
        self._lease = wanted
        self._reply()
        return wanted

    def _hear(self) -> None:
        if self.answers is Answers.NEVER:
            raise StoreUnavailable("the store does not answer")

    def _reply(self) -> None:
        if self.answers is Answers.REPLY_LOST:
            raise StoreUnavailable("the store wrote, and its reply was lost")
