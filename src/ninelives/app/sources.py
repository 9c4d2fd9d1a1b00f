"""Sources that are about this controller and its devices, and no adapter's own."""

import asyncio
from collections.abc import Iterator

from ninelives.core.events import PowerRead
from ninelives.core.model import HostId, Power, RoadId
from ninelives.engine.errors import PortError
from ninelives.engine.loop import Tell
from ninelives.engine.ports import PowerDevices

from .config.configuration import Configuration
from .telemetry import Presence


async def presence(shown: Presence, tell: Tell) -> None:
    """Show that this controller leads, for as long as its term lasts."""
    del tell
    shown.leads = True
    try:
        await asyncio.Event().wait()
    finally:
        shown.leads, shown.cluster = False, None


async def power_sweep(configuration: Configuration, power: PowerDevices, tell: Tell) -> None:
    """Read every power device once in `power_sweep_s`, one after the other.

    A device that broke is found before it is needed, and a host whose power went is found by R5.
    """
    roads = list(roads_of(configuration))
    pause_s = configuration.probes.power_sweep_s / max(1, len(roads))
    while True:
        for host, road in roads:
            await asyncio.sleep(pause_s)
            await tell(PowerRead(host, road, await read(power, host, road)))
        if not roads:
            await asyncio.sleep(pause_s)


def roads_of(configuration: Configuration) -> Iterator[tuple[HostId, RoadId]]:
    for host, site in configuration.setting.site.hosts.items():
        yield from ((host, road.id) for road in site.roads)


async def read(power: PowerDevices, host: HostId, road: RoadId) -> Power:
    try:
        return await power.read(host, road)
    except PortError:
        return Power.UNREADABLE
