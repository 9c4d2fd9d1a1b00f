"""How a well cloud answers: it does what it is asked, at once, and tells what is true."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import (
    REBOOT,
    Attestation,
    Candidate,
    HostId,
    MoveRecord,
    Power,
    ServerSeen,
    VmState,
)

if TYPE_CHECKING:
    from tests.core.small_cloud import SmallCloud


def answer_well(cloud: "SmallCloud", action: do.Action) -> Iterable[on.Event]:
    """Do what was asked, as a well cloud does it, and say so."""
    match action:
        case (
            do.ReadPower()
            | do.ReadStorage()
            | do.AskAttestation()
            | do.AskPromises()
            | do.ListServers()
            | do.Watch()
            | do.AskTargets()
            | do.LookForDomain()
        ):
            return answer_read(cloud, action)
        case do.Evacuate() | do.ResetState() | do.StartServer() | do.StopServer() | do.HardReboot():
            change_server(cloud, action)
        case do.ForceUp(host=host):
            open_ones = [r for s in cloud.servers.values() for r in s.records if r.source == host]
            if any(record.status == "done" for record in open_ones):
                return [on.Replied(action, on.Outcome.REFUSED, "records_done")]
        case _:
            change_host(cloud, action)
    return [on.Replied(action, on.Outcome.DONE)]


def answer_read(cloud: "SmallCloud", action: do.Read) -> Iterable[on.Event]:
    """See the world as it is."""
    match action:
        case do.ReadPower(host=host):
            roads = cloud.site.hosts[host].roads
            return [on.PowerRead(host, road.id, cloud.power[host]) for road in roads]
        case do.ReadStorage(host=host):
            return [
                on.StorageSeen(host, each, host in cloud.written, (host, each) in cloud.revoked)
                for each in cloud.site.hosts[host].backends
            ]
        case do.AskAttestation(host=host, epoch=epoch):
            return attested(cloud, host, epoch) if host in cloud.alive else []
        case do.AskPromises(host=host, epoch=epoch):
            witnesses = cloud.site.hosts[host].witnesses
            return [on.Promised(witness, host, epoch) for witness in witnesses]
        case do.ListServers(host=host):
            return [on.Listed(action, concerned(cloud, host), is_complete=True)]
        case do.Watch(servers=servers):
            seen = tuple(cloud.servers[server] for server in servers if server in cloud.servers)
            return [on.Watched(action, seen)]
        case do.AskTargets():
            rooms = tuple(Candidate(host, 9, sees_disk=True) for host in cloud.site.hosts)
            return [on.TargetsSeen(action, rooms)]
        case do.LookForDomain(server=server, hosts=hosts):
            here = cloud.servers[server].host
            seen_on = tuple((h, h == here if h in cloud.alive else None) for h in hosts)
            return [on.DomainsSeen(action, seen_on)]


def attested(cloud: "SmallCloud", host: HostId, epoch: int) -> Iterable[on.Event]:
    """Let the agent of a host say how it booted: gate closed, nothing started by itself."""
    said = Attestation(
        cloud.boots[host],
        epoch,
        cloud.site.hosts[host].serial,
        signed=True,
        gate_closed=True,
        guests=cloud.guests_left.get(host, 0),
        autostart=False,
        resume_guests=False,
    )
    return [on.Attested(host, said)]


def concerned(cloud: "SmallCloud", host: HostId) -> tuple[ServerSeen, ...]:
    """Everybody who may have a copy on a host."""
    return tuple(
        server
        for server in cloud.servers.values()
        if server.host == host or any(host in (r.source, r.target) for r in server.records)
    )


def change_server(cloud: "SmallCloud", action: do.Action) -> None:
    """Evacuate, start, stop or reset a server, at once."""
    match action:
        case do.Evacuate(server=server, source=source, target=target):
            before = cloud.servers[server]
            record = MoveRecord(len(before.records) + 1, "evacuation", source, target, "done")
            state = VmState.ACTIVE if before.vm_state is VmState.ERROR else VmState.STOPPED
            cloud.change(
                server,
                host=target,
                records=(*before.records, record),
                vm_state=state,
                is_running=state is VmState.ACTIVE,
            )
        case do.StartServer(server=server):
            cloud.change(server, vm_state=VmState.ACTIVE, is_running=True)
        case do.HardReboot(server=server, host=host, attempt=attempt):
            asked = MoveRecord(-attempt, REBOOT, host, None, "completed")
            others = [each for each in cloud.servers[server].records if each.kind != REBOOT]
            cloud.change(
                server,
                records=(asked, *others),
                vm_state=VmState.ACTIVE,
                is_running=True,
            )
        case do.ResetState(server=server):
            cloud.change(server, vm_state=VmState.ERROR, task_state=None)
        case do.StopServer(server=server):
            cloud.change(server, vm_state=VmState.STOPPED, is_running=False)
        case _:
            raise AssertionError(action)


def change_host(cloud: "SmallCloud", action: do.Action) -> None:
    """Switch, revoke or start something of a host, at once; booting takes its time."""
    match action:
        case do.PowerOff(host=host):
            cloud.kill(host)
        case do.PowerOn(host=host):
            cloud.power[host] = Power.ON
            cloud.after(cloud.boot_s, lambda: booted(cloud, host))
        case do.Revoke(host=host, backend=backend):
            cloud.revoked.add((host, backend))
            cloud.written.discard(host)
        case do.LiftRevocation(host=host, backend=backend):
            cloud.revoked.discard((host, backend))
        case do.StartCompute(host=host):
            complete_records(cloud, host)
        case _:
            pass


def booted(cloud: "SmallCloud", host: HostId) -> Iterable[on.Event]:
    """Let a switched-on host come up with a new boot."""
    if cloud.power[host] is Power.ON and host not in cloud.alive:
        cloud.wake_up(host, f"{host}-boot{cloud.now:.0f}")
    return []


def complete_records(cloud: "SmallCloud", host: HostId) -> None:
    """Do what nova-compute does at its start: finish the evacuation records from this host."""
    for server in list(cloud.servers.values()):
        records = tuple(
            replace(record, status="completed")
            if record.source == host and record.status == "done"
            else record
            for record in server.records
        )
        cloud.change(server.id, records=records)
