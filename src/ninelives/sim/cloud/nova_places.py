"""Where servers can be: hypervisors, host aggregates, availability zones."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ninelives.sim import nova

from .calls import Call, Document, Said, Saying, boolean, nova_fault
from .catalogue import uuid_of
from .instants import iso
from .nova_catalogue import of_catalogue
from .nova_said import page, said
from .nova_services import service_id
from .nova_views import host_ip

if TYPE_CHECKING:
    from .stand_in import StandIn

DISK_GB = 10_000
CPU: Final[Document] = {
    "arch": "x86_64",
    "model": "Nehalem",
    "vendor": "Intel",
    "features": ["pge", "clflush"],
    "topology": {"cores": 1, "threads": 1, "sockets": 4},
}


# Hypervisors


def list_hypervisors(stand_in: "StandIn", call: Call) -> Saying:
    return hypervisors(stand_in, call, lambda host: brief(stand_in, call, host))


def detail_hypervisors(stand_in: "StandIn", call: Call) -> Saying:
    return hypervisors(stand_in, call, lambda host: detailed(stand_in, call, host))


def hypervisors(
    stand_in: "StandIn", call: Call, view: Callable[[nova.ServiceView], Document]
) -> Saying:
    reply = stand_in.ask(nova.ListServices())
    if not isinstance(reply, nova.Answer):
        return said(reply)
    assert isinstance(reply.body, tuple)
    pattern = call.first("hypervisor_hostname_pattern") or ""
    found = [
        each for each in reply.body if isinstance(each, nova.ServiceView) and pattern in each.host
    ]
    if pattern and not found:
        return nova_fault(404, f"No hypervisor matching '{pattern}' could be found.")
    match page(call, found, lambda it: hypervisor_id(stand_in, call, it.host), "hypervisors"):
        case Said() as refused:
            return refused
        case cut, links:
            shown: Document = {"hypervisors": [view(each) for each in cut]}
            return Said(200, shown | links, after_s=reply.after_s)


def show_hypervisor(stand_in: "StandIn", call: Call) -> Saying:
    reply = stand_in.ask(nova.ListServices())
    if not isinstance(reply, nova.Answer):
        return said(reply)
    assert isinstance(reply.body, tuple)
    for each in reply.body:
        assert isinstance(each, nova.ServiceView)
        if str(hypervisor_id(stand_in, call, each.host)) == call.parts["id"]:
            shown = {"hypervisor": detailed(stand_in, call, each)}
            return Said(200, shown, after_s=reply.after_s)
    return nova_fault(404, f"Compute host {call.parts['id']} could not be found.")


def hypervisor_id(stand_in: "StandIn", call: Call, host: str) -> str:
    """Give the id: a UUID from 2.53, which is also that of the resource provider."""
    number = str(list(stand_in.nova.hosts).index(host) + 1)
    return provider_id(host) if call.version >= (2, 53) else number


def provider_id(host: str) -> str:
    return uuid_of("hypervisor", host)


def brief(stand_in: "StandIn", call: Call, service: nova.ServiceView) -> Document:
    shown: Document = {
        "id": written_id(stand_in, call, service.host),
        "hypervisor_hostname": service.host,
        "state": "up" if service.is_up else "down",
        "status": "disabled" if service.is_disabled else "enabled",
    }
    if call.version >= (2, 53) and boolean(call.first("with_servers") or "0"):
        shown["servers"] = [
            {"uuid": each.id, "name": each.spec.name}
            for each in stand_in.nova.servers.values()
            if each.host == service.host and not each.is_deleted
        ]
    return shown


def written_id(stand_in: "StandIn", call: Call, host: str) -> str | int:
    id = hypervisor_id(stand_in, call, host)  # noqa: A001 -- Nova's own word
    return id if call.version >= (2, 53) else int(id)


def detailed(stand_in: "StandIn", call: Call, service: nova.ServiceView) -> Document:
    host = service.host
    about: Document = {
        "id": service_id(stand_in, call, host),
        "host": host,
        "disabled_reason": service.disabled_reason,
    }
    shown = brief(stand_in, call, service) | {
        "hypervisor_type": stand_in.plan.hypervisors.get(host, "QEMU"),
        "hypervisor_version": 7_002_000,
        "host_ip": host_ip(stand_in, host),
        "service": about,
    }
    if call.version >= (2, 88):
        return shown | {"uptime": None}
    return shown | room_view(stand_in, host) | {"cpu_info": CPU}


def room_view(stand_in: "StandIn", host: str) -> Document:
    """Show the counts that 2.88 took away in favour of Placement."""
    offered, (vcpus, ram_mb) = stand_in.nova.hosts[host], stand_in.nova.load(host)
    guests = [each for each in stand_in.nova.servers.values() if each.host == host]
    return {
        "vcpus": offered.vcpus,
        "vcpus_used": vcpus,
        "memory_mb": offered.ram_mb,
        "memory_mb_used": ram_mb,
        "free_ram_mb": offered.ram_mb - ram_mb,
        "local_gb": DISK_GB,
        "local_gb_used": 0,
        "free_disk_gb": DISK_GB,
        "disk_available_least": DISK_GB,
        "running_vms": sum(not each.is_deleted for each in guests),
        "current_workload": 0,
    }


# Aggregates and zones


def list_aggregates(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    return of_catalogue(stand_in, {"aggregates": aggregates(stand_in)})


def show_aggregate(stand_in: "StandIn", call: Call) -> Saying:
    for each in aggregates(stand_in):
        if str(each["id"]) == call.parts["id"]:
            return of_catalogue(stand_in, {"aggregate": each})
    return nova_fault(404, f"Aggregate {call.parts['id']} could not be found.")


def aggregates(stand_in: "StandIn") -> list[Document]:
    """List the aggregates; a zone that is not the default one is an aggregate too."""
    hosts = stand_in.nova.hosts.values()
    zones = sorted({each.az for each in hosts} - {"nova"})
    names = sorted({name for each in hosts for name in each.aggregates})
    members: list[tuple[str, str | None, list[str]]] = [
        (zone, zone, [each.name for each in hosts if each.az == zone]) for zone in zones
    ]
    members += [
        (name, None, [each.name for each in hosts if name in each.aggregates]) for name in names
    ]
    return [
        aggregate_view(stand_in, number, *member) for number, member in enumerate(members, start=1)
    ]


def aggregate_view(
    stand_in: "StandIn", number: int, name: str, zone: str | None, hosts: list[str]
) -> Document:
    return {
        "id": number,
        "uuid": aggregate_id(name),
        "name": name,
        "availability_zone": zone,
        "metadata": {"availability_zone": zone} if zone else {},
        "hosts": hosts,
        "created_at": iso(stand_in.began, "plain"),
        "updated_at": None,
        "deleted": False,
        "deleted_at": None,
    }


def aggregate_id(name: str) -> str:
    return uuid_of("aggregate", name)


def list_zones(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    names = sorted({each.az for each in stand_in.nova.hosts.values()})
    shown = [{"zoneName": name, "zoneState": {"available": True}, "hosts": None} for name in names]
    return of_catalogue(stand_in, {"availabilityZoneInfo": shown})


def detail_zones(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    reply = stand_in.ask(nova.ListServices())
    if not isinstance(reply, nova.Answer):
        return said(reply)
    zones: dict[str, dict[str, Document]] = {}
    assert isinstance(reply.body, tuple)
    for each in (*stand_in.nova.control_services(stand_in.now), *reply.body):
        assert isinstance(each, nova.ServiceView)
        about: Document = {
            "available": each.is_up,
            "active": not each.is_disabled,
            "updated_at": iso(each.last_report, "plain"),
        }
        host = stand_in.nova.hosts.get(each.host)
        hosts = zones.setdefault("internal" if host is None else host.az, {})
        hosts.setdefault(each.host, {})[each.binary] = about
    shown = [
        {"zoneName": zone, "zoneState": {"available": True}, "hosts": hosts}
        for zone, hosts in sorted(zones.items())
    ]
    return Said(200, {"availabilityZoneInfo": shown}, after_s=reply.after_s)
