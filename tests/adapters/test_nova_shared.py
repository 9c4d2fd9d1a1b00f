"""Questions asked together: who shares which answer."""

import asyncio
from collections.abc import Iterable, Mapping

import pytest
from tests import virtual_loop

from ninelives.adapters.nova.shared import Company, Gathered, Shared, together
from ninelives.engine.errors import Unreachable


class Asker:
    """Answers each question with the instant at which it was asked."""

    def __init__(self, failing: int = 0) -> None:
        self.rounds: list[list[int]] = []
        self.failing = failing

    async def ask(self, keys: Iterable[int]) -> Mapping[int, float]:
        self.rounds.append(list(keys))
        asked_at = asyncio.get_running_loop().time()
        await asyncio.sleep(1.0)
        if len(self.rounds) <= self.failing:
            raise Unreachable("nobody there")
        return dict.fromkeys(self.rounds[-1], asked_at)


def test_who_comes_while_others_are_asked_for_waits_for_a_later_question() -> None:
    async def story() -> list[float]:
        asker = Asker()
        gathered = Gathered(asker.ask)
        answers: list[float] = []

        async def one(key: int, at: float) -> None:
            await asyncio.sleep(at)
            asked = await gathered.ask(key)
            assert asked >= at, "an answer to a question of before"
            answers.append(asked)

        await together(one(key, 0.1 * key) for key in range(8))
        assert asker.rounds[0] == [0]
        assert sorted(asker.rounds[1]) == [1, 2, 3, 4, 5, 6, 7]
        return answers

    assert virtual_loop.run(story()) == [0.0] + [1.0] * 7


def test_a_failure_is_told_to_everybody_of_its_round_and_to_nobody_else() -> None:
    async def story() -> list[str]:
        asker = Asker(failing=1)
        gathered = Gathered(asker.ask)
        said: list[str] = []

        async def one(key: int) -> None:
            try:
                await gathered.ask(key)
            except Unreachable:
                said.append("failed")

        await together(one(key) for key in range(3))
        assert len(asker.rounds) in (1, 2)
        said.append(f"{await gathered.ask(9)}")
        return said

    said = virtual_loop.run(story())

    assert said[0] == "failed"
    assert said[-1] != "failed"


def test_who_gives_up_in_the_middle_takes_nobody_with_him() -> None:
    async def story() -> list[float]:
        asker = Asker()
        gathered = Gathered(asker.ask)
        answers: list[float] = []

        async def impatient() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await gathered.ask(1)

        async def patient() -> None:
            answers.append(await gathered.ask(2))

        await together((impatient(), patient()))
        return answers

    for seed in range(10):
        assert len(virtual_loop.run(story(), seed)) == 1


def test_who_is_patient_is_asked_for_with_who_is_not() -> None:
    async def story() -> list[list[int]]:
        asker = Asker()
        gathered = Gathered(asker.ask, Company(patient_s=10.0, urgent_s=0.5))

        async def one(key: int, at: float, is_patient: bool) -> None:
            await asyncio.sleep(at)
            found = await gathered.ask_all((key,), is_patient)
            assert found[key] == asked_at[key], "the wrong round"

        asked_at = {1: 0.0, 2: 6.5, 3: 6.5, 4: 6.5, 5: 16.5}
        await together(
            (
                one(1, 0.0, is_patient=False),  # nobody was asked before: at once
                one(2, 2.0, is_patient=True),
                one(3, 6.0, is_patient=False),
                one(4, 6.4, is_patient=False),  # in the same moment
                one(5, 9.0, is_patient=True),  # and nobody is in a hurry any more
            )
        )
        return asker.rounds

    assert virtual_loop.run(story()) == [[1], [2, 3, 4], [5]]


def test_one_answer_serves_all_for_a_while() -> None:
    async def story() -> list[float]:
        shared = Shared(read, 2.0)
        seen = [await shared.now(), await shared.now()]
        await asyncio.sleep(2.0)
        return [*seen, await shared.now()]

    async def read() -> float:
        return asyncio.get_running_loop().time()

    assert virtual_loop.run(story()) == [0.0, 0.0, 2.0]


def test_a_failed_read_is_not_kept() -> None:
    async def story() -> int:
        tries = [Unreachable("x")]

        async def read() -> int:
            if tries:
                raise tries.pop()
            return 7

        shared = Shared(read, 60.0)
        with pytest.raises(Unreachable):
            await shared.now()
        return await shared.now()

    assert virtual_loop.run(story()) == 7
