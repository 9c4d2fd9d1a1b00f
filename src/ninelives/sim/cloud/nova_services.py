"""/os-services: who is up, who is disabled, who is forced down."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ninelives.sim import nova

from .calls import Call, Document, Saying, boolean, nova_fault, text
from .catalogue import uuid_of
from .instants import iso
from .nova_said import said

if TYPE_CHECKING:
    from .stand_in import StandIn

COMPUTE = "nova-compute"


def list_services(stand_in: "StandIn", call: Call) -> Saying:
    def view(body: nova.Body) -> Document:
        assert isinstance(body, tuple)
        computes = [each for each in body if isinstance(each, nova.ServiceView)]
        rows = [*stand_in.nova.control_services(stand_in.now), *computes]
        wanted = [each for each in rows if is_wanted(call, each)]
        return {"services": [service_view(stand_in, call, each) for each in wanted]}

    return said(stand_in.ask(nova.ListServices()), view)


def is_wanted(call: Call, service: nova.ServiceView) -> bool:
    host, binary = call.first("host"), call.first("binary")
    return host in {None, "", service.host} and binary in {None, "", service.binary}


def update(stand_in: "StandIn", call: Call) -> Saying:
    """Change one service. From 2.53 it is named by its UUID, before that by host and binary."""
    if call.version >= (2, 53):
        return update_by_uuid(stand_in, call)
    return update_by_name(stand_in, call)


def update_by_uuid(stand_in: "StandIn", call: Call) -> Saying:
    host = host_of(stand_in, call.parts["id"])
    controls = stand_in.nova.control_services(stand_in.now)
    for each in controls:
        if call.parts["id"] == service_uuid(each.host, each.binary):
            message = f"Updating a {each.binary} service is not supported."
            return nova_fault(400, f"{message} Only nova-compute services can be updated.")
    if host is None:
        return nova_fault(404, f"Service {call.parts['id']} could not be found.")
    body = call.body if isinstance(call.body, dict) else {}
    status, reason = text(body.get("status")), text(body.get("disabled_reason"))
    forced_down = boolean(body.get("forced_down"))
    if not body.keys() & {"status", "forced_down"}:
        return nova_fault(
            400, "No updates were requested. Fields 'status' or 'forced_down' should be specified."
        )
    if "status" in body and status not in {"enabled", "disabled"}:
        return nova_fault(400, f"Invalid input for field/attribute status. Value: {status}.")
    if reason is not None and status != "disabled":
        return nova_fault(400, "Specifying 'disabled_reason' requires that 'status' is 'disabled'.")
    disabled = None if status is None else status == "disabled"
    return change(stand_in, call, nova.UpdateService(host, forced_down, disabled, reason))


def change(stand_in: "StandIn", call: Call, asked: nova.UpdateService) -> Saying:
    def view(body: nova.Body) -> Document:
        assert isinstance(body, nova.ServiceView)
        return {"service": service_view(stand_in, call, body)}

    return said(stand_in.ask(asked), view)


def update_by_name(stand_in: "StandIn", call: Call) -> Saying:
    """Serve the old verbs: PUT /os-services/enable, /disable, /disable-log-reason, /force-down."""
    body: Mapping[str, object] = call.body if isinstance(call.body, dict) else {}
    host, binary, verb = body.get("host"), body.get("binary"), call.parts["id"]
    if not isinstance(host, str) or not isinstance(binary, str):
        return nova_fault(400, "'host' is a required property")
    if binary != COMPUTE or host not in stand_in.nova.hosts:
        return nova_fault(404, f"Could not find binary {binary} on host {host}.")
    shown: Document = {"host": host, "binary": binary}
    match verb:
        case "enable":
            asked, shown = nova.UpdateService(host, disabled=False), shown | {"status": "enabled"}
        case "disable":
            asked, shown = nova.UpdateService(host, disabled=True), shown | {"status": "disabled"}
        case "disable-log-reason":
            reason = str(body.get("disabled_reason"))
            asked = nova.UpdateService(host, disabled=True, reason=reason)
            shown |= {"status": "disabled", "disabled_reason": reason}
        case "force-down" if call.version >= (2, 11):
            forced = bool(body.get("forced_down"))
            asked, shown = nova.UpdateService(host, forced), shown | {"forced_down": forced}
        case _:
            return nova_fault(404, "Unknown action")
    return said(stand_in.ask(asked), lambda _: {"service": shown})


def host_of(stand_in: "StandIn", service_id: str) -> str | None:
    return next((host for host in stand_in.nova.hosts if service_uuid(host) == service_id), None)


def service_uuid(host: str, binary: str = COMPUTE) -> str:
    return uuid_of("service", binary, host)


def service_id(stand_in: "StandIn", call: Call, host: str, binary: str = COMPUTE) -> str | int:
    """Give the id of a service: a UUID from 2.53, before that a number."""
    if call.version >= (2, 53):
        return service_uuid(host, binary)
    names = list(stand_in.nova.hosts)
    return names.index(host) + 3 if host in names else 1 + (binary == "nova-conductor")


def service_view(stand_in: "StandIn", call: Call, service: nova.ServiceView) -> Document:
    host = stand_in.nova.hosts.get(service.host)
    row: Document = {
        "id": service_id(stand_in, call, service.host, service.binary),
        "binary": service.binary,
        "host": service.host,
        "zone": "internal" if host is None else host.az,
        "status": "disabled" if service.is_disabled else "enabled",
        "state": "up" if service.is_up else "down",
        "updated_at": iso(service.last_report, "plain"),
        "disabled_reason": service.disabled_reason,
    }
    return row | {"forced_down": service.is_forced_down} if call.version >= (2, 11) else row
