"""What Nova and the BMCs say of the compute hosts: read for a draft of the inventory, once."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ninelives.adapters.nova.clouds import Cloud
from ninelives.adapters.nova.compute import NovaCompute
from ninelives.adapters.nova.fields import Fields, inner, rows, text, text_or_none, words
from ninelives.adapters.nova.identity import KeystoneIdentity
from ninelives.adapters.nova.targets import WITHOUT_UPTIME
from ninelives.adapters.nova.views import ServiceRow
from ninelives.adapters.nova.wire import HttpWire, context_of
from ninelives.adapters.redfish_systems import SystemSeen, systems
from ninelives.adapters.redfish_wire import Trust
from ninelives.engine.errors import PortError

BMCS_AT_ONCE = 20


class Hypervisor(NamedTuple):
    """One hypervisor as Nova shows it."""

    name: str
    kind: str  # "QEMU", "ironic", …
    address: str


class Aggregate(NamedTuple):
    """One host aggregate."""

    name: str
    metadata: Mapping[str, str]
    hosts: tuple[str, ...]


class CloudFound(NamedTuple):
    """Everything that Nova says of its computes."""

    services: tuple[ServiceRow, ...]
    hypervisors: Mapping[str, tuple[Hypervisor, ...]]  # by the host of the service
    aggregates: tuple[Aggregate, ...]


class BmcsFound(NamedTuple):
    """What BMCs say, and which did not."""

    systems: tuple[SystemSeen, ...] = ()
    silent: Mapping[str, str] = {}  # by address: why


async def cloud_found(cloud: Cloud) -> CloudFound:
    """Ask Nova. Raises `PortError`."""
    wire = HttpWire(context_of(cloud.verify, cloud.cacert, cloud.cert, cloud.key))
    nova = NovaCompute(wire, KeystoneIdentity(cloud))
    try:
        roll = await nova.services.read()
        listed = await nova.nova.pages(
            "/os-hypervisors/detail", {}, "hypervisors", newest=WITHOUT_UPTIME
        )
        page = await nova.nova.read("/os-aggregates")
    finally:
        await nova.close()
    aggregates = tuple(_aggregate(row) for row in rows(page.fields, "aggregates"))
    return CloudFound(tuple(roll.computes()), _by_host(listed.rows), aggregates)


def _by_host(found: Iterable[Fields]) -> Mapping[str, tuple[Hypervisor, ...]]:
    hosts: dict[str, tuple[Hypervisor, ...]] = {}
    for row in found:
        host = text(inner(row, "service"), "host")
        seen = Hypervisor(
            text(row, "hypervisor_hostname"),
            text_or_none(row, "hypervisor_type") or "",
            text_or_none(row, "host_ip") or "",
        )
        hosts[host] = (*hosts.get(host, ()), seen)
    return hosts


def _aggregate(row: Fields) -> Aggregate:
    metadata = {name: str(value) for name, value in inner(row, "metadata").items()}
    return Aggregate(text(row, "name"), metadata, tuple(words(row, "hosts")))


async def bmcs_found(urls: Iterable[str], trust: Trust, user: str, password: str) -> BmcsFound:
    """Ask every BMC, some beside each other. One that does not answer is named with its words."""
    gate, silent = asyncio.Semaphore(BMCS_AT_ONCE), dict[str, str]()

    async def asked(url: str) -> tuple[SystemSeen, ...]:
        async with gate:
            try:
                return await systems(url, trust, user, password)
            except PortError as error:
                silent[url] = Exception.__str__(error)
                return ()

    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(asked(url)) for url in urls]
    return BmcsFound(tuple(each for task in asking for each in task.result()), silent)
