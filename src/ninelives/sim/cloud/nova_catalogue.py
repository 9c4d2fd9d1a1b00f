"""What Nova answers out of its database alone: flavors, server groups, limits."""

from typing import TYPE_CHECKING, Final

from ninelives.sim import nova

from .calls import Call, Document, HangUp, Said, Saying, nova_fault
from .catalogue import FLAVORS, Flavor, hex_of, uuid_of
from .keystone import project_id

if TYPE_CHECKING:
    from .stand_in import StandIn


def of_catalogue(stand_in: "StandIn", body: object) -> Saying:
    """Say what the model does not hold, down or slow as the API is."""
    match stand_in.ask(nova.ReadCatalogue()):
        case nova.Answer(after_s=after_s):
            return Said(200, body, after_s=after_s)
        case nova.Fault(status, message, after_s):
            return nova_fault(status, message, after_s)
        case nova.NoAnswer(_, after_s):
            return HangUp(after_s)


# Flavors


def list_flavors(stand_in: "StandIn", call: Call) -> Saying:
    brief = ("id", "name", "links", *(["description"] if call.version >= (2, 55) else []))
    shown = [flavor_view(call, each) for each in FLAVORS]
    rows = [{name: each[name] for name in brief} for each in shown]
    return of_catalogue(stand_in, {"flavors": rows})


def detail_flavors(stand_in: "StandIn", call: Call) -> Saying:
    return of_catalogue(stand_in, {"flavors": [flavor_view(call, each) for each in FLAVORS]})


def show_flavor(stand_in: "StandIn", call: Call) -> Saying:
    flavor = flavor_of(call.parts["id"])
    if flavor is None:
        return nova_fault(404, f"Flavor {call.parts['id']} could not be found.")
    return of_catalogue(stand_in, {"flavor": flavor_view(call, flavor)})


def show_extra_specs(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    return of_catalogue(stand_in, {"extra_specs": {}})


def flavor_of(id: str | None) -> Flavor | None:  # noqa: A002 -- Nova's own word
    return next((each for each in FLAVORS if id in {each.name, flavor_id(each.name)}), None)


def flavor_id(name: str) -> str:
    return uuid_of("flavor", name)


def flavor_view(call: Call, flavor: Flavor) -> Document:
    id = flavor_id(flavor.name)  # noqa: A001 -- Nova's own word
    shown: Document = {
        "id": id,
        "name": flavor.name,
        "vcpus": flavor.vcpus,
        "ram": flavor.ram_mb,
        "disk": flavor.disk_gb,
        "swap": 0 if call.version >= (2, 75) else "",
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.0,
        "links": [{"rel": "self", "href": f"{call.url}/compute/v2.1/flavors/{id}"}],
    }
    if call.version >= (2, 55):
        shown["description"] = None
    if call.version >= (2, 61):
        shown["extra_specs"] = {}
    return shown


# Server groups


def list_groups(stand_in: "StandIn", call: Call) -> Saying:
    return of_catalogue(stand_in, {"server_groups": groups(stand_in, call)})


def show_group(stand_in: "StandIn", call: Call) -> Saying:
    for each in groups(stand_in, call):
        if each["id"] == call.parts["id"]:
            return of_catalogue(stand_in, {"server_group": each})
    return nova_fault(404, f"Instance group {call.parts['id']} could not be found.")


def groups(stand_in: "StandIn", call: Call) -> list[Document]:
    """List the groups; each keeps its members apart, for that is the one the model has."""
    members: dict[str, list[nova.Server]] = {}
    for server in stand_in.nova.servers.values():
        if server.spec.group is not None and not server.is_deleted:
            members.setdefault(server.spec.group, []).append(server)
    is_all = call.by.is_admin and call.first("all_projects") is not None
    return [
        group_view(call, name, servers)
        for name, servers in members.items()
        if is_all or servers[0].spec.project == call.project
    ]


def group_view(call: Call, name: str, members: list[nova.Server]) -> Document:
    shown: Document = {
        "id": group_id(name),
        "name": name,
        "members": [each.id for each in members],
    }
    if call.version >= (2, 13):
        project = members[0].spec.project
        shown |= {"project_id": project_id(project), "user_id": hex_of("user", project)}
    if call.version >= (2, 64):
        newer: Document = {"policy": "anti-affinity", "rules": {}}
        return shown | newer
    older: Document = {"policies": ["anti-affinity"], "metadata": {}}
    return shown | older


def group_id(name: str) -> str:
    return uuid_of("group", name)


# Limits


def limits(stand_in: "StandIn", call: Call) -> Saying:
    servers = [each for each in stand_in.nova.servers.values() if not each.is_deleted]
    absolute: Document = {
        "maxTotalInstances": -1,
        "maxTotalCores": -1,
        "maxTotalRAMSize": -1,
        "maxTotalKeypairs": 100,
        "maxServerMeta": 128,
        "maxServerGroups": 10,
        "maxServerGroupMembers": 10,
        "totalInstancesUsed": len(servers),
        "totalCoresUsed": sum(each.spec.vcpus for each in servers),
        "totalRAMUsed": sum(each.spec.ram_mb for each in servers),
        "totalServerGroupsUsed": 0,
    }
    for until, names in _LIMITS_OF_OLD:
        if call.version < until:
            absolute |= dict.fromkeys(names, -1)
    return of_catalogue(stand_in, {"limits": {"rate": [], "absolute": absolute}})


_LIMITS_OF_OLD: Final = (  # up to which microversion they were shown
    (
        (2, 36),
        (
            *("maxSecurityGroups", "maxSecurityGroupRules", "maxTotalFloatingIps"),
            *("totalSecurityGroupsUsed", "totalFloatingIpsUsed"),
        ),
    ),
    ((2, 39), ("maxImageMeta",)),
    ((2, 57), ("maxPersonality", "maxPersonalitySize")),
)
