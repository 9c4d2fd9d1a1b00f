"""A new server: scheduled by the conductor, spawned from its image on the host it got."""

from dataclasses import replace

from . import scheduler
from .effects import DestroyDomain, SpawnDomain
from .records import PowerState, Server, TaskState, VmState
from .requests import Answer, CreateServer, Fault, Reply
from .state import State, add_action, ask, cast, claim_allocation, emit, go_on, put_server
from .work import Build, MoveStage, ScheduleBuild


def create(state: State, asked: CreateServer) -> Reply:
    if asked.server in state.servers:
        return Fault(409, f"Instance {asked.server} already exists.")
    if asked.host is not None and asked.host not in state.hosts:
        return Fault(400, f"Compute host {asked.host} could not be found.")
    server = Server(
        asked.server,
        None,
        asked.spec,
        VmState.BUILDING,
        TaskState.SCHEDULING,
        PowerState.NOSTATE,
        created=state.now,
    )
    put_server(state, server)
    add_action(state, server.id, "create", asked.by.user)
    cast(state, ScheduleBuild(server.id, asked.host, asked.by.user), None)
    return Answer(202, server)


def schedule_build(state: State, work: ScheduleBuild) -> None:
    server = state.servers[work.server]
    if server.is_deleted:
        return
    host = next(iter(scheduler.candidates(state, server, None, work.host)), None)
    if host is None:
        _fail(state, server, scheduler.NOT_ENOUGH)
        return
    claim_allocation(state, server, host)
    cast(state, Build(server.id, host, work.by), host)


def advance_build(state: State, work: Build) -> None:
    server = state.servers[work.server]
    error = work.error or state.faults.spawn_error(work.host)
    match work.stage:
        case _ if server.is_deleted or server.task_state is TaskState.DELETING:
            emit(state, DestroyDomain(work.host, work.server, with_disks=True))
        case MoveStage.PREPARE:
            put_server(state, replace(server, host=work.host, task_state=TaskState.SPAWNING))
            later = replace(work, stage=MoveStage.RUN)
            go_on(state, later, work.host, state.timings.spawn_s)
        case _ if error is not None:
            _fail(state, server, error)
        case MoveStage.RUN:
            number = ask(state, work, work.host)
            emit(state, SpawnDomain(work.host, work.server, True, number, work.by))
        case _:
            running = replace(server, vm_state=VmState.ACTIVE, power_state=PowerState.RUNNING)
            put_server(state, replace(running, task_state=None))


def _fail(state: State, server: Server, message: str) -> None:
    put_server(state, replace(server, vm_state=VmState.ERROR, task_state=None, fault=message))
