"""The router: every road leads to its own device, looks queue, orders never do."""

import asyncio
from dataclasses import dataclass, field

import pytest

from ninelives.adapters.power import NetworkId, PowerRoads, Wired
from ninelives.core.events import Outcome
from ninelives.core.model import HostId, Power, RoadId
from ninelives.engine.device import Identity, Look
from ninelives.engine.errors import Refused, Unreachable
from ninelives.engine.ports import ACCEPTED, Answer

C1, C2 = HostId("c1"), HostId("c2")
BMC, PDU_A, PDU_B = RoadId("bmc"), RoadId("pdu-a"), RoadId("pdu-b")


@dataclass
class Lamp:
    """A device that does what it is told, when it is let."""

    is_on: bool = True
    is_silent: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0
    busy_most: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def look(self) -> Look:
        await self._turn()
        return Look(Power.ON if self.is_on else Power.OFF)

    async def identity(self) -> Identity:
        return Identity()

    async def switch_off(self) -> Answer:
        await self._turn()
        self.is_on = False
        return ACCEPTED

    async def switch_on(self) -> Answer:
        was_on, self.is_on = self.is_on, True
        return Answer(Outcome.REFUSED, "already_on") if was_on else ACCEPTED

    async def close(self) -> None:
        self.is_silent = True

    async def _turn(self) -> None:
        if self.is_silent:
            raise Unreachable("nobody answers")
        self.busy += 1
        self.busy_most = max(self.busy, self.busy_most)
        await self.gate.wait()
        self.busy -= 1


def test_a_road_leads_to_its_own_device() -> None:
    async def shoot() -> tuple[Lamp, Lamp]:
        one, other = Lamp(), Lamp()
        roads = PowerRoads({(C1, BMC): Wired(one), (C2, BMC): Wired(other)})
        await roads.switch_off(C1, BMC)
        assert await roads.read(C1, BMC) is Power.OFF
        return one, other

    one, other = asyncio.run(shoot())

    assert not one.is_on
    assert other.is_on


def test_a_road_that_leads_nowhere_is_refused() -> None:
    async def shoot() -> None:
        await PowerRoads({(C1, BMC): Wired(Lamp())}).switch_off(C2, BMC)

    with pytest.raises(Refused):
        asyncio.run(shoot())


def test_an_order_that_would_have_to_wait_is_not_sent() -> None:
    async def crowd() -> tuple[Answer, Lamp]:
        slow, late, other = Lamp(), Lamp(), Lamp()
        slow.gate.clear()
        roads = PowerRoads(
            {
                (C1, BMC): Wired(slow, network=NetworkId("oob")),
                (C2, BMC): Wired(late, network=NetworkId("oob")),
                (C2, PDU_A): Wired(other, network=NetworkId("pdus")),
            },
            orders_max=1,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(roads.switch_off(C1, BMC))
            await asyncio.sleep(0)
            turned_down = await roads.switch_off(C2, BMC)
            assert await roads.switch_off(C2, PDU_A) == ACCEPTED  # another network
            slow.gate.set()
        assert await roads.switch_off(C2, BMC) == ACCEPTED
        return turned_down, slow

    turned_down, slow = asyncio.run(crowd())

    assert turned_down[:2] == (Outcome.NOT_SENT, "busy")
    assert not slow.is_on


def test_looks_wait_for_their_turn_and_hold_up_no_order() -> None:
    async def crowd() -> Lamp:
        lamp = Lamp()
        lamp.gate.clear()
        roads = PowerRoads({(C1, BMC): Wired(lamp), (C2, BMC): Wired(Lamp())}, reads_max=2)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(5):
                tasks.create_task(roads.read(C1, BMC))
            await asyncio.sleep(0)
            assert await roads.switch_off(C2, BMC) == ACCEPTED
            lamp.gate.set()
        return lamp

    assert asyncio.run(crowd()).busy_most == 2


def test_on_goes_to_every_outlet_of_the_first_level_that_answers() -> None:
    async def lead_back() -> tuple[Answer, list[bool]]:
        bmc = Lamp(is_on=False, is_silent=True)
        outlets = [Lamp(is_on=False), Lamp(is_on=True)]
        roads = PowerRoads(
            {
                (C1, BMC): Wired(bmc, 1),
                (C1, PDU_A): Wired(outlets[0], 2),
                (C1, PDU_B): Wired(outlets[1], 2),
            }
        )
        return await roads.switch_on(C1), [lamp.is_on for lamp in (bmc, *outlets)]

    assert asyncio.run(lead_back()) == (ACCEPTED, [False, True, True])


def test_on_where_nobody_answers_is_unknown() -> None:
    async def lead_back() -> Answer:
        return await PowerRoads({(C1, BMC): Wired(Lamp(is_silent=True))}).switch_on(C1)

    assert asyncio.run(lead_back()).outcome is Outcome.UNKNOWN


def test_closing_closes_every_device() -> None:
    async def end() -> bool:
        lamp = Lamp()
        await PowerRoads({(C1, BMC): Wired(lamp)}).close()
        return lamp.is_silent

    assert asyncio.run(end())
