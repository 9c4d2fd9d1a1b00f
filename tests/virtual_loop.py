"""An event loop whose time jumps, and whose order comes from a seed.

The real loop, perform and adapters run in it against stand-ins in the same process: a day of
recovery in half a second, and the same for the same seed. Whatever is ready at one instant runs in
an order drawn from the seed, for the real loop promises none between tasks. Threads there are
none: what is handed to one runs in the loop, a moment later.
"""

import asyncio
import heapq
from asyncio import Future, Handle, TimerHandle
from collections.abc import Callable, Coroutine
from contextvars import Context
from itertools import count
from random import Random
from typing import Any, TypeVar, TypeVarTuple

THREAD_S = 0.002  # at most, from the call in a thread to its answer
STEPS_MAX = 50_000_000  # a loop that goes on for so long is one that never ends

Value = TypeVar("Value")
Args = TypeVarTuple("Args")


def run(main: Coroutine[Any, Any, Value], seed: int = 0, began: float = 0.0) -> Value:
    """Run `main` to its end in a loop of its own; then cancel what it left behind."""
    loop = VirtualLoop(Random(seed), began)
    asyncio.set_event_loop(loop)
    try:
        answer: Value = loop.run_until_complete(main)
        return answer
    finally:
        loop.end_tasks()
        asyncio.set_event_loop(None)
        loop.close()


class VirtualLoop(asyncio.BaseEventLoop):
    """As much of an event loop as tasks, timers and locks need; no sockets, no processes."""

    def __init__(self, chance: Random, began: float = 0.0) -> None:
        self._runs = False
        super().__init__()
        self._chance, self._now = chance, began
        self._due: list[Handle] = []
        self._timers: list[tuple[float, int, TimerHandle]] = []
        self._number = count()
        self._broken: BaseException | None = None

    def run_until_complete(self, future: Any) -> Any:
        main: Future[Any] = self.create_task(future) if asyncio.iscoroutine(future) else future
        self._runs = True
        asyncio._set_running_loop(self)
        try:
            for _ in range(STEPS_MAX):
                if main.done():
                    return main.result()
                self._step()
            raise RuntimeError("this loop does not end")
        finally:
            self._runs = False
            asyncio._set_running_loop(None)

    def _step(self) -> None:
        """Run one of those that are ready; if none is, let time jump to the next timer."""
        while not self._due:
            if not self._timers:
                raise RuntimeError("everybody waits, and nothing will happen any more")
            due, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled():
                self._now = max(self._now, due)
                self._due.append(timer)
                self._gather_due()
        handle = self._due.pop(self._chance.randrange(len(self._due)))
        if not handle.cancelled():
            handle._run()
        if self._broken is not None:
            broken, self._broken = self._broken, None
            raise broken

    def _gather_due(self) -> None:
        while self._timers and self._timers[0][0] <= self._now:
            _, _, timer = heapq.heappop(self._timers)
            self._due.append(timer)

    def end_tasks(self) -> None:
        left = asyncio.all_tasks(self)
        for task in left:
            task.cancel()
        for task in left:
            try:
                self.run_until_complete(task)
            except asyncio.CancelledError:
                continue

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self._now

    def call_soon(
        self,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> Handle:
        handle = Handle(callback, args, self, context)
        self._due.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> TimerHandle:
        handle = TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._number), handle))
        return handle

    def create_future(self) -> Future[Any]:
        return Future(loop=self)

    def run_in_executor(
        self, executor: Any, func: Callable[[*Args], Value], *args: *Args
    ) -> Future[Value]:
        del executor
        return self.create_task(_later(self._chance.uniform(0, THREAD_S), func, args))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Nobody may fail in silence: the test ends with it."""
        self._broken = context.get("exception") or RuntimeError(str(context["message"]))

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._runs

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None:
        """A cancelled timer is left where it is, and skipped when its time comes."""


async def _later(pause_s: float, func: Callable[[*Args], Value], args: tuple[*Args]) -> Value:
    await asyncio.sleep(pause_s)
    return func(*args)
