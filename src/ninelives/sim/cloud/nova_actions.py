"""POST /servers/ID/action, and DELETE: what is asked of a server, in the words of the model."""

from typing import TYPE_CHECKING

from ninelives.sim import nova

from .calls import Call, Document, Json, Said, Saying, boolean, nova_fault, text
from .nova_said import said

if TYPE_CHECKING:
    from .stand_in import StandIn

SIMPLE = {
    "os-start": nova.Verb.START,
    "os-stop": nova.Verb.STOP,
    "pause": nova.Verb.PAUSE,
    "unpause": nova.Verb.UNPAUSE,
    "suspend": nova.Verb.SUSPEND,
    "resume": nova.Verb.RESUME,
    "rescue": nova.Verb.RESCUE,
    "unrescue": nova.Verb.UNRESCUE,
    "shelve": nova.Verb.SHELVE,
}
FOR_ADMINS = {"evacuate", "os-migrateLive", "os-resetState", "migrate"}


def act(stand_in: "StandIn", call: Call) -> Saying:
    if not isinstance(call.body, dict) or len(call.body) != 1:
        return nova_fault(400, "There is no such action: None")
    [(name, arguments)] = call.body.items()
    if name in FOR_ADMINS and not call.by.is_admin:
        return nova_fault(403, f"Policy doesn't allow {name} to be performed.")
    asked = requested(call, name, arguments)
    if isinstance(asked, Said):
        return asked
    # Before 2.14 an evacuation is answered with the new password of the server.
    has_password = name == "evacuate" and call.version < (2, 14)
    return said(stand_in.ask(asked), password_view if has_password else None)


def password_view(_: nova.Body) -> Document:
    return {"adminPass": "none"}


def requested(call: Call, name: str, arguments: Json) -> nova.Request | Said:
    server, by = call.parts["id"], call.by
    if name in SIMPLE:
        return nova.ActOn(server, SIMPLE[name], by)
    match name, arguments:
        case "evacuate", dict():
            return evacuation(call, arguments)
        case "os-migrateLive", dict():
            return nova.LiveMigrate(server, text(arguments.get("host")), by)
        case "reboot", {"type": str(kind)} if kind.upper() in {"SOFT", "HARD"}:
            hard = kind.upper() == "HARD"
            return nova.ActOn(server, nova.Verb.HARD_REBOOT if hard else nova.Verb.REBOOT, by)
        case "os-resetState", {"state": "active" | "error" as state}:
            return nova.ResetState(server, nova.VmState(state), by)
        case "lock", _:
            reason = arguments.get("locked_reason") if isinstance(arguments, dict) else None
            return nova.Lock(server, locked=True, by=by, reason=text(reason))
        case "unlock", _:
            return nova.Lock(server, locked=False, by=by)
        case "confirmResize", _:
            return nova.ConfirmResize(server, by)
        case "revertResize", _:
            return nova.RevertResize(server, by)
        case "migrate", _:
            host = arguments.get("host") if isinstance(arguments, dict) else None
            return nova.Resize(server, text(host), by)
        case "resize", dict():
            return nova.Resize(server, None, by)
        case "os-resetState" | "reboot" | "evacuate" | "os-migrateLive" | "resize", _:
            return nova_fault(400, f"Invalid input for field/attribute {name}. Value: {arguments}.")
        case _:
            return nova_fault(400, f"There is no such action: {name}")


def evacuation(call: Call, arguments: dict[str, Json]) -> nova.Request | Said:
    """Read an evacuate request. What the microversion makes of it is the model's business."""
    known = {"host", "adminPass", "onSharedStorage", "force"}
    for unknown in arguments.keys() - known:
        message = f"Additional properties are not allowed ({unknown!r} was unexpected)"
        return nova_fault(
            400, f"Invalid input for field/attribute evacuate. Value: {arguments}. {message}"
        )
    return nova.Evacuate(
        call.parts["id"],
        text(arguments.get("host")),
        call.version,
        boolean(arguments.get("force")),
        boolean(arguments.get("onSharedStorage")),
        call.by,
    )


def delete(stand_in: "StandIn", call: Call) -> Saying:
    return said(stand_in.ask(nova.DeleteServer(call.parts["id"], call.by)))
