"""Asking together: several questions beside each other, or one answer for everybody who asks."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Generic, TypeVar

from ninelives.engine.errors import first_of

Value = TypeVar("Value")


class Shared(Generic[Value]):
    """What was read last, read anew when it is older than `good_s`. A failure is not kept."""

    def __init__(self, read: Callable[[], Awaitable[Value]], good_s: float) -> None:
        self._read, self._good_s = read, good_s
        self._reading = asyncio.Lock()
        self._value: tuple[Value] | None = None
        self._read_at = 0.0

    async def now(self) -> Value:
        """Return it, at most `good_s` old."""
        async with self._reading:
            now = asyncio.get_running_loop().time()
            if self._value is None or now >= self._read_at + self._good_s:
                self._value = (await self._read(),)
                self._read_at = now  # when it was asked for: it may be as old as that
            return self._value[0]


async def together(calls: Iterable[Coroutine[None, None, None]]) -> None:
    """Make all these calls beside each other; the first that fails ends the rest."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for call in calls:
                tasks.create_task(call)
    except ExceptionGroup as errors:
        raise first_of(errors) from errors
