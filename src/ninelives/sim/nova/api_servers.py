"""The API on servers: look, act, delete, lock, reset."""

from dataclasses import replace

from . import compute, moves, scheduler
from .records import (
    MigrationKind,
    MigrationStatus,
    PowerState,
    Server,
    ServerId,
    TaskState,
    VmState,
)
from .requests import (
    ActOn,
    Answer,
    Caller,
    ConfirmResize,
    DeleteServer,
    Fault,
    ListActions,
    ListAllocations,
    ListCandidates,
    ListMigrations,
    ListServers,
    Lock,
    Reply,
    ResetState,
    RevertResize,
    Verb,
)
from .state import State, add_action, cast, forget_server, is_up, put_server
from .work import Act, Revert, Terminate

_OVERRIDDEN_BY_HARD_REBOOT = {
    None,
    TaskState.REBOOTING,
    TaskState.REBOOTING_HARD,
    TaskState.RESUMING,
    TaskState.UNPAUSING,
    TaskState.SUSPENDING,
}


def find(state: State, id: ServerId) -> Server | Fault:  # noqa: A002 -- the record's own word
    server = state.servers.get(id)
    if server is None or server.is_deleted:
        return Fault(404, f"Instance {id} could not be found.")
    return server


def in_state(server: Server, verb: str) -> Fault:
    """The 409 of a vm_state that does not allow it."""
    return Fault(
        409, f"Cannot '{verb}' instance {server.id} while it is in vm_state {server.vm_state}"
    )


def in_task(server: Server, verb: str) -> Fault:
    return Fault(
        409, f"Cannot '{verb}' instance {server.id} while it is in task_state {server.task_state}"
    )


def locked_for(server: Server, by: Caller) -> Fault | None:
    return (
        Fault(409, f"Instance {server.id} is locked")
        if server.is_locked and not by.is_admin
        else None
    )


def list_servers(state: State, asked: ListServers) -> Reply:
    since = asked.changes_since
    found = (
        server
        for server in state.servers.values()
        if (not server.is_deleted if since is None else server.updated >= since)
    )
    return Answer(
        200, tuple(server for server in found if asked.host is None or server.host == asked.host)
    )


def list_migrations(state: State, asked: ListMigrations) -> Reply:
    return Answer(
        200,
        tuple(
            record
            for record in state.migrations.values()
            if not record.is_deleted
            and (asked.server is None or record.server == asked.server)
            and (asked.host is None or asked.host in {record.source, record.dest})
            and (asked.status is None or record.status is asked.status)
        ),
    )


def list_actions(state: State, asked: ListActions) -> Reply:
    # Readable for a deleted server too, since 2.21.
    if asked.server not in state.servers:
        return Fault(404, f"Instance {asked.server} could not be found.")
    return Answer(200, state.actions.get(asked.server, ()))


def list_allocations(state: State, asked: ListAllocations) -> Reply:
    if asked.host not in state.hosts:
        return Fault(404, f"Compute host {asked.host} not found.")
    return Answer(
        200, tuple(consumer for consumer, hosts in state.allocations.items() if asked.host in hosts)
    )


def list_candidates(state: State, asked: ListCandidates) -> Reply:
    server = find(state, asked.server)
    if isinstance(server, Fault):
        return server
    return Answer(200, tuple(scheduler.candidates(state, server, server.host)))


def act_on(state: State, asked: ActOn) -> Reply:
    """Accept a simple action. None of them asks whether the compute service is up: the cast just
    waits.
    """
    server = find(state, asked.server)
    if isinstance(server, Fault):
        return server
    refused = locked_for(server, asked.by) or _refused(server, asked.verb)
    if refused is not None:
        return refused
    rule = compute.RULES[asked.verb]
    put_server(state, replace(server, task_state=rule.task))
    add_action(state, server.id, rule.action, asked.by.user)
    assert server.host is not None
    cast(state, Act(server.id, server.host, asked.verb, asked.by.user), server.host)
    return Answer(200 if asked.verb is Verb.RESCUE else 202)


def _refused(server: Server, verb: Verb) -> Fault | None:
    rule = compute.RULES[verb]
    if server.vm_state not in rule.allowed:
        return in_state(server, rule.action)
    allowed = _OVERRIDDEN_BY_HARD_REBOOT if verb is Verb.HARD_REBOOT else {None}
    if server.task_state not in allowed:
        return in_task(server, rule.action)
    if server.host is None:
        return Fault(409, f"Instance {server.id} is not ready")
    return None


def delete(state: State, asked: DeleteServer) -> Reply:
    """Delete. While the service counts as up this is a cast; once it is down, the row goes at once,
    and only the row.
    """
    server = find(state, asked.server)
    if isinstance(server, Fault):
        return server
    refused = locked_for(server, asked.by)
    if refused is not None:
        return refused
    add_action(state, server.id, "delete", asked.by.user)
    server = replace(server, task_state=TaskState.DELETING)
    if server.host is None or not is_up(state, server.host, state.now):
        forget_server(state, server)
        return Answer(204)
    put_server(state, server)
    cast(state, Terminate(server.id, server.host), server.host)
    return Answer(204)


def lock(state: State, asked: Lock) -> Reply:
    server = find(state, asked.server)
    if isinstance(server, Fault):
        return server
    reason = asked.reason if asked.locked else None
    put_server(state, replace(server, is_locked=asked.locked, locked_reason=reason))
    add_action(state, server.id, "lock" if asked.locked else "unlock", asked.by.user)
    return Answer(202)


def reset_state(state: State, asked: ResetState) -> Reply:
    server = find(state, asked.server)
    if isinstance(server, Fault):
        return server
    if asked.to not in {VmState.ACTIVE, VmState.ERROR}:
        return Fault(400, f"Invalid input for field/attribute state. Value: {asked.to}.")
    put_server(state, replace(server, vm_state=asked.to, task_state=None))
    return Answer(202)


def confirm_resize(state: State, asked: ConfirmResize) -> Reply:
    server = find(state, asked.server)
    if isinstance(server, Fault):
        return server
    if server.vm_state is not VmState.RESIZED:
        return in_state(server, "confirmResize")
    add_action(state, server.id, "confirmResize", asked.by.user)
    for record in tuple(state.migrations.values()):
        is_of = record.server == server.id and record.kind is MigrationKind.RESIZE
        if is_of and record.status is MigrationStatus.FINISHED:
            moves.confirm_resize(state, record, replace(server, power_state=PowerState.RUNNING))
    return Answer(204)


def revert_resize(state: State, asked: RevertResize) -> Reply:
    server = find(state, asked.server)
    if isinstance(server, Fault):
        return server
    if server.vm_state is not VmState.RESIZED:
        return in_state(server, "revertResize")
    if server.task_state is not None:
        return in_task(server, "revertResize")
    add_action(state, server.id, "revertResize", asked.by.user)
    put_server(state, replace(server, task_state=TaskState.RESIZE_REVERTING))
    for record in state.migrations.values():
        is_of = record.server == server.id and record.kind is MigrationKind.RESIZE
        if is_of and record.status is MigrationStatus.FINISHED:
            cast(state, Revert(record.id), record.dest)
    return Answer(202)
