"""A Redfish BMC per host: reads its power, resets it, and misbehaves as it is told to."""

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from ninelives.core.model import Power

from .calls import Call, Document, HangUp, Row, Said, Saying, text
from .catalogue import PASSWORD, uuid_of

if TYPE_CHECKING:
    from .machines import Bmc
    from .stand_in import StandIn

USER = "admin"
ROOT = "/redfish/v1"
RESETS = (
    *("On", "ForceOn", "ForceOff", "GracefulShutdown"),
    *("ForceRestart", "GracefulRestart", "PowerCycle", "Nmi"),
)
WORDS = {Power.ON: "On", Power.OFF: "Off"}


def admit(stand_in: "StandIn", call: Call, row: Row) -> Call | Saying:
    bmc = stand_in.bmcs[call.host]
    if bmc.is_silent:
        return HangUp()
    if bmc.is_failing:
        return error(500, "InternalError", "The BMC is not well.")
    if not row.is_open and (bmc.is_locked or not knows_password(call)):
        return error(401, "NoValidSession", "There is no valid session established.")
    return call


def knows_password(call: Call) -> bool:
    expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    return call.headers.get("authorization", "") == f"Basic {expected}"


def service_root(stand_in: "StandIn", call: Call) -> Saying:
    body: Document = {
        "@odata.id": ROOT,
        "@odata.type": "#ServiceRoot.v1_5_0.ServiceRoot",
        "Id": "RootService",
        "Name": f"BMC of {call.host}",
        "RedfishVersion": "1.6.0",
        "UUID": uuid_of("bmc", call.host),
        "Systems": {"@odata.id": f"{ROOT}/Systems"},
    }
    return answered(stand_in, call, 200, body)


def list_systems(stand_in: "StandIn", call: Call) -> Saying:
    members = [{"@odata.id": f"{ROOT}/Systems/{name}"} for name in systems(stand_in, call)]
    body: Document = {
        "@odata.id": f"{ROOT}/Systems",
        "@odata.type": "#ComputerSystemCollection.ComputerSystemCollection",
        "Name": "Computer System Collection",
        "Members@odata.count": len(members),
        "Members": members,
    }
    return answered(stand_in, call, 200, body)


def systems(stand_in: "StandIn", call: Call) -> tuple[str, ...]:
    return (*stand_in.bmcs[call.host].systems, call.host)


def show_system(stand_in: "StandIn", call: Call) -> Saying:
    name = call.parts["system"]
    if name not in systems(stand_in, call):
        return missing(call)
    return answered(stand_in, call, 200, system_view(name, power_state(stand_in, call, name)))


def power_state(stand_in: "StandIn", call: Call, name: str) -> str:
    stand_in.advance()
    bmc = stand_in.bmcs[call.host]
    claim = bmc.says or bmc.claimed
    if claim is not None:
        return WORDS[claim]
    target = bmc.leads_to if name == call.host else name
    if target in stand_in.powering_off:
        return "PoweringOff"
    return "On" if stand_in.machines[target].is_on else "Off"


def system_view(name: str, power: str) -> Document:
    path = f"{ROOT}/Systems/{name}"
    reset: Document = {
        "target": f"{path}/Actions/ComputerSystem.Reset",
        "ResetType@Redfish.AllowableValues": list(RESETS),
    }
    return {
        "@odata.id": path,
        "@odata.type": "#ComputerSystem.v1_10_0.ComputerSystem",
        "Id": name,
        "Name": name,
        "HostName": name,
        "UUID": uuid_of("system", name),
        "SerialNumber": f"SN-{name}",
        "SystemType": "Physical",
        "PowerState": power,
        "Status": {"State": "Enabled", "Health": "OK"},
        "Actions": {"#ComputerSystem.Reset": reset},
    }


def reset(stand_in: "StandIn", call: Call) -> Saying:
    name, kind = call.parts["system"], text(call.member("ResetType"))
    bmc = stand_in.bmcs[call.host]
    if name not in systems(stand_in, call):
        return missing(call)
    if kind not in RESETS:
        message = f"The value {kind} for the parameter ResetType is not supported."
        return error(400, "ActionParameterNotSupported", message)
    target = bmc.leads_to if name == call.host else name
    is_off = kind in {"ForceOff", "GracefulShutdown"}
    if is_off and bmc.refuses is not None and not stand_in.machines[target].is_on:
        message = "The requested resource is in a state that does not allow it."
        return error(bmc.refuses, "ResourceInUse", message)
    if bmc.is_stuck or bmc.lies:
        claim_it_is_done(stand_in, call.host, bmc, kind)
    elif bmc.late_s:
        stand_in.switch_late(target, kind, bmc.late_s)
    else:
        stand_in.switch(target, kind)
    return answered(stand_in, call, 204, None)


def claim_it_is_done(stand_in: "StandIn", host: str, bmc: "Bmc", kind: str) -> None:
    if bmc.lies:
        claimed = Power.OFF if kind in {"ForceOff", "GracefulShutdown"} else Power.ON
        stand_in.bmcs[host] = replace(bmc, claimed=claimed)


def answered(stand_in: "StandIn", call: Call, status: int, body: Document | None) -> Saying:
    slow_s = stand_in.bmcs[call.host].slow_s
    return Said(status, body, {"OData-Version": "4.0"}, after_s=slow_s)


def missing(call: Call) -> Said:
    return error(404, "ResourceMissingAtURI", f"The resource at the URI {call.path} was not found.")


def error(status: int, code: str, message: str) -> Said:
    return Said(status, {"error": {"code": f"Base.1.8.{code}", "message": message}})


_SYSTEM = f"{ROOT}/Systems/{{system}}"

ROWS = (
    Row("GET", ROOT, service_root, is_open=True),
    Row("GET", f"{ROOT}/", service_root, is_open=True),
    Row("GET", f"{ROOT}/Systems", list_systems),
    Row("GET", f"{ROOT}/Systems/", list_systems),
    Row("GET", _SYSTEM, show_system),
    Row("GET", f"{_SYSTEM}/", show_system),
    Row("POST", f"{_SYSTEM}/Actions/ComputerSystem.Reset", reset),
    Row("POST", f"{_SYSTEM}/Actions/ComputerSystem.Reset/", reset),
)
