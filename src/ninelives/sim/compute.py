"""Between Nova's model and the ground truth: nova-compute's effects carried out on real hosts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ninelives.core.model import (
    FINAL_STATUSES,
    LOCAL,
    BackendId,
    Health,
    HostId,
    ServerId,
    ServerSeen,
    VmState,
)

from . import nova, storage
from .happenings import ComputeStarted, Recorded
from .service_records import RESERVE
from .truth import (
    ComputeState,
    Condition,
    Domain,
    HostTruth,
    destroy_domain,
    pause_domain,
    start_domain,
    stop_domain,
)

if TYPE_CHECKING:
    from .setup import Setup
    from .world import World

LIVE_MIGRATION_S = 5.0
# On whose behalf Nova starts something: ours, its user's, or another rescuer's.
CAUSES = {"": "nova", nova.ADMIN.user: "nova", "user": "user"}
# How a user brought a server into the state in which a story begins.
PUT_TO_REST = {VmState.STOPPED: "stop", VmState.PAUSED: "pause", VmState.SUSPENDED: "suspend"}
RUNNING_STATES = (VmState.ACTIVE, VmState.RESCUED, VmState.PAUSED)
NOVA_STATES = frozenset(state.value for state in nova.VmState)


def build(setup: "Setup") -> nova.Nova:
    """Build Nova with every host and server of the setup in it, as if booted long ago."""
    aggregates: dict[HostId, set[str]] = {}
    for server in setup.servers:
        if server.host is not None:
            aggregates.setdefault(server.host, set()).update(server.aggregates)
    hosts = [
        nova.Host(
            site.id,
            *room_of(setup, site.id),
            az=site.zone or "nova",
            aggregates=frozenset(aggregates.get(site.id, ())),
        )
        for site in setup.site.hosts.values()
    ]
    timings = nova.Timings(spawn_s=setup.knobs.spawn_s)
    cloud = nova.Nova(hosts, map(server_of, setup.servers), 0.0, timings)
    for host in sorted(setup.site.reserve):
        cloud.request(nova.UpdateService(host, disabled=True, reason=RESERVE), 0.0)
    for server in setup.servers:
        if server.vm_state in PUT_TO_REST:
            cloud.acted_before(server.id, PUT_TO_REST[server.vm_state], "user")
    return cloud


def room_of(setup: "Setup", host: HostId) -> tuple[int, int]:
    room = setup.rooms.get(host)
    return (room.vcpus, room.ram_mb) if room else (64, 262_144)


def server_of(seen: ServerSeen) -> nova.Server:
    """Turn a declared server into Nova's own record of it."""
    spec = nova.Spec(
        project=seen.project or "demo",
        flavor=seen.flavor or "small",
        image=seen.image or "cirros",
        is_volume_backed=not seen.is_image_backed,
        disks=tuple(seen.disks),
        az=seen.zone or None,
        has_vtpm=seen.blocked == "vtpm",
    )
    power = nova.PowerState.RUNNING if seen.is_running else nova.PowerState.SHUTDOWN
    value = seen.vm_state.value if seen.vm_state.value in NOVA_STATES else "active"
    task = nova.TaskState(seen.task_state) if seen.task_state else None
    return nova.Server(
        seen.id,
        seen.host,
        spec,
        nova.VmState(value),
        task,
        power_state=power,
        is_locked=seen.is_locked,
    )


def boot_servers(world: "World") -> None:
    """Let every declared server that runs have a QEMU on its host before the story begins."""
    for seen in world.setup.servers:
        world.specs[seen.id] = seen
        if seen.host is None:
            continue
        host = world.hosts[seen.host]
        if seen.is_running:
            start_domain(world, host, seen.id, is_rebuilt=False)
            if seen.vm_state is VmState.PAUSED:
                pause_domain(world, host, seen.id)
        else:
            host.domains[seen.id] = Domain(is_running=False)


# Time.


def tell(world: "World", fact: nova.Fact) -> None:
    """Let Nova hear of something that happened on a host."""
    world.nova.told(fact, world.now)
    pump(world)


def pump(world: "World") -> None:
    """Plan the next instant at which Nova has something to do, after what it wrote is known."""
    for server in world.nova.take_rewritten():
        world.happen(recorded(world, server))
    due = world.nova.wake_at()
    if due is None or (world.nova_due is not None and world.nova_due <= due):
        return
    world.nova_due = max(due, world.now)
    world.at_time(world.nova_due, "nova", world.nova_due)


def recorded(world: "World", server: str) -> Recorded:
    """Say where Nova has a server, and between which hosts it may still move it."""
    ends = set[HostId]()
    for record in world.nova.migrations.values():
        is_open = record.status.value not in FINAL_STATUSES and not record.is_deleted
        if record.server == server and is_open:
            ends.update(HostId(end) for end in (record.source, record.dest) if end is not None)
    host = world.nova.servers[server].host
    return Recorded(ServerId(server), None if host is None else HostId(host), frozenset(ends))


def advance(world: "World", due: float) -> None:
    if world.nova_due != due:
        return
    world.nova_due = None
    for effect in world.nova.advance(world.now):
        carry_out(world, effect)
    pump(world)


# Effects.


def carry_out(world: "World", effect: nova.Effect) -> None:
    match effect:
        case nova.LookForDisk(host, server, work):
            look_for_disk(world, HostId(host), ServerId(server), work)
        case nova.SpawnDomain(host, server, rebuild, work, by):
            spawn(world, HostId(host), ServerId(server), work, rebuild, by)
        case nova.StartDomain(host, server, work, by):
            spawn(world, HostId(host), ServerId(server), work, rebuild=False, by=by)
        case nova.StopDomain(host, server):
            on_running(world, host, server, stop_domain)
        case nova.DestroyDomain(host, server):
            on_running(world, host, server, destroy_domain)
        case nova.MigrateDomain(source, dest, server, work):
            world.after(LIVE_MIGRATION_S, "migrated", source, dest, server, work)
        case nova.PauseDomain(host, server):
            on_running(world, host, server, pause_domain)
        case nova.AbortDomainMigration():
            pass


def on_running(
    world: "World", host_name: str, server: str, act: "Callable[[World, HostTruth, ServerId], None]"
) -> None:
    host = world.hosts[HostId(host_name)]
    if host.is_up:
        act(world, host, ServerId(server))


def look_for_disk(world: "World", host_id: HostId, server: ServerId, work: int) -> None:
    host = world.hosts[host_id]
    if host.is_up:
        domain = host.domains.get(server)
        is_there = domain is not None and domain.is_running
        tell(world, nova.DiskSeen(work, mounts_disks(world, host_id, server), is_there))


def mounts_disks(world: "World", host: HostId, server: ServerId) -> bool:
    """Say whether this host has mounted wherever the server has a disk.

    Nova asks for no more (libvirt driver, instance_on_disk): of a pool it knows by configuration
    that it is shared, and a mount whose server is down does not answer "absent". So a backend that
    fails makes the rebuild fail; only where it is not mounted a disk is built anew.
    """
    mounted = world.setup.site.hosts[host].backends
    return all(each != LOCAL and each in mounted for each in disks_of(world, server))


def sees_disks(world: "World", host: HostId, server: ServerId) -> bool:
    """Say whether this host finds every disk of the server on its own mounts."""
    return mounts_disks(world, host, server) and all(
        storage.usable(world, host, backend) for backend in disks_of(world, server)
    )


def disks_of(world: "World", server: ServerId) -> tuple[BackendId, ...]:
    return world.specs[server].disks


def spawn(
    world: "World", host_id: HostId, server: ServerId, work: int, rebuild: bool, by: str
) -> None:
    """Start a QEMU, as far as the host, its libvirt and its storage let it. `by`: who asked."""
    host = world.hosts[host_id]
    if not host.is_up:
        return
    why = spawn_error(world, host, server, rebuild)
    if why is None:
        start_domain(world, host, server, rebuild, CAUSES.get(by, "foreign"))
    tell(world, nova.Spawned(work, why))


def spawn_error(world: "World", host: HostTruth, server: ServerId, rebuild: bool) -> str | None:
    if not host.is_gate_open:
        return "The boot gate is closed"  # libvirt's hook asks the agent: what nova-compute finds
        # in its queue when it starts, an old start or rebuild, would be a second copy
    if host.libvirt is not Health.OK:
        return "Connection to the hypervisor is broken"
    if host.is_readonly:
        return "Read-only file system"
    local = server not in host.domains and LOCAL in disks_of(world, server)
    if not rebuild and (local or not reads_disks(world, host.id, server)):
        return "Failed to open the disk"
    return None


def reads_disks(world: "World", host: HostId, server: ServerId) -> bool:
    return all(
        storage.usable(world, host, backend)
        for backend in disks_of(world, server)
        if backend != LOCAL
    )


def migrated(world: "World", source: str, dest: str, server: str, work: int) -> None:
    """Switch a live migration over, if both ends still stand."""
    here, there = world.hosts[HostId(source)], world.hosts[HostId(dest)]
    name = ServerId(server)
    domain = here.domains.get(name)
    if not here.is_up:
        return
    if not there.is_up or domain is None or not domain.is_running:
        tell(world, nova.Migrated(work, "operation failed: domain is not running"))
        return
    destroy_domain(world, here, name)
    start_domain(world, there, name, is_rebuilt=False)
    if domain.is_paused:
        pause_domain(world, there, name)
    tell(world, nova.Migrated(work))


# nova-compute and guests on their hosts.


def start_compute(world: "World", host: HostTruth) -> None:
    """Start nova-compute anew, whatever it did before."""
    host.compute = ComputeState.OK
    world.happen(ComputeStarted(host.id, is_gated=not host.is_gate_open))
    tell(world, nova.ComputeStarted(host.id))
    world.touched(host.id)


def compute_ended(world: "World", host: HostTruth) -> None:
    """End nova-compute with its host, or alone."""
    if host.compute is not ComputeState.STOPPED:
        host.compute = ComputeState.STOPPED
        tell(world, nova.ComputeStopped(host.id))


def stand_or_go_on(world: "World", host: HostTruth) -> None:
    """Keep Nova's picture of the process in step with its kernel: frozen, or awake again."""
    stands = host.condition in (Condition.FROZEN, Condition.HUNG)
    if stands and host.compute is ComputeState.OK:
        if host.id not in world.standing:
            world.standing.add(host.id)
            tell(world, nova.ComputeHung(host.id))
    elif host.id in world.standing:
        world.standing.discard(host.id)
        if host.is_up and host.compute is ComputeState.OK:
            tell(world, nova.ComputeResumed(host.id))


def hang_compute(world: "World", host: HostTruth) -> None:
    """Let it do nothing any more while its heartbeats go on."""
    host.compute = ComputeState.HUNG
    tell(world, nova.ComputeHung(host.id, reports=True))
    world.touched(host.id)


def guest_died(world: "World", host: HostTruth, server: ServerId) -> None:
    stop_domain(world, host, server)
    tell(world, nova.DomainGone(host.id, server))
