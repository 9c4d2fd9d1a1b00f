"""Sources that are about this controller and its devices, and no adapter's own."""

import asyncio
import logging
from collections.abc import Iterator, Mapping

from ninelives.adapters.kdump import hear, listening
from ninelives.adapters.power import PowerRoads
from ninelives.core.events import PowerRead
from ninelives.core.model import HostId, Power, RoadId
from ninelives.core.orders import RoadSigned
from ninelives.core.site import HostSite
from ninelives.engine.device import Identity
from ninelives.engine.errors import PortError
from ninelives.engine.loop import Tell
from ninelives.engine.matching import Match, match_of, shared
from ninelives.engine.ports import PowerDevices

from .config.configuration import Configuration
from .telemetry import Presence

log = logging.getLogger(__name__)

BY_SERIALS = "serial numbers"  # in the journal, where a person's name would stand
FIRST_PAUSE_S = 0.05  # between two devices in the first round of a term
IDENTITY_S = 10.0


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


async def mapping_sweep(configuration: Configuration, roads: PowerRoads, tell: Tell) -> None:
    """Ask every device whose power it switches; close each road to another machine, at once.

    A wrong device shoots an innocent host. That a device is the right one is a person's word: a
    serial number in the inventory may have been copied from that very device.
    """
    wires = list(roads_of(configuration))
    sites = configuration.setting.site.hosts
    pause_s = FIRST_PAUSE_S
    identities, closed = dict[tuple[HostId, RoadId], Identity](), set[tuple[HostId, RoadId]]()
    while True:
        for host, road in wires:
            await asyncio.sleep(pause_s)
            said = await identity(roads, host, road)
            if said == identities.get((host, road)):
                continue  # nor does anybody else share it now who did not before
            identities[host, road] = said
            others = {wire for wire, said in identities.items() if is_other(sites, wire, said)}
            fresh = (others | set(shared(identities))) - closed
            closed |= fresh
            for wire in sorted(fresh):
                await tell(RoadSigned(BY_SERIALS, *wire, is_verified=False))
        if not wires:
            await asyncio.sleep(pause_s)
        pause_s = configuration.probes.power_sweep_s / max(1, len(wires))


async def kdump(configuration: Configuration, tell: Tell) -> None:
    """Hear of hosts that write a dump, where some policy waits for one."""
    setting = configuration.setting
    policies = (setting.policy, *setting.segment_policies.values())
    if any(policy.kdump_wait_s > 0 for policy in policies):
        await _hear_dumps(configuration, tell)
    await asyncio.Event().wait()


async def _hear_dumps(configuration: Configuration, tell: Tell) -> None:
    address = configuration.probes.kdump_address
    try:
        async with listening(address) as (ear, _):
            await hear(ear, addresses_of(configuration), tell)
    except OSError as error:
        # A dump that is not heard of is cut short; it keeps nobody from being rescued.
        log.warning("kdump.deaf", extra={"address": address, "why": str(error.strerror)})


def addresses_of(configuration: Configuration) -> Mapping[str, HostId]:
    """Map every address of every host to it: a dump's kernel sends from any of them. Pure."""
    return {
        address: host
        for host, names in configuration.names.items()
        for address in (*names.addresses.values(), *names.storage_addresses)
    }


def roads_of(configuration: Configuration) -> Iterator[tuple[HostId, RoadId]]:
    for host, site in configuration.setting.site.hosts.items():
        yield from ((host, road.id) for road in site.roads)


async def read(power: PowerDevices, host: HostId, road: RoadId) -> Power:
    try:
        return await power.read(host, road)
    except PortError:
        return Power.UNREADABLE


def is_other(sites: Mapping[HostId, HostSite], wire: tuple[HostId, RoadId], said: Identity) -> bool:
    host, _ = wire
    return match_of(sites[host].serial, said) is Match.OTHER


async def identity(roads: PowerRoads, host: HostId, road: RoadId) -> Identity:
    try:
        async with asyncio.timeout(IDENTITY_S):
            return await roads.identity(host, road)
    except (PortError, TimeoutError):
        return Identity()
