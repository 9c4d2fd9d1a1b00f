"""Every power device of every host: which road leads to which, and how many are asked at once.

    (host, road) ─▶ device ─┐
    (host, road) ─▶ device ─┴─ one BMC network: `reads_max` looks, `orders_max` orders at a time

Laws:
  - A look waits for its turn: what it reads is as fresh as if it had been asked then.
  - An order never waits. It left a check that is true for this instant only; in a queue it would
    become a shot that nobody judged. Where too many are out it is not sent ("busy"), and the core
    decides anew.
  - A silent BMC takes up a turn until its deadline, so orders and looks have turns of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NewType

from ninelives.core.events import Outcome
from ninelives.core.model import HostId, Power, RoadId
from ninelives.engine.device import Device, Identity
from ninelives.engine.errors import PortError, Refused
from ninelives.engine.ports import ACCEPTED, Answer

NetworkId = NewType("NetworkId", str)
READS_MAX = 32  # at once on one BMC network: a management switch and its firewall are slow machines
ORDERS_MAX = 16


@dataclass(frozen=True, slots=True)
class Wired:
    """One device at the end of one road."""

    device: Device
    level: int = 1
    network: NetworkId = NetworkId("")


class Network:
    """One BMC network: how much goes on in it."""

    def __init__(self, reads_max: int, orders_max: int) -> None:
        self.looks = asyncio.Semaphore(reads_max)
        self.orders = asyncio.Semaphore(orders_max)


class PowerRoads:
    """The port `PowerDevices`, kept by any mixture of devices."""

    def __init__(
        self,
        devices: Mapping[tuple[HostId, RoadId], Wired],
        reads_max: int = READS_MAX,
        orders_max: int = ORDERS_MAX,
    ) -> None:
        self._devices = devices
        names = {wired.network for wired in devices.values()}
        self._networks = {name: Network(reads_max, orders_max) for name in names}

    async def read(self, host: HostId, road: RoadId) -> Power:
        wired = self._wired(host, road)
        async with self._networks[wired.network].looks:
            return (await wired.device.look()).power

    async def identity(self, host: HostId, road: RoadId) -> Identity:
        """Ask a device whose power it switches."""
        wired = self._wired(host, road)
        async with self._networks[wired.network].looks:
            return await wired.device.identity()

    async def switch_off(self, host: HostId, road: RoadId) -> Answer:
        wired = self._wired(host, road)
        return await self._order(wired.network, wired.device.switch_off)

    async def switch_on(self, host: HostId) -> Answer:
        """Order `on` of every device of the first level that answers: all of them feed the host."""
        roads = [wired for (name, _), wired in self._devices.items() if name == host]
        for level in sorted({wired.level for wired in roads}):
            feeding = [wired for wired in roads if wired.level == level]
            if all([await self._can_say(wired) for wired in feeding]):
                orders = [(each.network, each.device.switch_on) for each in feeding]
                answers = [await self._order(network, order) for network, order in orders]
                return next((answer for answer in answers if not _is_on(answer)), ACCEPTED)
        return Answer(Outcome.UNKNOWN, "unreachable", f"no power device of {host} answers")

    async def close(self) -> None:
        for wired in self._devices.values():
            await wired.device.close()

    def _wired(self, host: HostId, road: RoadId) -> Wired:
        wired = self._devices.get((host, road))
        if wired is None:
            raise Refused(f"{host} has no device on {road}", "`ninelives fencing status`")
        return wired

    async def _order(self, name: NetworkId, order: Callable[[], Awaitable[Answer]]) -> Answer:
        turns = self._networks[name].orders
        if turns.locked():
            return Answer(Outcome.NOT_SENT, "busy", f"too many orders are out on network {name!r}")
        async with turns:
            return await order()

    async def _can_say(self, wired: Wired) -> bool:
        try:
            async with self._networks[wired.network].looks:
                return (await wired.device.look()).power is not Power.UNREADABLE
        except PortError:
            return False


def _is_on(answer: Answer) -> bool:
    return answer.outcome is Outcome.DONE or answer.reason == "already_on"
