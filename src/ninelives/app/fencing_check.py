"""Looks at power devices as a proof would use them, and says what is wrong with each. Reads only.

set up ──▶ look ──▶ whose power ──▶ does anybody else claim it
findings   power    match           one BMC for two hosts
"""

import asyncio
import hashlib
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ninelives.adapters.redfish import Redfish
from ninelives.adapters.redfish_wire import Untrusted
from ninelives.core.model import HostId, Power, RoadId
from ninelives.core.site import HostSite
from ninelives.engine.device import Device, Finding, Identity, Look
from ninelives.engine.errors import PortError
from ninelives.engine.matching import Match, match_of, shared

from .config.configuration import Configuration
from .config.configuration import Device as DeviceAt
from .power import Agents, levels_of, set_up

AT_ONCE_MAX = 16
OTHER_MACHINE = "the device switches another machine: {} instead of {}"
REMEDIES = {
    "HTTP 401": "look at user and password_file, and whether the BMC has locked the account",
    "HTTP 403": "give the BMC's user the right to read and switch the power",
    "HTTP 404": "look at system: which ones does the BMC list at /redfish/v1/Systems?",
    "exit code": "run the agent by hand with the same options and verbose=1",
}


@dataclass(frozen=True, slots=True)
class Examined:
    """One device of one host, as it was found."""

    host: HostId
    road: RoadId
    level: int
    kind: str
    address: str
    is_signed: bool  # the operator vouches for its mapping
    power: Power = Power.UNREADABLE
    took_s: float | None = None  # None: no answer
    identity: Identity = Identity()
    match: Match = Match.UNKNOWN
    findings: tuple[Finding, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Say whether it may carry a proof: it works, and leads to this host."""
        is_mapped = self.is_signed and self.match is not Match.OTHER
        return is_mapped and not any(each.forbids_use for each in self.findings)


async def examine(
    configuration: Configuration, hosts: Iterable[HostId], looks: int = 1
) -> Sequence[Examined]:
    """Examine every device of `hosts`, several at once; each is asked `looks` times."""
    wanted, agents = frozenset(hosts), Agents()
    turns = asyncio.Semaphore(AT_ONCE_MAX)

    async def one(at: DeviceAt) -> Examined:
        async with turns:
            return await examined_device(configuration, at, agents, looks)

    devices = [at for at in configuration.devices.values() if at.host in wanted]
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(one(at)) for at in devices]
    return told_apart([task.result() for task in asked])


def told_apart(found: Sequence[Examined]) -> Sequence[Examined]:
    """Add to each whom else its machine belongs to, by the devices' own words. Pure."""
    claims = shared({(each.host, each.road): each.identity for each in found})
    return [
        _with(each, _claimed_by(claims[each.host, each.road]))
        if (each.host, each.road) in claims
        else each
        for each in found
    ]


def _claimed_by(others: frozenset[HostId]) -> Finding:
    what = f"the same machine is switched for {' '.join(sorted(others))}"
    return Finding(what, "one of the two addresses or systems is wrong: look at both chassis")


def _with(each: Examined, *findings: Finding) -> Examined:
    return replace(each, findings=(*each.findings, *findings))


async def examined_device(
    configuration: Configuration, at: DeviceAt, agents: Agents, looks: int = 1
) -> Examined:
    """Examine one device by itself."""
    site = configuration.setting.site.hosts[at.host]
    level, address = levels_of(configuration)[at.road], f"{at.address} {at.system}".strip()
    is_signed = any(road.id == at.road and road.is_verified for road in site.roads)
    each = Examined(at.host, at.road, level, at.kind, address, is_signed)
    made = await set_up(at, agents)
    each = replace(each, findings=made.findings)
    if made.device is None:
        return each
    try:
        return await _looked_at(each, site, made.device, looks)
    finally:
        await made.device.close()


async def _looked_at(each: Examined, site: HostSite, device: Device, looks: int) -> Examined:
    clock, took = asyncio.get_running_loop().time, list[float]()
    try:
        look = Look(Power.UNREADABLE)
        for _ in range(looks):
            began = clock()
            look = await device.look()
            took.append(clock() - began)
        each = replace(each, power=look.power, took_s=statistics.median(took))
        if look.power is Power.UNREADABLE:
            return _with(each, Finding(f"it does not say: {look.detail}", remedy_for(look.detail)))
        return _matched(each, site, await device.identity())
    except PortError as error:
        remedy = error.hint or "is its network reachable from here, and its address right?"
        if isinstance(error, Untrusted) and isinstance(device, Redfish):
            remedy = await _pin(device)
        return _with(each, Finding(Exception.__str__(error), remedy))


def _matched(each: Examined, site: HostSite, identity: Identity) -> Examined:
    each = replace(each, identity=identity, match=match_of(site.serial, identity))
    if each.match is Match.OTHER:
        what = OTHER_MACHINE.format(" ".join(identity.serials), site.serial)
        return _with(each, Finding(what, "look at address and system, then at the host's serial"))
    if each.is_signed:
        return each
    same = ", though the serial is the host's" if each.match is Match.SAME else ""
    what = f"the configuration does not vouch that it switches {each.host}{same}"
    remedy = "after a drill, or when you compared both serials: verified = true"
    return _with(each, Finding(what, remedy, forbids_use=False))


async def _pin(device: Redfish) -> str:
    try:
        presented = hashlib.sha256(await device.certificate()).hexdigest()
    except PortError:
        return "name its ca_file or its fingerprint"
    return f'name its ca_file; or, if its own page shows this one: fingerprint = "{presented}"'


def remedy_for(detail: str) -> str:
    found = (remedy for words, remedy in REMEDIES.items() if detail.startswith(words))
    return next(found, "ask the BMC by hand: what it says is no power state")
