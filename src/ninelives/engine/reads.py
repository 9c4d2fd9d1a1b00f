"""Reads that are under way: not too many at once, and one look after another at whom a host lost.

The core asks to see the servers on the move with each news of them. Who asks while the last look is
not answered yet waits for it, and whoever asks meanwhile asks with him: what comes back was asked
of Nova after all of them had asked.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

from ninelives.core.actions import Read, Watch
from ninelives.core.model import HostId

READS_MAX = 256  # under way at once; orders wait for no read

Look = Callable[[Read], Awaitable[None]]


class Reads:
    """The reads of one leader."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(READS_MAX)
        self._watching = defaultdict[HostId, asyncio.Lock](asyncio.Lock)
        self._waiting = dict[HostId, Watch]()

    async def begin(self, action: Read, look: Look) -> None:
        """Look when there is room."""
        if isinstance(action, Watch):
            await self._watch(action, look)
            return
        async with self._room:
            await look(action)

    async def _watch(self, action: Watch, look: Look) -> None:
        host = action.host
        before = self._waiting.get(host)
        self._waiting[host] = action if before is None else _joined(before, action)
        if before is None:
            async with self._watching[host]:
                await look(self._waiting.pop(host))


def _joined(before: Watch, action: Watch) -> Watch:
    """Ask for both in one. Of an earlier episode nobody wants to know any more."""
    if before.epoch != action.epoch:
        return max(before, action, key=lambda watch: watch.epoch)
    servers = tuple(sorted({*before.servers, *action.servers}))
    return Watch(action.host, action.epoch, servers)
