"""How Nova writes servers and migrations, by microversion. Pure."""

from typing import TYPE_CHECKING, Final

from ninelives.sim import nova

from .calls import Call, Document
from .catalogue import FLAVORS, Flavor, hex_of, uuid_of
from .instants import iso
from .keystone import project_id

if TYPE_CHECKING:
    from .stand_in import StandIn

POWER: Final = {
    nova.PowerState.NOSTATE: 0,
    nova.PowerState.RUNNING: 1,
    nova.PowerState.PAUSED: 3,
    nova.PowerState.SHUTDOWN: 4,
    nova.PowerState.SUSPENDED: 7,
}
_WITH_FAULT = {"ERROR", "DELETED"}
_WITH_PROGRESS = {"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"}


def brief_view(stand_in: "StandIn", server: nova.Server, call: Call) -> Document:  # noqa: ARG001 -- as `server_view`
    return {"id": server.id, "name": name_of(server), "links": links(call, server)}


def server_view(stand_in: "StandIn", server: nova.Server, call: Call) -> Document:
    """Show everything that an admin sees; others do not see hosts."""
    parts = [
        common(server, call),
        admins_part(stand_in, server, call) if call.by.is_admin else {},
        newer_part(stand_in, server, call),
    ]
    shown: Document = {}
    for part in parts:
        shown |= part
    return shown


def common(server: nova.Server, call: Call) -> Document:
    spec, version = server.spec, call.version
    host_id = hex_of("host", spec.project, server.host) if server.host else ""
    ends = server.is_deleted
    shown: Document = {
        "id": server.id,
        "name": name_of(server),
        "status": server.status,
        "tenant_id": project_id(spec.project),
        "user_id": hex_of("user", spec.project),
        "metadata": {},
        "hostId": host_id,
        "image": "" if spec.is_volume_backed else image_link(call, spec.image),
        "flavor": flavor_of(call, spec),
        "created": iso(server.created),
        "updated": iso(server.updated),
        "addresses": {},
        "accessIPv4": "",
        "accessIPv6": "",
        "links": links(call, server),
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": "",
        "config_drive": "",
        "key_name": None,
        "OS-SRV-USG:launched_at": iso(server.created, "plain"),
        "OS-SRV-USG:terminated_at": iso(server.updated, "plain") if ends else None,
        "OS-EXT-STS:task_state": None if server.task_state is None else str(server.task_state),
        "OS-EXT-STS:vm_state": str(server.vm_state),
        "OS-EXT-STS:power_state": POWER[server.power_state],
        "os-extended-volumes:volumes_attached": volumes_of(server, version),
    }
    if server.status in _WITH_PROGRESS:
        shown["progress"] = 0
    if server.status in _WITH_FAULT and server.fault is not None:
        shown["fault"] = {"code": 500, "created": iso(server.updated), "message": server.fault}
    return shown


def admins_part(stand_in: "StandIn", server: nova.Server, call: Call) -> Document:
    shown: Document = {
        "OS-EXT-SRV-ATTR:host": server.host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host,
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.id[:8]}",
    }
    if call.version >= (2, 3):
        shown |= {
            "OS-EXT-SRV-ATTR:hostname": name_of(server),
            "OS-EXT-SRV-ATTR:launch_index": 0,
            "OS-EXT-SRV-ATTR:reservation_id": f"r-{server.id[:8]}",
            "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
            "OS-EXT-SRV-ATTR:kernel_id": "",
            "OS-EXT-SRV-ATTR:ramdisk_id": "",
            "OS-EXT-SRV-ATTR:user_data": None,
        }
    if call.version >= (2, 16):
        shown["host_status"] = host_status(stand_in, server)
    return shown


def host_status(stand_in: "StandIn", server: nova.Server) -> str:
    """See nova/compute/api.py, get_instance_host_status."""
    if server.host is None:
        return ""
    service = stand_in.nova.services[server.host]
    if service.is_forced_down:
        return "DOWN"
    if service.is_disabled:
        return "MAINTENANCE"
    return "UP" if stand_in.nova.is_up(server.host, stand_in.now) else "UNKNOWN"


def newer_part(stand_in: "StandIn", server: nova.Server, call: Call) -> Document:
    version = call.version
    zone = stand_in.nova.hosts[server.host].az if server.host else server.spec.az or ""
    shown: Document = {"OS-EXT-AZ:availability_zone": zone}
    if version >= (2, 9):
        shown["locked"] = server.is_locked
    if version >= (2, 19):
        shown["description"] = None
    if version >= (2, 26):
        shown["tags"] = sorted(server.spec.tags)
    if version >= (2, 63):
        shown["trusted_image_certificates"] = None
    if version >= (2, 71) and "id" in call.parts:  # not in lists
        group = server.spec.group
        shown["server_groups"] = [] if group is None else [uuid_of("group", group)]
    if version >= (2, 73):
        shown["locked_reason"] = server.locked_reason
    return shown


def name_of(server: nova.Server) -> str:
    return server.spec.name or server.id


def links(call: Call, server: nova.Server) -> list[Document]:
    return [
        {"rel": "self", "href": f"{call.url}/compute/v2.1/servers/{server.id}"},
        {"rel": "bookmark", "href": f"{call.url}/compute/servers/{server.id}"},
    ]


def image_link(call: Call, name: str) -> Document:
    id = uuid_of("image", name)  # noqa: A001 -- Nova's own word
    return {"id": id, "links": [{"rel": "bookmark", "href": f"{call.url}/compute/images/{id}"}]}


def volumes_of(server: nova.Server, version: nova.Microversion) -> list[Document]:
    if not server.spec.is_volume_backed:
        return []
    volume: Document = {"id": uuid_of("volume", server.id)}
    return [volume | {"delete_on_termination": False} if version >= (2, 3) else volume]


def flavor_of(call: Call, spec: nova.Spec) -> Document:
    """Show the flavor; from 2.47 as it was when the server was made, without an id."""
    flavor = next((each for each in FLAVORS if each.name == spec.flavor), Flavor(spec.flavor))
    if call.version < (2, 47):
        id = uuid_of("flavor", flavor.name)  # noqa: A001 -- Nova's own word
        href = f"{call.url}/compute/flavors/{id}"
        return {"id": id, "links": [{"rel": "bookmark", "href": href}]}
    return {
        "original_name": flavor.name,
        "vcpus": spec.vcpus,
        "ram": spec.ram_mb,
        "disk": flavor.disk_gb,
        "ephemeral": 0,
        "swap": 0,
        "extra_specs": {},
    }


def host_ip(stand_in: "StandIn", host: str | None) -> str | None:
    """Give a host an address that is nobody's (RFC 5737)."""
    if host is None:
        return None
    return f"192.0.2.{list(stand_in.nova.hosts).index(host) % 250 + 1}"


def migration_view(stand_in: "StandIn", migration: nova.Migration, call: Call) -> Document:
    """One row of /os-migrations."""
    version, server = call.version, stand_in.nova.servers[migration.server]
    is_resize = migration.kind is nova.MigrationKind.RESIZE
    shown: Document = {
        "id": migration.id,
        "instance_uuid": migration.server,
        "source_compute": migration.source,
        "source_node": migration.source,
        "dest_compute": migration.dest,
        "dest_node": migration.dest,
        "dest_host": host_ip(stand_in, migration.dest),
        "status": str(migration.status),
        "old_instance_type_id": 1 if is_resize else None,
        "new_instance_type_id": 1 if is_resize else None,
        "created_at": iso(migration.created, "plain"),
        "updated_at": iso(migration.updated, "plain"),
    }
    if version >= (2, 23):
        shown["migration_type"] = str(migration.kind)
    if version >= (2, 59):
        shown["uuid"] = migration_uuid(migration)
    if version >= (2, 80):
        shown["project_id"] = project_id(server.spec.project)
        shown["user_id"] = hex_of("user", migration.user)
    return shown


def migration_uuid(migration: nova.Migration) -> str:
    return uuid_of("migration", str(migration.id))
