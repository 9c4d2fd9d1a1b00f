"""Orders of people on their way to the mind and back."""

import asyncio
from collections.abc import Awaitable, Callable

from ninelives.app.desk import OrderDesk
from ninelives.core.cluster import Decision, Note
from ninelives.core.events import Event
from ninelives.core.model import HostId
from ninelives.core.orders import Released
from ninelives.engine.node import Ready

ORDER = Released("alice", HostId("c1"))
TAKEN = Note("c1", "order.taken")


def decided(event: Event, *notes: Note) -> Ready:
    return Ready(1, 1, 0.0, event, Decision({}, {}, {}, None, {}, None, {}, {}, (), notes))


def run(story: Callable[[OrderDesk], Awaitable[None]]) -> None:
    async def main() -> None:
        await story(OrderDesk())

    asyncio.run(main())


def test_an_order_comes_back_with_what_was_said_to_it() -> None:
    async def story(desk: OrderDesk) -> None:
        async def tell(event: Event) -> None:
            desk.published(decided(Released("alice", HostId("c1")), Note("c1", "else")))
            desk.published(decided(event, TAKEN))

        async with asyncio.TaskGroup() as tasks:
            source = tasks.create_task(desk.observe(tell))
            notes = await desk.judged(ORDER, 5.0)
            source.cancel()

        assert notes == (TAKEN,)

    run(story)


def test_an_order_that_nobody_takes_in_time_is_taken_back() -> None:
    async def story(desk: OrderDesk) -> None:
        told: list[Event] = []

        async def tell(event: Event) -> None:
            told.append(event)

        assert await desk.judged(ORDER, 0.01) is None
        async with asyncio.TaskGroup() as tasks:
            source = tasks.create_task(desk.observe(tell))
            await asyncio.sleep(0.05)
            source.cancel()

        assert told == []

    run(story)


def test_a_term_that_ends_leaves_no_caller_waiting() -> None:
    async def story(desk: OrderDesk) -> None:
        async def tell(event: Event) -> None:
            asyncio.get_running_loop().call_soon(source.cancel)

        async with asyncio.TaskGroup() as tasks:
            source = tasks.create_task(desk.observe(tell))
            async with asyncio.timeout(5.0):
                assert await desk.judged(ORDER, 60.0) is None

    run(story)
