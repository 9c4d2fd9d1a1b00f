"""/servers: lists with their filters and pages, and one server."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ninelives.sim import nova

from .calls import Call, Document, Said, Saying, boolean, nova_fault
from .instants import seconds
from .keystone import project_id
from .nova_said import page, said
from .nova_views import brief_view, server_view

if TYPE_CHECKING:
    from .stand_in import StandIn


def list_brief(stand_in: "StandIn", call: Call) -> Saying:
    return listed(stand_in, call, is_detailed=False)


def list_detail(stand_in: "StandIn", call: Call) -> Saying:
    return listed(stand_in, call, is_detailed=True)


def listed(stand_in: "StandIn", call: Call, *, is_detailed: bool) -> Saying:
    since = changes_since(call)
    if isinstance(since, Said):
        return since
    host = call.first("host") if call.by.is_admin else None
    reply = stand_in.ask(nova.ListServers(host, since))
    if not isinstance(reply, nova.Answer):
        return said(reply)
    assert isinstance(reply.body, tuple)
    servers = (each for each in reply.body if isinstance(each, nova.Server))
    match page(call, sorted_as_asked(call, wanted(call, servers)), lambda it: it.id, "servers"):
        case Said() as refused:
            return refused
        case cut, links:
            view = server_view if is_detailed else brief_view
            shown: Document = {"servers": [view(stand_in, each, call) for each in cut]}
            return Said(200, shown | links, after_s=reply.after_s)


def changes_since(call: Call) -> float | Said | None:
    asked = call.first("changes-since")
    if asked is None:
        return None
    since = seconds(asked)
    return nova_fault(400, "Invalid changes-since value") if since is None else since


def wanted(call: Call, servers: Iterable[nova.Server]) -> list[nova.Server]:
    """Filter as Nova does: only the caller's own project unless an admin asks for all."""
    is_everybodys = call.by.is_admin and (
        boolean(call.first("all_tenants") or "0") is not False
        or call.first("project_id") is not None
        or call.first("tenant_id") is not None
    )
    return [
        each
        for each in servers
        if (is_everybodys or each.spec.project == call.project) and passes(call, each)
    ]


def passes(call: Call, server: nova.Server) -> bool:
    project = call.first("project_id") or call.first("tenant_id")
    if project is not None and project_id(server.spec.project) != project:
        return False
    statuses = [each.upper() for each in call.all("status")]
    if statuses and server.status not in statuses:
        return False
    name = call.first("name")
    if name is not None and not re.search(name, server.spec.name):
        return False
    task = call.first("task_state")
    ids = call.all("uuid")
    states = call.all("vm_state")
    return (
        (not ids or server.id in ids)
        and (not states or server.vm_state.value in states)
        and (task is None or str(server.task_state or "") == task)
    )


def sorted_as_asked(call: Call, servers: list[nova.Server]) -> Sequence[nova.Server]:
    """Newest first, as Nova lists; `sort_key` and `sort_dir` change it."""
    name = call.first("sort_key") or "created_at"

    def rank(server: nova.Server) -> tuple[float | str, str]:
        match name:
            case "updated_at":
                return server.updated, server.id
            case "display_name":
                return server.spec.name, server.id
            case "host":
                return server.host or "", server.id
            case "uuid":
                return server.id, server.id
            case _:
                return server.created, server.id

    return sorted(servers, key=rank, reverse=(call.first("sort_dir") or "desc") == "desc")


def show(stand_in: "StandIn", call: Call) -> Saying:
    reply = stand_in.ask(nova.ShowServer(call.parts["id"]))
    if not isinstance(reply, nova.Answer):
        return said(reply)
    server = reply.body
    assert isinstance(server, nova.Server)
    if not call.by.is_admin and server.spec.project != call.project:
        return nova_fault(404, f"Instance {server.id} could not be found.")
    return Said(200, {"server": server_view(stand_in, server, call)}, after_s=reply.after_s)
