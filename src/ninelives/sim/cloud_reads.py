"""What a controller reads about servers from Nova, Placement and agents, in the core's words."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import (
    REBOOT,
    WORDLESS_ACTIONS,
    Candidate,
    HostId,
    MoveRecord,
    ServerId,
    ServerSeen,
    VmState,
    WitnessId,
)

from . import agents, compute, nova

if TYPE_CHECKING:
    from .world import World

Question = do.ListServers | do.Watch | do.AskTargets
Records = Mapping[str, list[nova.Migration]]
Reboot = tuple[MoveRecord, ...]  # our last one, or none
Look = tuple[nova.Server, tuple[nova.Migration, ...], str, Reboot, ServerSeen]
OURS = nova.ADMIN.user
SMALL_MB = 512


def ask(world: "World", controller: WitnessId, life: int, action: Question) -> None:
    """Read at the instant when Nova serves it; the answer comes a little later."""
    world.after(world.jitter(0.05), "cloud_read", controller, life, action)


def cloud_read(world: "World", controller: WitnessId, life: int, action: Question) -> None:
    event: on.Event | None
    match action:
        case do.ListServers():
            event = listed(world, action)
        case do.Watch():
            event = watched(world, action)
        case do.AskTargets():
            event = targets(world, action)
    if event is not None:
        world.after(world.jitter(0.05), "reply", controller, life, event)


def is_served(reply: nova.Reply) -> bool:
    return isinstance(reply, nova.Answer)


def listed(world: "World", action: do.ListServers) -> on.Listed:
    """List everybody who may have a copy there: by host, by open migration, by allocation."""
    reply = world.nova.request(nova.ListServers(action.host), world.now)
    if not is_served(reply):
        return on.Listed(action, (), is_complete=False)
    found = dict[str, None]()
    for server in world.nova.servers.values():
        if server.host == action.host and not server.is_deleted:
            found[server.id] = None
    for record in world.nova.migrations.values():
        ends = (record.source, record.dest)
        if action.host in ends and not move_record(record).is_final and not record.is_deleted:
            found[record.server] = None
    for consumer, hosts in world.nova.allocations.items():
        if action.host in hosts and consumer in world.nova.servers:
            found[consumer] = None
    records = records_of(world)
    seen = tuple(seen_of(world, ServerId(name), records) for name in found)
    return on.Listed(action, seen, is_complete=not world.is_cell_down)


def watched(world: "World", action: do.Watch) -> on.Watched | None:
    if not is_served(world.nova.request(nova.ListServers(), world.now)):
        return None
    known = [name for name in action.servers if name in world.nova.servers]
    records = records_of(world)
    return on.Watched(action, tuple(seen_of(world, name, records) for name in known))


def targets(world: "World", action: do.AskTargets) -> on.TargetsSeen | None:
    reply = world.nova.request(nova.ListCandidates(action.server), world.now)
    if not isinstance(reply, nova.Answer) or not isinstance(reply.body, tuple):
        return on.TargetsSeen(action, ())
    names = [HostId(name) for name in reply.body if isinstance(name, str)]
    used = used_rooms(world)
    return on.TargetsSeen(
        action, tuple(candidate(world, action.server, name, used.get(name)) for name in names)
    )


def candidate(
    world: "World", server: ServerId, host: HostId, used: tuple[int, int] | None
) -> Candidate:
    """Say how many more small servers fit, and whether the agent there saw the disks."""
    truth = world.hosts[host]
    sees = truth.is_agent_up and compute.sees_disks(world, host, server)
    vcpus, ram_mb = compute.room_of(world.setup, host)
    vcpus_used, ram_mb_used = used or (0, 0)
    room = min(vcpus - vcpus_used, (ram_mb - ram_mb_used) // SMALL_MB)
    return Candidate(host, max(0, room), sees)


def used_rooms(world: "World") -> dict[str, tuple[int, int]]:
    """Add up what Placement has given away on each host, in one pass."""
    used: dict[str, tuple[int, int]] = {}
    for consumer, hosts in world.nova.allocations.items():
        server = world.nova.servers.get(consumer)
        if server is not None:
            for host in hosts:
                vcpus, ram_mb = used.get(host, (0, 0))
                used[host] = vcpus + server.spec.vcpus, ram_mb + server.spec.ram_mb
    return used


def show(world: "World", server: ServerId) -> ServerSeen | None:
    """Read one server afresh; None where Nova does not serve it."""
    reply = world.nova.request(nova.ShowServer(server), world.now)
    if isinstance(reply, nova.NoAnswer):
        return None
    if isinstance(reply, nova.Fault) and reply.status != 404:
        return None
    return seen_of(world, server) if server in world.nova.servers else None


def seen_of(world: "World", name: ServerId, records: Records | None = None) -> ServerSeen:
    """Say how a server looks now, with everything a decision may need."""
    server = world.nova.servers[name]
    mine = tuple(records_about(world, name) if records is None else records.get(name, ()))
    action, reboot = asked(world, name)
    # Most looks find nothing new; Nova's own record is another object after each change.
    known = world.seen.get(name)
    if known is not None and known[:4] == (server, mine, action, reboot):
        return known[4]
    seen = replace(
        world.specs[name],
        host=None if server.host is None else HostId(server.host),
        vm_state=VmState(server.vm_state.value),
        task_state=None if server.task_state is None else server.task_state.value,
        is_running=running(server.power_state),
        records=(*reboot, *map(move_record, mine)),
        user_action=action,
        is_locked=server.is_locked,
    )
    world.seen[name] = (server, mine, action, reboot, seen)
    return seen


def records_of(world: "World") -> Records:
    """Return every migration record that Nova shows, by server."""
    found: dict[str, list[nova.Migration]] = {}
    for record in world.nova.migrations.values():
        if not record.is_deleted:
            found.setdefault(record.server, []).append(record)
    return found


def records_about(world: "World", name: ServerId) -> Iterator[nova.Migration]:
    """Return what `records_of` says of one server, without asking for all the others."""
    for record in world.nova.migrations.values():
        if record.server == name and not record.is_deleted:
            yield record


def running(power: nova.PowerState) -> bool | None:
    if power is nova.PowerState.NOSTATE:
        return None
    return power is nova.PowerState.RUNNING


def asked(world: "World", name: ServerId) -> tuple[str, Reboot]:
    """Return its user's last word on whether it runs, and the last reboot that we asked for."""
    action, reboot = "", tuple[MoveRecord, ...]()
    reply = world.nova.request(nova.ListActions(name), world.now)
    if not isinstance(reply, nova.Answer) or not isinstance(reply.body, tuple):
        return action, reboot
    for each in reversed(reply.body):
        assert isinstance(each, nova.Action)
        if each.user != OURS and not action and each.name not in WORDLESS_ACTIONS:
            action = each.name
        elif each.user == OURS and not reboot and each.name == REBOOT:
            number = -int(each.request_id.removeprefix("req-"))
            host = HostId(world.nova.servers[name].host or "")
            reboot = (MoveRecord(number, REBOOT, host, None, "completed"),)
    return action, reboot


def move_record(record: nova.Migration) -> MoveRecord:
    target = None if record.dest is None else HostId(record.dest)
    return MoveRecord(
        record.id, record.kind.value, HostId(record.source), target, record.status.value
    )


def domains_seen(
    world: "World", controller_id: WitnessId, life: int, action: do.LookForDomain
) -> None:
    """Ask each agent; one that cannot be heard says nothing, and that is no "absent"."""
    leader = world.controllers[controller_id]
    present = list[tuple[HostId, bool | None]]()
    for host_id in action.hosts:
        host = world.hosts[host_id]
        if host.is_agent_up and agents.hears(world, leader, host_id):
            domain = host.domains.get(action.server)
            present.append((host_id, domain is not None and domain.is_running))
        else:
            present.append((host_id, None))
    world.answer(controller_id, life, on.DomainsSeen(action, tuple(present)))
