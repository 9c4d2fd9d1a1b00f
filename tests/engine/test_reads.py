"""Looks at the servers of one host: who waits asks for everybody who came meanwhile."""

import asyncio

from tests import virtual_loop

from ninelives.core import actions as do
from ninelives.core.model import HostId, ServerId
from ninelives.engine.reads import Reads

C1, C2 = HostId("c1"), HostId("c2")
WEB, MAIL, SHOP = ServerId("web"), ServerId("mail"), ServerId("shop")
LOOK_S = 2.0


class Nova:
    """Remembers when it was asked for what; each look takes a while."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, do.Read]] = []

    async def look(self, action: do.Read) -> None:
        self.asked.append((asyncio.get_running_loop().time(), action))
        await asyncio.sleep(LOOK_S)


def asked_by(*actions: tuple[float, do.Read]) -> list[tuple[float, do.Read]]:
    nova, reads = Nova(), Reads()

    async def one(at: float, action: do.Read) -> None:
        await asyncio.sleep(at)
        await reads.begin(action, nova.look)

    async def story() -> None:
        async with asyncio.TaskGroup() as tasks:
            for at, action in actions:
                tasks.create_task(one(at, action))

    virtual_loop.run(story())
    return nova.asked


def test_who_asks_during_a_look_asks_once_more_with_all_who_came_meanwhile() -> None:
    asked = asked_by(
        (0.0, do.Watch(C1, 1, (WEB,))),
        (0.5, do.Watch(C1, 1, (MAIL, WEB))),
        (1.0, do.Watch(C1, 1, (SHOP,))),
    )

    assert asked == [
        (0.0, do.Watch(C1, 1, (WEB,))),
        (LOOK_S, do.Watch(C1, 1, (MAIL, SHOP, WEB))),
    ]


def test_looks_at_two_hosts_do_not_wait_for_each_other() -> None:
    asked = asked_by((0.0, do.Watch(C1, 1, (WEB,))), (0.5, do.Watch(C2, 1, (MAIL,))))

    assert [at for at, _ in asked] == [0.0, 0.5]


def test_an_earlier_episode_is_not_looked_at_any_more() -> None:
    asked = asked_by(
        (0.0, do.Watch(C1, 1, (WEB,))),
        (0.5, do.Watch(C1, 2, (MAIL,))),
        (1.0, do.Watch(C1, 1, (WEB,))),
    )

    assert asked[1:] == [(LOOK_S, do.Watch(C1, 2, (MAIL,)))]


def test_whatever_else_is_read_waits_for_no_look() -> None:
    asked = asked_by(
        (0.0, do.Watch(C1, 1, (WEB,))), (0.5, do.ReadPower(C1, 1)), (0.6, do.ReadPower(C1, 1))
    )

    assert [at for at, _ in asked] == [0.0, 0.5, 0.6]
