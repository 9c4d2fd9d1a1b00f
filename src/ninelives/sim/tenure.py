"""The lease in a simulated world: exact at every trouble, and no event per beat without one.

While its leader runs and reaches the store, renewals go through every quarter of a lease, and
nobody needs to hear of it. When something changes, `settle` writes the beat that the leader really
sent last; from there the engine's own arithmetic says when it must end and who may take over.
"""

from math import floor
from typing import TYPE_CHECKING

from ninelives.core.model import WitnessId
from ninelives.engine.lease import (
    RENEWALS_PER_LEASE,
    Hold,
    Tenure,
    Watch,
    released,
    renewed,
    taken,
)
from ninelives.engine.ports import LeaseRow

from .memory_store import Answers
from .network import store_reached

if TYPE_CHECKING:
    from .controllers import Controller
    from .world import World


def can_renew(world: "World", controller: "Controller") -> bool:
    """Say whether a renewal sent now would be answered."""
    return (
        controller.is_running and world.ledger.answers_calls and store_reached(world, controller.id)
    )


def settle(world: "World", controller: "Controller") -> None:
    """Write the last renewal that went by in silence."""
    hold = controller.hold
    if hold is None or not controller.renews:
        return
    now = controller.now(world.now)
    period = hold.tenure.lease_s / RENEWALS_PER_LEASE
    beats = floor((now - hold.tenure.sent_at) / period)
    if beats < 1:
        return
    last = hold.tenure.sent_at + beats * period
    aged = Tenure(hold.tenure.term, last - period, hold.tenure.lease_s, hold.tenure.margin_s)
    store = world.ledger.lease
    answers, store.answers = store.answers, Answers.ALWAYS  # it answered when this was sent
    controller.hold = renewed(store, Hold(hold.row, aged), lambda: last) or hold
    store.answers = answers
    world.beat_at = controller.clock.world_at(last)


def check(world: "World") -> None:
    """Look at the lease again: after every change of a controller, its links or the store."""
    for controller in world.controllers.values():
        if controller.hold is not None and controller.leads:
            check_holder(world, controller)
    for controller in world.controllers.values():
        if not controller.leads:
            plan_challenge(world, controller)


def check_holder(world: "World", controller: "Controller") -> None:
    able = can_renew(world, controller)
    if able == controller.renews:
        return
    if able:
        # Its next renewal is due at any moment; whatever else it has in hand may be faster.
        period = world.setup.knobs.lease_s / RENEWALS_PER_LEASE
        world.after(world.rng.random() * period / 2, "renewal", controller.id, controller.life)
        return
    settle(world, controller)
    controller.renews = False
    rearm_guard(world, controller)


def renewal(world: "World", controller_id: WitnessId, life: int) -> None:
    del life
    controller = world.controllers[controller_id]
    if controller.hold is not None and not controller.renews and can_renew(world, controller):
        renew_now(world, controller)


def renew_now(world: "World", controller: "Controller") -> bool:
    """Renew in earnest. False: the lease is lost, and with it the office."""
    assert controller.hold is not None
    settle(world, controller)
    now = controller.now(world.now)
    hold = renewed(world.ledger.lease, controller.hold, lambda: now)
    if hold is None:
        world.leave_office(controller, "lease_lost")
        return False
    controller.hold = hold
    world.beat_at = world.now
    if not controller.renews:
        controller.renews = True
        world.leases_changed()
    return True


def let_go(world: "World", controller: "Controller") -> None:
    """Write that nobody leads: whoever watches the lease need not wait for it to run out."""
    assert controller.hold is not None
    settle(world, controller)
    released(world.ledger.lease, controller.hold)
    controller.hold, controller.renews = None, False
    world.beat_at = world.now


def guard(world: "World", controller_id: WitnessId, life: int) -> None:
    """Kill a leader whose lease ended, also a stopped one; a stopped machine's guard stands too."""
    controller = world.controllers[controller_id]
    if controller.life != life or controller.hold is None or controller.renews:
        return
    now, ends = controller.now(world.now), controller.hold.tenure.ends_at
    if now + 1e-6 >= ends:
        world.leave_office(controller, "guard_killed")


def rearm_guard(world: "World", controller: "Controller") -> None:
    """Set the guard's timer anew for a machine whose clock stood still."""
    if controller.hold is not None and not controller.renews:
        ends = controller.clock.world_at(controller.hold.tenure.ends_at)
        world.at_time(max(world.now, ends), "guard", controller.id, controller.life)


# Taking over.


def plan_challenge(world: "World", controller: "Controller") -> None:
    """Let a standby watch the beat. It tries once it saw no new one for the lease and a margin."""
    able = can_renew(world, controller)
    if able and not controller.was_able:
        controller.able_since = world.now
    controller.was_able = able
    if not able or controller.is_watching:
        return
    row = world.ledger.row()
    if row.term and holder_renews(world, row):
        return
    controller.is_watching = True
    if not row.term:
        first_s = list(world.controllers).index(controller.id) * 0.01
        since = controller.now(world.now)
        world.after(first_s, "challenge", controller.id, controller.life, row, since)
        return
    # It reads the row about once a second; it cannot have read the last beat before it was sent.
    read_at = max(world.beat_at, controller.able_since) + world.rng.random()
    since = controller.clock.read(read_at)
    knobs = world.setup.knobs
    wait = knobs.lease_s + knobs.lease_margin_s if row.holder else 0.0
    due = controller.clock.world_at(max(since + wait, controller.rests_until)) + 0.001
    world.at_time(max(world.now, due), "challenge", controller.id, controller.life, row, since)


def holder_renews(world: "World", row: LeaseRow) -> bool:
    return any(
        each.renews and each.hold is not None and each.hold.tenure.term == row.term
        for each in world.controllers.values()
    )


def challenge(
    world: "World", controller_id: WitnessId, life: int, row: LeaseRow, since: float
) -> None:
    """Try to lead: the beat that was watched must still be the last one."""
    del life
    controller = world.controllers[controller_id]
    controller.is_watching = False
    if controller.leads or not can_renew(world, controller):
        return
    if controller.now(world.now) < controller.rests_until:
        plan_challenge(world, controller)
        return
    if row.term and holder_renews(world, row):
        return
    knobs = world.setup.knobs
    now = controller.now(world.now)
    watch = Watch(row, min(since, now))
    holder = f"{controller_id}/{controller.life}"
    hold = taken(
        world.ledger.lease, watch, holder, lambda: now, knobs.lease_s, knobs.lease_margin_s
    )
    if hold is None:
        plan_challenge(world, controller)
    else:
        world.take_office(controller, hold)
