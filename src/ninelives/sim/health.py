"""News for leaders, told again in each new term: canaries, guests, beacons; and answers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import LOCAL, GuestEnd, Health, HostId, ServerId, WitnessId

from . import cloud_reads, controllers, network, nova, service_records, storage
from .state_table import hosts_named, servers_named
from .truth import HostTruth

if TYPE_CHECKING:
    from .controllers import Controller
    from .world import World

# What names the question that it answers may come twice, as long as it is waited for; what is
# signed for an episode, long after. A read of a power device names nothing: it never comes again.
ECHOES: Mapping[type, float] = {
    **dict.fromkeys((on.Replied, on.Listed, on.Watched, on.TargetsSeen, on.DomainsSeen), 1.0),
    **dict.fromkeys((on.Attested, on.Promised), 10.0),
    on.GuestSeen: 1.0,
}
ECHOES_EACH = 2
WAITED_FOR_S = 30.0  # nobody waits for an answer any longer than this
LOCK_LOOK_S = 10.0  # how often an agent looks again at a disk that is not free
CANARIES = ("nova", "keystone", "scheduler", "database", "bus")


def tell_news(world: "World", kind: str, key: str, event: on.Event) -> None:
    """Tell every leader, and remember it for the next one."""
    if world.news.get((kind, key)) == event:
        return
    world.news[kind, key] = event
    for leader in world.leading():
        world.deliver(leader, event)


def canary_probe(world: "World", name: str) -> None:
    tell_news(world, "canary", name, on.CanarySeen(name, is_canary_ok(world, name)))


def is_canary_ok(world: "World", name: str) -> bool:
    faults = world.nova.faults
    match name:
        case "nova":
            fails = faults.api is not None and not faults.is_api_read  # a canary only reads
            return not fails and not faults.is_database_down
        case "scheduler":
            return not faults.is_scheduler_down
        case "database":
            return not faults.is_database_down
        case "bus":
            return not faults.is_bus_down
        case _:
            return name not in world.broken


def cloud_changed(world: "World") -> None:
    """Let every canary find out in its own time."""
    for host in sorted(world.setup.site.agentless):
        service_records.something_changed(world, host)
    for name in CANARIES:
        wait = world.rng.random() * world.setup.knobs.canary_s
        world.after(wait, "canary_probe", name)


def guest_changed(world: "World", server: ServerId, host: HostId) -> None:
    """Let an agent notice how a guest does: a crash soon, a hang after its silence."""
    domain = world.hosts[host].domains.get(server)
    hangs = domain is not None and domain.health is Health.HUNG
    policy = world.policy_of(host)
    wait = policy.guest_silent_s if hangs else world.setup.knobs.report_s
    world.after(wait, "guest_seen", server, host)
    world.touched(host)


def guest_seen(world: "World", server: ServerId, host: HostId, is_again: bool = False) -> None:
    """Let the agent say how a guest is; where its disk is held it looks again, in silence."""
    truth = world.hosts[host]
    domain = truth.domains.get(server)
    if not truth.is_agent_up or domain is None or server not in world.nova.servers:
        return
    end = end_of(world, truth, server) if domain.health is Health.DOWN else None
    if end is not None and not end.is_unlocked:
        world.after(LOCK_LOOK_S, "guest_seen", server, host, True)
        if is_again:
            return
    event = on.GuestSeen(cloud_reads.seen_of(world, server), host, domain.health, end)
    for leader in world.leading():
        if world.net.talks(host, leader.id, network.planes_of(world, host)):
            reply(world, leader.id, leader.life, event)


def end_of(world: "World", host: HostTruth, server: ServerId) -> GuestEnd:
    """Say what its agent sees of a crashed guest: its process, and who holds the lock of its disks.

    Any process of it that can write holds the lock, on whatever host; so does a watcher that its
    backend does not let go of.
    """
    domain = host.domains.get(server)
    backends = [world.backends[name] for name in world.disks_of(server) if name != LOCAL]
    is_stale = any(host.id in backend.stale_watchers for backend in backends)
    is_down = any(backend.health == storage.DOWN for backend in backends)
    is_unlocked = not is_stale and not world.writers(server)
    has_exited = domain is None or not domain.is_running
    return GuestEnd(host.boot, has_exited, None if is_down else is_unlocked)


def kdump_beacon(world: "World", host: HostId, ended: bool) -> None:
    tell_news(world, "kdump", host, on.KdumpSeen(host, ended))


# What comes back to a controller.


def answer(world: "World", controller: WitnessId, life: int, event: on.Event) -> None:
    """Bring an answer back: at once, or late, or twice, as the network has it."""
    number = world.controllers[controller].looks.ask()
    wait = world.rng.random() * world.net.delay_s if world.net.delay_s else 0.0
    if wait or world.net.doubled or world.net.reorders:
        asker = (controller, life, event, number)
        world.after(wait + world.net.reorders * world.rng.random(), "reply", *asker)
        if world.net.doubled:
            world.after(wait + world.rng.random(), "reply", *asker)
        return
    reply(world, controller, life, event, number)


def reply(
    world: "World", controller_id: WitnessId, life: int, event: on.Event, number: int = 0
) -> None:
    """Bring an answer to its asker. `number` is that of its question: 0 for one asked just now."""
    if is_same_life(world, controller_id, life):
        number = number or world.controllers[controller_id].looks.ask()
        deliver_in_order(world, world.controllers[controller_id], event, number)
        if type(event) not in ECHOES or is_our_own(event):
            return
        remember(world, Heard(world.now, controller_id, life, event, number))
        if world.net.echo_s:
            for _ in range(ECHOES_EACH):
                wait = world.rng.random() * world.net.echo_s * ECHOES[type(event)]
                world.after(wait, "echo", controller_id, life, event, number)


def is_our_own(event: on.Event) -> bool:
    """Say whether no network carried it: what our last check held back, it says once."""
    return isinstance(event, on.Replied) and event.outcome is on.Outcome.NOT_SENT


class Heard(NamedTuple):
    """An answer that a controller had, and may have once more."""

    at: float
    controller: WitnessId
    life: int
    event: on.Event
    number: int


def remember(world: "World", heard: Heard) -> None:
    """Keep the last answer of each kind about everybody whom it names."""
    kind = type(heard.event).__name__
    for name in (*hosts_named(heard.event), *servers_named(heard.event)):
        world.heard[kind, name] = heard


def again(world: "World", name: str) -> None:
    """Let each last answer about a host or a server come again, as long as it may be that late."""
    about = [heard for (_, whom), heard in world.heard.items() if whom == name]
    for heard in sorted(about, key=lambda each: each.at):
        if world.now <= heard.at + WAITED_FOR_S * ECHOES[type(heard.event)]:
            echo(world, heard.controller, heard.life, heard.event, heard.number)


def echo(world: "World", controller_id: WitnessId, life: int, event: on.Event, number: int) -> None:
    """Bring an answer again that was had already."""
    if is_same_life(world, controller_id, life):
        deliver_in_order(world, world.controllers[controller_id], event, number)


def is_same_life(world: "World", controller: WitnessId, life: int) -> bool:
    """Say whether the process that asked is still there to be answered."""
    return world.controllers[controller].life == life


def deliver_in_order(
    world: "World", controller: "Controller", event: on.Event, number: int
) -> None:
    """Let a leader have an answer, as far as no later question was answered before."""
    still_said = controller.looks.told(number, event)
    if still_said is not None:
        deliver(world, controller, still_said)


def deliver(world: "World", controller: "Controller", event: on.Event) -> None:
    """Let a leader's mind have an event; one that stands still has it when it goes on."""
    if not controller.leads:
        return
    if controller.is_running:
        controllers.offer(world, controller, event)
    else:
        controller.deferred.append(("reply", (controller.id, controller.life, event)))


def replied(action: do.Action, outcome: on.Outcome, why: str) -> on.Replied:
    return on.Replied(action, outcome, why)


def is_api_well(world: "World") -> bool:
    return world.nova.faults == nova.Faults()
