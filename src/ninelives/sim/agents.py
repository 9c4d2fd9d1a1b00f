"""What the agent on a host does: it looks inside, renews its lease, attests, restarts services.

A host lease is exact where it breaks and costs nothing while it holds: the leader is told of the
first renewal of a chain and of its last one, and the host's own deadline is planned at the break.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.gate import Door, Gate, Inside, attests
from ninelives.core.model import Health, HostId, ServerId, Service, WitnessId

from . import network, storage
from .happenings import LeaseChanged
from .truth import AgentState, ComputeState, Condition, HostTruth, reboot

if TYPE_CHECKING:
    from .controllers import Controller
    from .world import World

COMPUTE_HEALTH = {
    ComputeState.OK: Health.OK,
    ComputeState.STOPPED: Health.DOWN,
    ComputeState.HUNG: Health.HUNG,
}

COLD_START = "cold start"  # the reason for which people open gates here


def touched(world: "World", host_id: HostId) -> None:
    """Let the agent report what changed at its next look, and its lease hold or break."""
    host = world.hosts[host_id]
    hear_controllers(world, host)
    if host.is_agent_up and host_id not in world.agent_due:
        world.agent_due.add(host_id)
        wait = world.jitter(world.setup.knobs.report_s) + host.slow_s
        world.after(wait, "agent_says", host_id)
    if world.setup.site.hosts[host_id].has_watchdog:
        for leader in world.controllers.values():
            check_lease(world, leader, host)


def hear_controllers(world: "World", host: HostTruth) -> None:
    """Keep until when the agent heard any controller: its boot gate counts from there."""
    is_heard = host.is_agent_up and any(
        each.is_running and hears(world, each, host.id) for each in world.controllers.values()
    )
    if host.is_heard and not is_heard:
        host.heard_at = world.now
    host.is_heard = is_heard


def gate_of(world: "World", host: HostTruth) -> Gate:
    """Return the boot gate of a host, on its own clock."""
    hear_controllers(world, host)
    heard_at = world.now if host.is_heard else host.heard_at
    return Gate(
        host.boot,
        world.setup.site.hosts[host.id].serial,
        was_first=not host.is_gate_broken,
        door=Door.OPEN if host.is_gate_open else Door.CLOSED,
        attested=host.attested,
        opened_by=host.gate_opened_by,
        reason=COLD_START if host.gate_opened_by else "",
        heard_at=None if heard_at is None else heard_at - host.booted_at,
    )


def agent_says(world: "World", host_id: HostId) -> None:
    world.agent_due.discard(host_id)
    for leader in world.leading():
        say(world, leader, host_id)


def say(world: "World", leader: "Controller", host_id: HostId) -> None:
    """Report to a leader, if it can hear the agent and something changed."""
    host = world.hosts[host_id]
    if not host.is_agent_up or not hears(world, leader, host_id):
        leader.said.pop(("agent", host_id), None)  # whoever is heard again says everything anew
        return
    report = look_inside(world, host)
    if leader.said.get(("agent", host_id)) != report:
        leader.said["agent", host_id] = report
        world.deliver(leader, report)


def hears(world: "World", leader: "Controller", host: HostId) -> bool:
    return world.net.talks(host, leader.id, network.planes_of(world, host))


def look_inside(world: "World", host: HostTruth) -> on.AgentSaid:
    working = storage.is_working(world, host.id)
    gated = host.compute is ComputeState.STOPPED and not host.is_compute_let_run
    return on.AgentSaid(
        host.id,
        host.boot,
        libvirt=host.libvirt,
        # A nova-compute that the gate holds back is not broken.
        compute=Health.OK if gated else COMPUTE_HEALTH[host.compute],
        storage_lost=not working,
        guests_progress=working and not host.is_readonly,
        is_slow=bool(host.slow_s or host.has_slow_disk or host.has_memory_errors),
        watchdog_armed=host.is_watchdog_armed,
        bad_guests=tuple(sorted(bad_guests(host))),
    )


def bad_guests(host: HostTruth) -> list[ServerId]:
    return [name for name, domain in host.domains.items() if domain.health is not Health.OK]


# The host's lease.


def check_lease(world: "World", leader: "Controller", host: HostTruth) -> None:
    """Begin or end a chain of renewals between a host and a leader."""
    holds = host.id in leader.renewing
    able = can_renew(world, leader, host)
    armed = host.is_watchdog_armed
    wanted = on.Renewed(host.id, host.boot, armed)
    if able and leader.renewing.get(host.id) != wanted:
        leader.renewing[host.id] = wanted
        world.lease_chains[host.id] = world.lease_chains.get(host.id, 0) + 1
        world.drop_promises(host.id)
        world.happen(LeaseChanged(host.id, host.boot, is_renewing=True, is_armed=armed))
        world.deliver(leader, wanted)
    elif holds and not able:
        last = leader.renewing.pop(host.id)
        world.happen(LeaseChanged(host.id, last.boot, is_renewing=False, is_armed=armed))
        world.deliver(leader, last)  # a leader that stands still finds it when it goes on
        plan_end_of_lease(world, host)


def can_renew(world: "World", leader: "Controller", host: HostTruth) -> bool:
    grants = leader.is_running and leader.leads and leader.renews
    return grants and host.is_agent_up and hears(world, leader, host.id)


def plan_end_of_lease(world: "World", host: HostTruth) -> None:
    policy = world.policy_of(host.id)
    left = policy.host_lease_s + policy.watchdog_soft_s + policy.watchdog_device_s
    world.after(left, "lease_out", host.id, host.boots, world.lease_chains.get(host.id, 0))


def lease_out(world: "World", host_id: HostId, boots: int, chain: int) -> None:
    """The lease ran out: the watchdog resets the host, unless its peers vouch for it."""
    host = world.hosts[host_id]
    if host.boots != boots or world.lease_chains.get(host_id) != chain:
        return
    if not host.is_watchdog_armed or any(host_id in c.renewing for c in world.controllers.values()):
        return
    if host.condition not in (Condition.RUNNING, Condition.FROZEN, Condition.HUNG):
        return
    if is_exempt(world, host):
        world.after(world.policy_of(host_id).host_lease_s, "lease_out", host_id, boots, chain)
    else:
        world.note(host_id, "watchdog.reset", "lease_out")
        reboot(world, host)


def is_exempt(world: "World", host: HostTruth) -> bool:
    """A majority of its witnesses sees it, and none of those has promised to let it fall."""
    if not host.is_agent_up:
        return False
    witnesses = world.setup.site.hosts[host.id].witnesses
    vouching = [
        witness
        for witness in witnesses
        if (witness, host.id) not in world.promises and vouches(world, witness, host.id)
    ]
    return len(vouching) * 2 > len(witnesses)


def vouches(world: "World", witness: WitnessId, host: HostId) -> bool:
    peer = world.hosts.get(HostId(witness))
    awake = peer.is_agent_up if peer else world.controllers[witness].is_running
    return awake and world.net.talks(witness, host, network.planes_of(world, host))


# What a leader asks an agent.


def ask_promises(world: "World", leader: "Controller", action: do.AskPromises) -> None:
    for witness in world.setup.site.hosts[action.host].witnesses:
        wait = world.jitter(world.setup.knobs.reply_s)
        world.after(wait, "promised", leader.id, leader.life, action, witness)


def promised(
    world: "World", leader_id: WitnessId, life: int, action: do.AskPromises, witness: WitnessId
) -> None:
    leader = world.controllers[leader_id]
    peer = HostId(witness)
    awake = witness == leader_id or witness in world.controllers
    if peer in world.hosts:
        awake = world.hosts[peer].is_agent_up and hears(world, leader, peer)
    if awake:
        world.promises[witness, action.host] = action.epoch
        world.answer(leader_id, life, on.Promised(witness, action.host, action.epoch))


def attest(world: "World", leader_id: WitnessId, life: int, action: do.AskAttestation) -> None:
    """Answer a nonce: an agent that runs and hears it signs what it finds."""
    host, leader = world.hosts[action.host], world.controllers[leader_id]
    if not host.is_agent_up or not hears(world, leader, action.host):
        return
    guests = sum(1 for _ in host.running())
    inside = Inside(guests, autostart=host.is_gate_broken, resume_guests=False)
    gate, said = attests(gate_of(world, host), action.epoch, inside)
    host.attested = gate.attested
    said = replace(said, signed=host.agent is AgentState.OK)
    world.answer(leader_id, life, on.Attested(action.host, said))


AgentOrder = do.StartCompute | do.OpenGate | do.Restart


def order(world: "World", leader_id: WitnessId, life: int, action: AgentOrder) -> None:
    """Carry out what a leader asks on the host itself. A dead agent is restarted over ssh."""
    host, leader = world.hosts[action.host], world.controllers[leader_id]
    is_ssh = isinstance(action, do.Restart) and action.service is Service.AGENT
    there = host.is_up and (host.is_agent_up or is_ssh) and hears(world, leader, action.host)
    if not there:
        timeout = world.policy_of(action.host).request_timeout_s
        world.reply_after(timeout, leader_id, life, action, on.Outcome.UNKNOWN, "timeout")
        return
    if not isinstance(action, do.Restart) and action.boot not in (None, host.boot):
        world.reply_now(leader_id, life, action, on.Outcome.REFUSED, "other_boot")
        return
    match action:
        case do.OpenGate():
            host.is_gate_open = host.is_compute_let_run = True
            world.touched(host.id)
        case do.StartCompute():
            host.is_compute_let_run = True
            world.start_compute(host)
        case do.Restart(service=service):
            wait = world.setup.knobs.restart_service_s
            world.after(wait, "restarted", host.id, host.boots, service)
    world.reply_now(leader_id, life, action, on.Outcome.DONE)


def restarted(world: "World", host_id: HostId, boots: int, service: Service) -> None:
    """A service runs again, unless what broke it breaks it again."""
    host = world.hosts[host_id]
    if host.boots != boots or not host.is_up or (host_id, service) in world.stubborn:
        return
    match service:
        case Service.LIBVIRT:
            host.libvirt = Health.OK
        case Service.NOVA_COMPUTE:
            world.start_compute(host)
        case Service.AGENT:
            host.agent = AgentState.OK
    world.touched(host_id)
