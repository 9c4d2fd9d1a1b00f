"""The ground truth of hosts: power, kernel, boots, and the QEMU processes that live on them.

off ─▶ booting ─▶ running ⇄ frozen          frozen and hung kernels keep their guests in memory:
running ⇄ hung            whoever wakes them has its writers back
running ─▶ panicked       a dead kernel: nothing of it writes again
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ninelives.core.model import BackendId, BootId, Health, HostId, ServerId, WitnessId

from .happenings import DomainPaused, DomainStarted, DomainStopped, HostChanged, PowerCut

if TYPE_CHECKING:
    from .world import World


class Condition(StrEnum):
    RUNNING = "running"
    FROZEN = "frozen"
    HUNG = "hung"
    PANICKED = "panicked"
    OFF = "off"
    BOOTING = "booting"


class AgentState(StrEnum):
    OK = "ok"
    CRASHED = "crashed"
    HUNG = "hung"
    OLD = "old"  # of a version that cannot sign an attestation
    NONE = "none"


class ComputeState(StrEnum):
    OK = "ok"
    STOPPED = "stopped"  # never started in this boot, or crashed
    HUNG = "hung"  # does nothing, and its heartbeats are still sent


@dataclass(frozen=True, slots=True)
class Domain:
    """A QEMU of one server, as libvirt has it defined on a host."""

    is_running: bool
    fell: bool = False  # stopped by the end of its host: an open gate would start it again
    health: Health = Health.OK
    is_paused: bool = False


@dataclass(slots=True)
class HostTruth:
    """One host as it really is."""

    id: HostId
    condition: Condition = Condition.RUNNING
    boots: int = 1
    is_fed: bool = True  # current reaches the chassis, and with it the BMC
    domains: dict[ServerId, Domain] = field(default_factory=dict[ServerId, Domain])
    is_gate_open: bool = True
    is_compute_let_run: bool = True  # behind a gate that holds guests back, as soon as we start it
    gate_opened_by: str = ""  # the person who opened it by hand, in this boot
    is_gate_broken: bool = False  # guests start before the gate is there
    booted_at: float = 0.0
    attested: int | None = None  # the highest epoch that this boot attested to
    is_heard: bool = False  # a controller reaches its agent
    heard_at: float | None = None  # until when one did, in this boot
    agent: AgentState = AgentState.OK
    compute: ComputeState = ComputeState.OK
    libvirt: Health = Health.OK
    is_watchdog_armed: bool = False
    slow_s: float = 0.0
    is_readonly: bool = False
    has_slow_disk: bool = False
    has_memory_errors: bool = False
    io_ended_at: float | None = None  # when its storage sessions went silent
    crashes_again: bool = False
    wakes: int = 0  # +1 for each end of a condition that was scheduled; older ones are void

    @property
    def boot(self) -> BootId:
        """The boot that runs, or ran last."""
        return BootId(f"{self.id}-boot{self.boots}")

    @property
    def is_up(self) -> bool:
        return self.condition is Condition.RUNNING

    @property
    def has_power(self) -> bool:
        return self.condition is not Condition.OFF

    @property
    def is_agent_up(self) -> bool:
        return self.is_up and self.agent in (AgentState.OK, AgentState.OLD)

    def running(self) -> Iterator[ServerId]:
        """Yield every server that has a QEMU process here."""
        return (server for server, domain in self.domains.items() if domain.is_running)


def writers(world: "World", server: ServerId) -> frozenset[HostId]:
    """Every host whose QEMU can write a disk of `server`, now or when its kernel wakes up."""
    disks = world.disks_of(server)
    return frozenset(
        host.id
        for host in world.hosts.values()
        if (domain := host.domains.get(server)) and domain.is_running
        if any(not is_cut(world, host.id, backend) for backend in disks)
    )


def is_cut(world: "World", host: HostId, backend: BackendId) -> bool:
    known = world.backends.get(backend)
    return known is not None and host in known.cut


# Guests.


def start_domain(
    world: "World", host: HostTruth, server: ServerId, is_rebuilt: bool, cause: str = "nova"
) -> None:
    """Let a QEMU of `server` run here. `cause`: who lets it."""
    before = host.domains.get(server)
    host.domains[server] = Domain(is_running=True)
    if before is None or not before.is_running:
        world.happen(DomainStarted(server, host.id, is_rebuilt, cause))
    elif before.is_paused:
        world.happen(DomainPaused(server, host.id, is_over=True))
    if before is not None and before.health is not Health.OK:
        world.guest_changed(server, host.id)


def pause_domain(world: "World", host: HostTruth, server: ServerId) -> None:
    """Let the QEMU of `server` stand still, with its disk in its hand."""
    before = host.domains.get(server)
    if before is not None and before.is_running and not before.is_paused:
        host.domains[server] = replace(before, is_paused=True)
        world.happen(DomainPaused(server, host.id))


def stop_domain(world: "World", host: HostTruth, server: ServerId, fell: bool = False) -> None:
    """End the QEMU of `server` here; libvirt still has it defined."""
    before = host.domains.get(server)
    if before is not None and before.is_running:
        host.domains[server] = replace(before, is_running=False, is_paused=False, fell=fell)
        world.happen(DomainStopped(server, host.id))


def destroy_domain(world: "World", host: HostTruth, server: ServerId) -> None:
    """End it and undefine it."""
    stop_domain(world, host, server)
    host.domains.pop(server, None)


def set_guest_health(host: HostTruth, server: ServerId, health: Health) -> None:
    """Let a guest be ill in a way that only its agent can see, or well."""
    host.domains[server] = replace(host.domains[server], health=health)


# Power and kernel.


def become(world: "World", host: HostTruth, condition: Condition) -> None:
    """Change the condition and let everybody who could notice find out in his own time."""
    if host.condition is condition:
        return
    host.condition = condition
    host.wakes += 1
    # A hung kernel answers pings from its network card; no process of it keeps a session alive.
    is_alive = condition is Condition.RUNNING
    host.io_ended_at = None if is_alive else (host.io_ended_at or world.now)
    boot = None if condition in (Condition.OFF, Condition.BOOTING) else host.boot
    world.happen(HostChanged(host.id, condition.value, boot))
    world.seat_changed(host)
    world.touched(host.id)


def cut_power(world: "World", host: HostTruth, meant: HostId, by: WitnessId | str) -> None:
    """Take the current from the chassis. The BMC lives on where the outlet still feeds it."""
    if host.condition is Condition.OFF:
        return
    world.happen(PowerCut(host.id, meant, by))
    end_guests(world, host)
    world.compute_ended(host)
    become(world, host, Condition.OFF)


def end_guests(world: "World", host: HostTruth) -> None:
    """Stop every QEMU at once, as the end of a kernel does."""
    for server in tuple(host.running()):
        stop_domain(world, host, server, fell=True)


def power_on(world: "World", host: HostTruth) -> None:
    """Give current again; nothing happens without any at the outlet."""
    if host.condition is Condition.OFF and host.is_fed:
        begin_boot(world, host)


def reboot(world: "World", host: HostTruth) -> None:
    """End this boot and begin the next one, without losing power."""
    if not host.has_power or host.condition is Condition.BOOTING:
        return
    end_guests(world, host)
    world.compute_ended(host)
    begin_boot(world, host)


def begin_boot(world: "World", host: HostTruth) -> None:
    host.boots += 1
    become(world, host, Condition.BOOTING)
    takes = world.setup.knobs.boot_s * world.rng.uniform(0.9, 1.1)
    world.after(takes, "booted", host.id, host.wakes)


def booted(world: "World", host_id: HostId, wakes: int) -> None:
    """The kernel and the agent run. The gate holds guests and nova-compute back, where it works."""
    host = world.hosts[host_id]
    if host.wakes != wakes:
        return
    has_agent = world.setup.site.hosts[host_id].has_agent
    host.libvirt, host.slow_s = Health.OK, 0.0
    host.is_gate_open = host.is_gate_broken or not has_agent
    host.is_compute_let_run = host.is_gate_open
    host.gate_opened_by = ""
    host.booted_at, host.attested = world.now, None
    host.is_heard, host.heard_at = False, None
    if has_agent and host.agent is not AgentState.OLD:
        host.agent = AgentState.OK
    become(world, host, Condition.RUNNING)
    if host.is_gate_broken:
        start_fallen(world, host)
    if host.is_gate_open:
        world.start_compute(host)
    if host.crashes_again:
        world.after(world.rng.uniform(20.0, 60.0), "crash_again", host_id)


def start_fallen(world: "World", host: HostTruth) -> None:
    """Start what ran when the last boot ended, as libvirt's autostart does."""
    for server, domain in tuple(host.domains.items()):
        if domain.fell:
            start_domain(world, host, server, is_rebuilt=False, cause="autostart")


def crash_again(world: "World", host_id: HostId) -> None:
    host = world.hosts[host_id]
    if host.crashes_again and host.is_up:
        reboot(world, host)


def freeze(world: "World", host: HostTruth, condition: Condition) -> None:
    """Stop the kernel (or all of it but its network card). It may wake, and its guests with it."""
    if not host.is_up:
        return
    become(world, host, condition)
    if host.is_watchdog_armed:
        device_s = world.setup.policy.watchdog_device_s
        world.after(device_s, "watchdog_bites", host.id, host.wakes)


def panic(world: "World", host: HostTruth, dump_s: float | None) -> None:
    """Let the kernel die: its guests end. With a dump it restarts after it, else it stays dead."""
    if not host.is_up:
        return
    end_guests(world, host)
    world.compute_ended(host)
    become(world, host, Condition.PANICKED)
    if dump_s is not None:
        world.kdump_beacon(host.id, ended=False)
        world.after(dump_s, "dumped", host.id, host.wakes)


def dumped(world: "World", host_id: HostId, wakes: int) -> None:
    host = world.hosts[host_id]
    if host.wakes == wakes:
        world.kdump_beacon(host_id, ended=True)
        reboot(world, host)


def watchdog_bites(world: "World", host_id: HostId, wakes: int) -> None:
    """The device was not fed: it resets the machine, whatever its kernel does."""
    host = world.hosts[host_id]
    if host.wakes == wakes and host.condition in (Condition.FROZEN, Condition.HUNG):
        reboot(world, host)
