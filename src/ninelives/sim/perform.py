"""How a leader's committed actions reach the world: reads at once, the rest after a last check.

The last check is the engine's: a lease renewal that begins after the commit, a fresh read of the
server, and `core.lastcheck` against what the leader knows at that very instant. Here all three
happen in one event, so that a pause can strike right before it and never in its middle.
"""

from typing import TYPE_CHECKING, assert_never

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import ServerSeen, WitnessId

from . import agents, bmc, cloud_reads, cloud_sends, controllers, storage, tenure, wellness
from .happenings import Issued

if TYPE_CHECKING:
    from .controllers import Controller
    from .world import World


def perform(
    world: "World", controller: "Controller", action: do.Action, committed_at: float
) -> None:
    """Begin one action of a durable decision."""
    if isinstance(action, do.READS):
        read(world, controller, action)
    elif isinstance(action, do.Tell):
        world.note(action.about, f"told.{action.what}", action.detail)
        world.reply_after(
            world.setup.knobs.reply_s, controller.id, controller.life, action, on.Outcome.DONE
        )
    else:
        wait = world.jitter(world.setup.knobs.send_s)
        world.after(wait, "send", controller.id, controller.life, action, committed_at)


def read(world: "World", controller: "Controller", action: do.Read) -> None:
    knobs, asker = world.setup.knobs, (controller.id, controller.life)
    match action:
        case do.ReadPower(host=host):
            bmc.read_power(world, *asker, host)
        case do.ReadStorage(host=host):
            storage.read_storage(world, *asker, host)
        case do.AskAttestation():
            world.after(world.jitter(knobs.reply_s), "attest", *asker, action)
        case do.AskPromises():
            agents.ask_promises(world, controller, action)
        case do.ListServers() | do.Watch() | do.AskTargets():
            cloud_reads.ask(world, *asker, action)
        case do.LookForDomain():
            world.after(world.jitter(knobs.reply_s), "domains_seen", *asker, action)
        case _:
            assert_never(action)


def send(
    world: "World",
    controller_id: WitnessId,
    life: int,
    action: do.Absolute | do.Send,
    committed_at: float,
) -> None:
    """Check for the last time, and let it out."""
    controller = world.controllers[controller_id]
    if controller.node is None or controller.hold is None:
        return
    why = last_check(world, controller, action, committed_at)
    if not controller.leads:
        return  # the renewal found another leader: nobody is left to be told
    if why:
        world.note(getattr(action, "host", ""), "send.refused", why, type(action).__name__)
        world.reply_now(controller_id, life, action, on.Outcome.NOT_SENT, why)
        return
    term = controller.hold.tenure.term
    if isinstance(action, do.PowerOff):
        wellness.look(world, action.host)
    world.happen(Issued(controller_id, term, action))
    let_out(world, controller_id, life, action)


def last_check(
    world: "World",
    controller: "Controller",
    action: do.Absolute | do.Send,
    committed_at: float,
) -> str:
    """Return why it must not go out, "" when it may."""
    seen: ServerSeen | None = None
    if isinstance(action, do.ServerSend | do.StopServer):
        seen = cloud_reads.show(world, action.server)
        if seen is None:
            return "unread"
    if not tenure.can_renew(world, controller):
        return "lease"
    if not tenure.renew_now(world, controller) or controller.hold is None:
        return "lease"
    now = controller.now(world.now)
    if not controller.hold.tenure.may_send(now, committed_at, world.setup.knobs.send_age_max_s):
        return "lease"
    assert controller.node is not None
    node = controller.node
    return node.unsettled() or world.objection(node.cluster, action, now, seen)


def let_out(
    world: "World", controller_id: WitnessId, life: int, action: do.Absolute | do.Send
) -> None:
    asker = (controller_id, life)
    match action:
        case do.PowerOff():
            bmc.power_off(world, *asker, action)
        case do.PowerOn():
            bmc.switch_on(world, *asker, action)
        case do.Revoke() | do.LiftRevocation():
            storage.revoke(world, *asker, action)
        case do.HandOver(reason=reason):
            controllers.hand_over(world, world.controllers[controller_id], reason)
        case do.StartCompute() | do.OpenGate() | do.Restart():
            world.after(world.jitter(world.setup.knobs.reply_s), "agent_order", *asker, action)
        case _:
            cloud_sends.send(world, *asker, action)
