"""How a store that went back, or another one, is accepted: in its journal first, then on our disk.

In this order a crash between the two leaves a controller that still refuses, and may adopt again.
"""

from ninelives.core.cluster import Control, Note
from ninelives.core.events import Armed, Order, StoreAdopted
from ninelives.engine.clerk import Clerk, Led, folded
from ninelives.engine.disarm import Memory
from ninelives.engine.errors import StoreBehind
from ninelives.engine.high_water import (
    BEHIND,
    HighWater,
    adopted,
    changed,
    check_high_water,
    read_high_water,
    write_high_water,
)
from ninelives.engine.journal import read_records
from ninelives.engine.ports import Store

UNREADABLE = "memory_unreadable"
EPOCHS_UNKNOWN = 1_000_000  # more outages than any host had since, where nobody knows how many


async def adopted_store(
    store: Store, memory: Memory, clerk: Clerk, by: str
) -> tuple[Note, ...] | Led | None:
    """Adopt `store`. None: this controller remembers nothing that speaks against it."""
    mark = _read(memory)
    if mark is not None and not _refuses(mark, store):
        return None
    # As many epochs as this controller ever saw decisions: how many are missing nobody knows, for
    # the store may have gone on since.
    lost, after_term = (mark.revision, mark.term) if mark is not None else (EPOCHS_UNKNOWN, 0)
    orders: list[Order] = [StoreAdopted(by, lost)]
    if _control(store).cause in BEHIND:
        orders.append(Armed(by, is_armed=True))
    notes = await folded(store, clerk, orders, after_term)
    if isinstance(notes, Led):
        return notes
    if mark is None:
        # It may have said that this controller is disarmed.
        write_high_water(memory.mark, HighWater(*store.identity(), UNREADABLE))
    else:
        changed(memory.mark, lambda now: adopted(now, store.identity()))
    return notes


def _read(memory: Memory) -> HighWater | None:
    """Read the memory; None where it cannot be read."""
    try:
        return read_high_water(memory.mark) or HighWater("", 0, 0)
    except StoreBehind:
        return None


def _refuses(mark: HighWater, store: Store) -> bool:
    if not mark.store_id and mark.disarmed not in BEHIND:
        return False  # it never saw a store; perhaps it was disarmed before it did
    return mark.disarmed in BEHIND or check_high_water(mark, store.identity()) is not None


def _control(store: Store) -> Control:
    return read_records(store.load()).control
