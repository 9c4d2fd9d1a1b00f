"""A clerk: one short term in which a person's orders are folded, and nothing is sent.

    watch the lease ──▶ take it ──▶ term began, orders ──▶ one transaction ──▶ let go

Where no controller leads, what a person orders still has to be judged, journalled and replayable
like everything else. The clerk holds the lease while it does that, so that nobody leads meanwhile;
what it decides to do is left in the outbox to the next leader, who asks again before he sends.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from ninelives.core.cluster import Note
from ninelives.core.events import Order
from ninelives.core.model import WitnessId
from ninelives.engine.errors import LeaseLost, StoreUnknown
from ninelives.engine.journal import batch_of, began, restored, stored_setting
from ninelives.engine.lease import Watch, may_take, watched
from ninelives.engine.node import Decide, Laws, Node
from ninelives.engine.ports import Batch, Clock, Committed, LeaseRow, Store
from ninelives.engine.writer import merged

LOOK_S = 0.2  # how often the lease is read while somebody may hold it
TERMS_MAX = 100_000  # that a lost history may be ahead


class Clerk(NamedTuple):
    """Who folds the orders, and how."""

    holder: str  # new for every process, as a controller's
    clock: Clock
    decide: Decide
    laws: Laws
    watch_s: float  # longer than the lease and margin of any controller of this store


class Led(NamedTuple):
    """A controller leads this store, and is alive: it has to be asked, or stopped."""

    holder: str


async def folded(
    store: Store, clerk: Clerk, orders: Sequence[Order], after_term: int = 0
) -> tuple[Note, ...] | Led:
    """Fold `orders` in a term above `after_term`. Return what was said to them.

    A store in which nothing was ever decided has nothing to be ordered about: no notes.
    """
    if not store.identity().revision:
        return ()
    row = await _taken(store, clerk)
    if isinstance(row, Led):
        return row
    row = _raised(store, row, after_term)
    notes = _fold(store, clerk, row, orders)
    store.release(row)
    return notes


async def _taken(store: Store, clerk: Clerk) -> LeaseRow | Led:
    """Watch the beat as a standby does. One that moves is a leader's."""
    watch: Watch | None = None
    while True:
        before, row = watch, store.lease()
        watch = watched(watch, row, clerk.clock.now())
        if before is not None and before.row != row and row.holder:
            return Led(row.holder)
        if may_take(watch, clerk.clock.now(), clerk.watch_s, 0.0):
            taken = store.take(row, clerk.holder)
            if taken is not None:
                return taken
        await asyncio.sleep(LOOK_S)


def _raised(store: Store, row: LeaseRow, after_term: int) -> LeaseRow:
    """Go past the terms of a history that this store has lost: no term is used twice."""
    if after_term - row.term > TERMS_MAX:
        raise StoreUnknown(f"term {after_term} was seen, and this store is at {row.term}")
    while row.term <= after_term:
        taken = store.take(row, row.holder)
        if taken is None:
            raise LeaseLost("a controller took the lease", "stop every controller first")
        row = taken
    return row


def _fold(store: Store, clerk: Clerk, row: LeaseRow, orders: Sequence[Order]) -> tuple[Note, ...]:
    stored = store.load()
    setting = stored_setting(stored)
    if setting is None:
        raise StoreUnknown(
            "this store does not say under which configuration it was decided",
            "let a controller of this version lead it once",
        )
    cluster = restored(stored, setting)
    node = Node(cluster, clerk.decide, store.identity().revision, clerk.laws)
    first = began(row.term, WitnessId(row.holder), setting, stored)
    batches: list[Batch] = []
    notes: list[Note] = []
    for event in (first, *orders):
        ready = node.offer(event, clerk.clock.now())
        batches.append(batch_of(ready, clerk.clock.wall()))
        notes += ready.decision.notes if event is not first else ()
    answer = store.commit(merged(batches))
    if not isinstance(answer, Committed):
        raise LeaseLost(f"nothing was written: {answer}", "stop every controller, and try again")
    return tuple(notes)
