"""/servers/ID/os-instance-actions: who asked what of a server, and what came of it.

The model keeps requests. How one ended stands in the migration record that it opened, or else in
the server: a request that is no longer worked on has ended.
"""

from typing import TYPE_CHECKING

from ninelives.sim import nova

from .calls import Call, Document, Said, Saying, nova_fault
from .catalogue import hex_of, uuid_of
from .instants import iso
from .keystone import project_id
from .nova_said import said

if TYPE_CHECKING:
    from .stand_in import StandIn

EVENTS = {
    "create": "compute__do_build_and_run_instance",
    "evacuate": "compute_rebuild_instance",
    "live-migration": "compute_live_migration",
    "resize": "compute_prep_resize",
    "start": "compute_start_instance",
    "stop": "compute_stop_instance",
    "reboot": "compute_reboot_instance",
    "delete": "compute_terminate_instance",
}
_FAILED = {nova.MigrationStatus.FAILED, nova.MigrationStatus.ERROR}
_UNDER_WAY = {
    nova.MigrationStatus.ACCEPTED,
    nova.MigrationStatus.PRE_MIGRATING,
    nova.MigrationStatus.PREPARING,
    nova.MigrationStatus.RUNNING,
    nova.MigrationStatus.MIGRATING,
}


def list_actions(stand_in: "StandIn", call: Call) -> Saying:
    found = actions_of(stand_in, call)
    if isinstance(found, tuple):
        actions, after_s = found
        rows = [action_view(stand_in, call, each) for each in reversed(actions)]
        return Said(200, {"instanceActions": rows}, after_s=after_s)
    return found


def show_action(stand_in: "StandIn", call: Call) -> Saying:
    found = actions_of(stand_in, call)
    if not isinstance(found, tuple):
        return found
    actions, after_s = found
    for each in actions:
        if request_id(each) == call.parts["request"]:
            events: Document = {"events": [event_view(stand_in, call, each)]}
            shown = {"instanceAction": action_view(stand_in, call, each) | events}
            return Said(200, shown, after_s=after_s)
    return nova_fault(404, f"Action for request_id {call.parts['request']} not found")


def actions_of(stand_in: "StandIn", call: Call) -> tuple[list[nova.Action], float] | Saying:
    reply = stand_in.ask(nova.ListActions(call.parts["id"]))
    if not isinstance(reply, nova.Answer):
        return said(reply)
    assert isinstance(reply.body, tuple)
    return [each for each in reply.body if isinstance(each, nova.Action)], reply.after_s


def request_id(action: nova.Action) -> str:
    return f"req-{uuid_of('request', action.server, action.request_id)}"


def action_view(stand_in: "StandIn", call: Call, action: nova.Action) -> Document:
    server = stand_in.nova.servers[action.server]
    shown: Document = {
        "action": action.name,
        "instance_uuid": action.server,
        "request_id": request_id(action),
        "user_id": hex_of("user", action.user),
        "project_id": project_id(server.spec.project),
        "start_time": iso(action.at, "plain"),
        "message": "Error" if result(stand_in, action) == "Error" else None,
    }
    if call.version >= (2, 58):
        ended = ended_at(stand_in, action)
        shown["updated_at"] = iso(action.at if ended is None else ended, "plain")
    return shown


def event_view(stand_in: "StandIn", call: Call, action: nova.Action) -> Document:
    ended, record = ended_at(stand_in, action), record_of(stand_in, action)
    server = stand_in.nova.servers[action.server]
    shown: Document = {
        "event": EVENTS.get(action.name, f"compute_{action.name}_instance"),
        "start_time": iso(action.at, "plain"),
        "finish_time": None if ended is None else iso(ended, "plain"),
        "result": result(stand_in, action),
        "traceback": None,
    }
    if call.version >= (2, 51) and shown["result"] == "Error":
        shown["traceback"] = server.fault
    if call.version >= (2, 62):
        shown["host"] = server.host if record is None else record.dest
        shown["hostId"] = hex_of("host", server.spec.project, str(shown["host"]))
    if call.version >= (2, 84):
        shown["details"] = server.fault if shown["result"] == "Error" else None
    return shown


def record_of(stand_in: "StandIn", action: nova.Action) -> nova.Migration | None:
    """Find the migration record that this request opened: it did so at the same instant."""
    return next(
        (
            each
            for each in stand_in.nova.migrations.values()
            if each.server == action.server and each.created == action.at
        ),
        None,
    )


def result(stand_in: "StandIn", action: nova.Action) -> str | None:
    record = record_of(stand_in, action)
    if record is not None:
        ended = None if record.status in _UNDER_WAY else "Success"
        return "Error" if record.status in _FAILED else ended
    server = stand_in.nova.servers[action.server]
    return "Success" if server.task_state is None or server.is_deleted else None


def ended_at(stand_in: "StandIn", action: nova.Action) -> float | None:
    if result(stand_in, action) is None:
        return None
    record = record_of(stand_in, action)
    if record is not None:
        return record.updated
    return max(action.at, stand_in.nova.servers[action.server].updated)
