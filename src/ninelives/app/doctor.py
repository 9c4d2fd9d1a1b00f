"""What would go wrong on the day when it counts: looked for today, each with its remedy.

Nothing is changed and nobody is touched: devices are read, Nova is listed, addresses are probed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar

from ninelives.adapters.nova.compute import NovaCompute
from ninelives.adapters.nova.reasons import is_ours, is_reserve
from ninelives.adapters.probes import answers
from ninelives.adapters.probes_icmp import can_ping
from ninelives.adapters.sql import open_store
from ninelives.core.model import HostId, Mode, RoadId, ServerSeen
from ninelives.core.policy import WITNESSES_WANTED
from ninelives.core.protection import promise_for
from ninelives.engine.clock import SystemClock
from ninelives.engine.errors import ConfigError, PortError, StoreError

from .cloud import cloud_of, site_of
from .config.configuration import Configuration
from .doctor_disks import of_disks, of_shared
from .doctor_reserve import of_reserve
from .doctor_site import is_synchronised, of_capacity, of_services, of_site
from .fencing_check import examined_device
from .findings import Finding, Grade
from .power import Agents

AT_ONCE = 16
Key = TypeVar("Key")
Value = TypeVar("Value")


class Care(StrEnum):
    """What a host can expect of us."""

    PROTECTED = "protected"  # it is seen, and there is a road that may carry a proof
    WATCHED = "watched"  # it is seen; a person has to say that it is dead
    BLIND = "blind"  # nobody would notice


class Examined(NamedTuple):
    """Everything that was found, and each host's grade."""

    findings: tuple[Finding, ...]
    hosts: Mapping[HostId, Care]


async def examined(configuration: Configuration) -> Examined:
    """Look at everything that this configuration names."""
    findings = [
        *of_configuration(configuration),
        *of_site(configuration),
        *await asyncio.to_thread(of_store, configuration),
    ]
    roads = await _gathered({road: of_road(configuration, road) for road in configuration.devices})
    names = configuration.names
    seen = await _gathered({host: of_addresses(configuration, host) for host in names})
    for found in (*roads.values(), *seen.values()):
        findings += found
    findings += [each async for each in of_cloud(configuration)]
    hosts = {host: _care(configuration, host, roads, seen[host]) for host in names}
    return Examined(tuple(findings), hosts)


def _care(
    configuration: Configuration,
    host: HostId,
    roads: Mapping[RoadId, list[Finding]],
    seen: Iterable[Finding],
) -> Care:
    if any(each.grade is Grade.ERROR for each in seen):
        return Care.BLIND
    own = [road.id for road in configuration.setting.site.hosts[host].roads]
    good = [road for road in own if not any(each.grade is Grade.ERROR for each in roads[road])]
    return Care.PROTECTED if good else Care.WATCHED


# --------------------------------------------------------------------------------- by itself


def of_configuration(configuration: Configuration) -> Iterator[Finding]:
    """Find what can be known without asking anybody. Pure, but for the right to ping."""
    site, policy = configuration.setting.site, configuration.setting.policy
    modes = [("everywhere", configuration.modes.default)]
    modes += [(f"segment {name}", mode) for name, mode in configuration.modes.segments.items()]
    for where, mode in modes:
        if mode is not Mode.ACT:
            what = f"{mode.value}, {where}: nothing is sent"
            yield Finding(Grade.NOTE, "mode", what, 'mode = "act", when you have seen enough')
    for host in site.hosts.values():
        others = len(site.hosts) - 1 + len(site.controllers)
        wanted = max(policy.witnesses_min, min(WITNESSES_WANTED, others))
        if len(host.witnesses) < wanted:
            what = (
                f"{len(host.witnesses)} witnesses, {wanted} needed: silence alone never shoots it"
            )
            yield Finding(Grade.WARNING, host.id, what, "more controllers, or agents on hosts")
        if host.has_agent:
            what = "this version speaks to no agent: nobody signs for it, so it stays unknown"
            yield Finding(Grade.ERROR, host.id, what, "agent = false, and it is seen by probes")
        if not host.roads:
            what = "no power device: only a person can say that it is dead"
            yield Finding(Grade.ERROR, host.id, what, "name its BMC as [[host.bmc]]")
    if configuration.probes.kind != "tcp" and not can_ping():
        what = "no raw sockets for this user: every probe is a TCP connection"
        yield Finding(Grade.WARNING, "probes", what, "give it CAP_NET_RAW, as the unit does")
    if is_synchronised() is False:
        what = "nobody keeps it right"
        yield Finding(Grade.WARNING, "clock of this machine", what, "run chrony or ntpd")
    if len(site.controllers) < 2:
        yield Finding(Grade.WARNING, "controllers", "nobody takes over", "start a second one")


# --------------------------------------------------------------------------------- devices


async def of_road(configuration: Configuration, road: RoadId) -> list[Finding]:
    """Read one power device, and hold what it says of itself against the inventory."""
    found = await examined_device(configuration, configuration.devices[road], Agents())
    grade = Grade.WARNING if found.is_usable else Grade.ERROR
    return [Finding(grade, road, each.what, each.remedy) for each in found.findings]


# --------------------------------------------------------------------------------- addresses


async def of_addresses(configuration: Configuration, host: HostId) -> list[Finding]:
    """Probe each address of a host once. One that answers nowhere is an error."""
    addresses = configuration.names[host].addresses
    heard = [await _answers(configuration, address) for address in addresses.values()]
    silent = [plane.value for plane, is_heard in zip(addresses, heard, strict=True) if not is_heard]
    if not silent:
        return []
    grade = Grade.WARNING if any(heard) else Grade.ERROR
    what = f"does not answer a TCP probe on {' '.join(silent)}"
    return [Finding(grade, host, what, "is it on, and its address right? ICMP is not tried here")]


async def _answers(configuration: Configuration, address: str) -> bool:
    probes = configuration.probes
    try:
        async with asyncio.timeout(probes.timeout_s):
            return await answers(address, probes.tcp_port, probes.refused_is_life)
    except TimeoutError:
        return False


# --------------------------------------------------------------------------------- the cloud


async def of_cloud(configuration: Configuration) -> AsyncIterator[Finding]:
    """Log in, list, and hold what is there against the inventory and the rules."""
    try:
        async with cloud_of(configuration) as cloud:
            async for each in _of_nova(configuration, cloud.compute):
                yield each
    except (ConfigError, PortError) as error:
        yield Finding(Grade.ERROR, "cloud", Exception.__str__(error), error.hint)


async def _of_nova(configuration: Configuration, nova: NovaCompute) -> AsyncIterator[Finding]:
    roll = await nova.services.read()
    names = site_of(configuration).names
    shown = {names.host(each.host) for each in roll.computes()}
    for host in sorted(configuration.names.keys() - shown):
        what = f"Nova has no nova-compute at {configuration.names[host].nova}"
        yield Finding(
            Grade.ERROR, host, what, "is `name` the host of `openstack compute service list`?"
        )
    for host in sorted(shown - configuration.names.keys()):
        what = "a compute host of Nova that is not in the inventory: nobody watches it"
        yield Finding(Grade.WARNING, host, what, "add it, or leave it out on purpose")
    for found in of_reserve(configuration, names, roll.computes()):
        yield found
    for each in roll.computes():
        if each.is_disabled and not (is_ours(each.reason) or is_reserve(each.reason)):
            host = names.host(each.host)
            yield Finding(Grade.NOTE, host, f"disabled: {each.reason or 'no reason'}", "enable it")
    for found in of_services(configuration, names, roll, SystemClock().wall()):
        yield found
    if await has_masakari(nova):
        what = "Masakari is in the catalogue: two rescuers may resurrect one server twice"
        remedy = "stop its monitors and engine where ninelives acts; observe beside them at first"
        yield Finding(Grade.WARNING, "other rescuers", what, remedy)
    servers = [seen async for seen in _servers(configuration, nova)]
    for found in of_servers(configuration, servers):
        yield found
    for found in await of_capacity(configuration, nova, servers):
        yield found
    for found in of_shared(configuration, await nova.disk_sizes_gb(), servers):
        yield found


async def has_masakari(nova: NovaCompute) -> bool:
    try:
        return bool(await nova.identity.endpoint("instance-ha"))
    except ConfigError:
        return False


async def all_servers(configuration: Configuration) -> list[ServerSeen]:
    """List every server on a host of the inventory. Raises `PortError`."""
    async with cloud_of(configuration) as cloud:
        return [seen async for seen in _servers(configuration, cloud.compute)]


async def _servers(configuration: Configuration, nova: NovaCompute) -> AsyncIterator[ServerSeen]:
    for host in configuration.names:
        found, _ = await nova.list_servers(host)
        for server in found:
            if server.host == host:
                yield server


def of_servers(configuration: Configuration, servers: list[ServerSeen]) -> Iterator[Finding]:
    """Find servers that would not come back whole, and rules that are for nobody. Pure."""
    policy = configuration.setting.policy
    matched = {promise_for(server, policy.rules, policy.default) for server in servers}
    for rule in policy.rules:
        if rule.promise not in matched:
            yield Finding(
                Grade.WARNING,
                f"rule {rule.promise.name}",
                "matches no server",
                "is a key misspelt?",
            )
    yield from of_disks(configuration, servers)


# --------------------------------------------------------------------------------- the store


def of_store(configuration: Configuration) -> list[Finding]:
    """Open the store as a reader, and see whether anybody may act."""
    try:
        store = open_store(configuration.store.whole_url, exists=True)
        cause = store.disarmed()
        store.close()
    except (StoreError, ConfigError) as error:
        remedy = error.hint or "the first controller that is started makes it"
        return [Finding(Grade.WARNING, "store", Exception.__str__(error), remedy)]
    if cause is None:
        return []
    return [Finding(Grade.ERROR, "store", f"disarmed: {cause}", "`ninelives arm` ends it")]


# --------------------------------------------------------------------------------- together


async def _gathered(asked: Mapping[Key, Awaitable[Value]]) -> dict[Key, Value]:
    """Await all, some at once; the answers come in the order of the questions."""
    turns, found = asyncio.Semaphore(AT_ONCE), dict[Key, Value]()

    async def ask(key: Key, question: Awaitable[Value]) -> None:
        async with turns:
            found[key] = await question

    async with asyncio.TaskGroup() as tasks:
        for key, question in asked.items():
            tasks.create_task(ask(key, question))
    return {key: found[key] for key in asked}
