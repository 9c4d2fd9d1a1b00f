"""Everything Nova holds at one instant: the tables, the processes, the queues and the agenda.

Records never change in place, so that a fork is a copy of dicts. All writes go through the `put_`
functions: they keep the load of each host in step and remember the last writes, which a database
failover can lose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from heapq import heappush
from typing import TYPE_CHECKING, Final

from .records import (
    Action,
    Host,
    HostName,
    Migration,
    MigrationId,
    MigrationStatus,
    Process,
    Server,
    ServerId,
    Service,
    ServiceView,
    VmState,
)
from .settings import Faults, Timings
from .work import Step, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from .effects import Effect

COMMITS_KEPT: Final = 8
ACTIONS_KEPT: Final = 32
CONTROL_PLANE: Final = 0  # the "process" of work that is in the control plane's memory


@dataclass(frozen=True, slots=True)
class Load:
    vcpus: int = 0
    ram_mb: int = 0


@dataclass(frozen=True, slots=True)
class Stale:
    """A picture of the past that somebody still believes."""

    at: float
    loads: dict[HostName, Load]


@dataclass(slots=True)
class State:
    hosts: dict[HostName, Host]
    timings: Timings
    faults: Faults = field(default_factory=Faults)
    now: float = 0.0

    services: dict[HostName, Service] = field(default_factory=dict)
    servers: dict[ServerId, Server] = field(default_factory=dict)
    migrations: dict[MigrationId, Migration] = field(default_factory=dict)
    actions: dict[ServerId, tuple[Action, ...]] = field(default_factory=dict)
    allocations: dict[str, tuple[HostName, ...]] = field(default_factory=dict)
    loads: dict[HostName, Load] = field(default_factory=dict)

    processes: dict[HostName, Process] = field(default_factory=dict)
    queues: dict[HostName, tuple[Step, ...]] = field(default_factory=dict)
    held: tuple[Step, ...] = ()  # steps that wait for the bus or the database
    waiting: dict[int, Step] = field(default_factory=dict)  # for a fact of the hypervisor
    calling_scheduler: tuple[tuple[float, Step], ...] = ()  # (since, step)
    agenda: list[tuple[float, int, Step]] = field(default_factory=list)
    effects: tuple[Effect, ...] = ()

    undo: tuple[Callable[[State], None], ...] = ()
    rewritten: set[ServerId] = field(default_factory=set)  # their host, or a migration of theirs
    seen_loads: Stale = field(default_factory=lambda: Stale(-math.inf, {}))
    silent_since: dict[str, float] = field(default_factory=dict)
    stale_services: tuple[ServiceView, ...] = ()
    conductor_free_at: float = -math.inf
    last_number: int = 0

    def fork(self) -> State:
        return replace(
            self,
            services=self.services.copy(),
            servers=self.servers.copy(),
            migrations=self.migrations.copy(),
            actions=self.actions.copy(),
            allocations=self.allocations.copy(),
            loads=self.loads.copy(),
            processes=self.processes.copy(),
            queues=self.queues.copy(),
            waiting=self.waiting.copy(),
            agenda=self.agenda.copy(),
            silent_since=self.silent_since.copy(),
            rewritten=self.rewritten.copy(),
        )


# Tables


def put_service(state: State, service: Service) -> None:
    old = state.services[service.host]
    _remember(state, lambda then: then.services.__setitem__(old.host, old))
    state.services[service.host] = service


def put_server(state: State, server: Server) -> None:
    """Write the server with `updated` = now."""
    old = state.servers.get(server.id)
    if old is not None:
        _remember(state, lambda then: then.servers.__setitem__(old.id, old))
    if old is None or old.host != server.host:
        state.rewritten.add(server.id)
    state.servers[server.id] = replace(server, updated=state.now)


def put_migration(state: State, migration: Migration) -> None:
    old = state.migrations.get(migration.id)
    if old is None:
        _remember(state, lambda then: _forget_migration(then, migration.id))
    else:
        _remember(state, lambda then: then.migrations.__setitem__(old.id, old))
    state.migrations[migration.id] = migration
    state.rewritten.add(migration.server)


def set_status(state: State, id: MigrationId, status: MigrationStatus) -> None:  # noqa: A002 -- the record's own word
    migration = state.migrations.get(id)
    # The record itself may have been lost in a failover: the process that works on it only warns.
    if migration is not None:
        put_migration(state, replace(migration, status=status, updated=state.now))


def add_action(state: State, server: ServerId, name: str, user: str) -> None:
    action = Action(server, name, user, state.now, f"req-{next_number(state)}")
    state.actions[server] = (*state.actions.get(server, ())[1 - ACTIONS_KEPT :], action)


def last_to_act(state: State, server: ServerId) -> str:
    """Return who began the last action on this server that is still known; nobody: empty."""
    actions = state.actions.get(server, ())
    return actions[-1].user if actions else ""


def put_allocation(
    state: State, consumer: str, server: Server, hosts: tuple[HostName, ...]
) -> None:
    """Placement: `consumer` holds what `server` needs on each of `hosts`. Placement is a database
    of its own.
    """
    for host in state.allocations.get(consumer, ()):
        _add_load(state, host, -server.spec.vcpus, -server.spec.ram_mb)
    for host in hosts:
        _add_load(state, host, server.spec.vcpus, server.spec.ram_mb)
    if hosts:
        state.allocations[consumer] = hosts
    else:
        state.allocations.pop(consumer, None)


def free_allocation(state: State, server: Server, host: HostName) -> None:
    held = state.allocations.get(server.id, ())
    put_allocation(state, server.id, server, tuple(name for name in held if name != host))


def claim_allocation(state: State, server: Server, host: HostName) -> None:
    held = state.allocations.get(server.id, ())
    if host not in held:
        put_allocation(state, server.id, server, (*held, host))


def forget_server(state: State, server: Server) -> None:
    """Delete the row, its allocations, and softly its migration records."""
    for migration in tuple(state.migrations.values()):
        if migration.server == server.id:
            put_allocation(state, consumer_of(migration.id), server, ())
            if not migration.is_deleted:
                put_migration(state, replace(migration, is_deleted=True))
    put_allocation(state, server.id, server, ())
    put_server(state, replace(server, vm_state=VmState.DELETED, task_state=None, is_deleted=True))


def consumer_of(migration: MigrationId) -> str:
    return f"migration-{migration}"


def lose_commits(state: State, count: int) -> int:
    """Take back the last `count` writes; returns how many there were to take back."""
    lost = state.undo[-count:]
    state.undo = state.undo[:-count]
    for take_back in reversed(lost):
        take_back(state)
    state.rewritten.update(state.servers)
    return len(lost)


# Agenda and messages


def next_number(state: State) -> int:
    state.last_number += 1
    return state.last_number


def push(state: State, at: float, step: Step) -> None:
    heappush(state.agenda, (at, next_number(state), step))


def cast(state: State, work: Work, host: HostName | None) -> None:
    """Send a message over the bus; nobody knows when it is read."""
    push(state, state.now + state.timings.cast_s, Step(work, host))


def go_on(state: State, work: Work, host: HostName, after_s: float) -> None:
    """Let the process that runs on this host now go on with `work` later."""
    push(state, state.now + after_s, Step(work, host, state.processes[host].number))


def ask(state: State, work: Work, host: HostName) -> int:
    """Remember what goes on when the hypervisor answers; returns the number that the fact must
    quote.
    """
    number = next_number(state)
    state.waiting[number] = Step(work, host, state.processes[host].number)
    return number


def emit(state: State, effect: Effect) -> None:
    state.effects = (*state.effects, effect)


# Service reports, computed when somebody looks


def last_report(state: State, host: HostName, now: float) -> float:
    process = state.processes[host]
    if process.reporting_since is None:
        return process.last_report
    interval_s = state.timings.report_interval_s
    tick = process.anchor + math.floor((now - process.anchor) / interval_s) * interval_s
    return tick if tick >= process.reporting_since else process.last_report


def is_up(state: State, host: HostName, now: float) -> bool:
    if state.services[host].is_forced_down:
        return False
    return now - last_report(state, host, now) <= state.timings.service_down_time_s


def put_process(state: State, host: HostName, process: Process) -> None:
    """Change the process, and with it whether its reports arrive from now on."""
    seen = last_report(state, host, state.now)
    runs = (
        process.is_alive
        and process.is_ready
        and (not process.is_hung or process.reports_while_hung)
    )
    faults = state.faults
    is_deaf = faults.is_bus_down or faults.is_conductor_down or faults.is_database_down
    arrives = runs and not is_deaf
    since = state.processes[host].reporting_since
    since = (state.now if since is None else since) if arrives else None
    state.processes[host] = replace(process, last_report=seen, reporting_since=since)


def service_view(state: State, host: HostName, now: float) -> ServiceView:
    row = state.services[host]
    return ServiceView(
        host,
        is_up(state, host, now),
        row.is_forced_down,
        row.is_disabled,
        row.disabled_reason,
        last_report(state, host, now),
    )


def _remember(state: State, take_back: Callable[[State], None]) -> None:
    state.undo = (*state.undo[1 - COMMITS_KEPT :], take_back)


def _forget_migration(state: State, migration: MigrationId) -> None:
    del state.migrations[migration]


def _add_load(state: State, host: HostName, vcpus: int, ram_mb: int) -> None:
    load = state.loads.get(host, Load())
    state.loads[host] = Load(load.vcpus + vcpus, load.ram_mb + ram_mb)
