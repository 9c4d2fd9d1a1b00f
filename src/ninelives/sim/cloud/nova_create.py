"""POST /servers: new servers, one or several of a kind."""

from typing import TYPE_CHECKING

from ninelives.sim import nova

from .calls import Call, Document, Json, Saying, nova_fault, text
from .catalogue import Flavor, uuid_of
from .nova_catalogue import flavor_of
from .nova_said import said
from .nova_views import links

if TYPE_CHECKING:
    from .stand_in import StandIn


def create(stand_in: "StandIn", call: Call) -> Saying:
    name, flavor = text(call.member("server", "name")), flavor_asked(call)
    if name is None:
        return nova_fault(400, "'name' is a required property")
    if flavor is None:
        return nova_fault(400, "Invalid flavorRef provided.")
    zone, host = place_asked(call)
    if host is not None and not call.by.is_admin:
        return nova_fault(403, "Policy doesn't allow this to be performed.")
    spec = nova.Spec(
        project=call.project,
        flavor=flavor.name,
        vcpus=flavor.vcpus,
        ram_mb=flavor.ram_mb,
        is_volume_backed=not call.member("server", "imageRef"),
        az=zone,
        group=group_asked(stand_in, call),
        name=name,
    )
    replies = [ask(stand_in, call, spec, host) for _ in range(count_asked(call))]
    return said(replies[0], lambda body: {"server": created_view(call, body)})


def ask(stand_in: "StandIn", call: Call, spec: nova.Spec, host: str | None) -> nova.Reply:
    id = uuid_of("created", spec.name, str(stand_in.now), str(stand_in.next_number()))  # noqa: A001 -- Nova's own word
    return stand_in.ask(nova.CreateServer(id, spec, host, call.by))


def flavor_asked(call: Call) -> Flavor | None:
    return flavor_of((text(call.member("server", "flavorRef")) or "").rpartition("/")[2])


def place_asked(call: Call) -> tuple[str | None, str | None]:
    """Read zone and host. `zone:host` names a host in every microversion, `host` from 2.74."""
    zone, _, forced = (text(call.member("server", "availability_zone")) or "").partition(":")
    host = text(call.member("server", "host")) if call.version >= (2, 74) else None
    return zone or None, forced or host


def group_asked(stand_in: "StandIn", call: Call) -> str | None:
    hint = call.member("os:scheduler_hints", "group")
    groups = {each.spec.group for each in stand_in.nova.servers.values()} - {None}
    return next((name for name in groups if name and uuid_of("group", name) == hint), None)


def count_asked(call: Call) -> int:
    count: Json = call.member("server", "min_count")
    return max(1, int(count)) if isinstance(count, int | str) else 1


def created_view(call: Call, body: nova.Body) -> Document:
    assert isinstance(body, nova.Server)
    return {
        "id": body.id,
        "links": links(call, body),
        "OS-DCF:diskConfig": "MANUAL",
        "security_groups": [{"name": "default"}],
        "adminPass": "none",
    }
