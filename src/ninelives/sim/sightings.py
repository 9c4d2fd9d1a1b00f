"""What each witness gets from each host on each plane, and how the leaders learn of it.

    truth ─▶ signal (at once) ─▶ view (at the witness's next look, silence later) ─▶ told (a leader)

Nothing happens here while nothing changes. A sign that grows is seen at the next look; one that
fades is believed only after `silence_s`, as the absence of a beat takes that long to notice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING, NamedTuple

from ninelives.core import events as on
from ninelives.core.model import BootId, HostId, Plane, Sign, WitnessId

from . import network
from .truth import Condition

if TYPE_CHECKING:
    from .controllers import Controller
    from .world import World

ORDER = {Sign.SILENT: 0, Sign.UNKNOWN: 1, Sign.WEAK: 2, Sign.STRONG: 3}
REFERENCES = 3  # declared addresses on each plane


class Relation(NamedTuple):
    """One witness's look at one host on one plane."""

    witness: WitnessId
    host: HostId
    plane: Plane


class Signal(NamedTuple):
    """What arrives in truth, since when."""

    sign: Sign
    boot: BootId | None
    since: float


View = tuple[Sign, BootId | None]


@dataclass(slots=True)
class Eyes:
    """Everything that is seen. `views` is what each witness believes by now."""

    signals: dict[Relation, Signal] = field(default_factory=dict[Relation, Signal])
    views: dict[Relation, View] = field(default_factory=dict[Relation, View])
    looks: set[tuple[WitnessId, float]] = field(default_factory=set[tuple[WitnessId, float]])
    gaps: set[Relation] = field(default_factory=set[Relation])  # a run of lost packets
    lossy: set[Relation] = field(default_factory=set[Relation])
    phases: dict[WitnessId, float] = field(default_factory=dict[WitnessId, float])
    frozen: set[WitnessId] = field(default_factory=set[WitnessId])  # woke, and has not said so


def prepare(world: "World") -> None:
    """Let everybody have seen everybody before the story begins."""
    for witness in world.watch_lists:
        world.eyes.phases[witness] = world.rng.random() * world.setup.knobs.heartbeat_s
    for witness, hosts in world.watch_lists.items():
        for relation in relations(world, witness, hosts):
            sign, boot = signal_now(world, relation)
            world.eyes.signals[relation] = Signal(sign, boot, world.now)
            world.eyes.views[relation] = (sign, boot)


def blank(world: "World", witness: WitnessId) -> None:
    """Forget what a witness believed: it began anew, or knows that it slept. It looks again."""
    for relation in relations(world, witness, world.watch_lists.get(witness, ())):
        sign, boot = signal_now(world, relation)
        world.eyes.signals[relation] = Signal(sign, boot, world.now)
        world.eyes.views[relation] = (Sign.UNKNOWN, None)
        schedule_look(world, relation, sign)


def relations(world: "World", witness: WitnessId, hosts: tuple[HostId, ...]) -> Iterator[Relation]:
    for host in hosts:
        for plane in world.setup.site.hosts[host].planes:
            yield Relation(witness, host, plane)


def touched(world: "World", node: str) -> None:
    """Look again at every relation that `node` has part in."""
    host, witness = HostId(node), WitnessId(node)
    for watcher in world.watchers.get(host, ()):
        for plane in world.setup.site.hosts[host].planes:
            renew(world, Relation(watcher, host, plane))
    for relation in relations(world, witness, world.watch_lists.get(witness, ())):
        renew(world, relation)


def renew(world: "World", relation: Relation) -> None:
    eyes = world.eyes
    before = eyes.signals[relation]
    sign, boot = signal_now(world, relation)
    if (sign, boot) == (before.sign, before.boot):
        return
    eyes.signals[relation] = Signal(sign, boot, world.now)
    schedule_look(world, relation, sign)


def schedule_look(world: "World", relation: Relation, sign: Sign) -> None:
    """Find the look at which the witness notices; several changes share one look."""
    knobs = world.setup.knobs
    view = world.eyes.views[relation]
    wait = 0.0
    if ORDER[sign] < ORDER[view[0]]:
        # The last beat came up to one beat ago, and a delayed one may still be under way.
        silence = world.policy_of(relation.host).silence_s
        wait = max(0.0, silence - world.rng.random() * knobs.heartbeat_s)
        wait += world.rng.random() * world.net.delay_s
    phase = world.eyes.phases[relation.witness]
    beat = knobs.heartbeat_s
    when = phase + (floor((world.now + wait - phase) / beat) + 1) * beat
    key = (relation.witness, when)
    if key not in world.eyes.looks:
        world.eyes.looks.add(key)
        world.at_time(when, "look", *key)


def look(world: "World", witness: WitnessId, when: float) -> None:
    """Let a witness look at all its hosts, and tell the leaders what changed."""
    world.eyes.looks.discard((witness, when))
    if not is_awake(world, witness):
        return
    changed = False
    for relation in relations(world, witness, world.watch_lists[witness]):
        changed |= see(world, relation)
    if changed:
        tell_leaders(world, witness)


def see(world: "World", relation: Relation) -> bool:
    eyes = world.eyes
    signal, view = eyes.signals[relation], eyes.views[relation]
    if (signal.sign, signal.boot) == view:
        return False
    if ORDER[signal.sign] < ORDER[view[0]]:
        beat, silence = world.setup.knobs.heartbeat_s, world.policy_of(relation.host).silence_s
        if signal.since + silence - beat > world.now:
            # Changed again since this look was planned: look later.
            schedule_look(world, relation, signal.sign)
            return False
    eyes.views[relation] = (signal.sign, signal.boot)
    return True


# What is there to be seen.


def signal_now(world: "World", relation: Relation) -> View:
    witness, host_id, plane = relation
    host = world.hosts[host_id]
    if not is_awake(world, witness) or relation in world.eyes.gaps:
        return Sign.SILENT, None
    if plane is Plane.TENANT and host_id in world.net.conflicts and not host.is_up:
        return Sign.WEAK, None  # somebody else answers under its address
    if host.condition not in (Condition.RUNNING, Condition.HUNG):
        return Sign.SILENT, None
    heard = world.net.loss(host_id, witness, plane)
    if heard >= 1.0:
        return Sign.SILENT, None
    heard = max(heard, min(0.6, host.slow_s / 30.0))  # a starved agent misses beats
    if heard > 0.0 and relation not in world.eyes.lossy:
        lose_some(world, relation, heard)
    if witness in world.controllers and host.is_agent_up:
        return Sign.STRONG, host.boot
    if world.net.reaches(witness, host_id, plane):
        return Sign.WEAK, None
    return Sign.SILENT, None


def is_awake(world: "World", witness: WitnessId) -> bool:
    controller = world.controllers.get(witness)
    if controller is not None:
        return controller.is_running
    host = world.hosts.get(HostId(witness))
    return host is not None and host.is_agent_up


def lose_some(world: "World", relation: Relation, loss: float) -> None:
    """Draw when the next run of lost beats is long enough to be taken for silence."""
    world.eyes.lossy.add(relation)
    run = max(1, round(world.policy_of(relation.host).silence_s / world.setup.knobs.heartbeat_s))
    mean_s = (1.0 - loss**run) / ((1.0 - loss) * loss**run) * world.setup.knobs.heartbeat_s
    if mean_s < 1e6:
        world.after(world.rng.expovariate(1.0 / mean_s), "gap_began", relation)


def gap_began(world: "World", relation: Relation) -> None:
    world.eyes.lossy.discard(relation)
    loss = world.net.loss(relation.host, relation.witness, relation.plane)
    loss = max(loss, min(0.6, world.hosts[relation.host].slow_s / 30.0))
    if not 0.0 < loss < 1.0 or world.eyes.signals[relation].sign is Sign.SILENT:
        return
    silence = world.policy_of(relation.host).silence_s
    world.eyes.gaps.add(relation)
    world.eyes.signals[relation] = Signal(Sign.SILENT, None, world.now - silence)
    schedule_look(world, relation, Sign.STRONG)  # the silence lies behind us: at the next look
    world.after(world.rng.expovariate(1.0 - loss) + 1.0, "gap_ended", relation)


def gap_ended(world: "World", relation: Relation) -> None:
    world.eyes.gaps.discard(relation)
    renew(world, relation)


# How it reaches a leader.


def tell_leaders(world: "World", witness: WitnessId) -> None:
    for leader in world.leading():
        if is_heard(world, leader, witness):
            tell(world, leader, witness)


def is_heard(world: "World", leader: "Controller", witness: WitnessId) -> bool:
    """Say whether a witness's word reaches this leader: by any plane, or through the store."""
    if witness == leader.id:
        return True
    if not is_awake(world, witness):
        return False
    if witness in world.controllers:
        return world.ledger.answers_calls and all(
            network.store_reached(world, each) for each in (witness, leader.id)
        )
    return world.net.talks(witness, leader.id, network.planes_of(world, witness))


def tell(world: "World", leader: "Controller", witness: WitnessId) -> None:
    """Tell a leader whatever this witness believes and the leader does not know, in one message."""
    changes = list[on.Change]()
    for relation in relations(world, witness, world.watch_lists[witness]):
        view = world.eyes.views[relation]
        if leader.told.get(relation) != view:
            leader.told[relation] = view
            changes.append(on.Change(relation.host, relation.plane, view[0], view[1]))
    seen = references(world, witness)
    fresh = tuple(each for each in seen if leader.references.get((witness, each[0])) != each[1])
    for plane, count, _ in fresh:
        leader.references[witness, plane] = count
    froze = witness in world.eyes.frozen
    if changes or fresh or froze:
        world.eyes.frozen.discard(witness)
        world.deliver(leader, on.Sighted(witness, tuple(changes), fresh, froze))


def references(world: "World", witness: WitnessId) -> tuple[tuple[Plane, int, int], ...]:
    planes = network.planes_of(world, witness)
    return tuple(
        (plane, REFERENCES * world.net.talks(witness, network.GATEWAY, (plane,)), REFERENCES)
        for plane in planes
    )


def relinked(world: "World", leader: "Controller", witness: WitnessId) -> None:
    """Notice that a witness's word reaches a leader again, or does not any more."""
    heard = is_heard(world, leader, witness)
    if heard == (witness in leader.linked):
        return
    if heard:
        leader.linked.add(witness)
        wait = world.setup.knobs.heartbeat_s * world.rng.random()
        world.after(wait, "retell", leader.id, leader.life, witness)
    else:
        leader.linked.discard(witness)
        world.after(world.setup.knobs.stale_s, "stale", leader.id, leader.life, witness)


def retell(world: "World", leader_id: WitnessId, life: int, witness: WitnessId) -> None:
    leader = world.controllers[leader_id]
    if leader.life == life and leader.leads and is_heard(world, leader, witness):
        tell(world, leader, witness)


def stale(world: "World", leader_id: WitnessId, life: int, witness: WitnessId) -> None:
    """A witness was not heard for long: what it said is worth nothing any more."""
    leader = world.controllers[leader_id]
    if leader.life != life or not leader.leads or witness in leader.linked:
        return
    changes = list[on.Change]()
    for relation in relations(world, witness, world.watch_lists[witness]):
        if leader.told.get(relation, (Sign.UNKNOWN, None))[0] is not Sign.UNKNOWN:
            leader.told[relation] = (Sign.UNKNOWN, None)
            changes.append(on.Change(relation.host, relation.plane, Sign.UNKNOWN))
    if changes:
        world.deliver(leader, on.Sighted(witness, tuple(changes)))


def tell_everything(world: "World", leader: "Controller") -> None:
    """Let every witness that this leader hears report all it sees: nothing seen is inherited."""
    leader.told.clear()
    leader.references.clear()
    leader.linked.clear()
    for witness in world.watch_lists:
        relinked(world, leader, witness)
