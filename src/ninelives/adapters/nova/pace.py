"""How much is asked of one API at once: less when it says that it is too much, slowly more again.

Reads wait for their turn. Orders never do: the check that let one out was made a moment ago, and
is worth nothing a minute later. They count, so that reads stand back; and while the API asked for
rest they are told so, and do not go out.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

OVERLOADED = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of the pace. All times in seconds."""

    at_once_max: int = 16
    rest_s: float = 1.0  # after an answer of "too much" that names no time; doubles
    rest_max_s: float = 30.0


class Pace:
    """Turns at one API: additive increase, multiplicative decrease."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._allowed = float(self._limits.at_once_max)
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._rests_until = 0.0
        self._rest_s = self._limits.rest_s
        self._wake: asyncio.TimerHandle | None = None

    @property
    def allowed(self) -> int:
        """How many reads may be under way at once now."""
        return max(1, int(self._allowed))

    @property
    def is_resting(self) -> bool:
        """The API asked to be left alone for a while."""
        return asyncio.get_running_loop().time() < self._rests_until

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until a read may go out. First come, first served."""
        if self._waiting or self._under_way >= self.allowed or self.is_resting:
            await self._given()
        else:
            self._under_way += 1
        try:
            yield
        finally:
            self._ended()

    @contextmanager
    def at_once(self) -> Generator[None]:
        """Count an order while it is under way."""
        self._under_way += 1
        try:
            yield
        finally:
            self._ended()

    def answered(self, status: int, retry_after_s: float | None = None) -> None:
        """Learn from an answer."""
        if status not in OVERLOADED:
            self._rest_s = self._limits.rest_s
            self._allowed = min(self._limits.at_once_max, self._allowed + 1.0 / self._allowed)
        elif not self.is_resting:  # what was under way beside it says nothing new
            self._allowed = max(1.0, self._allowed / 2.0)
            rest_s = self._rest_s if retry_after_s is None else retry_after_s
            now = asyncio.get_running_loop().time()
            self._rests_until = now + min(rest_s, self._limits.rest_max_s)
            self._rest_s = min(2.0 * self._rest_s, self._limits.rest_max_s)

    async def _given(self) -> None:
        """Wait in line. Who is let in is counted at that instant, before it runs on."""
        waits = asyncio.get_running_loop().create_future()
        self._waiting.append(waits)
        self._let_in()  # nobody may be under way whose end would do it
        try:
            await waits
        except asyncio.CancelledError:
            if waits.done() and not waits.cancelled():
                self._ended()  # our turn had come: the next one's, then
            raise
        finally:
            if waits in self._waiting:
                self._waiting.remove(waits)

    def _ended(self) -> None:
        self._under_way -= 1
        self._let_in()

    def _let_in(self) -> None:
        """Let in whoever has room by now; after a rest, at its end."""
        if self._waiting and self.is_resting:
            self._let_in_later()
            return
        while self._waiting and self._under_way < self.allowed:
            waits = self._waiting.popleft()
            if not waits.done():
                self._under_way += 1
                waits.set_result(None)

    def _let_in_later(self) -> None:
        if self._wake is None:
            loop = asyncio.get_running_loop()
            self._wake = loop.call_at(self._rests_until, self._rested)

    def _rested(self) -> None:
        self._wake = None
        self._let_in()
