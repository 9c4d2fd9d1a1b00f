"""Where orders of people meet the mind: each is told to it, and comes back with what it said.

    api ──▶ asked ──▶ (source) tell ──▶ Node ──▶ durable ──▶ published ──▶ what was said

A term that ends takes with it what it had not answered: nobody knows, and the person is told so.
"""

import asyncio
from dataclasses import dataclass, field

from ninelives.core.cluster import Note
from ninelives.core.events import Order
from ninelives.engine.loop import Tell
from ninelives.engine.node import Ready

ORDERS_MAX = 100  # that wait at once


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One order on its way. Compared by what it is, not by what it says."""

    order: Order
    answer: "asyncio.Future[tuple[Note, ...] | None]"  # None: nobody knows


@dataclass(slots=True)
class OrderDesk:
    """One for a process. One loop uses it."""

    _waiting: asyncio.Queue[Asked] = field(default_factory=lambda: asyncio.Queue(ORDERS_MAX))
    _told: dict[int, Asked] = field(default_factory=dict[int, Asked])

    async def judged(self, order: Order, within_s: float) -> tuple[Note, ...] | None:
        """Return what was said to `order` once that is durable; None: no answer in time."""
        asked = Asked(order, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(within_s):
                await self._waiting.put(asked)
                return await asked.answer
        except TimeoutError:
            return None
        finally:
            asked.answer.cancel()

    async def observe(self, tell: Tell) -> None:
        """Tell each order to the mind. A source: it runs while this controller leads."""
        try:
            while True:
                asked = await self._waiting.get()
                if asked.answer.done():
                    continue  # whoever asked has gone, and took the order back
                self._told[id(asked.order)] = asked
                await tell(asked.order)
        finally:
            for asked in self._told.values():
                if not asked.answer.done():
                    asked.answer.set_result(None)
            self._told.clear()

    def published(self, ready: Ready) -> None:
        """Give back what a durable decision said to an order."""
        # The very object that was told comes back: an equal order of somebody else is another.
        asked = self._told.pop(id(ready.event), None)
        if asked is not None and not asked.answer.done():
            asked.answer.set_result(ready.decision.notes)
