"""The conductor: takes what the API accepted, asks the scheduler, and casts to the compute that
shall do it.
"""

from dataclasses import replace
from typing import TypeAlias

from . import scheduler
from .records import HostName, MigrationKind, MigrationStatus, Server, VmState
from .state import (
    CONTROL_PLANE,
    State,
    cast,
    claim_allocation,
    consumer_of,
    is_up,
    push,
    put_allocation,
    put_migration,
    put_server,
    set_status,
)
from .work import ColdMove, LiveMove, Rebuild, ScheduleBuild, ScheduleEvacuation, ScheduleMove, Step

Schedule: TypeAlias = ScheduleEvacuation | ScheduleMove | ScheduleBuild


def accept(state: State, work: Schedule) -> None:
    """Queue the work behind what the one conductor already has."""
    gap_s = state.timings.evacuation_gap_s if isinstance(work, ScheduleEvacuation) else 0.0
    ready = max(
        state.now + state.timings.schedule_s + state.faults.conductor_delay_s,
        state.conductor_free_at,
    )
    state.conductor_free_at = ready + gap_s
    push(state, ready, Step(work, None, CONTROL_PLANE))


def schedule_evacuation(state: State, work: ScheduleEvacuation) -> None:
    """Find the destination (conductor/manager.py, rebuild_instance)."""
    server = state.servers[work.server]
    if server.is_deleted:
        set_status(state, work.migration, MigrationStatus.ERROR)
        return
    # The source is where the API saw the server, not where a faster twin has brought it since.
    if work.is_forced:
        host = _forced(state, work, server)
    else:
        host = _chosen(state, server, work.source, work.host)
    if host is None:
        targeted = work.host is not None
        _refuse_evacuation(state, work, scheduler.NOT_THIS if targeted else scheduler.NOT_ENOUGH)
        return
    claim_allocation(state, server, host)
    record = state.migrations.get(work.migration)
    if record is not None and record.dest != host:
        put_migration(state, replace(record, dest=host, updated=state.now))
    stops = work.microversion >= (2, 95)
    shared = work.on_shared_storage
    cast(state, Rebuild(work.migration, work.server, host, stops, shared, work.by), host)


def schedule_move(state: State, work: ScheduleMove) -> None:
    """Find the destination of a live migration or a resize, and move the allocation of the source
    to the record.
    """
    record = state.migrations.get(work.migration)
    if record is None:
        return
    server = state.servers[record.server]
    host = None if server.is_deleted else _chosen(state, server, record.source, work.host)
    if host is None or not is_up(state, record.source, state.now):
        set_status(state, record.id, MigrationStatus.ERROR)
        if not server.is_deleted:
            put_server(state, replace(server, task_state=None))
        return
    put_allocation(state, consumer_of(record.id), server, (record.source,))
    put_allocation(state, server.id, server, (host,))
    live = record.kind is MigrationKind.LIVE
    status = MigrationStatus.PREPARING if live else MigrationStatus.MIGRATING
    put_migration(state, replace(record, dest=host, status=status, updated=state.now))
    cast(state, LiveMove(record.id) if live else ColdMove(record.id), record.source)


def _chosen(
    state: State, server: Server, source: HostName, only: HostName | None
) -> HostName | None:
    return next(iter(scheduler.candidates(state, server, source, only)), None)


def _forced(state: State, work: ScheduleEvacuation, server: Server) -> HostName | None:
    """`force` skips the filters: a disabled host takes it, a full one does not."""
    if work.host is None or state.faults.is_placement_refusing:
        return None
    return work.host if scheduler.has_room(state, server, work.host) else None


def _refuse_evacuation(state: State, work: ScheduleEvacuation, message: str) -> None:
    server = state.servers[work.server]
    set_status(state, work.migration, MigrationStatus.ERROR)
    put_server(state, replace(server, vm_state=VmState.ERROR, task_state=None, fault=message))
