"""The boundaries of the journal by name, and a controller that dies at one of them.

    decided │ committed ──▶ sent ──▶ answered │ closed        │ is a transaction of the store
          dies        dies               dies        dies

"Evacuate decided": the evacuation was decided, and its transaction not begun. "committed": it is
durable, and nothing has left. "answered": it went out, its answer is here, and not durable yet.
"closed": the answer is durable, and nobody has acted upon it. The names come from the core's own
vocabulary, so that an order which is added there brings its boundaries with it.

Run as a program (`-m tests.daemon.boundaries CONFIG NAME BOUNDARY`) this is the controller itself:
the same store, loop, adapters and guard, with a SIGKILL from within where the name says.
"""

import asyncio
import json
import os
import signal
import sys
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
NEVER = "never"


class MortalStore:
    """The store of a controller that dies at one boundary."""

    def __init__(self, store: SqlStore, boundary: str) -> None:
        self._store, self._boundary = store, boundary

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def commit(self, batch: Batch) -> Committed | Conflict | TermLost:
        """Die before or after the transaction, where it is the one that was named."""
        crossed = crossed_by(batch)
        if self._boundary in crossed and self._boundary.endswith(BEFORE):
            die(self._boundary)
        answer = self._store.commit(batch)
        if self._boundary in crossed and isinstance(answer, Committed):
            die(self._boundary)
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


def die(boundary: str) -> None:
    line = json.dumps({"event": "test.dies", "at": boundary})
    os.write(sys.stderr.fileno(), f"{line}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)


def impatient(configuration: Configuration) -> Configuration:
    """Shorten what nobody may configure so short, because a proof rests on it.

    Here nothing real is switched, and these waits begin anew with each of a dozen terms.
    """
    policy = replace(configuration.setting.policy, off_late_s=2.0, soak_agentless_s=3.0)
    return replace(configuration, setting=replace(configuration.setting, policy=policy))


def main(config: str, name: str, boundary: str) -> None:
    """Run one controller as `ninelives controller` does, until it dies."""
    path = Path(config)
    configuration = impatient(read_configuration(path, name))
    logs.configure(configuration.log)
    with laid(configuration) as base:
        mortal: Any = MortalStore(base.store, boundary)
        asyncio.run(live(replace(base, store=mortal), Source(path, name), configuration))


if __name__ == "__main__":
    main(*sys.argv[1:])
