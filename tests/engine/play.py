"""One controller, with the real loop, perform and laws, in a small world and virtual time."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp
from weakref import finalize

from tests import virtual_loop
from tests.engine.stand_ins import (
    HOSTS,
    ME,
    SITE,
    Agents,
    Bmcs,
    Ceph,
    Nova,
    Pager,
    QuietGuard,
    VirtualWriter,
    World,
    witnesses,
)

from ninelives.core.cluster import Cluster, Note
from ninelives.core.decide import decide
from ninelives.core.invariants import check
from ninelives.core.lastcheck import objection
from ninelives.core.policy import BALANCED
from ninelives.core.setting import Setting
from ninelives.engine import journal
from ninelives.engine.disarm import Memory
from ninelives.engine.loop import Wiring, serve
from ninelives.engine.node import Decide, Ready
from ninelives.engine.ports import Ports, Store

BEGAN = 1000.0  # seconds since this machine booted
LEASE_S, MARGIN_S = 15.0, 3.0
SETTLED_S = 150.0
C1, C2, _ = HOSTS
SETTING = Setting(SITE, BALANCED)


class Play:
    """One controller in one small world."""

    def __init__(self, store: Store, seed: int = 0, mind: Decide = decide) -> None:
        self.seed, self.store, self.mind = seed, store, mind
        self.memory = Memory(Path(mkdtemp()))
        finalize(self, rmtree, self.memory.directory)
        self.guard = QuietGuard()
        self.notes: list[tuple[float, Note]] = []
        self.revisions: list[int] = []
        self.world = World(Random(seed))
        for name in ("s1", "s2"):
            self.world.add_server(name, C1)
        self.world.add_server("s3", C2)

    def wiring(self, holder: str) -> Wiring:
        world = self.world
        ports = Ports(
            self.store, world, self.guard, Bmcs(world), Ceph(world), Nova(world), Agents(world),
            Pager(world),
        )  # fmt: skip
        return Wiring(
            ME, holder, self.memory, SETTING, self.mind, check, objection, ports, VirtualWriter,
            (partial(witnesses, world),), self.published, LEASE_S, MARGIN_S,
        )  # fmt: skip

    def published(self, ready: Ready) -> None:
        self.revisions.append(ready.revision)
        self.notes += [(ready.at - BEGAN, note) for note in ready.decision.notes]

    def run(self, until_s: float, *happenings: tuple[float, Callable[[], None]]) -> None:
        async def main() -> None:
            for after_s, happen in happenings:
                asyncio.get_running_loop().call_later(after_s, happen)
            await served(self.wiring("ctl-a/1"), until_s)

        virtual_loop.run(main(), self.seed, BEGAN)

    def after(self) -> Cluster:
        return journal.restored(self.store.load(), SETTING)

    def what(self) -> list[str]:
        return [f"{note.about} {note.what}" for _, note in self.notes]


async def served(wiring: Wiring, until_s: float) -> None:
    try:
        async with asyncio.timeout(until_s):
            await serve(wiring)
    except TimeoutError:
        return
