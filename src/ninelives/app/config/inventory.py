"""The one inventory: every host under all its names and addresses; whatever fits two is refused.

A shot that is aimed by an ambiguous name hits an innocent host. So nothing is guessed: two hosts
that share a name, an address, a serial or a power device's outlet are an error of the file.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ninelives.adapters.probes import with_port
from ninelives.core.model import LOCAL, BackendId, HostId, Plane, RoadId, SegmentId, WitnessId
from ninelives.core.site import HostSite, QuorumSet, Road, Site

from . import document
from .configuration import Names
from .lines import Path

PEERS = 4  # hosts with an agent that look at a host, beside the controllers

Complaint = tuple[Path, str, str]  # where in the file, what, and what to do


def site_of(file: document.File) -> Site:
    """Build the inventory of a file without ambiguities. Pure."""
    controllers = tuple(map(WitnessId, file.controllers))
    watching = [host.name for host in file.host if host.agent]
    hosts = dict[HostId, HostSite]()
    for index, host in enumerate(file.host):
        sets = tuple(name for name, each in file.quorum.items() if host.name in each.members)
        built = replace(
            _host(host),
            witnesses=(*controllers, *_peers(file, index, watching)),
            quorum_sets=sets,
        )
        hosts[built.id] = built
    seats = {WitnessId(name): HostId(host) for name, host in file.controller_hosts.items()}
    return Site(hosts, controllers, dict(_quorum_sets(file)), seats)


def _host(host: document.Host) -> HostSite:
    planes = tuple(plane for plane in Plane if plane in host.address)
    return HostSite(
        HostId(host.name),
        segment=SegmentId(host.segment),
        rack=host.rack,
        zone=host.zone,
        serial=host.serial,
        planes=planes or tuple(Plane),  # with an agent, which knows its own addresses
        shared_fate=tuple(frozenset(fate) for fate in host.shared_fate),
        roads=tuple(_road(host, number) for number in range(len(host.bmc))),
        backends=tuple(map(BackendId, host.backends)),
        revocable=frozenset(map(BackendId, host.revocable)),
        has_agent=host.agent,
        has_watchdog=host.watchdog,
        is_reserved=host.reserved,
    )


def _road(host: document.Host, number: int) -> Road:
    device = host.bmc[number]
    kind = "bmc" if device.kind in ("redfish", "fence_redfish", "fence_ipmilan") else device.kind
    return Road(road_id(host, number), device.level, device.address, kind, device.verified)


def road_id(host: document.Host, number: int) -> RoadId:
    """Name a road: it must be the same in every controller, and after a restart."""
    return RoadId(f"{host.name}/{host.bmc[number].kind}/{number + 1}")


def _peers(file: document.File, index: int, watching: Sequence[str]) -> Iterator[WitnessId]:
    """Name the next hosts with an agent: those without one look at nobody."""
    others = [host.name for host in (*file.host[index + 1 :], *file.host[:index])]
    yield from [WitnessId(name) for name in others if name in watching][:PEERS]


def _quorum_sets(file: document.File) -> Iterator[tuple[str, QuorumSet]]:
    for name, each in file.quorum.items():
        members = frozenset(map(HostId, each.members))
        yield name, QuorumSet(name, members, each.needed or len(members) // 2 + 1)


def names_of(host: document.Host) -> Names:
    """Gather what everything else calls this host."""
    return Names(
        host.name,
        host.hypervisor or host.name,
        host.cluster_node or host.name,
        dict(host.address),
        tuple(host.storage_addresses),
        BackendId(host.instances),
    )


# --------------------------------------------------------------------------------- complaints


def complaints(file: document.File) -> Iterator[Complaint]:
    """Yield everything about the hosts that makes no sense, or too much. Pure."""
    yield from _claimed_twice(file)
    known = {host.name for host in file.host}
    for index, host in enumerate(file.host):
        yield from _about(("host", index), host)
    for name, each in file.quorum.items():
        for member in sorted(set(each.members) - known):
            yield ("quorum", name), f"quorum set '{name}' names '{member}'", "no host has that name"
    for name, where in file.controller_hosts.items():
        if name not in file.controllers or where not in known:
            hint = "left a controller, right the host that it runs on"
            yield ("controller_hosts", name), f"'{name}' on '{where}': not both are known", hint
    for index, name in enumerate(file.controllers):
        if name in known:
            # A witness is a host or a controller by its name alone.
            yield ("controllers", index), f"the controller '{name}' is named like a host", "rename"
    if len(set(file.controllers)) < len(file.controllers):
        yield ("controllers",), "two controllers bear one name", "give each its own"


def _about(at: Path, host: document.Host) -> Iterator[Complaint]:
    if not host.agent and not host.address:
        hint = 'give it an address, for example address = { management = "10.0.0.1" }'
        yield at, f"nobody can see '{host.name}': it has no agent and no address", hint
    for plane, address in host.address.items():
        if not _is_address(address):
            hint = "a resolver that fails would make every host look dead"
            yield (*at, "address", plane.value), f"'{address}' is a name, not an address", hint
    for backend in sorted(set(host.revocable) - set(host.backends)):
        yield (*at, "revocable"), f"'{backend}' is none of the backends of '{host.name}'", ""
    if host.instances not in (LOCAL, *host.backends):
        hint = 'one of its backends, or "local"'
        yield (*at, "instances"), f"'{host.instances}' is no backend of '{host.name}'", hint
    called = [device.cluster_device for device in host.bmc if device.cluster_device]
    for name in sorted({name for name in called if called.count(name) > 1}):
        what = f"two power devices of '{host.name}' would be '{name}' of the cluster"
        yield (*at, "bmc"), what, "each is a device of its own"
    for number, device in enumerate(host.bmc):
        if not device.address:
            yield (*at, "bmc", number), f"a power device of '{host.name}' has no address", ""
        if (
            device.kind == "fence_redfish"
            and not device.system
            and "systems_uri" not in device.options
        ):
            # Without it the agent acts on whichever system the service lists first.
            hint = 'say which: system = "/redfish/v1/Systems/1"'
            yield (*at, "bmc", number), f"fence_redfish of '{host.name}' names no system", hint


def _is_address(text: str) -> bool:
    """Say whether it is an IP address, with a port or without."""
    try:
        ipaddress.ip_address(with_port(text)[0])
    except ValueError:
        return False
    return True


def _claimed_twice(file: document.File) -> Iterator[Complaint]:
    owners: dict[tuple[str, str], str] = {}
    for index, host in enumerate(file.host):
        for (kind, claim), path in _claims(host):
            owner = owners.setdefault((kind, claim), host.name)
            if owner != host.name:
                what = f"the {kind} '{claim}' would be both '{owner}' and '{host.name}'"
                yield ("host", index, *path), what, "every host has its own"
        if any(other.name == host.name for other in file.host[:index]):
            yield ("host", index), f"the host '{host.name}' is given twice", "one entry for a host"


def _claims(host: document.Host) -> Iterator[tuple[tuple[str, str], Path]]:
    """Yield what is this host's alone, and where it says so."""
    names = {host.name, host.hypervisor or host.name, host.cluster_node or host.name}
    for name in sorted(names):
        yield ("name", name.lower()), ("name",)
    for plane, address in host.address.items():
        yield ("address", address), ("address", plane.value)
    for address in host.storage_addresses:
        if address not in host.address.values():
            yield ("address", address), ("storage_addresses",)
    if host.serial:
        yield ("serial", host.serial.lower()), ("serial",)
    for number, device in enumerate(host.bmc):
        if device.address:
            outlet = f"{device.address} {device.system}".strip()
            yield ("power device", outlet), ("bmc", number, "address")
