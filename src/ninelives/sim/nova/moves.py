"""Live migration and resize: the moves that a healthy source takes part in.

live:   preparing ─▶ running ─▶ (switched over, host still the source) ─▶ completed
resize: migrating ─▶ finished, VERIFY_RESIZE on the destination ─▶ confirmed
                                                                  └▶ reverted
"""

from dataclasses import replace

from .effects import (
    AbortDomainMigration,
    DestroyDomain,
    MigrateDomain,
    SpawnDomain,
    StartDomain,
    StopDomain,
)
from .records import Migration, MigrationId, MigrationStatus, Server, TaskState, VmState
from .state import (
    State,
    ask,
    cast,
    consumer_of,
    emit,
    go_on,
    put_allocation,
    put_server,
    set_status,
)
from .work import AbortMove, ColdMove, LiveMove, MoveStage, Revert


def advance_live(state: State, work: LiveMove) -> None:
    """Run on the source, which must live until the end: after the switch-over only it can say that
    it happened.
    """
    found = _open(state, work.migration)
    if found is None:
        return
    record, server = found
    match work.stage:
        case MoveStage.PREPARE:
            go_on(
                state,
                replace(work, stage=MoveStage.RUN),
                record.source,
                state.timings.live_prepare_s,
            )
        case MoveStage.RUN if not _can_receive(state, record):
            _take_back(state, record, server, MigrationStatus.ERROR)
        case MoveStage.RUN:
            set_status(state, record.id, MigrationStatus.RUNNING)
            number = ask(state, work, record.source)
            assert record.dest is not None
            emit(state, MigrateDomain(record.source, record.dest, record.server, number))
        case MoveStage.ANSWERED if work.error is not None:
            _take_back(
                state,
                record,
                server,
                MigrationStatus.CANCELLED if work.is_aborted else MigrationStatus.ERROR,
            )
        case MoveStage.ANSWERED:
            go_on(
                state,
                replace(work, stage=MoveStage.FINISH),
                record.source,
                state.timings.live_finish_s,
            )
        case _:
            put_server(state, replace(server, host=record.dest, task_state=None))
            put_allocation(state, consumer_of(record.id), server, ())
            set_status(state, record.id, MigrationStatus.COMPLETED)


def abort_live(state: State, work: AbortMove) -> None:
    for number, step in state.waiting.items():
        match step.work:
            case LiveMove(migration=id) if id == work.migration and step.host is not None:
                record = state.migrations[id]
                emit(state, AbortDomainMigration(record.source, record.server, number))
            case _:
                pass


def advance_cold(state: State, work: ColdMove) -> None:
    """Stop on the source, then define on the destination; the disks of the source stay until it is
    confirmed.
    """
    found = _open(state, work.migration)
    if found is None:
        return
    record, server = found
    assert record.dest is not None
    match work.stage:
        case MoveStage.PREPARE:
            go_on(state, replace(work, stage=MoveStage.RUN), record.source, state.timings.resize_s)
        case MoveStage.RUN:
            emit(state, StopDomain(record.source, record.server))
            put_server(state, replace(server, host=record.dest))
            number = ask(state, work, record.dest)
            anew, by = False, record.user
            emit(state, SpawnDomain(record.dest, record.server, anew, number, by))
        case _ if work.error is not None:
            set_status(state, record.id, MigrationStatus.ERROR)
            put_server(
                state, replace(server, vm_state=VmState.ERROR, task_state=None, fault=work.error)
            )
        case _:
            set_status(state, record.id, MigrationStatus.FINISHED)
            put_server(state, replace(server, vm_state=VmState.RESIZED, task_state=None))


def confirm_resize(state: State, record: Migration, server: Server) -> None:
    emit(
        state,
        DestroyDomain(record.source, server.id, with_disks=True, spare_if_shared_with=record.dest),
    )
    put_allocation(state, consumer_of(record.id), server, ())
    put_server(state, replace(server, vm_state=VmState.ACTIVE))
    set_status(state, record.id, MigrationStatus.CONFIRMED)


def advance_revert(state: State, work: Revert) -> None:
    """End it on the destination, then start it on the source; each half waits for its compute."""
    record = state.migrations.get(work.migration)
    if record is None or record.dest is None:
        return
    server = state.servers[record.server]
    if server.is_deleted or server.task_state is not TaskState.RESIZE_REVERTING:
        return
    match work.stage:
        case MoveStage.PREPARE:
            emit(state, DestroyDomain(record.dest, server.id, with_disks=False))
            put_server(state, replace(server, host=record.source))
            cast(state, replace(work, stage=MoveStage.RUN), record.source)
        case MoveStage.RUN:
            number = ask(state, work, record.source)
            emit(state, StartDomain(record.source, server.id, number, record.user))
        case _ if work.error is not None:
            put_server(
                state, replace(server, vm_state=VmState.ERROR, task_state=None, fault=work.error)
            )
        case _:
            put_allocation(state, consumer_of(record.id), server, ())
            put_allocation(state, server.id, server, (record.source,))
            set_status(state, record.id, MigrationStatus.REVERTED)
            put_server(state, replace(server, vm_state=VmState.ACTIVE, task_state=None))


def _open(state: State, id: MigrationId) -> tuple[Migration, Server] | None:  # noqa: A002 -- the record's own word
    record = state.migrations.get(id)
    if record is None or record.is_deleted:
        return None
    server = state.servers[record.server]
    tasks = {TaskState.MIGRATING, TaskState.RESIZE_MIGRATING}
    return None if server.is_deleted or server.task_state not in tasks else (record, server)


def _can_receive(state: State, record: Migration) -> bool:
    """The pre-check is an RPC call: a destination that does not answer ends the migration."""
    process = None if record.dest is None else state.processes[record.dest]
    return process is not None and process.is_ready and not process.is_hung


def _take_back(state: State, record: Migration, server: Server, status: MigrationStatus) -> None:
    put_allocation(state, consumer_of(record.id), server, ())
    put_allocation(state, server.id, server, (record.source,))
    set_status(state, record.id, status)
    put_server(state, replace(server, task_state=None))
