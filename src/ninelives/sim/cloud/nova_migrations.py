"""/os-migrations and /servers/ID/migrations."""

from typing import TYPE_CHECKING

from ninelives.sim import nova

from .calls import Call, Document, Said, Saying, nova_fault
from .instants import seconds
from .nova_said import page, said
from .nova_views import migration_uuid, migration_view

if TYPE_CHECKING:
    from .stand_in import StandIn


def list_all(stand_in: "StandIn", call: Call) -> Saying:
    """Newest first. Before 2.59 there are no pages."""
    reply = stand_in.ask(nova.ListMigrations(call.first("instance_uuid"), call.first("host")))
    if not isinstance(reply, nova.Answer):
        return said(reply)
    assert isinstance(reply.body, tuple)
    records = [each for each in reply.body if isinstance(each, nova.Migration)]
    found = sorted(
        (each for each in records if passes(call, each)),
        key=lambda it: (it.created, it.id),
        reverse=True,
    )
    cut = (found, Document()) if call.version < (2, 59) else pages(call, found)
    match cut:
        case Said() as refused:
            return refused
        case shown, links:
            rows = [migration_view(stand_in, each, call) for each in shown]
            return Said(200, {"migrations": rows} | links, after_s=reply.after_s)


def pages(
    call: Call, found: list[nova.Migration]
) -> "tuple[list[nova.Migration], Document] | Said":
    match page(call, found, migration_uuid, "migrations"):
        case Said() as refused:
            return refused
        case shown, links:
            return list(shown), links


def passes(call: Call, record: nova.Migration) -> bool:
    since = seconds(call.first("changes-since") or "")
    before = seconds(call.first("changes-before") or "")
    return (
        call.first("status") in {None, str(record.status)}
        and call.first("migration_type") in {None, str(record.kind)}
        and call.first("source_compute") in {None, record.source}
        and (since is None or record.updated >= since)
        and (before is None or record.updated <= before)
    )


def list_live(stand_in: "StandIn", call: Call) -> Saying:
    """Live migrations under way: Nova lists nothing else here."""
    reply = stand_in.ask(nova.ListMigrations(call.parts["id"]))
    if not isinstance(reply, nova.Answer):
        return said(reply)
    assert isinstance(reply.body, tuple)
    rows = [
        live_view(each)
        for each in reply.body
        if isinstance(each, nova.Migration)
        and each.kind is nova.MigrationKind.LIVE
        and each.status in {nova.MigrationStatus.PREPARING, nova.MigrationStatus.RUNNING}
    ]
    return Said(200, {"migrations": rows}, after_s=reply.after_s)


def live_view(record: nova.Migration) -> Document:
    return {
        "id": record.id,
        "uuid": migration_uuid(record),
        "server_uuid": record.server,
        "source_compute": record.source,
        "source_node": record.source,
        "dest_compute": record.dest,
        "dest_node": record.dest,
        "status": str(record.status),
        "memory_total_bytes": 0,
        "memory_processed_bytes": 0,
        "memory_remaining_bytes": 0,
        "disk_total_bytes": 0,
        "disk_processed_bytes": 0,
        "disk_remaining_bytes": 0,
    }


def abort(stand_in: "StandIn", call: Call) -> Saying:
    if call.version < (2, 24):
        return nova_fault(404, "The resource could not be found.")
    number = call.parts["number"]
    if not number.isdigit():
        return nova_fault(404, f"Migration {number} could not be found.")
    asked = nova.AbortLiveMigration(call.parts["id"], int(number), call.by)
    return said(stand_in.ask(asked))
