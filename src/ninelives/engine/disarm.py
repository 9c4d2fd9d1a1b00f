"""How a bug of ours ends: disarmed in two places, its event kept, and nothing begun any more.

    local disk   holds also where the store is away, or is put back to an older state
    store        holds also for every other controller, now and later

Either word is enough. Only a person takes both back: `ninelives arm`.
"""

import logging
import os
from pathlib import Path
from typing import NamedTuple

from ninelives.core.events import Event
from ninelives.engine import codec
from ninelives.engine.errors import CodecError, StoreError
from ninelives.engine.high_water import (
    HighWater,
    changed,
    check_high_water,
    disarmed_here,
    raised,
)
from ninelives.engine.ports import Store

log = logging.getLogger(__name__)


class Memory(NamedTuple):
    """What one controller keeps on its own disk, beside nothing of anybody else."""

    directory: Path

    @property
    def mark(self) -> Path:
        """How far the store came, and whether we are disarmed."""
        return self.directory / "high-water.json"

    @property
    def unfinished(self) -> Path:
        """The event over which we stumbled."""
        return self.directory / "unfinished.json"


def recalled(memory: Memory, store: Store) -> HighWater:
    """Return what this controller remembers, raised to how far the store has come.

    A store that went back, or another one, disarms. That is written down, because the store goes
    on from where it is, and is soon no longer behind: it stays until `db adopt`.
    Raises `StoreBehind` if the memory cannot be read, `StoreUnavailable` if the store is away.
    """

    def compared(mark: HighWater | None) -> HighWater:
        found = store.identity()
        behind = check_high_water(mark, found)
        if behind is None:
            return raised(mark, found)
        return disarmed_here(behind.local, behind.local.disarmed or behind.reason)

    return changed(memory.mark, compared)


def disarm(memory: Memory, store: Store, cause: str, event: Event | None) -> None:
    """Forbid every controller to act, here first: this disk answers when the store does not."""
    if event is not None:
        _keep(memory.unfinished, codec.encode(codec.EVENT, event))
    # Where it remembers no store at all, whoever adopts one says which.
    changed(memory.mark, lambda mark: disarmed_here(mark or HighWater("", 0, 0), cause))
    try:
        store.set_disarmed(cause)
    except StoreError as error:
        log.error("disarm.store", extra={"why": str(error), "cause": cause})


def unfinished(memory: Memory) -> Event | None:
    """Return the event over which this controller stumbled last, None if there is none."""
    try:
        return codec.decode(codec.EVENT, memory.unfinished.read_bytes())
    except FileNotFoundError:
        return None
    except CodecError as error:
        log.error("unfinished.unreadable", extra={"why": str(error)})
        return None


def finished(memory: Memory) -> None:
    """Forget that event: it was folded again."""
    memory.unfinished.unlink(missing_ok=True)


def _keep(path: Path, document: bytes) -> None:
    with path.open("wb") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
