"""The power devices as the configuration names them, each behind the adapter of its kind."""

import ipaddress
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ninelives.adapters.fence_agent import FenceAgent, find_program, metadata_of
from ninelives.adapters.fence_metadata import UNVERIFIED, Metadata, findings
from ninelives.adapters.power import NetworkId, PowerRoads, Wired
from ninelives.adapters.redfish import Redfish, RedfishAt
from ninelives.adapters.redfish_wire import Trust
from ninelives.core.model import HostId, RoadId
from ninelives.engine.device import Device, Finding
from ninelives.engine.errors import ConfigError, PortError

from .config.configuration import Configuration
from .config.configuration import Device as DeviceAt

Agents = dict[Path, Metadata]  # asked once each: a thousand devices may share one agent


class SetUp(NamedTuple):
    """One device, and everything that a person should know of how it is set up."""

    device: Device | None  # None: something forbids its use
    findings: tuple[Finding, ...]


@asynccontextmanager
async def power_of(configuration: Configuration) -> AsyncGenerator[PowerRoads]:
    """Set every device up. One that could not carry a proof is an error of the configuration."""
    levels, agents = levels_of(configuration), Agents()
    wired = dict[tuple[HostId, RoadId], Wired]()
    for road, at in configuration.devices.items():
        made = await set_up(at, agents)
        if made.device is None:
            worst = next(each for each in made.findings if each.forbids_use)
            raise ConfigError(f"{road}: {worst.what}", worst.remedy)
        wired[at.host, road] = Wired(made.device, levels[road], network_of(at.address))
    roads = PowerRoads(wired)
    try:
        yield roads
    finally:
        await roads.close()


def levels_of(configuration: Configuration) -> Mapping[RoadId, int]:
    sites = configuration.setting.site.hosts.values()
    return {road.id: road.level for site in sites for road in site.roads}


async def set_up(at: DeviceAt, agents: Agents) -> SetUp:
    """Build one device. Nothing is asked of it; an agent only says what it is."""
    return redfish_of(at) if at.kind == "redfish" else await agent_of(at, agents)


def redfish_of(at: DeviceAt) -> SetUp:
    url = (at.address if "://" in at.address else f"https://{at.address}").rstrip("/")
    found = list[Finding]()
    if not at.system:
        # The quick road takes no guess either: whichever system comes first may be another host's.
        found.append(Finding("it names no system", 'say which: system = "/redfish/v1/Systems/1"'))
    for name in sorted(set(at.options) - {"auth"}):
        found.append(Finding(f"redfish does not know {name}", 'it knows auth = "session"'))
    if urlsplit(url).hostname is None:
        found.append(Finding(f"'{at.address}' is no address", 'for example "https://10.9.0.1"'))
    if at.is_insecure or url.startswith("http://"):
        remedy = "name its ca_file or its fingerprint"
        found.append(Finding(UNVERIFIED, remedy, forbids_use=False))
    if any(each.forbids_use for each in found):
        return SetUp(None, tuple(found))
    trust = Trust(at.ca_file, bytes.fromhex(at.fingerprint) or None, at.is_insecure)
    has_sessions = at.options.get("auth") == "session"
    where = RedfishAt(url, at.system, at.user, at.password.password, trust, has_sessions)
    return SetUp(Redfish(where), tuple(found))


async def agent_of(at: DeviceAt, agents: Agents) -> SetUp:
    program = find_program(at.kind)
    if program is None:
        return SetUp(None, (Finding(f"no fence agent {at.kind} here", "install fence-agents"),))
    options, secrets = options_of(at), {"password": at.password.password} if at.password else {}
    try:
        if program not in agents:
            agents[program] = await metadata_of(program)
    except PortError as error:
        return SetUp(None, (Finding(Exception.__str__(error), error.hint),))
    found = findings(agents[program], options, secrets)
    if any(each.forbids_use for each in found):
        return SetUp(None, found)
    return SetUp(FenceAgent(program, options, secrets, at.ca_file), found)


def options_of(at: DeviceAt) -> dict[str, str]:
    """Write a device as a fence agent's options; those that are given win. Pure."""
    options = {"ip": at.address}
    if at.user:
        options["username"] = at.user
    if at.system:
        options["systems_uri" if at.kind == "fence_redfish" else "plug"] = at.system
    if at.is_insecure:
        options["ssl_insecure"] = "1"
    return {**options, **at.options}


def network_of(address: str) -> NetworkId:
    """Name the network that a BMC is on: what slows down one slows down its neighbours. Pure."""
    host = urlsplit(address).hostname if "://" in address else address
    try:
        ip = ipaddress.ip_address(host or "")
    except ValueError:
        return NetworkId("")
    prefix = 24 if ip.version == 4 else 64
    return NetworkId(str(ipaddress.ip_network((ip, prefix), strict=False)))
