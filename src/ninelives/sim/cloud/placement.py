"""Placement's reads: resource providers, what they offer, who holds it, who could."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .admission import PLACEMENT_MAX, PLACEMENT_MIN, version_headers, written
from .calls import Call, Document, Row, Said, Saying
from .catalogue import FLAVORS
from .keystone import project_id
from .nova_places import DISK_GB, aggregate_id, provider_id
from .nova_views import migration_uuid

if TYPE_CHECKING:
    from .stand_in import StandIn

DISABLED = "COMPUTE_STATUS_DISABLED"
TRAITS = ("COMPUTE_NODE", "COMPUTE_TRUSTED_CERTS", "HW_CPU_X86_VMX")
CLASSES: tuple[str, ...] = ("VCPU", "MEMORY_MB", "DISK_GB")


@dataclass(frozen=True, slots=True)
class Provider:
    """One host as Placement sees it: what it has and what is taken, by resource class."""

    host: str
    has: dict[str, int]
    used: dict[str, int]
    traits: tuple[str, ...]
    aggregates: tuple[str, ...]

    @property
    def id(self) -> str:
        return provider_id(self.host)


def providers(stand_in: "StandIn") -> list[Provider]:
    stand_in.advance()
    used = {host: dict.fromkeys(CLASSES, 0) for host in stand_in.nova.hosts}
    for consumer, hosts in stand_in.nova.allocations.items():
        for name, amount in resources(stand_in, consumer).items():
            for host in hosts:
                used[host][name] += amount
    return [provider(stand_in, host, used[host]) for host in stand_in.nova.hosts]


def provider(stand_in: "StandIn", name: str, used: dict[str, int]) -> Provider:
    host = stand_in.nova.hosts[name]
    is_disabled = stand_in.nova.services[name].has_disabled_trait
    zone = () if host.az == "nova" else (host.az,)
    return Provider(
        name,
        {"VCPU": host.vcpus, "MEMORY_MB": host.ram_mb, "DISK_GB": DISK_GB},
        used,
        (*TRAITS, DISABLED) if is_disabled else TRAITS,
        tuple(aggregate_id(each) for each in (*zone, *sorted(host.aggregates))),
    )


def versions(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    document: Document = {
        "id": "v1.0",
        "min_version": written(PLACEMENT_MIN),
        "max_version": written(PLACEMENT_MAX),
        "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }
    return Said(200, {"versions": [document]})


def dress(stand_in: "StandIn", call: Call, said: Saying) -> Saying:  # noqa: ARG001 -- a `Dress`
    if not isinstance(said, Said):
        return said
    headers = version_headers("placement", written(call.version))
    return Said(said.status, said.body, headers, said.after_s)


def list_providers(stand_in: "StandIn", call: Call) -> Saying:
    name, id = call.first("name"), call.first("uuid")  # noqa: A001 -- Placement's own word
    tree = call.first("in_tree")
    found = [
        provider_view(each)
        for each in providers(stand_in)
        if name in {None, each.host}
        and id in {None, each.id}
        and tree in {None, each.id}
        and is_wanted(call, each)
    ]
    return Said(200, {"resource_providers": found})


def show_provider(stand_in: "StandIn", call: Call) -> Saying:
    found = asked_provider(stand_in, call)
    return found if isinstance(found, Said) else Said(200, provider_view(found))


def provider_view(provider: Provider) -> Document:
    return {
        "uuid": provider.id,
        "name": provider.host,
        "generation": 1,
        "parent_provider_uuid": None,
        "root_provider_uuid": provider.id,
        "links": [{"rel": "self", "href": f"/placement/resource_providers/{provider.id}"}],
    }


def asked_provider(stand_in: "StandIn", call: Call) -> Provider | Said:
    id = call.parts["id"]  # noqa: A001 -- Placement's own word
    found = next((each for each in providers(stand_in) if each.id == id), None)
    return found or error(404, f"No resource provider with uuid {id} found")


def inventories(stand_in: "StandIn", call: Call) -> Saying:
    found = asked_provider(stand_in, call)
    if isinstance(found, Said):
        return found
    shown = {name: inventory_view(total) for name, total in found.has.items()}
    return Said(200, {"inventories": shown, "resource_provider_generation": 1})


def inventory_view(total: int) -> Document:
    """Show an inventory. The allocation ratio is in the total already, as the model has it."""
    sizes: Document = {"total": total, "reserved": 0, "min_unit": 1, "max_unit": total}
    return sizes | {"step_size": 1, "allocation_ratio": 1.0}


def usages(stand_in: "StandIn", call: Call) -> Saying:
    found = asked_provider(stand_in, call)
    if isinstance(found, Said):
        return found
    return Said(200, {"usages": found.used, "resource_provider_generation": 1})


def provider_allocations(stand_in: "StandIn", call: Call) -> Saying:
    found = asked_provider(stand_in, call)
    if isinstance(found, Said):
        return found
    held: Document = {
        consumer_id(stand_in, consumer): {"resources": resources(stand_in, consumer)}
        for consumer, hosts in stand_in.nova.allocations.items()
        if found.host in hosts
    }
    return Said(200, {"allocations": held, "resource_provider_generation": 1})


def provider_aggregates(stand_in: "StandIn", call: Call) -> Saying:
    found = asked_provider(stand_in, call)
    if isinstance(found, Said):
        return found
    shown: Document = {"aggregates": list(found.aggregates), "resource_provider_generation": 1}
    return Said(200, shown)


def provider_traits(stand_in: "StandIn", call: Call) -> Saying:
    found = asked_provider(stand_in, call)
    if isinstance(found, Said):
        return found
    return Said(200, {"traits": list(found.traits), "resource_provider_generation": 1})


def allocations(stand_in: "StandIn", call: Call) -> Saying:
    """Show what one consumer holds, and where. Who holds nothing is no error."""
    stand_in.advance()
    for consumer, hosts in stand_in.nova.allocations.items():
        if consumer_id(stand_in, consumer) == call.parts["id"]:
            part: Document = {"generation": 1, "resources": resources(stand_in, consumer)}
            project = stand_in.nova.servers[server_of(stand_in, consumer)].spec.project
            shown: Document = {"consumer_type": "INSTANCE"} if call.version >= (1, 38) else {}
            shown |= {
                "allocations": {provider_id(host): part for host in hosts},
                "project_id": project_id(project),
                "user_id": project_id(project),
                "consumer_generation": 1,
            }
            return Said(200, shown)
    return Said(200, {"allocations": {}})


def server_of(stand_in: "StandIn", consumer: str) -> str:
    """Name the server a consumer stands for: itself, or the one that its migration moves."""
    number = consumer.removeprefix("migration-")
    is_migration = number != consumer and number.isdigit()
    return stand_in.nova.migrations[int(number)].server if is_migration else consumer


def consumer_id(stand_in: "StandIn", consumer: str) -> str:
    if server_of(stand_in, consumer) == consumer:
        return consumer
    return migration_uuid(stand_in.nova.migrations[int(consumer.removeprefix("migration-"))])


def resources(stand_in: "StandIn", consumer: str) -> dict[str, int]:
    spec = stand_in.nova.servers[server_of(stand_in, consumer)].spec
    disks = {flavor.name: flavor.disk_gb for flavor in FLAVORS}
    disk_gb = 0 if spec.is_volume_backed else disks.get(spec.flavor, 0)
    held = {"VCPU": spec.vcpus, "MEMORY_MB": spec.ram_mb, "DISK_GB": disk_gb}
    return {name: amount for name, amount in held.items() if amount}


# Candidates


def candidates(stand_in: "StandIn", call: Call) -> Saying:
    """Say who has room. Placement knows of no service: dead hosts are candidates too."""
    wanted = amounts(call.first("resources") or "")
    if wanted is None:
        return error(400, "Badly formed resources parameter.")
    is_refusing = stand_in.nova.faults.is_placement_refusing
    found = [
        each
        for each in providers(stand_in)
        if not is_refusing and has_room(each, wanted) and is_wanted(call, each)
    ]
    limit = call.first("limit")
    found = found[: int(limit)] if limit is not None and limit.isdigit() else found
    requests = [
        {"allocations": {each.id: {"resources": wanted}}, "mappings": {"": [each.id]}}
        for each in found
    ]
    summaries = {each.id: summary(each) for each in found}
    return Said(200, {"allocation_requests": requests, "provider_summaries": summaries})


def amounts(asked: str) -> dict[str, int] | None:
    """Read `VCPU:1,MEMORY_MB:512`; None if it is something else."""
    pairs = [part.partition(":") for part in asked.split(",")]
    if not all(colon and amount.isdigit() for _, colon, amount in pairs):
        return None
    return {name: int(amount) for name, _, amount in pairs}


def has_room(provider: Provider, wanted: dict[str, int]) -> bool:
    return all(
        provider.used.get(name, 0) + amount <= provider.has.get(name, 0)
        for name, amount in wanted.items()
    )


def is_wanted(call: Call, provider: Provider) -> bool:
    """Check traits (`!` forbids one) and aggregates (`in:` is any of them)."""
    for required in call.all("required"):
        for trait in required.split(","):
            if trait and (trait.removeprefix("!") in provider.traits) is trait.startswith("!"):
                return False
    return all(
        set(members.removeprefix("in:").split(",")) & set(provider.aggregates)
        for members in call.all("member_of")
    )


def summary(provider: Provider) -> Document:
    rooms = {
        name: {"capacity": total, "used": provider.used[name]}
        for name, total in provider.has.items()
    }
    return {
        "resources": rooms,
        "traits": list(provider.traits),
        "parent_provider_uuid": None,
        "root_provider_uuid": provider.id,
    }


def list_traits(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    return Said(200, {"traits": [*TRAITS, DISABLED]})


def list_classes(stand_in: "StandIn", call: Call) -> Saying:  # noqa: ARG001 -- a `Handler`
    shown: list[Document] = [{"name": name, "links": []} for name in CLASSES]
    return Said(200, {"resource_classes": shown})


def error(status: int, detail: str) -> Said:
    title = {400: "Bad Request", 404: "Not Found"}[status]
    return Said(status, {"errors": [{"status": status, "title": title, "detail": detail}]})


_PROVIDER = "/resource_providers/{id}"

ROWS = (
    Row("GET", "", versions, is_open=True),
    Row("GET", "/", versions, is_open=True),
    Row("GET", "/resource_providers", list_providers, is_for_admins=True),
    Row("GET", _PROVIDER, show_provider, is_for_admins=True),
    Row("GET", f"{_PROVIDER}/inventories", inventories, is_for_admins=True),
    Row("GET", f"{_PROVIDER}/usages", usages, is_for_admins=True),
    Row("GET", f"{_PROVIDER}/allocations", provider_allocations, is_for_admins=True),
    Row("GET", f"{_PROVIDER}/aggregates", provider_aggregates, is_for_admins=True),
    Row("GET", f"{_PROVIDER}/traits", provider_traits, is_for_admins=True),
    Row("GET", "/allocations/{id}", allocations, is_for_admins=True),
    Row("GET", "/allocation_candidates", candidates, is_for_admins=True),
    Row("GET", "/traits", list_traits, is_for_admins=True),
    Row("GET", "/resource_classes", list_classes, is_for_admins=True),
)
