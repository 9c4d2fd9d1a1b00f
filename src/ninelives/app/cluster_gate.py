"""The gate of a returning host, where Pacemaker starts nova-compute: an attribute and a rule on it.

    fenced … vacated, quarantined ─▶ closed     returning, its records final ─▶ opened
    anything else: left as it is. Whoever closed the gate of a healthy host meant it.

Laws:
  - Both are absolute, and said again until the cluster has taken them.
  - It opens only while nothing speaks against switching the host on, and never before the stage in
    which nova-compute has to run (SAFETY 8). A host whose storage is still shut is let in a stage
    earlier: it is by a running nova-compute that its queue is seen to be drained.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ninelives.core import states
from ninelives.core.brakes import holding_power_on
from ninelives.core.cluster import Cluster
from ninelives.core.draft import Draft
from ninelives.core.model import HostId
from ninelives.engine.loop import Tell

log = logging.getLogger(__name__)

LOOK_S = 1.0
AGAIN_S = 5.0  # after the cluster did not take it
NO_EFFECT = frozenset({"disarmed", "mode", "store_adopted"})
OUT = (states.Fenced, states.Evacuating, states.Vacated, states.Quarantined)


class Door(StrEnum):
    """What is wanted of a host's gate."""

    CLOSED = "closed"
    OPEN = "open"


class Doors(Protocol):
    """The attribute of each node; both are absolute, and say whether the cluster took it."""

    async def close(self, node: str) -> bool: ...
    async def open(self, node: str) -> bool: ...


def wanted(draft: Draft, host: HostId) -> Door | None:
    """Say what is wanted; None: leave it. Pure."""
    record, against = draft.host(host), holding_power_on(draft, host)
    match record.state:
        case states.Returning(stage=stage):
            if against:
                return None
            is_shut_out = any(not entry.lifted for entry in record.revocations)
            waits = stage is states.Stage.ATTESTING or (
                stage is states.Stage.LIFTING and not is_shut_out
            )
            return Door.CLOSED if waits else Door.OPEN
        case state if isinstance(state, OUT):
            return None if against in NO_EFFECT else Door.CLOSED
        case _:
            return None


@dataclass(slots=True)
class Gates:
    """The gates of one cluster, as one leader wants them. `taken` is what the cluster took."""

    nodes: Mapping[str, HostId]
    mind: Callable[[], Cluster | None]
    doors: Doors
    taken: dict[str, tuple[Door, int]] = field(default_factory=dict)
    again_at: dict[str, float] = field(default_factory=dict)

    async def keep(self, tell: Tell) -> None:
        """Keep every gate as it is wanted, for as long as the term lasts."""
        del tell
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look(asyncio.get_running_loop().time())

    async def look(self, now: float) -> None:
        cluster = self.mind()
        if cluster is None:
            return
        draft = Draft(cluster, cluster.now)
        for node, host in self.nodes.items():
            door = wanted(draft, host) if host in cluster.site.hosts else None
            if door is None or now < self.again_at.get(node, now):
                continue
            stand = (door, draft.host(host).epoch)
            if self.taken.get(node) != stand:
                await self.stand(node, stand, now)

    async def stand(self, node: str, stand: tuple[Door, int], now: float) -> None:
        door, _ = stand
        ask = self.doors.open if door is Door.OPEN else self.doors.close
        if await ask(node):
            self.taken[node] = stand
            log.info("gate.set", extra={"node": node, "door": door.value})
        else:
            self.again_at[node] = now + AGAIN_S
            log.warning("gate.not_set", extra={"node": node, "door": door.value})
