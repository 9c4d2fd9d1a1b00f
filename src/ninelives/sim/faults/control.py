"""Faults of controllers and of their store, and the orders of operators."""

from typing import TYPE_CHECKING

from ninelives.core import events as on
from ninelives.core.gate import opened_by_hand
from ninelives.core.model import (
    DomainId,
    HostId,
    Mode,
    Refusal,
    RoadId,
    ServerId,
    WitnessId,
)
from ninelives.sim import agents, controllers, truth, versions
from ninelives.sim.controllers import Controller, Pause
from ninelives.sim.memory_store import Answers

from .grammar import Form, Slots

if TYPE_CHECKING:
    from ninelives.sim.world import World

WHO = "operator"


def controller_of(world: "World", slots: Slots) -> Controller | None:
    if "CONTROLLER" in slots:
        return world.controllers[WitnessId(slots["CONTROLLER"])]
    return world.leader() or next(iter(world.leading()), None)


def crash(world: "World", slots: Slots) -> None:
    """End a process; systemd starts it again."""
    controller = controller_of(world, slots)
    if controller is not None:
        controllers.end(world, controller, restarts=True)


def kill(world: "World", slots: Slots) -> None:
    """End a process for good, until somebody starts it."""
    controller = controller_of(world, slots)
    if controller is not None:
        world.kept_down.add(controller.id)
        controllers.end(world, controller, restarts=False)


def start(world: "World", slots: Slots) -> None:
    controller = controller_of(world, slots)
    if controller is not None:
        world.kept_down.discard(controller.id)
        controllers.restart(world, controller.id, controller.life)


def pause(world: "World", slots: Slots) -> None:
    controller = controller_of(world, slots)
    kind = Pause.MACHINE if "vmpause" in slots else Pause.PROCESS
    if controller is not None:
        controllers.pause(world, controller, kind, world.now + float(slots["SECONDS"]))


def clock(world: "World", slots: Slots) -> None:
    """Let the wall clock jump: nothing is timed by it, but a leader that sees it doubts itself."""
    controller = controller_of(world, slots)
    jumped = abs(float(slots["OFFSET"])) >= world.setup.knobs.froze_s
    if controller is not None and controller.leads and jumped:
        controllers.begin_own_fault(world, controller, "clock_jumped")


def drift(world: "World", slots: Slots) -> None:
    controller = controller_of(world, slots)
    if controller is not None:
        controllers.set_rate(world, controller, 1.0 + float(slots["PPM"]) * 1e-6)


def drift_ok(world: "World", slots: Slots) -> None:
    controller = controller_of(world, slots)
    if controller is not None:
        controllers.set_rate(world, controller, 1.0)


def version(world: "World", slots: Slots) -> None:
    """Install an older version: it starts, finds a store it does not know, and refuses."""
    controller = controller_of(world, slots)
    if controller is None:
        return
    if "old-version" in slots:
        world.kept_down.add(controller.id)
        world.note(controller.id, "store.refused", "unknown_version")
        controllers.end(world, controller, restarts=False)
    else:
        controller.version = versions.THIS
        controllers.end(world, controller, restarts=False)
        start(world, slots)


def previous_version(world: "World", slots: Slots) -> None:
    """Install the version before, as in the middle of an upgrade: it works if it can read."""
    controller = controller_of(world, slots)
    if controller is not None:
        controller.version = versions.PREVIOUS
        controllers.end(world, controller, restarts=True)


def restart_all(world: "World", slots: Slots) -> None:
    del slots
    for controller in world.controllers.values():
        controllers.end(world, controller, restarts=True)


def store(world: "World", slots: Slots) -> None:
    """Let the store answer nobody, answer slowly, or be well."""
    world.ledger.slow_s = float(slots.get("SECONDS", "0"))
    world.ledger.lease.answers = Answers.NEVER if "down" in slots else Answers.ALWAYS
    world.lease_changed()
    for controller in world.controllers:
        world.touched(controller)


# Operators.


def give(world: "World", order: on.Order) -> None:
    """Give an order to whoever leads; without a leader it is refused at the door."""
    leader = world.leader()
    if leader is None:
        world.note("control", "order.refused", "no_leader", type(order).__name__)
    else:
        world.deliver(leader, order)


def epoch_of(world: "World", slots: Slots) -> int:
    """Take the epoch that was typed, or what a page opened just now would show."""
    if "EPOCH" in slots:
        return int(float(slots["EPOCH"]))
    record = world.ledger.hosts.get(HostId(slots["HOST"]))
    return record.epoch if record else 0


def arm(world: "World", slots: Slots) -> None:
    give(world, on.Armed(WHO, "arm" in slots, slots.get("CAUSE", "")))


def adopt_store(world: "World", slots: Slots) -> None:
    give(world, on.StoreAdopted(WHO, int(float(slots["COUNT"]))))


def open_gate(world: "World", slots: Slots) -> None:
    """A person at the host's own console, in a cold start of the site: the gate judges, alone."""
    host = world.hosts[HostId(slots["HOST"])]
    since_boot_s = world.now - host.booted_at
    judged = opened_by_hand(agents.gate_of(world, host), WHO, agents.COLD_START, since_boot_s)
    if not host.is_agent_up or isinstance(judged, Refusal):
        why = judged.reason if isinstance(judged, Refusal) else "no_agent"
        world.note(host.id, "order.refused", why)
        return
    host.is_gate_open = host.is_compute_let_run = True
    host.gate_opened_by = judged.opened_by
    truth.start_fallen(world, host)
    world.start_compute(host)
    world.touched(host.id)


def mode(world: "World", slots: Slots) -> None:
    give(world, on.ModeSet(WHO, Mode(slots["MODE"]), slots.get("SEGMENT", "")))


def maintenance(world: "World", slots: Slots) -> None:
    is_on, is_power = "off" not in slots, "power" in slots
    give(world, on.MaintenanceSet(WHO, HostId(slots["HOST"]), is_on, "work", is_power))


def confirm(world: "World", slots: Slots) -> None:
    host = HostId(slots["HOST"])
    second = slots.get("WHO", "somebody" if "falsely" in slots else "")
    typed = slots.get("TYPED", host)
    give(world, on.ConfirmedDead(WHO, host, typed, epoch_of(world, slots), "the lamp", second))


def consent(world: "World", slots: Slots) -> None:
    kind = on.IncidentApproved if "approve" in slots else on.IncidentHeld
    give(world, kind(WHO, HostId(slots["HOST"]), epoch_of(world, slots), "looked at it"))


def settle(world: "World", slots: Slots) -> None:
    host = HostId(slots["HOST"])
    give(world, on.HalfFencedSettled(WHO, host, epoch_of(world, slots), "finish" in slots))


def storm(world: "World", slots: Slots) -> None:
    give(world, on.StormAllowed(WHO, DomainId(slots["DOMAIN"]), int(float(slots["COUNT"]))))


def host_order(world: "World", slots: Slots) -> None:
    """Give an order that only names a host."""
    host = HostId(slots["HOST"])
    if "power-on" in slots:
        give(world, on.PowerOnOrdered(WHO, host))
    elif "release" in slots:
        give(world, on.Released(WHO, host))
    elif "fence" in slots:
        give(world, on.FenceOrdered(WHO, host, host))
    else:
        give(world, on.Adopted(WHO, host))


def sign_off(world: "World", slots: Slots) -> None:
    give(world, on.SignedOff(WHO, ServerId(slots["SERVER"])))


def road(world: "World", slots: Slots) -> None:
    verified = "verified" in slots
    give(world, on.RoadSigned(WHO, HostId(slots["HOST"]), RoadId(slots["ROAD"]), verified))


def forms_for(who: str) -> tuple[Form, ...]:
    """Spell the faults of one process, for a named controller and for whoever leads."""
    return (
        Form(f"{who} crash", crash, (56,)),
        Form(f"{who} pause SECONDS", pause, (57,)),
        Form(f"{who} vmpause SECONDS", pause, (58,)),
    )


FORMS: tuple[Form, ...] = (
    *forms_for("controller CONTROLLER"),
    *forms_for("leader"),
    Form("controller CONTROLLER kill", kill, (56,), "controller CONTROLLER start"),
    Form("controller CONTROLLER start", start),
    Form("controller CONTROLLER clock OFFSET", clock, (60,)),
    Form("controller CONTROLLER drift PPM", drift, (60,), "controller CONTROLLER drift-ok"),
    Form("controller CONTROLLER drift-ok", drift_ok),
    Form("controller CONTROLLER old-version", version, (63,), "controller CONTROLLER new-version"),
    Form("controller CONTROLLER new-version", version),
    Form("controller CONTROLLER previous-version", previous_version),
    Form("controllers restart", restart_all, (62,)),
    Form("store down", store, (59,), "store up"),
    Form("store slow SECONDS", store, (59,), "store up"),
    Form("store up", store),
    Form("operator arm", arm),
    Form("operator disarm", arm),
    Form("operator disarm CAUSE", arm),
    Form("operator adopt store COUNT", adopt_store),
    Form("operator gate HOST open", open_gate),
    Form("operator mode MODE", mode),
    Form("operator mode MODE SEGMENT", mode),
    Form("operator maintenance HOST on|power|off", maintenance),
    Form("operator forgets HOST", maintenance, (71,), "operator maintenance HOST off"),
    Form("operator confirm HOST", confirm),
    Form("operator confirm HOST falsely", confirm, (72,)),
    Form("operator confirm HOST second WHO", confirm),
    Form("operator confirm HOST typed TYPED", confirm),
    Form("operator confirm HOST epoch EPOCH", confirm),
    Form("operator approve|hold HOST", consent),
    Form("operator approve HOST epoch EPOCH", consent),
    Form("operator finish|undo HOST", settle),
    Form("operator storm allow DOMAIN COUNT", storm),
    Form("operator power-on|release|fence|adopt HOST", host_order),
    Form("operator sign-off SERVER", sign_off),
    Form("operator road HOST ROAD verified|unverified", road),
)
