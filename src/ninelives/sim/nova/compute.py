"""nova-compute: the simple actions on its servers, deletion, and what it does when it starts."""

from dataclasses import dataclass, replace
from typing import Final

from .effects import DestroyDomain, Effect, PauseDomain, StartDomain, StopDomain
from .records import (
    HostName,
    Migration,
    MigrationKind,
    MigrationStatus,
    PowerState,
    Server,
    ServerId,
    TaskState,
    VmState,
)
from .requests import Verb
from .state import (
    State,
    ask,
    emit,
    forget_server,
    free_allocation,
    go_on,
    last_to_act,
    push,
    put_allocation,
    put_process,
    put_server,
    set_status,
)
from .work import Act, Acted, Startup, SyncPower, Terminate


@dataclass(frozen=True, slots=True)
class Rule:
    """One simple action: from which vm_states, by which task_state, to what."""

    allowed: frozenset[VmState]
    task: TaskState
    then: VmState
    power: PowerState
    action: str


_ALWAYS_REBOOTABLE: Final = frozenset(
    {VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED, VmState.SUSPENDED, VmState.ERROR}
)


def _rule(
    allowed: set[VmState], task: TaskState, then: VmState, power: PowerState, action: str
) -> Rule:
    return Rule(frozenset(allowed), task, then, power, action)


_V, _T, _P = VmState, TaskState, PowerState
RULES: Final[dict[Verb, Rule]] = {
    Verb.START: _rule({_V.STOPPED}, _T.POWERING_ON, _V.ACTIVE, _P.RUNNING, "start"),
    Verb.STOP: _rule({_V.ACTIVE, _V.ERROR}, _T.POWERING_OFF, _V.STOPPED, _P.SHUTDOWN, "stop"),
    Verb.REBOOT: _rule({_V.ACTIVE}, _T.REBOOTING, _V.ACTIVE, _P.RUNNING, "reboot"),
    Verb.HARD_REBOOT: _rule(
        set(_ALWAYS_REBOOTABLE), _T.REBOOTING_HARD, _V.ACTIVE, _P.RUNNING, "reboot"
    ),
    Verb.PAUSE: _rule({_V.ACTIVE}, _T.PAUSING, _V.PAUSED, _P.PAUSED, "pause"),
    Verb.UNPAUSE: _rule({_V.PAUSED}, _T.UNPAUSING, _V.ACTIVE, _P.RUNNING, "unpause"),
    Verb.SUSPEND: _rule({_V.ACTIVE}, _T.SUSPENDING, _V.SUSPENDED, _P.SUSPENDED, "suspend"),
    Verb.RESUME: _rule({_V.SUSPENDED}, _T.RESUMING, _V.ACTIVE, _P.RUNNING, "resume"),
    Verb.RESCUE: _rule(
        {_V.ACTIVE, _V.STOPPED, _V.ERROR}, _T.RESCUING, _V.RESCUED, _P.RUNNING, "rescue"
    ),
    Verb.UNRESCUE: _rule({_V.RESCUED}, _T.UNRESCUING, _V.ACTIVE, _P.RUNNING, "unrescue"),
    Verb.SHELVE: _rule(
        {_V.ACTIVE, _V.STOPPED, _V.PAUSED, _V.SUSPENDED},
        _T.SHELVING,
        _V.SHELVED_OFFLOADED,
        _P.SHUTDOWN,
        "shelve",
    ),
}
VERB_OF_TASK: Final = {rule.task: verb for verb, rule in RULES.items()}


def act(state: State, work: Act) -> None:
    """Carry out a simple action. The message names no host to check: it runs where it is read."""
    if not work.is_started:
        after_s = state.timings.shelve_s if work.verb is Verb.SHELVE else state.timings.action_s
        go_on(state, replace(work, is_started=True), work.host, after_s)
        return
    rule, server = RULES[work.verb], state.servers[work.server]
    is_expected = (
        server.task_state is rule.task and server.host == work.host and not server.is_deleted
    )
    if rule.power is PowerState.RUNNING:
        # start_instance powers on first and looks at the task state afterwards; a reboot looks
        # first.
        if is_expected or work.verb is Verb.START:
            number = ask(state, work, work.host)
            emit(state, StartDomain(work.host, work.server, number, work.by))
        return
    emit(state, _quieting(work))
    if is_expected:
        _settle(state, work, server, rule)
    elif work.verb is Verb.STOP:
        _stop_elsewhere(state, server)


def acted(state: State, done: Acted) -> None:
    """The hypervisor said how a start, unpause or reboot went."""
    work, server = done.act, state.servers[done.act.server]
    rule = RULES[work.verb]
    if server.task_state is not rule.task or server.host != work.host or server.is_deleted:
        if done.error is None:
            _sync_later(state, server)
        return
    if done.error is None:
        _settle(state, work, server, rule)
    elif work.verb in {Verb.REBOOT, Verb.HARD_REBOOT}:
        put_server(
            state, replace(server, vm_state=VmState.ERROR, task_state=None, fault=done.error)
        )
    else:
        put_server(state, replace(server, task_state=None, fault=done.error))


def _quieting(work: Act) -> Effect:
    match work.verb:
        case Verb.PAUSE:
            return PauseDomain(work.host, work.server)
        case Verb.SHELVE:
            return DestroyDomain(work.host, work.server, with_disks=False)
        case _:
            return StopDomain(work.host, work.server)


def _settle(state: State, work: Act, server: Server, rule: Rule) -> None:
    then = replace(server, vm_state=rule.then, task_state=None, power_state=rule.power)
    if work.verb is Verb.SHELVE:
        then = replace(then, host=None)
        put_allocation(state, server.id, server, ())
    put_server(state, then)


def _stop_elsewhere(state: State, server: Server) -> None:
    """A stop that waited in the queue of a host the server has left.

    stop_instance finds no domain here, accepts a task state of None because of that, and writes
    STOPPED. The domain runs on elsewhere until the periodic power sync of its host stops it.
    """
    if server.task_state is None and not server.is_deleted and server.host is not None:
        put_server(state, replace(server, vm_state=VmState.STOPPED, power_state=PowerState.NOSTATE))
        _sync_later(state, server)


def _sync_later(state: State, server: Server) -> None:
    """Let the periodic power sync of its host look whether it runs although it should not."""
    if server.host is not None and not server.is_deleted:
        go_on(state, SyncPower(server.id, server.host), server.host, state.timings.power_sync_s)


def sync_power(state: State, work: SyncPower) -> None:
    server = state.servers[work.server]
    if (
        server.host == work.host
        and server.vm_state is VmState.STOPPED
        and server.task_state is None
    ):
        emit(state, StopDomain(work.host, work.server))


def domain_gone(state: State, host: HostName, id: ServerId) -> None:  # noqa: A002 -- the record's own word
    """A lifecycle event: the guest ended by itself, so the record says stopped."""
    process, server = state.processes[host], state.servers.get(id)
    if server is None or not process.is_alive or not process.is_ready or process.is_hung:
        return
    if server.host == host and server.vm_state is VmState.ACTIVE and server.task_state is None:
        put_server(
            state, replace(server, vm_state=VmState.STOPPED, power_state=PowerState.SHUTDOWN)
        )


def terminate(state: State, work: Terminate) -> None:
    """Delete a server. Only the host that reads the message loses its domain; a copy elsewhere
    stays.
    """
    server = state.servers[work.server]
    if server.is_deleted:
        return
    if not work.is_started:
        go_on(state, replace(work, is_started=True), work.host, state.timings.delete_s)
        return
    emit(state, DestroyDomain(work.host, work.server, with_disks=True))
    forget_server(state, server)


# Start


def compute_started(state: State, host: HostName) -> None:
    """A new process: it cleans up first, and reads its queue and reports only after that."""
    old = state.processes[host]
    number = old.number + 1
    # The old process and what it held are gone, told or not.
    compute_stopped(state, host)
    put_process(
        state,
        host,
        replace(state.processes[host], number=number, is_alive=True, is_ready=False, is_hung=False),
    )
    go_on(state, Startup(host), host, state.timings.startup_s)


def compute_stopped(state: State, host: HostName) -> None:
    process = replace(state.processes[host], is_alive=False, is_ready=False, is_hung=False)
    put_process(state, host, process)
    state.queues[host] = tuple(step for step in state.queues.get(host, ()) if step.process is None)
    for number, step in tuple(state.waiting.items()):
        if step.host == host:
            del state.waiting[number]


def start_up(state: State, work: Startup) -> None:
    host = work.host
    if not work.is_clean:
        cleaned = _destroy_evacuated(state, host)
        for server in tuple(state.servers.values()):
            if server.host == host and server.id not in cleaned and not server.is_deleted:
                _init_server(state, host, server)
        after_s = state.timings.startup_per_server_s * len(cleaned)
        go_on(state, replace(work, is_clean=True), host, after_s)
        return
    put_process(state, host, replace(state.processes[host], is_ready=True, anchor=state.now))
    service = state.services[host]
    # A trait is Placement's, whose database is another: no failover of Nova's takes it back.
    state.services[host] = replace(service, has_disabled_trait=service.is_disabled)
    drain(state, host)


def drain(state: State, host: HostName) -> None:
    """Everything that waited for this process runs now, in order."""
    for step in state.queues.pop(host, ()):
        push(state, state.now, step)


def _destroy_evacuated(state: State, host: HostName) -> frozenset[ServerId]:
    """Destroy what was evacuated from here (compute/manager.py, _destroy_evacuated_instances).

    Also what was only accepted and never moved. Records of one server go through a dict there, so
    with two of them only the newer one is completed.
    """
    records = {
        record.server: record
        for record in state.migrations.values()
        if record.source == host
        and record.kind is MigrationKind.EVACUATION
        and record.status in _CLEANED
    }
    for record in records.values():
        _clean(state, host, record)
    return frozenset(records)


_CLEANED: Final = frozenset(
    {MigrationStatus.ACCEPTED, MigrationStatus.PRE_MIGRATING, MigrationStatus.DONE}
)


def _clean(state: State, host: HostName, record: Migration) -> None:
    server = state.servers[record.server]
    spared_for = None if server.is_deleted else record.dest
    emit(state, DestroyDomain(host, server.id, with_disks=True, spare_if_shared_with=spared_for))
    if not server.is_deleted:
        free_allocation(state, server, host)
    set_status(state, record.id, MigrationStatus.COMPLETED)


def _init_server(state: State, host: HostName, server: Server) -> None:
    """Finish or undo what was under way when the old process ended (compute/manager.py,
    _init_instance).

    A server with no task keeps its record, even where nothing of it runs any more.
    """
    rebuilding = {
        TaskState.REBUILDING,
        TaskState.REBUILD_BLOCK_DEVICE_MAPPING,
        TaskState.REBUILD_SPAWNING,
    }
    match server.task_state:
        case TaskState.DELETING:
            emit(state, DestroyDomain(host, server.id, with_disks=True))
            forget_server(state, server)
        case task if task in rebuilding and server.vm_state in {VmState.ACTIVE, VmState.STOPPED}:
            put_server(state, replace(server, vm_state=VmState.ERROR, task_state=None))
        case TaskState.SPAWNING:
            put_server(state, replace(server, vm_state=VmState.ERROR, task_state=None))
        case TaskState.MIGRATING:
            _give_up_live_migration(state, server)
        case (
            TaskState.POWERING_OFF
            | TaskState.POWERING_ON
            | TaskState.REBOOTING
            | TaskState.REBOOTING_HARD as task
        ):
            if server.vm_state is not VmState.ERROR:
                by = last_to_act(state, server.id)
                go_on(state, Act(server.id, host, VERB_OF_TASK[task], by), host, 0.0)
        case _:
            pass


def _give_up_live_migration(state: State, server: Server) -> None:
    for record in tuple(state.migrations.values()):
        if record.server == server.id and record.status is MigrationStatus.RUNNING:
            set_status(state, record.id, MigrationStatus.ERROR)
    put_server(state, replace(server, task_state=None))
