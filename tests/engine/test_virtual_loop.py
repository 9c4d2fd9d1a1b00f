"""Time jumps, order comes from the seed, and nothing fails in silence."""

import asyncio
import time

import pytest
from tests import virtual_loop


async def sleepers(seen: list[tuple[float, int]]) -> None:
    async def sleeper(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(3600.0)
            seen.append((asyncio.get_running_loop().time(), number))

    async with asyncio.TaskGroup() as tasks:
        for number in range(4):
            tasks.create_task(sleeper(number))


def order(seed: int) -> list[tuple[float, int]]:
    seen: list[tuple[float, int]] = []
    virtual_loop.run(sleepers(seen), seed)
    return seen


def test_hours_pass_at_once() -> None:
    began = time.monotonic()

    seen = order(0)

    assert [when for when, _ in seen] == [3600.0] * 4 + [7200.0] * 4 + [10800.0] * 4
    assert time.monotonic() - began < 1.0


def test_the_seed_decides_the_order_and_nothing_else_does() -> None:
    orders = [order(seed) for seed in range(5)]

    assert orders == [order(seed) for seed in range(5)]
    assert len({tuple(each) for each in orders}) > 1


def test_a_timeout_and_a_thread_work_as_ever() -> None:
    async def main() -> tuple[str, float]:
        try:
            async with asyncio.timeout(5.0):
                await asyncio.Event().wait()
        except TimeoutError:
            said = await asyncio.to_thread(str.upper, "late")
            return said, asyncio.get_running_loop().time()
        return "", 0.0

    said, when = virtual_loop.run(main())

    assert said == "LATE"
    assert 5.0 < when <= 5.0 + virtual_loop.THREAD_S


def test_what_a_thread_raises_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        virtual_loop.run(asyncio.to_thread(divmod, 1, 0))


def test_a_standstill_is_an_error() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="everybody waits"):
        virtual_loop.run(main())


def test_what_is_left_behind_is_cancelled() -> None:
    ends: list[str] = []

    async def lasting() -> None:
        try:
            await asyncio.sleep(1e9)
        finally:
            ends.append("cancelled")

    async def main() -> None:
        task = asyncio.get_running_loop().create_task(lasting())
        await asyncio.sleep(1.0)
        assert not task.done()

    virtual_loop.run(main())

    assert ends == ["cancelled"]
