"""The one thread that writes to the store: what waits while the disk syncs is the next commit.

    offer ──▶ [ batch, batch, batch … ] ──▶ merge ──▶ Store.commit ──▶ report(Committed(revision))

Laws:
  - Batches become durable in the order in which they were offered, and are reported so.
  - Whatever is not `Committed` is the last report. The writer never tries again: after a
    conflict, a lost term or no answer, what we decided may rest on what is not there.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ninelives.engine.errors import StoreError
from ninelives.engine.ports import Batch, Committed, Conflict, Store, TermLost

QUEUE_BATCHES_MAX = 10_000  # offered and not yet durable; full means: decide nothing more now
GROUP_BATCHES_MAX = 1_000  # in one transaction, so that a renewal never waits long behind it


@dataclass(frozen=True, slots=True)
class WriterClosed:
    """The writer ended by our own will, or by a bug of ours: nothing more becomes durable."""


Report = Committed | Conflict | TermLost | StoreError | WriterClosed


def merged(batches: Iterable[Batch]) -> Batch:
    """Make one transaction of consecutive batches. Pure. Of each record the last word counts."""
    first, *rest = batches
    entries, puts, drops = list(first.entries), dict(first.puts), set(first.drops)
    expect = first.revision
    for batch in rest:
        assert batch.expect == expect, "a gap between batches"
        entries += batch.entries
        _fold(puts, drops, batch.puts, batch.drops)
        expect = batch.revision
    return Batch(first.term, first.expect, tuple(entries), puts, frozenset(drops))


def _fold(
    puts: dict[str, bytes], drops: set[str], later: Mapping[str, bytes], dropped: frozenset[str]
) -> None:
    drops.difference_update(later)
    puts.update(later)
    for key in dropped:
        puts.pop(key, None)
    drops.update(dropped)


class Writer:
    """Group commit for one leader's term.

    `report` is called on the writer's thread, in order, and must be quick and not raise; a loop
    hands it on with `call_soon_threadsafe`.
    """

    def __init__(self, store: Store, report: Callable[[Report], None]) -> None:
        self._store = store
        self._report = report
        self._waiting: deque[Batch] = deque()
        self._changed = threading.Condition()
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def offer(self, batch: Batch) -> bool:
        """Queue `batch`. False: the queue is full or the writer has ended; it is not queued."""
        with self._changed:
            if not self._is_open or len(self._waiting) >= QUEUE_BATCHES_MAX:
                return False
            self._waiting.append(batch)
            self._changed.notify()
            return True

    def close(self, timeout_s: float) -> bool:
        """Write what waits, then end. False: it has not ended within `timeout_s`."""
        with self._changed:
            self._is_open = False
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        last: Report = WriterClosed()
        try:
            while group := self._next_group():
                answer = self._commit(merged(group))
                if not isinstance(answer, Committed):
                    last = answer
                    return
                self._report(answer)
        finally:
            # Also after a bug of ours: a leader that waits for ever for its writer would hold
            # the lease and do nothing.
            self._end(last)

    def _next_group(self) -> list[Batch]:
        """Wait for work; empty once closed and everything is written."""
        with self._changed:
            while self._is_open and not self._waiting:
                self._changed.wait()
            count = min(len(self._waiting), GROUP_BATCHES_MAX)
            return [self._waiting.popleft() for _ in range(count)]

    def _commit(self, batch: Batch) -> Report:
        try:
            return self._store.commit(batch)
        except StoreError as error:
            return error

    def _end(self, last: Report) -> None:
        with self._changed:
            self._is_open = False
        self._report(last)
