"""The boundaries of the journal by name, and a controller that dies at one of them.

    decided │ committed ──▶ sent ──▶ answered │ closed        │ is a transaction of the store
          dies        dies               dies        dies

"Evacuate decided": the evacuation was decided, and its transaction not begun. "committed": it is
durable, and nothing has left. "answered": it went out, its answer is here, and not durable yet.
"closed": the answer is durable, and nobody has acted upon it. The names come from the core's own
vocabulary, so that an order which is added there brings its boundaries with it.

Run as a program (`-m tests.daemon.boundaries CONFIG NAME MET BOUNDARY…`) this is the controller
itself: the same store, loop, adapters and guard, with a SIGKILL from within at whichever of the
boundaries comes first that nobody has met yet. What is on its way at one time is answered in any
order, and its answers may share a transaction: one death meets all that it lies at.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from ninelives.adapters.sql import SqlStore
from ninelives.app import logs
from ninelives.app.config.building import read_configuration
from ninelives.app.config.configuration import Configuration
from ninelives.app.daemon import Source, live
from ninelives.app.foundation import laid
from ninelives.core import actions as do
from ninelives.core.events import Replied, TermBegan
from ninelives.engine import codec
from ninelives.engine.ports import Batch, Committed, Conflict, TermLost

BEFORE, AFTER = ("decided", "answered"), ("committed", "closed")
POINTS = ("decided", "committed", "answered", "closed")
ORDERS = (*get_args(do.Absolute), *get_args(do.Send), do.Tell)
BOUNDARIES = frozenset(
    {f"{order.__name__} {point}" for order in ORDERS for point in POINTS}
    | {"TermBegan decided", "TermBegan committed"}
)
DIES = "test.dies"


class Deaths:
    """The boundaries of one story, and which of them somebody has died at; on disk, for all."""

    def __init__(self, met: Path, boundaries: Sequence[str]) -> None:
        self._met, self._boundaries = met, boundaries

    def left(self) -> list[str]:
        met = self._met.read_text().splitlines() if self._met.exists() else []
        return [each for each in self._boundaries if each not in met]

    def die_at(self, crossed: Collection[str]) -> None:
        """Die here, if nobody has yet."""
        here = [each for each in self.left() if each in crossed]
        if not here:
            return
        with self._met.open("a") as met:
            met.writelines(f"{each}\n" for each in here)
        line = json.dumps({"event": DIES, "at": here, "pid": os.getpid()})
        os.write(sys.stderr.fileno(), f"{line}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


class MortalStore:
    """The store of a controller that dies at a boundary."""

    def __init__(self, store: SqlStore, deaths: Deaths) -> None:
        self._store, self._deaths = store, deaths

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def commit(self, batch: Batch) -> Committed | Conflict | TermLost:
        """Die before or after the transaction, where it is one that was named."""
        crossed = crossed_by(batch)
        self._deaths.die_at([each for each in crossed if each.endswith(BEFORE)])
        answer = self._store.commit(batch)
        if isinstance(answer, Committed):
            self._deaths.die_at([each for each in crossed if each.endswith(AFTER)])
        return answer


def crossed_by(batch: Batch) -> frozenset[str]:
    """Name the boundaries that one transaction lies between. Pure."""
    written = {key.split("/")[1] for key in batch.puts if key.startswith("outbox/")}
    crossed = {f"{order} {point}" for order in written for point in ("decided", "committed")}
    for entry in batch.entries:
        match codec.decode(codec.EVENT, entry.event):
            case Replied(action=action):
                name = type(action).__name__
                crossed |= {f"{name} answered", f"{name} closed"}
            case TermBegan():
                crossed |= {"TermBegan decided", "TermBegan committed"}
            case _:
                pass
    return frozenset(crossed)


def impatient(configuration: Configuration) -> Configuration:
    """Shorten what nobody may configure so short, because a proof rests on it.

    Here nothing real is switched, and these waits begin anew with each of a dozen terms.
    """
    policy = replace(configuration.setting.policy, off_late_s=2.0, soak_agentless_s=3.0)
    return replace(configuration, setting=replace(configuration.setting, policy=policy))


def main(config: str, name: str, met: str, *boundaries: str) -> None:
    """Run one controller as `ninelives controller` does, until it dies."""
    path = Path(config)
    configuration = impatient(read_configuration(path, name))
    logs.configure(configuration.log)
    with laid(configuration) as base:
        mortal: Any = MortalStore(base.store, Deaths(Path(met), boundaries))
        asyncio.run(live(replace(base, store=mortal), Source(path, name), configuration))


if __name__ == "__main__":
    main(*sys.argv[1:])
