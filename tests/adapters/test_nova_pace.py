"""How much is asked at once, and how that adapts."""

import asyncio

from tests import virtual_loop

from ninelives.adapters.nova.pace import Limits, Pace


async def asked(pace: Pace, many: int, took_s: float = 1.0) -> int:
    """Ask `many` at once; return how many were under way together at most."""
    under_way = most = 0

    async def one() -> None:
        nonlocal under_way, most
        async with pace.turn():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(took_s)
            under_way -= 1
            pace.answered(200)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(many):
            tasks.create_task(one())
    return most


def test_no_more_than_allowed_are_under_way() -> None:
    assert virtual_loop.run(asked(Pace(Limits(at_once_max=4)), 20)) == 4


def test_too_much_halves_it_and_good_answers_raise_it_again() -> None:
    async def story() -> list[int]:
        pace = Pace(Limits(at_once_max=8))
        seen = [pace.allowed]
        for _ in range(3):
            pace.answered(429)
            seen.append(pace.allowed)
            await asyncio.sleep(60.0)
        for _ in range(100):
            pace.answered(200)
        return [*seen, pace.allowed]

    assert virtual_loop.run(story()) == [8, 4, 2, 1, 8]


def test_answers_to_what_was_under_way_beside_it_count_once() -> None:
    async def story() -> int:
        pace = Pace(Limits(at_once_max=8))
        for _ in range(8):
            pace.answered(503)
        return pace.allowed

    assert virtual_loop.run(story()) == 4


def test_reads_wait_for_the_end_of_the_rest_that_was_asked_for() -> None:
    async def story() -> float:
        pace = Pace()
        pace.answered(429, 7.0)
        async with pace.turn():
            return asyncio.get_running_loop().time()

    assert virtual_loop.run(story()) == 7.0


def test_a_rest_has_an_end_whatever_was_asked_for() -> None:
    async def story() -> float:
        pace = Pace(Limits(rest_max_s=30.0))
        pace.answered(429, 86_400.0)
        async with pace.turn():
            return asyncio.get_running_loop().time()

    assert virtual_loop.run(story()) == 30.0


def test_an_order_does_not_wait_and_reads_stand_back() -> None:
    async def story() -> tuple[bool, float]:
        pace = Pace(Limits(at_once_max=1))
        loop = asyncio.get_running_loop()
        with pace.at_once(), pace.at_once():
            went = loop.time() == 0.0
            waits = asyncio.timeout(5.0)
            try:
                async with waits, pace.turn():
                    return False, 0.0
            except TimeoutError:
                pass_at = loop.time()
        async with pace.turn():
            return went, pass_at

    assert virtual_loop.run(story()) == (True, 5.0)


def test_whoever_gives_up_waiting_passes_the_turn_on() -> None:
    async def story() -> int:
        pace = Pace(Limits(at_once_max=2))

        async def impatient() -> None:
            try:
                async with asyncio.timeout(0.5), pace.turn():
                    await asyncio.sleep(10.0)
            except TimeoutError:
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(6):
                tasks.create_task(impatient())
        return await asked(pace, 6)

    assert virtual_loop.run(story()) == 2
