"""Faults of hosts: power, kernel, services, guests, and everything that feeds many of them."""

from typing import TYPE_CHECKING

from ninelives.core.model import Health, HostId, ServerId
from ninelives.sim import compute, health, truth
from ninelives.sim.truth import AgentState, Condition, HostTruth

from .grammar import Form, Slots

if TYPE_CHECKING:
    from ninelives.sim.world import World


def host_of(world: "World", slots: Slots) -> HostTruth:
    return world.hosts[HostId(slots["HOST"])]


# Power.


def power_off(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    truth.cut_power(world, host, host.id, "")


def power_dead(world: "World", slots: Slots) -> None:
    unplug(world, host_of(world, slots))


def power_on(world: "World", slots: Slots) -> None:
    plug(world, host_of(world, slots))


def unplug(world: "World", host: HostTruth) -> None:
    """Take the current from the outlet: host and BMC."""
    host.is_fed = False
    truth.cut_power(world, host, host.id, "")


def plug(world: "World", host: HostTruth) -> None:
    host.is_fed = True
    truth.power_on(world, host)


def restart(world: "World", slots: Slots) -> None:
    """Bring a dead or hung kernel back by hand."""
    host = host_of(world, slots)
    if host.condition in (Condition.PANICKED, Condition.HUNG, Condition.FROZEN):
        truth.reboot(world, host)


def rack_off(world: "World", slots: Slots) -> None:
    for host in in_rack(world, slots["RACK"]):
        unplug(world, host)


def rack_on(world: "World", slots: Slots) -> None:
    for host in in_rack(world, slots["RACK"]):
        plug(world, host)


def zone_off(world: "World", slots: Slots) -> None:
    for host in in_zone(world, slots["ZONE"]):
        unplug(world, host)


def zone_on(world: "World", slots: Slots) -> None:
    for host in in_zone(world, slots["ZONE"]):
        plug(world, host)


def pdu_off(world: "World", slots: Slots) -> None:
    for host in listed(world, slots):
        unplug(world, host)


def pdu_on(world: "World", slots: Slots) -> None:
    for host in listed(world, slots):
        plug(world, host)


def site_off(world: "World", slots: Slots) -> None:
    """Everything loses its current, the controllers too."""
    del slots
    for host in world.hosts.values():
        unplug(world, host)
    for controller in world.controllers.values():
        world.leave_office(controller, "site_off")
        world.kept_down.add(controller.id)


def site_on(world: "World", slots: Slots) -> None:
    del slots
    for host in world.hosts.values():
        plug(world, host)
    for controller in world.controllers.values():
        world.kept_down.discard(controller.id)
        wait = world.jitter(world.setup.knobs.restart_controller_s)
        world.after(wait, "restart", controller.id, controller.life)


def overheat(world: "World", slots: Slots) -> None:
    """Let the hosts die one by one, the BMCs alive."""
    hosts = listed(world, slots)
    for nth, host in enumerate(hosts):
        wait = float(slots["SECONDS"]) * nth / max(1, len(hosts) - 1)
        world.at(world.now + wait, ("power", host.id, "off"))


def cool(world: "World", slots: Slots) -> None:
    for host in listed(world, slots):
        world.command(("power", host.id, "on"))


def rolling(world: "World", slots: Slots) -> None:
    for nth, host in enumerate(listed(world, slots)):
        world.at(world.now + nth * float(slots["SECONDS"]), ("reboot", host.id))


def in_rack(world: "World", rack: str) -> list[HostTruth]:
    site = world.setup.site.hosts
    return [host for host in world.hosts.values() if site[host.id].rack == rack]


def in_zone(world: "World", zone: str) -> list[HostTruth]:
    site = world.setup.site.hosts
    return [host for host in world.hosts.values() if site[host.id].zone == zone]


def listed(world: "World", slots: Slots) -> list[HostTruth]:
    return [world.hosts[HostId(name)] for name in slots["HOSTS"].split(",")]


# Kernel.


def freeze(world: "World", slots: Slots) -> None:
    truth.freeze(world, host_of(world, slots), Condition.FROZEN)


def hang(world: "World", slots: Slots) -> None:
    truth.freeze(world, host_of(world, slots), Condition.HUNG)


def thaw(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    if host.condition in (Condition.FROZEN, Condition.HUNG):
        was_frozen = host.condition is Condition.FROZEN
        truth.become(world, host, Condition.RUNNING)
        if was_frozen:
            world.witness_woke(host.id)


def panic(world: "World", slots: Slots) -> None:
    dump = slots.get("SECONDS")
    truth.panic(world, host_of(world, slots), None if dump is None else float(dump))


def reboot(world: "World", slots: Slots) -> None:
    truth.reboot(world, host_of(world, slots))


def crashloop(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    host.crashes_again = True
    truth.reboot(world, host)


def crashloop_ok(world: "World", slots: Slots) -> None:
    host_of(world, slots).crashes_again = False


def slow(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    host.slow_s = float(slots.get("SECONDS", "0"))
    world.touched(host.id)


def memory(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    host.has_memory_errors = "errors" in slots
    world.touched(host.id)


def disk(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    host.is_readonly = "readonly" in slots
    host.has_slow_disk = "slow" in slots
    world.touched(host.id)


# Services.


def libvirt(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    if "stuck" in slots:
        world.stubborn.add((host.id, "libvirt"))
    if "ok" in slots:
        world.stubborn.discard((host.id, "libvirt"))
    host.libvirt = Health.OK if "ok" in slots else Health.HUNG
    world.touched(host.id)


def libvirt_restart(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    host.libvirt = Health.DOWN
    world.touched(host.id)
    world.after(world.setup.knobs.restart_service_s, "command", ("libvirt", host.id, "ok"))


def nova_compute(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    if "broken" in slots:
        world.stubborn.add((host.id, "nova-compute"))
    if "ok" in slots:
        world.stubborn.discard((host.id, "nova-compute"))
        if host.is_up and host.is_compute_let_run:
            world.start_compute(host)
    elif "hang" in slots:
        compute.hang_compute(world, host)
    else:
        world.compute_ended(host)
    world.touched(host.id)


def agent(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    states = {"crash": AgentState.CRASHED, "hang": AgentState.HUNG, "old": AgentState.OLD}
    host.agent = next((state for word, state in states.items() if word in slots), AgentState.OK)
    if not world.setup.site.hosts[host.id].has_agent:
        host.agent = AgentState.NONE
    world.touched(host.id)


def watchdog(world: "World", slots: Slots) -> None:
    host = host_of(world, slots)
    has_one = world.setup.site.hosts[host.id].has_watchdog
    # Absent or without teeth (soft_noboot), its agent can tell both and attests no watchdog.
    host.is_watchdog_armed = "armed" in slots and has_one
    world.touched(host.id)


def gate(world: "World", slots: Slots) -> None:
    host_of(world, slots).is_gate_broken = "broken" in slots


def guest(world: "World", slots: Slots) -> None:
    """Let the guest crash or hang wherever it runs."""
    server = ServerId(slots["SERVER"])
    for host in world.hosts.values():
        if server in set(host.running()):
            change_guest(world, host, server, slots)


def change_guest(world: "World", host: HostTruth, server: ServerId, slots: Slots) -> None:
    if "crash" in slots:
        compute.guest_died(world, host, server)
        verdict = Health.DOWN
    else:
        verdict = Health.HUNG if "hang" in slots else Health.OK
    truth.set_guest_health(host, server, verdict)
    health.guest_changed(world, server, host.id)


def conflict(world: "World", slots: Slots) -> None:
    """Let another machine answer under the host's tenant address, or end that."""
    if "over" in slots:
        world.net.conflicts.discard(slots["HOST"])
    else:
        world.net.conflicts.add(slots["HOST"])
    world.touched(slots["HOST"])


FORMS: tuple[Form, ...] = (
    Form("power HOST off", power_off, (1,), "power HOST on"),
    Form("power HOST dead", power_dead, (2,), "power HOST on"),
    Form("power HOST on", power_on),
    Form("technician HOST on", power_on, (38,)),
    Form("technician HOST off", power_off, (1,), "power HOST on"),
    Form("panic HOST", panic, (3,), "restart HOST"),
    Form("panic HOST kdump SECONDS", panic, (4,)),
    Form("restart HOST", restart),
    Form("hang HOST", hang, (5,), "restart HOST"),
    Form("hang HOST SECONDS", hang, (5,), "thaw HOST", lasts=True),
    Form("freeze HOST", freeze, (6,), "thaw HOST"),
    Form("freeze HOST SECONDS", freeze, (6,), "thaw HOST", lasts=True),
    Form("thaw HOST", thaw),
    Form("slow HOST SECONDS", slow, (7,), "slow HOST ok"),
    Form("slow HOST ok", slow),
    Form("reboot HOST", reboot, (8,)),
    Form("crashloop HOST", crashloop, (9,), "crashloop HOST ok"),
    Form("crashloop HOST ok", crashloop_ok),
    Form("memory HOST errors", memory, (10,), "memory HOST ok"),
    Form("memory HOST ok", memory),
    Form("disk HOST readonly", disk, (11,), "disk HOST ok"),
    Form("disk HOST slow", disk, (11,), "disk HOST ok"),
    Form("disk HOST ok", disk),
    Form("libvirt HOST hang", libvirt, (12,), "libvirt HOST ok"),
    Form("libvirt HOST stuck", libvirt, (12,), "libvirt HOST ok"),
    Form("libvirt HOST restart", libvirt_restart, (13,), "libvirt HOST ok"),
    Form("libvirt HOST ok", libvirt),
    Form("compute HOST crash", nova_compute, (14,), "compute HOST ok"),
    Form("compute HOST broken", nova_compute, (14,), "compute HOST ok"),
    Form("compute HOST hang", nova_compute, (15,), "compute HOST ok"),
    Form("compute HOST ok", nova_compute),
    Form("agent HOST crash", agent, (16,), "agent HOST ok"),
    Form("agent HOST hang", agent, (16,), "agent HOST ok"),
    Form("agent HOST old", agent, (16,), "agent HOST ok"),
    Form("agent HOST ok", agent),
    Form("watchdog HOST absent", watchdog, (17,), "watchdog HOST armed"),
    Form("watchdog HOST noboot", watchdog, (17,), "watchdog HOST armed"),
    Form("watchdog HOST armed", watchdog),
    Form("gate HOST broken", gate, (18,), "gate HOST ok"),
    Form("gate HOST ok", gate),
    Form("guest SERVER crash", guest, heal="guest SERVER ok"),
    Form("guest SERVER hang", guest, heal="guest SERVER ok"),
    Form("guest SERVER ok", guest),
    Form("ip-conflict HOST", conflict, (31,), "ip-conflict HOST over"),
    Form("ip-conflict HOST over", conflict),
    Form("rack RACK off", rack_off, (64,), "rack RACK on"),
    Form("rack RACK on", rack_on),
    Form("pdu HOSTS off", pdu_off, (65,), "pdu HOSTS on"),
    Form("pdu HOSTS on", pdu_on),
    Form("zone ZONE off", zone_off, (66,), "zone ZONE on"),
    Form("zone ZONE on", zone_on),
    Form("overheat HOSTS SECONDS", overheat, (67,), "cool HOSTS"),
    Form("cool HOSTS", cool),
    Form("rolling HOSTS SECONDS", rolling, (68,)),
    Form("site off", site_off, (69,), "site on"),
    Form("site on", site_on),
)
