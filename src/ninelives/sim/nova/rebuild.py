"""The destination's part of an evacuation, step by step (compute/manager.py, rebuild_instance).

    claim ─▶ look ─▶ prepare ─▶ map disks ─▶ spawn ─▶ spawned ─▶ [power off ─▶ stopped] ─▶ finish
    pre-migrating                                     ACTIVE, still on the source          host,
    then done

Each save names the task state it expects. That is the only guard between two evacuations of one
server, and it bites after the second domain was spawned, not before.
"""

from collections.abc import Collection
from dataclasses import replace

from . import scheduler
from .effects import LookForDisk, SpawnDomain, StopDomain
from .records import MigrationStatus, PowerState, Server, ServerId, TaskState, VmState
from .state import State, ask, emit, free_allocation, go_on, put_server, set_status
from .work import Rebuild, Stage


def advance_rebuild(state: State, work: Rebuild) -> None:
    timings = state.timings
    match work.stage:
        case Stage.CLAIM:
            go_on(state, replace(work, stage=Stage.LOOK), work.host, timings.claim_s)
        case Stage.LOOK:
            _claim(state, work)
        case Stage.PREPARE:
            _prepare(state, work)
        case Stage.MAP_DISKS:
            if _task(state, work, TaskState.REBUILDING, TaskState.REBUILD_BLOCK_DEVICE_MAPPING):
                go_on(state, replace(work, stage=Stage.SPAWN), work.host, timings.map_disks_s)
        case Stage.SPAWN:
            _spawn(state, work)
        case Stage.SPAWNING:
            _ask_for_domain(state, work)
        case Stage.SPAWNED:
            _spawned(state, work)
        case Stage.POWER_OFF:
            _power_off(state, work)
        case Stage.STOPPED:
            _stopped(state, work)
        case Stage.FINISH:
            _finish(state, work)


def disk_seen(work: Rebuild, server: Server, on_disk: bool, has_domain: bool) -> Rebuild:
    """What the destination makes of the disk it found. Pure.

    From 2.14 the *destination* decides, and a missing mount silently means: build it anew from the
    image.
    """
    if has_domain:
        return replace(work, stage=Stage.PREPARE, error=f"Instance {server.id} already exists.")
    if work.on_shared_storage is not None and work.on_shared_storage != on_disk:
        error = "Invalid state of instance files on shared storage"
        return replace(work, stage=Stage.PREPARE, error=error)
    anew = not on_disk and not server.spec.is_volume_backed
    return replace(work, stage=Stage.PREPARE, rebuild_image=anew)


def _claim(state: State, work: Rebuild) -> None:
    server = state.servers[work.server]
    set_status(state, work.migration, MigrationStatus.PRE_MIGRATING)
    if server.is_deleted:
        set_status(state, work.migration, MigrationStatus.FAILED)
    elif scheduler.breaks_group(state, server, work.host):
        reason = "Anti-affinity instance group policy was violated."
        message = f"Build of instance {server.id} aborted: {reason}"
        _fail(state, work, message, keeps_vm_state=True)
    else:
        work = replace(work, vm_state=_end_state(server.vm_state, work.stops_at_end))
        emit(state, LookForDisk(work.host, work.server, ask(state, work, work.host)))


def _end_state(vm_state: VmState, stops_at_end: bool) -> VmState:
    # An ERROR server is exempt from 2.95's stop: nobody knows what it was before.
    stops = vm_state is VmState.STOPPED or (stops_at_end and vm_state is not VmState.ERROR)
    return VmState.STOPPED if stops else VmState.ACTIVE


def _prepare(state: State, work: Rebuild) -> None:
    if work.error is not None:
        _fail(state, work, work.error)
    elif _task(state, work, TaskState.REBUILDING, TaskState.REBUILDING):
        go_on(state, replace(work, stage=Stage.MAP_DISKS), work.host, state.timings.prepare_s)


def _spawn(state: State, work: Rebuild) -> None:
    if not _task(state, work, TaskState.REBUILD_BLOCK_DEVICE_MAPPING, TaskState.REBUILD_SPAWNING):
        return
    go_on(state, replace(work, stage=Stage.SPAWNING), work.host, state.timings.spawn_s)


def _ask_for_domain(state: State, work: Rebuild) -> None:
    """The spawn's time is over: ask for the domain, unless a fault says that it came to nothing."""
    error = state.faults.spawn_error(work.host)
    if error is None and work.rebuild_image and state.faults.is_image_service_down:
        error = "Connection to glance host failed."
    if error is not None:
        _fail(state, work, error)
        return
    number = ask(state, work, work.host)
    emit(state, SpawnDomain(work.host, work.server, work.rebuild_image, number, work.by))


def _spawned(state: State, work: Rebuild) -> None:
    """The hypervisor said how the spawn went. The domain runs before the record says so."""
    if work.error is not None:
        _fail(state, work, work.error)
        return
    server = _expect(state, work, {TaskState.REBUILD_SPAWNING})
    if server is None:
        return
    put_server(
        state,
        replace(
            server,
            vm_state=VmState.ACTIVE,
            task_state=None,
            power_state=PowerState.RUNNING,
            fault=None,
        ),
    )
    stage = Stage.POWER_OFF if work.vm_state is VmState.STOPPED else Stage.FINISH
    go_on(state, replace(work, stage=stage), work.host, state.timings.settle_s)


def _power_off(state: State, work: Rebuild) -> None:
    server = state.servers[work.server]
    if server.is_deleted:
        set_status(state, work.migration, MigrationStatus.FAILED)
        return
    # This save expects nothing: it writes over whatever a second request has set.
    put_server(state, replace(server, vm_state=VmState.ACTIVE, task_state=TaskState.POWERING_OFF))
    go_on(state, replace(work, stage=Stage.STOPPED), work.host, state.timings.power_off_s)


def _stopped(state: State, work: Rebuild) -> None:
    emit(state, StopDomain(work.host, work.server))
    server = _expect(state, work, {TaskState.POWERING_OFF})
    if server is None:
        return
    put_server(
        state,
        replace(server, vm_state=VmState.STOPPED, task_state=None, power_state=PowerState.SHUTDOWN),
    )
    go_on(state, replace(work, stage=Stage.FINISH), work.host, state.timings.finish_s)


def _finish(state: State, work: Rebuild) -> None:
    """Only now the server is on its new host. A record that the source completed meanwhile is
    `done` again.
    """
    server = state.servers[work.server]
    if server.is_deleted:
        set_status(state, work.migration, MigrationStatus.FAILED)
        return
    put_server(state, replace(server, host=work.host))
    set_status(state, work.migration, MigrationStatus.DONE)


def _task(state: State, work: Rebuild, expected: TaskState, then: TaskState) -> bool:
    server = _expect(state, work, {expected})
    if server is None:
        return False
    put_server(state, replace(server, task_state=then))
    return True


def _expect(state: State, work: Rebuild, expected: Collection[TaskState]) -> Server | None:
    """The server, if its task state is an expected one. If not, the rebuild has failed, and its
    domain stays.
    """
    server = state.servers[work.server]
    if server.task_state in expected and not server.is_deleted:
        return server
    if server.is_deleted or server.task_state is TaskState.DELETING:
        set_status(state, work.migration, MigrationStatus.FAILED)
    else:
        _fail(state, work, _conflict(server.id, expected, server.task_state))
    return None


def _fail(state: State, work: Rebuild, message: str, *, keeps_vm_state: bool = False) -> None:
    """Nova tries no other host, and leaves what it has spawned."""
    set_status(state, work.migration, MigrationStatus.FAILED)
    server = state.servers[work.server]
    if server.is_deleted:
        return
    free_allocation(state, server, work.host)
    vm_state = server.vm_state if keeps_vm_state else VmState.ERROR
    put_server(state, replace(server, vm_state=vm_state, task_state=None, fault=message))


def _conflict(server: ServerId, expected: Collection[TaskState], actual: TaskState | None) -> str:
    wanted = [str(state) for state in expected]
    found = None if actual is None else str(actual)
    return (
        f"Conflict updating instance {server}. Expected: {{'task_state': {wanted}}}. "
        f"Actual: {{'task_state': {found!r}}}"
    )
