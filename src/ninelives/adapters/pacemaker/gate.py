"""The attribute that keeps nova-compute off a host: permanent, so that it outlives a rejoin."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ninelives.adapters.process import Program, run
from ninelives.fence.record import attribute

CRM_ATTRIBUTE = "/usr/sbin/crm_attribute"
ATTRIBUTE = "ninelives-gate"
NO_SUCH_NODE = 105  # nothing starts where the cluster has no node
DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Gate:
    """The gates of the cluster of this machine."""

    surroundings: Mapping[str, str] = field(default_factory=dict[str, str])

    async def close(self, node: str) -> bool:
        """Close it. Safe to repeat; False where the cluster did not take it."""
        return await self._done(node, "--update=closed")

    async def open(self, node: str) -> bool:
        """Open it, whoever closed it. Safe to repeat; False where the cluster did not take it."""
        return await self._done(node, "--delete")

    async def _done(self, node: str, how: str) -> bool:
        _, *words = attribute(node, ATTRIBUTE)
        program = Program((CRM_ATTRIBUTE, *words, how), DEADLINE_S, environment=self.surroundings)
        try:
            ended = await run(program)
        except OSError:
            return False
        return ended.code in (0, NO_SUCH_NODE)
