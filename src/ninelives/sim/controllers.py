"""A controller: its process, its clock, its mind while it leads, and how it stops and starts.

down ─▶ standby ─▶ leads ─▶ down          a pause stops the process, or the whole machine with
           ▲                  │           its clock; the guard kills a paused process at the
           └──────────────────┘           end of its lease, but not in a machine that stands still
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from ninelives.core import events as on
from ninelives.core.draft import restored
from ninelives.core.model import HostId, Plane, WitnessId
from ninelives.engine.lease import Hold
from ninelives.engine.looks import Looks
from ninelives.engine.node import Node, Ready

from . import tenure, versions
from .happenings import ControllerPaused, ControllerResumed, Decided, TermTaken
from .network import store_reached
from .sightings import Relation, View, blank
from .truth import Condition, HostTruth
from .twins import twin

if TYPE_CHECKING:
    from .world import World

WAKES_MAX = 1_000  # at one instant; more is a mind that never comes to rest


class Pause(Enum):
    """What stands still."""

    NOTHING = auto()
    PROCESS = auto()  # SIGSTOP, swap, a debugger: its clock goes on
    MACHINE = auto()  # the whole virtual machine: its clock stands too, and so does its guard


@dataclass(frozen=True, slots=True)
class Clock:
    """A monotonic clock that nobody else can read."""

    world: float
    mono: float
    rate: float = 1.0

    def read(self, now: float) -> float:
        return self.mono + (now - self.world) * self.rate

    def world_at(self, mono: float) -> float:
        return self.world + (mono - self.mono) / self.rate


class Report(NamedTuple):
    """Nova's record of a host, as a leader read it last."""

    at: float  # when nova-compute wrote it
    is_fresh: bool  # it was seen to grow, and not too long ago


@dataclass(slots=True)
class Controller:
    """One controller as it really is, with what it was told in this life."""

    id: WitnessId
    clock: Clock
    life: int = 1  # +1 at each end: whatever was under way for an earlier one is void
    is_alive: bool = True
    pause: Pause = Pause.NOTHING
    paused_at: float = 0.0
    frozen_mono: float = 0.0
    node: Node | None = None
    hold: Hold | None = None
    renews: bool = False  # renewals go through by themselves; `hold` is as old as the last change
    is_watching: bool = False  # it has a challenge planned
    rests_until: float = 0.0  # on its own clock: it handed over, and lets others lead
    able_since: float = 0.0  # since when it can read the lease without a gap
    was_able: bool = False
    deferred: list[tuple[str, tuple[object, ...]]] = field(
        default_factory=list[tuple[str, tuple[object, ...]]]
    )
    uncommitted: list[Ready] = field(default_factory=list[Ready])
    wake_due: float | None = None
    woke_at: float = -1.0
    wakes_now: int = 0
    told: dict[Relation, View] = field(default_factory=dict[Relation, View])
    references: dict[tuple[WitnessId, Plane], int] = field(
        default_factory=dict[tuple[WitnessId, Plane], int]
    )
    linked: set[WitnessId] = field(default_factory=set[WitnessId])
    said: dict[tuple[str, str], on.Event] = field(default_factory=dict[tuple[str, str], on.Event])
    renewing: dict[HostId, on.Renewed] = field(default_factory=dict[HostId, on.Renewed])
    reports: dict[HostId, Report] = field(default_factory=dict[HostId, Report])
    unread_since: float | None = None  # since when Nova shows it no records
    is_own_fault: bool = False
    looks: Looks = field(default_factory=Looks)
    version: int = versions.THIS  # of its program

    @property
    def is_running(self) -> bool:
        """Its process executes now."""
        return self.is_alive and self.pause is Pause.NOTHING

    @property
    def leads(self) -> bool:
        """It believes that it leads."""
        return self.is_alive and self.node is not None

    def now(self, world_now: float) -> float:
        """Read its own clock; one that stands still shows when it stopped."""
        return self.frozen_mono if self.pause is Pause.MACHINE else self.clock.read(world_now)

    def fork(self) -> "Controller":
        other = twin(self)
        if self.node is not None:
            other.node = self.node.fork()
        other.looks = twin(self.looks)
        return other


# Leading.


def begin_term(world: "World", controller: Controller, hold: Hold) -> None:
    """Start from what is durable; nothing that was seen is inherited."""
    setup, records = world.setup, world.ledger.begin_term(controller.id)
    if controller.version != versions.THIS and not versions.reads(records, controller.version):
        world.note(controller.id, "store.refused", "newer_version")
        end(world, controller, restarts=True)
        return
    cluster = restored(setup.site, setup.policy, *records, segment_policies=setup.segment_policies)
    controller.node = Node(cluster, world.decide, world.ledger.revision, world.laws)
    controller.hold = hold
    controller.renews = True
    forget_term(controller)
    term = hold.tenure.term
    world.happen(TermTaken(controller.id, term))
    world.note("", "term.taken", f"{controller.id} term {term}")
    # All share one configuration: only the first row of a journal has to say which.
    setting = None if world.ledger.revision else setup.setting
    world.deliver(controller, on.TermBegan(term, controller.id, term > 1, setting))
    world.tell_all(controller)
    tenure.check(world)


def forget_term(controller: Controller) -> None:
    """Empty everything that belongs to one term of one process."""
    controller.uncommitted.clear()
    controller.wake_due = None
    controller.told.clear()
    controller.references.clear()
    controller.linked.clear()
    controller.said.clear()
    controller.renewing.clear()
    controller.reports.clear()
    controller.unread_since = None
    controller.is_own_fault = False
    controller.looks = Looks()


def offer(world: "World", controller: Controller, event: on.Event, at_least: float = 0.0) -> None:
    """Let the leader's mind fold one event, and have the decision made durable."""
    node = controller.node
    assert node is not None
    ready = node.offer(event, max(controller.now(world.now), at_least, node.cluster.now))
    if not controller.uncommitted:
        wait = world.setup.knobs.commit_s + world.ledger.slow_s
        world.after(wait, "commit", controller.id, controller.life)
    controller.uncommitted.append(ready)
    plan_wake(world, controller)


def plan_wake(world: "World", controller: Controller) -> None:
    assert controller.node is not None
    due = controller.node.wake_at()
    if due is None or (controller.wake_due is not None and controller.wake_due <= due):
        return
    controller.wake_due = due
    when = max(world.now, controller.clock.world_at(due))
    world.at_time(when, "wake", controller.id, controller.life, due)


ROUNDED_S = 0.001


def wake(world: "World", controller_id: WitnessId, life: int, due: float) -> None:
    """A time that the mind asked for has come."""
    del life
    controller = world.controllers[controller_id]
    if controller.node is None or controller.wake_due != due:
        return
    controller.wake_due = None
    if controller.now(world.now) < due - ROUNDED_S:
        plan_wake(world, controller)  # its machine stood still, and its clock with it
        return
    # The two clocks round differently: what was planned for `due` has come, not almost.
    now = max(controller.now(world.now), due)
    subject = controller.node.due(now)
    if subject is None:
        plan_wake(world, controller)
        return
    controller.wakes_now = controller.wakes_now + 1 if controller.woke_at == now else 1
    controller.woke_at = now
    assert controller.wakes_now < WAKES_MAX, f"{subject} asks for the same instant for ever"
    offer(world, controller, on.Woke(subject), now)


# The journal.


def commit(world: "World", controller_id: WitnessId, life: int) -> None:
    """Make all waiting decisions durable in one transaction, then hand out their actions."""
    controller = world.controllers[controller_id]
    if controller.node is None or controller.hold is None or not controller.uncommitted:
        return
    if not (world.ledger.answers_calls and store_reached(world, controller_id)):
        world.after(1.0, "commit", controller_id, life)
        return
    term = controller.hold.tenure.term
    if not world.ledger.accepts(controller.uncommitted[0], term):
        leave_office(world, controller, "term_lost")
        return
    batch = tuple(controller.uncommitted)
    controller.uncommitted.clear()
    world.ledger.commit(batch, world.now)
    for ready in batch:
        world.ledger.write(ready)
        decided = (ready.revision, ready.at, ready.event, ready.decision)
        world.happen(Decided(controller_id, term, *decided))
        world.keep_notes(ready.decision.notes)
    if any(ready.decision.actions for ready in batch):
        world.after(0.0, "handout", controller_id, life, batch[-1].revision)
    else:
        controller.node.committed(batch[-1].revision)


def handout(world: "World", controller_id: WitnessId, life: int, revision: int) -> None:
    """What is durable is acted upon."""
    del life
    controller = world.controllers[controller_id]
    assert controller.node is not None
    at = controller.now(world.now)
    for action in controller.node.committed(revision):
        world.perform(controller, action, at)


# Ends and pauses.


def leave_office(world: "World", controller: Controller, why: str) -> None:
    """End a leader that lost its lease; it starts again as anybody."""
    world.note(controller.id, "term.left", why)
    end(world, controller, restarts=True)


def hand_over(world: "World", controller: Controller, reason: str) -> None:
    """Let go of the lease with nothing under way, and do not try for it for a while."""
    tenure.let_go(world, controller)
    world.note(controller.id, "term.handed_over", reason)
    controller.rests_until = controller.now(world.now) + world.setup.policy.hand_over_rest_s
    end(world, controller, restarts=True)


def end(world: "World", controller: Controller, restarts: bool) -> None:
    """End the process: killed, crashed, or out of office. Whatever it had under way is void."""
    if not controller.is_alive:
        return
    tenure.settle(world, controller)
    controller.life += 1
    controller.is_alive = False
    controller.node, controller.hold, controller.renews = None, None, False
    controller.pause = Pause.NOTHING
    controller.is_watching = False
    controller.was_able = False
    controller.deferred.clear()
    forget_term(controller)
    world.touched(controller.id)
    if restarts:
        wait = world.setup.knobs.restart_controller_s
        world.after(wait, "restart", controller.id, controller.life)


def restart(world: "World", controller_id: WitnessId, life: int) -> None:
    controller = world.controllers[controller_id]
    is_kept_down = controller_id in world.kept_down or not has_a_seat(world, controller_id)
    if controller.is_alive or controller.life != life or is_kept_down:
        return
    controller.is_alive = True
    world.eyes.frozen.discard(controller_id)
    blank(world, controller_id)
    world.touched(controller_id)


def pause(world: "World", controller: Controller, kind: Pause, until: float) -> None:
    """Let a process, or its whole machine, stand still until `until`."""
    if not controller.is_running:
        return
    tenure.settle(world, controller)
    for renewed in tuple(controller.renewing.values()):
        world.deliver(controller, renewed)  # it had each until now: lazily, only the last is told
    controller.frozen_mono = controller.clock.read(world.now)
    controller.pause = kind
    controller.paused_at = world.now
    if until < inf:
        world.after(until - world.now, "resume", controller.id, controller.life)
    world.happen(ControllerPaused(controller.id, kind is Pause.MACHINE))
    world.touched(controller.id)


def resume(world: "World", controller_id: WitnessId, life: int) -> None:
    """Run again. A stopped process sees the gap in its clock; a stopped machine sees nothing."""
    controller = world.controllers[controller_id]
    if controller.life != life or controller.pause is Pause.NOTHING:
        return
    if not has_a_seat(world, controller_id):
        return  # its host stands still as well: it goes on with that
    gap_s = 0.0
    if controller.pause is Pause.MACHINE:
        rate = controller.clock.rate
        controller.clock = Clock(world.now, controller.frozen_mono, rate)
    else:
        gap_s = controller.clock.read(world.now) - controller.frozen_mono
    controller.pause = Pause.NOTHING
    world.happen(ControllerResumed(controller_id, gap_s))
    world.eyes.frozen.add(controller_id)
    blank(world, controller_id)
    if controller.leads and gap_s > world.setup.knobs.froze_s:
        begin_own_fault(world, controller, "froze")
    deferred, controller.deferred = controller.deferred, []
    for kind, args in deferred:
        world.after(0.0, kind, *args)
    world.touched(controller_id)
    if controller.leads:
        tenure.rearm_guard(world, controller)
        world.tell_all(controller)


# The host on which it runs.


def has_a_seat(world: "World", controller_id: WitnessId) -> bool:
    """Say whether the machine on which it runs is up: a compute host may be that machine."""
    seat = world.setup.site.controller_hosts.get(controller_id)
    return seat is None or world.hosts[seat].is_up


def seat_changed(world: "World", host: HostTruth) -> None:
    """Let the controllers that run on a host stand, end and start with it."""
    for name, seat in world.setup.site.controller_hosts.items():
        if seat != host.id:
            continue
        controller = world.controllers[name]
        if host.condition in (Condition.FROZEN, Condition.HUNG):
            pause(world, controller, Pause.MACHINE, inf)
        elif not host.is_up:
            end(world, controller, restarts=False)
        elif controller.is_alive:
            resume(world, name, controller.life)
        else:
            world.after(world.setup.knobs.restart_controller_s, "restart", name, controller.life)


def begin_own_fault(world: "World", controller: Controller, reason: str) -> None:
    """Let the leader notice that it cannot trust itself, and a full look later that it can."""
    world.deliver(controller, on.OwnFault(reason))
    wait = world.setup.knobs.fresh_window_s
    world.after(wait, "own_fault_ended", controller.id, controller.life, reason)


def own_fault_ended(world: "World", controller_id: WitnessId, life: int, reason: str) -> None:
    del life
    world.deliver(world.controllers[controller_id], on.OwnFault(reason, ended=True))


def set_rate(world: "World", controller: Controller, rate: float) -> None:
    """Let its clock run faster or slower from now on."""
    tenure.settle(world, controller)
    controller.clock = Clock(world.now, controller.now(world.now), rate)
    if controller.node is not None:
        controller.wake_due = None
        plan_wake(world, controller)
    tenure.check(world)
