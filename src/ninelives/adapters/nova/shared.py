"""Asking together: several questions beside each other, or one answer for everybody who asks."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

from ninelives.engine.errors import PortError, first_of

Key = TypeVar("Key")
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


class Round(Generic[Key, Value]):
    """Some questions that are asked together, and what came of it."""

    def __init__(self) -> None:
        self.wanted: dict[Key, None] = {}
        self.found: Mapping[Key, Value] | None = None
        self.error: PortError | None = None
        self.is_urgent = asyncio.Event()

    @property
    def is_over(self) -> bool:
        return self.found is not None or self.error is not None


@dataclass(frozen=True, slots=True)
class Company:
    """How long a question waits for others that may be asked with it.

    Only after a round: whoever comes first finds nobody there, and asks at once.
    """

    patient_s: float = 0.0  # since the last round began, unless somebody is in a hurry
    urgent_s: float = 0.0  # within this time, for those that come in the same moment


class Gathered(Generic[Key, Value]):
    """Questions that come while others are being asked wait for these, and are asked together.

    Nobody gets an answer to a question that was asked before his own.
    """

    def __init__(
        self,
        ask: Callable[[Iterable[Key]], Awaitable[Mapping[Key, Value]]],
        company: Company | None = None,
    ) -> None:
        self._ask_all = ask
        self._company = company or Company()
        self._next: Round[Key, Value] = Round()
        self._asking = asyncio.Lock()
        self._began_at = -inf

    async def ask(self, key: Key) -> Value:
        """Ask with whoever asks next."""
        return (await self.ask_all((key,)))[key]

    async def ask_all(self, keys: Iterable[Key], is_patient: bool = False) -> Mapping[Key, Value]:
        """Ask several; who is patient waits for somebody who is not, though not for long."""
        ours = self._next
        ours.wanted.update(dict.fromkeys(keys))
        if not is_patient:
            ours.is_urgent.set()
        async with self._asking:
            if not ours.is_over:  # we are the first of the round, or who was gave up in the middle
                await self._let_come(ours)
                await self._run(ours)
        if ours.error is not None:
            raise ours.error
        assert ours.found is not None, "a round that is over has found something, or failed"
        return ours.found

    async def _let_come(self, ours: Round[Key, Value]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._began_at + self._company.patient_s):
                await ours.is_urgent.wait()
                await asyncio.sleep(self._company.urgent_s)

    async def _run(self, ours: Round[Key, Value]) -> None:
        if self._next is ours:
            self._next = Round()
        self._began_at = asyncio.get_running_loop().time()
        try:
            ours.found = await self._ask_all(ours.wanted)
        except PortError as error:
            ours.error = error


async def together(calls: Iterable[Coroutine[None, None, None]]) -> None:
    """Make all these calls beside each other; the first that fails ends the rest."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for call in calls:
                tasks.create_task(call)
    except ExceptionGroup as errors:
        raise first_of(errors) from errors
