"""The power devices as the configuration names them, each behind the adapter of its kind."""

import ipaddress
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from ninelives.adapters.fence_agent import FenceAgent, find_program, metadata_of
from ninelives.adapters.fence_metadata import findings
from ninelives.adapters.power import NetworkId, PowerRoads, Wired
from ninelives.adapters.redfish import Redfish, RedfishAt
from ninelives.adapters.redfish_wire import Trust
from ninelives.engine.device import Device
from ninelives.engine.errors import ConfigError, PortError

from .config.configuration import Configuration
from .config.configuration import Device as DeviceAt


@asynccontextmanager
async def power_of(configuration: Configuration) -> AsyncGenerator[PowerRoads]:
    """Set every device up. One that could not carry a proof is an error of the configuration."""
    levels = {
        road.id: road.level
        for site in configuration.setting.site.hosts.values()
        for road in site.roads
    }
    roads = PowerRoads(
        {
            (at.host, road): Wired(await device_of(at), levels[road], network_of(at.address))
            for road, at in configuration.devices.items()
        }
    )
    try:
        yield roads
    finally:
        await roads.close()


async def device_of(at: DeviceAt) -> Device:
    """Build one device. Nothing is asked of it; an agent only says what it is."""
    if at.kind == "redfish":
        return Redfish(redfish_at(at))
    program = find_program(at.kind)
    if program is None:
        raise ConfigError(f"{at.road}: no fence agent {at.kind} here", "install fence-agents")
    options, secrets = options_of(at), {"password": at.password.password} if at.password else {}
    try:
        found = findings(await metadata_of(program), options, secrets)
    except PortError as error:
        raise ConfigError(f"{at.road}: {Exception.__str__(error)}", error.hint) from error
    for each in found:
        if each.forbids_use:
            raise ConfigError(f"{at.road}: {each.what}", each.remedy)
    return FenceAgent(program, options, secrets, at.ca_file)


def redfish_at(at: DeviceAt) -> RedfishAt:
    url = at.address if "://" in at.address else f"https://{at.address}"
    if not at.system:
        # The quick road takes no guess either: whichever system comes first may be another host's.
        raise ConfigError(
            f"{at.road} names no system", 'say which: system = "/redfish/v1/Systems/1"'
        )
    return RedfishAt(
        url.rstrip("/"),
        at.system,
        at.user,
        at.password.password,
        Trust(at.ca_file, bytes.fromhex(at.fingerprint) or None, at.is_insecure),
    )


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
