"""Nova's API as a table of routes, and what all of its answers have in common."""

from dataclasses import replace
from typing import TYPE_CHECKING

from . import (
    nova_actions,
    nova_catalogue,
    nova_create,
    nova_events,
    nova_migrations,
    nova_places,
    nova_servers,
    nova_services,
)
from .admission import COMPUTE_MAX, COMPUTE_MIN, version_headers, written
from .calls import Call, Document, Row, Said, Saying
from .catalogue import uuid_of

if TYPE_CHECKING:
    from .stand_in import StandIn


def versions(stand_in: "StandIn", call: Call) -> Saying:
    documents = [version_document(call.url, "v2.0"), version_document(call.url, "v2.1")]
    return nova_catalogue.of_catalogue(stand_in, {"versions": documents})


def version(stand_in: "StandIn", call: Call) -> Saying:
    return nova_catalogue.of_catalogue(stand_in, {"version": version_document(call.url, "v2.1")})


def version_document(url: str, id: str) -> Document:  # noqa: A002 -- Nova's own word
    has_microversions = id == "v2.1"
    return {
        "id": id,
        "status": "CURRENT" if has_microversions else "SUPPORTED",
        "version": written(COMPUTE_MAX) if has_microversions else "",
        "min_version": written(COMPUTE_MIN) if has_microversions else "",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{url}/compute/{id}/"}],
    }


def dress(stand_in: "StandIn", call: Call, said: Saying) -> Saying:
    """Add the headers that Nova puts on every answer."""
    if not isinstance(said, Said):
        return said
    request_id = request_id_of(stand_in, call)
    headers = version_headers("compute", written(call.version)) | {
        "X-OpenStack-Nova-API-Version": written(call.version),
        "x-compute-request-id": request_id,
        "x-openstack-request-id": request_id,
    }
    return replace(said, headers=headers | dict(said.headers))


def request_id_of(stand_in: "StandIn", call: Call) -> str:
    """Give the id of this request: the one its instance action has, where it opened one."""
    if call.method != "GET":
        actions = stand_in.nova.actions_of(call.parts.get("id", ""))
        if actions and actions[-1].at == stand_in.now:
            return nova_events.request_id(actions[-1])
    return f"req-{uuid_of('request', str(stand_in.next_number()))}"


_V = "/v2.1"
_SERVER = f"{_V}/servers/{{id}}"

ROWS = (
    Row("GET", "", versions, is_open=True),
    Row("GET", "/", versions, is_open=True),
    Row("GET", _V, version, is_open=True),
    Row("GET", f"{_V}/", version, is_open=True),
    Row("GET", f"{_V}/os-services", nova_services.list_services, is_for_admins=True),
    Row("PUT", f"{_V}/os-services/{{id}}", nova_services.update, is_for_admins=True),
    Row("GET", f"{_V}/servers", nova_servers.list_brief),
    Row("GET", f"{_V}/servers/detail", nova_servers.list_detail),
    Row("POST", f"{_V}/servers", nova_create.create),
    Row("GET", _SERVER, nova_servers.show),
    Row("DELETE", _SERVER, nova_actions.delete),
    Row("POST", f"{_SERVER}/action", nova_actions.act),
    Row("GET", f"{_V}/os-migrations", nova_migrations.list_all, is_for_admins=True),
    Row("GET", f"{_SERVER}/migrations", nova_migrations.list_live, is_for_admins=True),
    Row("DELETE", f"{_SERVER}/migrations/{{number}}", nova_migrations.abort, is_for_admins=True),
    Row("GET", f"{_SERVER}/os-instance-actions", nova_events.list_actions),
    Row("GET", f"{_SERVER}/os-instance-actions/{{request}}", nova_events.show_action),
    Row("GET", f"{_V}/os-hypervisors", nova_places.list_hypervisors, is_for_admins=True),
    Row("GET", f"{_V}/os-hypervisors/detail", nova_places.detail_hypervisors, is_for_admins=True),
    Row("GET", f"{_V}/os-hypervisors/{{id}}", nova_places.show_hypervisor, is_for_admins=True),
    Row("GET", f"{_V}/os-aggregates", nova_places.list_aggregates, is_for_admins=True),
    Row("GET", f"{_V}/os-aggregates/{{id}}", nova_places.show_aggregate, is_for_admins=True),
    Row("GET", f"{_V}/os-availability-zone", nova_places.list_zones),
    Row("GET", f"{_V}/os-availability-zone/detail", nova_places.detail_zones, is_for_admins=True),
    Row("GET", f"{_V}/os-server-groups", nova_catalogue.list_groups),
    Row("GET", f"{_V}/os-server-groups/{{id}}", nova_catalogue.show_group),
    Row("GET", f"{_V}/flavors", nova_catalogue.list_flavors),
    Row("GET", f"{_V}/flavors/detail", nova_catalogue.detail_flavors),
    Row("GET", f"{_V}/flavors/{{id}}", nova_catalogue.show_flavor),
    Row("GET", f"{_V}/flavors/{{id}}/os-extra_specs", nova_catalogue.show_extra_specs),
    Row("GET", f"{_V}/limits", nova_catalogue.limits),
)
