"""How long the journal is kept: cut off where a term began, when all of it before is old enough.

    term begins ─▶ its records are kept as a base ─▶ old enough, and no outage from before goes on
                ─▶ the journal is cut there; numbers of incidents go on from where they were

Laws:
  - What is left can be replayed: it begins with a term, and the records before it are known.
  - An outage that goes on keeps the journal from before it began.
  - Wall time decides what is old, and nothing else rests on it.
"""

import asyncio
import json
import logging
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ninelives.adapters.sql_bases import BaseRow, Extent
from ninelives.core import states
from ninelives.engine import journal
from ninelives.engine.errors import StoreError
from ninelives.engine.loop import Tell
from ninelives.engine.ports import Clock, Store

from .incident_marks import begins

log = logging.getLogger(__name__)

DAY_S = 86_400.0
BASES_WANTED = 50  # within the time for which the journal is kept
LOOK_S = 3_600.0
AGAIN_S = 10.0  # after a store that did not answer


@dataclass(frozen=True, slots=True)
class Beginning:
    """From where a journal can be read: its records, and how many incidents came before."""

    revision: int
    wall: float
    records: Mapping[str, bytes]
    numbers: Mapping[str, int]  # of each host


WHOLE = Beginning(0, 0.0, {}, {})


class Bases(Protocol):
    """Where bases are kept."""

    def keep(self, base: BaseRow) -> None: ...
    def all(self) -> Sequence[BaseRow]: ...
    def floor(self) -> BaseRow | None: ...
    def floor_revision(self) -> int: ...
    def cut(self, base: BaseRow) -> int: ...
    def extent(self) -> Extent: ...


def written(base: Beginning) -> BaseRow:
    records = {key: b64encode(body).decode() for key, body in base.records.items()}
    body = json.dumps({"records": records, "numbers": dict(base.numbers)})
    return BaseRow(base.revision, base.wall, zlib.compress(body.encode()))


def read(row: BaseRow) -> Beginning:
    body = json.loads(zlib.decompress(row.body))
    records = {key: b64decode(text) for key, text in body["records"].items()}
    return Beginning(row.revision, row.wall, records, body["numbers"])


def floor_of(bases: Bases) -> Beginning:
    """Return from where the journal is to be read."""
    row = bases.floor()
    return WHOLE if row is None else read(row)


# --------------------------------------------------------------------------------------- cutting


def keep(
    bases: Bases, revision: int, records: Mapping[str, bytes], wall: float, days: float
) -> bool:
    """Keep what a term found as a base, unless there is one that is nearly as young."""
    kept = bases.all()
    if kept and wall < kept[-1].wall + days * DAY_S / BASES_WANTED:
        return False
    bases.keep(written(Beginning(revision, wall, records, {})))
    return True


def prune(store: Store, bases: Bases, wall: float, days: float) -> int:
    """Cut off what is older than `days`. Returns how many rows went. Safe to repeat."""
    found = place_to_cut(bases, journal.read_records(store.load()), wall - days * DAY_S)
    if found is None:
        return 0
    before = floor_of(bases)
    if found.revision <= before.revision:
        return bases.cut(written(before))  # what a crash left over
    counted = Counter(before.numbers)
    counted.update(_begun(store, before.revision, found.revision))
    return bases.cut(written(Beginning(found.revision, found.wall, found.records, counted)))


def place_to_cut(bases: Bases, now: journal.Records, older_than: float) -> Beginning | None:
    """Return the highest base that is old enough, and from before which no outage goes on."""
    still_out = {host.id for host in now.hosts if not is_well(host)}
    for row in reversed(bases.all()):
        if row.wall >= older_than:
            continue
        base = read(row)
        out = {host.id for host in journal.read_records(base.records).hosts if not is_well(host)}
        if not out & still_out:
            return base
    return None


def is_well(host: states.Host) -> bool:
    return isinstance(host.state, states.Healthy | states.Unknown)


def _begun(store: Store, after: int, up_to: int) -> Iterator[str]:
    for row in journal.rows(store, after):
        if row.revision > up_to:
            return
        yield from (note.about for note in row.notes if begins(note))


# --------------------------------------------------------------------------------------- the daemon


class Loaded(Protocol):
    """What the store remembers of its last `load`."""

    @property
    def loaded(self) -> tuple[int, Mapping[str, bytes]] | None: ...


async def kept(
    store: Store,
    loaded: Loaded,
    bases: Bases,
    clock: Clock,
    days: float,
    shown: Callable[[Extent], None],
    tell: Tell,
) -> None:
    """Keep the base of this term, and prune, for as long as it lasts. It tells nothing."""
    del tell
    found = loaded.loaded
    while True:
        try:
            if found is not None:
                await asyncio.to_thread(keep, bases, *found, clock.wall(), days)
                found = None
            gone = await asyncio.to_thread(prune, store, bases, clock.wall(), days)
            if gone:
                log.info("journal.pruned", extra={"rows": gone})
            shown(await asyncio.to_thread(bases.extent))
            pause_s = LOOK_S
        except StoreError as error:
            log.warning("journal.not_pruned", extra={"why": str(error)})
            pause_s = AGAIN_S
        await asyncio.sleep(pause_s)
