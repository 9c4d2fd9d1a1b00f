"""What runs when: steps off the agenda, messages that find nobody, facts that wake work, faults
that hold it.
"""

from dataclasses import replace
from heapq import heappop

from . import api, build, compute, conductor, control_plane, moves, rebuild
from .effects import (
    ComputeHung,
    ComputeResumed,
    ComputeStarted,
    ComputeStopped,
    DiskSeen,
    DomainGone,
    Fact,
    Migrated,
    Spawned,
)
from .records import HostName
from .settings import Faults
from .state import CONTROL_PLANE, State, push, put_process, service_view
from .work import (
    AbortMove,
    Act,
    Acted,
    Build,
    ColdMove,
    LateRequest,
    LiveMove,
    MoveStage,
    Rebuild,
    Revert,
    ScheduleBuild,
    ScheduleEvacuation,
    ScheduleMove,
    Stage,
    Startup,
    Step,
    SyncPower,
    Terminate,
    Work,
)


def run_until(state: State, now: float) -> None:
    agenda = state.agenda
    while agenda and agenda[0][0] <= now:
        at, _, step = heappop(agenda)
        state.now = max(state.now, at)
        _run(state, step)
    state.now = now


def _run(state: State, step: Step) -> None:
    if _is_held(state.faults, step):
        state.held = (*state.held, step)
    elif step.host is None:
        _run_in_control_plane(state, step)
    else:
        _run_on_compute(state, step, step.host)


def _is_held(faults: Faults, step: Step) -> bool:
    """Say whether the step waits in the bus, for the database, or for the conductor.

    A nova-compute that starts does nothing before its conductor has answered it over the bus
    (conductor/api.py, wait_until_ready): only then it reads and completes evacuation records.
    """
    if isinstance(step.work, Startup):
        return faults.is_database_down or faults.is_bus_down or faults.is_conductor_down
    if step.process is not None:
        return faults.is_database_down
    is_conductors = step.host is None
    held = faults.is_database_down or faults.is_bus_down
    return held or (is_conductors and faults.is_conductor_down)


def _run_in_control_plane(state: State, step: Step) -> None:
    match step.work:
        case ScheduleEvacuation() | ScheduleMove() | ScheduleBuild() as work:
            _schedule(state, step, work)
        case work:
            _do(state, work)


def _schedule(state: State, step: Step, work: conductor.Schedule) -> None:
    if step.process is None:
        conductor.accept(state, work)
    elif state.faults.is_scheduler_down:
        state.calling_scheduler = (*state.calling_scheduler, (state.now, step))
    else:
        _do(state, work)


def _run_on_compute(state: State, step: Step, host: HostName) -> None:
    process = state.processes[host]
    if step.process is None:
        runs = process.is_alive and process.is_ready and not process.is_hung
    elif step.process != process.number or not process.is_alive:
        return  # the memory of a process that is gone
    else:
        runs = not process.is_hung
    if runs:
        _do(state, step.work)
    else:
        state.queues[host] = (*state.queues.get(host, ()), step)


def _do(state: State, work: Work) -> None:
    match work:
        case Rebuild():
            rebuild.advance_rebuild(state, work)
        case ScheduleEvacuation():
            conductor.schedule_evacuation(state, work)
        case Act():
            compute.act(state, work)
        case Acted():
            compute.acted(state, work)
        case Terminate():
            compute.terminate(state, work)
        case SyncPower():
            compute.sync_power(state, work)
        case Startup():
            compute.start_up(state, work)
        case ScheduleMove():
            conductor.schedule_move(state, work)
        case LiveMove():
            moves.advance_live(state, work)
        case AbortMove():
            moves.abort_live(state, work)
        case ColdMove():
            moves.advance_cold(state, work)
        case Revert():
            moves.advance_revert(state, work)
        case ScheduleBuild():
            build.schedule_build(state, work)
        case Build():
            build.advance_build(state, work)
        case LateRequest(request):
            api.serve(state, request)


def hear(state: State, fact: Fact) -> None:
    match fact:
        case DiskSeen(number) | Spawned(number) | Migrated(number):
            _wake(state, number, fact)
        case DomainGone(host, server):
            compute.domain_gone(state, host, server)
        case ComputeStarted(host):
            compute.compute_started(state, host)
        case ComputeStopped(host):
            compute.compute_stopped(state, host)
        case ComputeHung(host, reports):
            process = state.processes[host]
            put_process(state, host, replace(process, is_hung=True, reports_while_hung=reports))
        case ComputeResumed(host):
            put_process(state, host, replace(state.processes[host], is_hung=False))
            compute.drain(state, host)


def _wake(state: State, number: int, fact: DiskSeen | Spawned | Migrated) -> None:
    """Go on with what waited for this answer, unless it is gone, or was answered before."""
    step = state.waiting.pop(number, None)
    if step is None:
        return
    push(state, state.now, replace(step, work=_answered(state, step.work, fact)))


def _answered(state: State, waiting: Work, fact: DiskSeen | Spawned | Migrated) -> Work:
    match waiting, fact:
        case Rebuild(server=id) as work, DiskSeen(_, on_disk, has_domain):
            return rebuild.disk_seen(work, state.servers[id], on_disk, has_domain)
        case Rebuild() as work, Spawned(_, error):
            return replace(work, stage=Stage.SPAWNED, error=error)
        case Act() as work, Spawned(_, error):
            return Acted(work, error)
        case ColdMove() | Revert() | Build() as work, Spawned(_, error):
            return replace(work, stage=MoveStage.ANSWERED, error=error)
        case LiveMove() as work, Migrated(_, error, is_aborted):
            return replace(work, stage=MoveStage.ANSWERED, error=error, is_aborted=is_aborted)
        case work, _:
            raise AssertionError(f"{fact} does not answer {work}")


def change_faults(state: State, faults: Faults) -> None:
    old, state.faults = state.faults, faults
    if faults.is_service_list_stale and not old.is_service_list_stale:
        state.stale_services = tuple(service_view(state, host, state.now) for host in state.hosts)
    for host, process in tuple(state.processes.items()):
        put_process(state, host, process)
    control_plane.note_silence(state)
    held, state.held = state.held, ()
    for step in held:
        push(state, state.now, step)
    if not faults.is_scheduler_down:
        _answer_calls(state)


def _answer_calls(state: State) -> None:
    """The scheduler is back. Who waited longer than the RPC timeout has given up: that record stays
    `accepted`.
    """
    calls, state.calling_scheduler = state.calling_scheduler, ()
    for since, step in calls:
        if state.now - since <= state.timings.rpc_timeout_s:
            push(state, state.now, replace(step, process=CONTROL_PLANE))
