"""Nova, as far as two servers can tell: what it accepts, and what it does about it later.

True to the measured table: 200 means accepted only; the server stays ACTIVE on its source while the
target already runs it; a second evacuate is accepted too; from 2.95 a moved server arrives stopped;
a user's delete of a server on a dead host hangs until the host is forced down, and evacuate brings
it back; a starting nova-compute destroys leftovers and completes records; force-up waits for that.
"""

from dataclasses import replace

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import REBOOT, HostId, MoveRecord, ServerId, VmState

from .truth import Host, Server, Truth

DONE = (on.Outcome.DONE, "")
Result = tuple[Truth, tuple[on.Outcome, str]]


def refused(truth: Truth, reason: str) -> Result:
    """Change nothing and say why."""
    return truth, (on.Outcome.REFUSED, reason)


def is_up(host: Host) -> bool:
    """Say whether Nova would let the host's compute service work."""
    return host.condition == "running" and not host.is_forced_down


def evacuate(truth: Truth, action: do.Evacuate) -> Result:
    """Accept, if the service counts as down. No look at task_state, nor at other records."""
    server = truth.server(action.server)
    if server.vm_state is VmState.DELETED:
        return refused(truth, "no_such_server")
    if not truth.host(server.host).is_forced_down:
        return refused(truth, "still_in_use")
    if server.host == action.target:
        return refused(truth, "same_host")
    number = 1 + max((entry.id for entry in server.records), default=0)
    record = MoveRecord(number, "evacuation", server.host, action.target, "accepted")
    accepted = replace(server, task_state="rebuilding", records=(*server.records, record))
    return truth.with_server(accepted), DONE


def start(truth: Truth, action: do.StartServer) -> Result:
    """Start a stopped server where it is."""
    server = truth.server(action.server)
    if server.vm_state is not VmState.STOPPED or server.task_state is not None:
        return refused(truth, "bad_state")
    if not is_up(truth.host(server.host)):
        return refused(truth, "host_down")
    return truth.with_server(_running(server)), DONE


def stop(truth: Truth, action: do.StopServer) -> Result:
    """Stop a running server where it is."""
    server = truth.server(action.server)
    if server.vm_state is not VmState.ACTIVE or server.task_state is not None:
        return refused(truth, "bad_state")
    return truth.with_server(_stopped(server)), DONE


def hard_reboot(truth: Truth, action: do.HardReboot) -> Result:
    """Make the domain anew where Nova has the server."""
    server = truth.server(action.server)
    if server.vm_state is VmState.DELETED or not is_up(truth.host(server.host)):
        return refused(truth, "bad_state")
    number = min((entry.id for entry in server.records), default=0)
    record = MoveRecord(min(number, 0) - 1, REBOOT, server.host, None, "completed")
    others = tuple(entry for entry in server.records if entry.kind != REBOOT)
    return truth.with_server(_running(replace(server, records=(record, *others)))), DONE


def _running(server: Server) -> Server:
    runs_on = server.runs_on | {server.host}
    return replace(server, vm_state=VmState.ACTIVE, runs_on=runs_on)


def _stopped(server: Server) -> Server:
    runs_on = server.runs_on - {server.host}
    return replace(server, vm_state=VmState.STOPPED, runs_on=runs_on)


# Work that an accepted evacuate causes.


def spawn(truth: Truth, name: ServerId, number: int) -> Truth:
    """The target starts the domain, while Nova still shows the server ACTIVE on its source."""
    server = truth.server(name)
    record = _record(server, number)
    assert record.target is not None
    if server.vm_state is VmState.DELETED:
        return truth.with_server(_with_record(server, number, "failed"))
    runs_on = server.runs_on | {record.target}
    return truth.with_server(
        replace(_with_record(server, number, "pre-migrating"), runs_on=runs_on)
    )


def finish(truth: Truth, name: ServerId, number: int) -> Truth:
    """The rebuild ends: on its target, stopped (2.95), record done. A deleted one came back."""
    server = truth.server(name)
    record = _record(server, number)
    assert record.target is not None
    if server.vm_state is VmState.DELETED:
        return truth.with_server(_with_record(server, number, "failed"))
    there = replace(_with_record(server, number, "done"), host=record.target, task_state=None)
    return truth.with_server(_stopped(there))


def fail(truth: Truth, name: ServerId, number: int) -> Truth:
    """The rebuild fails at the last save: ERROR, and a domain once spawned stays there."""
    server = _with_record(truth.server(name), number, "failed")
    gone = server.vm_state is VmState.DELETED
    state = server.vm_state if gone else VmState.ERROR
    return truth.with_server(replace(server, vm_state=state, task_state=None))


def _record(server: Server, number: int) -> MoveRecord:
    return next(entry for entry in server.records if entry.id == number)


def _with_record(server: Server, number: int, status: str) -> Server:
    records = tuple(
        replace(entry, status=status) if entry.id == number else entry for entry in server.records
    )
    return replace(server, records=records)


# A host comes back.


def compute_starts(truth: Truth, host: HostId) -> Truth:
    """nova-compute cleans up at its start: guests that left are destroyed, records completed."""
    for server in truth.servers:
        left = [entry for entry in server.records if entry.source == host]
        open_or_done = [entry for entry in left if entry.status in LEFT]
        for entry in open_or_done:
            server = _with_record(server, entry.id, "completed")
        if open_or_done:
            server = replace(server, runs_on=server.runs_on - {host})
        truth = truth.with_server(server)
    return truth


LEFT = ("accepted", "pre-migrating", "done")


def force_up(truth: Truth, host: HostId) -> Result:
    """Refuse while a record from this host is `done` and not `completed`."""
    records = [entry for server in truth.servers for entry in server.records]
    if any(entry.source == host and entry.status == "done" for entry in records):
        return refused(truth, "records_done")
    return truth.with_host(replace(truth.host(host), is_forced_down=False)), DONE


# Users.


def user_stops(truth: Truth, name: ServerId) -> Truth:
    """A user stops a server; on a dead host the request hangs as a task."""
    server = replace(truth.server(name), user_action="stop")
    if is_up(truth.host(server.host)):
        return truth.with_server(_stopped(server))
    return truth.with_server(replace(server, task_state="powering-off"))


def user_deletes(truth: Truth, name: ServerId) -> Truth:
    """A user deletes a server: at once where Nova may, else it hangs in `deleting`."""
    server, host = truth.server(name), truth.host(truth.server(name).host)
    server = replace(server, user_action="delete")
    if is_up(host):
        gone = replace(server, vm_state=VmState.DELETED, runs_on=server.runs_on - {host.id})
        return truth.with_server(replace(gone, task_state=None))
    if host.is_forced_down:
        return truth.with_server(replace(server, vm_state=VmState.DELETED, task_state=None))
    return truth.with_server(replace(server, task_state="deleting"))
