"""The API on services and on moves: force down, disable, evacuate, live-migrate, resize."""

from dataclasses import replace

from .api_servers import find, in_state, in_task, locked_for
from .records import (
    HostName,
    Migration,
    MigrationId,
    MigrationKind,
    MigrationStatus,
    Server,
    TaskState,
    VmState,
)
from .requests import (
    AbortLiveMigration,
    Answer,
    Caller,
    Evacuate,
    Fault,
    LiveMigrate,
    Reply,
    Resize,
    UpdateService,
)
from .state import (
    State,
    add_action,
    cast,
    is_up,
    next_number,
    put_migration,
    put_server,
    put_service,
    service_view,
)
from .work import AbortMove, ScheduleEvacuation, ScheduleMove

_EVACUABLE = {VmState.ACTIVE, VmState.STOPPED, VmState.ERROR}


def list_services(state: State) -> Reply:
    if state.faults.is_service_list_stale:
        return Answer(200, state.stale_services)
    return Answer(200, tuple(service_view(state, host, state.now) for host in state.hosts))


def update_service(state: State, asked: UpdateService) -> Reply:
    service = state.services.get(asked.host)
    if service is None:
        return Fault(404, f"Compute host {asked.host} not found.")
    if (
        asked.forced_down is False
        and service.is_forced_down
        and _has_done_records(state, asked.host)
    ):
        return Fault(400, _cannot_force_up(asked.host))
    after_s = 0.0
    if asked.disabled is not None and asked.disabled != service.is_disabled:
        after_s = _tell_compute(state, asked.host)
        service = replace(service, is_disabled=asked.disabled)
        if _hears(state, asked.host):
            service = replace(service, has_disabled_trait=asked.disabled)
    if asked.disabled is not None:
        service = replace(service, disabled_reason=asked.reason if asked.disabled else None)
    if asked.forced_down is not None:
        service = replace(service, is_forced_down=asked.forced_down)
    put_service(state, service)
    return Answer(200, service_view(state, asked.host, state.now), after_s)


def _has_done_records(state: State, host: HostName) -> bool:
    return any(
        record.source == host
        and record.kind is MigrationKind.EVACUATION
        and record.status is MigrationStatus.DONE
        and not record.is_deleted
        for record in state.migrations.values()
    )


def _cannot_force_up(host: HostName) -> str:
    return (
        f"Unable to force up host {host} as `done` evacuation migration records remain associated "
        "with the host. Ensure the compute service has been restarted, allowing these records to "
        "move to `completed` before retrying this request."
    )


def _tell_compute(state: State, host: HostName) -> float:
    """Disabling calls the compute to set its trait, as long as the service counts as up.

    A dead one is waited for until the RPC times out: so whoever disables before it forces down
    waits a minute.
    """
    waits = is_up(state, host, state.now) and not _hears(state, host)
    return state.timings.rpc_timeout_s if waits else 0.0


def _hears(state: State, host: HostName) -> bool:
    process = state.processes[host]
    return process.is_ready and not process.is_hung and not state.faults.is_bus_down


# Evacuation


def evacuate(state: State, asked: Evacuate) -> Reply:
    """Accept an evacuation. The order of the checks is Nova's, and with it which message a bad
    request gets.
    """
    server = find(state, asked.server)
    if isinstance(server, Fault):
        return server
    refused = (
        _bad_schema(asked) or _bad_target(state, asked, server) or _not_evacuable(state, server)
    )
    if refused is not None:
        return refused
    assert server.host is not None
    # Nova saves with `expected_task_state=None`, which means "do not check": a second evacuation
    # passes.
    put_server(state, replace(server, task_state=TaskState.REBUILDING))
    add_action(state, server.id, "evacuate", asked.by.user)
    record = _open_record(
        state, server, MigrationKind.EVACUATION, server.host, asked.host, asked.by
    )
    work = ScheduleEvacuation(
        record,
        server.id,
        server.host,
        asked.host,
        asked.microversion,
        # Before 2.29 there is no `force`, and a host that is named skips the scheduler.
        is_forced=asked.host is not None and (bool(asked.force) or asked.microversion < (2, 29)),
        on_shared_storage=asked.on_shared_storage,
        by=asked.by.user,
    )
    cast(state, work, None)
    return Answer(200)


def _bad_schema(asked: Evacuate) -> Fault | None:
    version = asked.microversion
    if version < (2, 14) and asked.on_shared_storage is None:
        return Fault(400, "'onSharedStorage' is a required property")
    if version >= (2, 14) and asked.on_shared_storage is not None:
        return _unexpected("onSharedStorage")
    if asked.force is not None and not (2, 29) <= version < (2, 68):
        return _unexpected("force")
    if asked.force and asked.host is None:
        return Fault(400, "Can't force to a non-provided destination")
    return None


def _unexpected(name: str) -> Fault:
    return Fault(400, f"Additional properties are not allowed ('{name}' was unexpected)")


def _bad_target(state: State, asked: Evacuate, server: Server) -> Fault | None:
    if asked.host is not None and asked.host not in state.hosts:
        return Fault(404, f"Compute host {asked.host} not found.")
    # A server without a host and a request without one are "the same" too: hence the odd answer for
    # shelved servers.
    if asked.host == server.host:
        return Fault(400, "The target host can't be the same one.")
    return None


def _not_evacuable(state: State, server: Server) -> Fault | None:
    if server.spec.has_vtpm:
        message = f"Operation 'evacuate' not supported for vTPM-enabled instance ({server.id})."
        return Fault(409, message)
    if server.vm_state not in _EVACUABLE:
        return in_state(server, "evacuate")
    if server.host is None or is_up(state, server.host, state.now):
        return Fault(400, f"Compute service of {server.host} is still in use.")
    return None


# The moves of a healthy host


def live_migrate(state: State, asked: LiveMigrate) -> Reply:
    allowed = {VmState.ACTIVE, VmState.PAUSED}
    server = _movable(state, asked.server, asked.host, asked.by, allowed, "os-migrateLive")
    if isinstance(server, Fault):
        return server
    _move(state, server, MigrationKind.LIVE, asked.host, asked.by)
    add_action(state, server.id, "live-migration", asked.by.user)
    return Answer(202)


def resize(state: State, asked: Resize) -> Reply:
    allowed = {VmState.ACTIVE, VmState.STOPPED}
    server = _movable(state, asked.server, asked.host, asked.by, allowed, "resize")
    if isinstance(server, Fault):
        return server
    assert server.host is not None
    if not is_up(state, server.host, state.now):
        return Fault(503, "Service is unavailable at this time.")
    _move(state, server, MigrationKind.RESIZE, asked.host, asked.by)
    add_action(state, server.id, "resize", asked.by.user)
    return Answer(202)


def abort_live_migration(state: State, asked: AbortLiveMigration) -> Reply:
    server = find(state, asked.server)
    if isinstance(server, Fault):
        return server
    record = state.migrations.get(asked.migration)
    if record is None or record.server != server.id:
        return Fault(404, f"Migration {asked.migration} not found for instance {server.id}")
    if record.status is not MigrationStatus.RUNNING:
        message = f"Migration {record.id} state of instance {server.id} is {record.status}."
        hint = "Cannot abort_live_migration while the migration is in this state."
        return Fault(400, f"{message} {hint}")
    add_action(state, server.id, "live_migration_cancel", asked.by.user)
    cast(state, AbortMove(record.id), record.source)
    return Answer(202)


def _movable(
    state: State,
    id: str,  # noqa: A002 -- the record's own word
    host: HostName | None,
    by: Caller,
    allowed: set[VmState],
    verb: str,
) -> Server | Fault:
    server = find(state, id)
    if isinstance(server, Fault):
        return server
    if host is not None and host not in state.hosts:
        return Fault(400, f"Compute host {host} could not be found.")
    locked = locked_for(server, by)
    if locked is not None:
        return locked
    if server.vm_state not in allowed:
        return in_state(server, verb)
    return server if server.task_state is None else in_task(server, verb)


def _move(
    state: State, server: Server, kind: MigrationKind, host: HostName | None, by: Caller
) -> None:
    task = TaskState.MIGRATING if kind is MigrationKind.LIVE else TaskState.RESIZE_MIGRATING
    put_server(state, replace(server, task_state=task))
    assert server.host is not None
    record = _open_record(state, server, kind, server.host, host, by)
    cast(state, ScheduleMove(record, host), None)


def _open_record(
    state: State,
    server: Server,
    kind: MigrationKind,
    source: HostName,
    dest: HostName | None,
    by: Caller,
) -> MigrationId:
    number = next_number(state)
    now = state.now
    put_migration(
        state,
        Migration(
            number,
            server.id,
            kind,
            source,
            dest,
            MigrationStatus.ACCEPTED,
            created=now,
            updated=now,
            user=by.user,
        ),
    )
    return number
