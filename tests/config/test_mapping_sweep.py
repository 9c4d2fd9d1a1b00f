"""What the controller finds out about its power devices by itself."""

import asyncio
from dataclasses import dataclass, replace

from tests import virtual_loop
from tests.config.conftest import Read

from ninelives.adapters.power import PowerRoads, Wired
from ninelives.app.config.configuration import Configuration
from ninelives.app.sources import BY_SERIALS, mapping_sweep, roads_of
from ninelives.core.events import Event
from ninelives.core.model import HostId, Power, RoadId
from ninelives.core.orders import RoadSigned
from ninelives.core.site import HostSite
from ninelives.engine.device import Identity, Look
from ninelives.engine.errors import Unreachable
from ninelives.engine.ports import ACCEPTED, Answer

C1, C2 = HostId("c1"), HostId("c2")


@dataclass
class Board:
    """A device that tells its serial number, if it tells anything."""

    serial: str | None

    async def look(self) -> Look:
        return Look(Power.ON)

    async def identity(self) -> Identity:
        if self.serial is None:
            raise Unreachable("nobody answers")
        return Identity((self.serial,))

    async def switch_off(self) -> Answer:
        return ACCEPTED

    async def switch_on(self) -> Answer:
        return ACCEPTED

    async def close(self) -> None:
        """Nothing is open."""


def swept(configuration: Configuration, **boards: str | None) -> list[Event]:
    """Sweep for an hour; what was told."""
    wires = list(roads_of(configuration))
    devices = {(host, road): Wired(Board(boards[host])) for host, road in wires}
    told = list[Event]()

    async def tell(event: Event) -> None:
        told.append(event)

    async def hour() -> None:
        try:
            async with asyncio.timeout(3600.0):
                await mapping_sweep(configuration, PowerRoads(devices), tell)
        except TimeoutError:
            return

    virtual_loop.run(hour())
    return told


def with_serials(configuration: Configuration, **serials: str) -> Configuration:
    site = configuration.setting.site
    hosts: dict[HostId, HostSite] = {
        host: replace(each, serial=serials[host]) for host, each in site.hosts.items()
    }
    setting = replace(configuration.setting, site=replace(site, hosts=hosts))
    return replace(configuration, setting=setting)


def closed(configuration: Configuration, *hosts: HostId) -> list[Event]:
    wires = [wire for wire in roads_of(configuration) if wire[0] in hosts]
    return [RoadSigned(BY_SERIALS, host, RoadId(road), is_verified=False) for host, road in wires]


def test_a_device_of_another_machine_is_closed_once(read: Read) -> None:
    configuration = with_serials(read(), c1="S1", c2="S2")

    assert swept(configuration, c1="S9", c2="S2") == closed(configuration, C1)


def test_one_machine_behind_two_hosts_closes_both(read: Read) -> None:
    configuration = with_serials(read(), c1="", c2="")

    assert swept(configuration, c1="S1", c2="S1") == closed(configuration, C1, C2)


def test_a_device_that_agrees_or_says_nothing_is_left_to_people(read: Read) -> None:
    configuration = with_serials(read(), c1="S1", c2="S2")

    assert swept(configuration, c1="S1", c2=None) == []
