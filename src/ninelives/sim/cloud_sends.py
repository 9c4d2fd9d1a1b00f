"""What a controller asks of Nova, and how Nova's answers read in the core's words."""

from typing import TYPE_CHECKING

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import WitnessId

from . import compute, nova
from .service_records import OUR_REASON, RESERVE, service_changed

if TYPE_CHECKING:
    from .world import World

CloudAction = (
    do.Disable
    | do.ForceDown
    | do.ForceUp
    | do.Enable
    | do.StopServer
    | do.Reserve
    | do.Evacuate
    | do.ResetState
    | do.StartServer
    | do.HardReboot
    | do.LiveMigrate
)


def request_of(action: CloudAction) -> nova.Request:
    match action:
        case do.Disable(host=host, epoch=epoch):
            return nova.UpdateService(host, disabled=True, reason=f"{OUR_REASON}{epoch}")
        case do.ForceDown(host=host):
            return nova.UpdateService(host, forced_down=True)
        case do.ForceUp(host=host):
            return nova.UpdateService(host, forced_down=False)
        case do.Enable(host=host):
            return nova.UpdateService(host, disabled=False)
        case do.Reserve(host=host, enabled=enabled):
            return nova.UpdateService(
                host, disabled=not enabled, reason=None if enabled else RESERVE
            )
        case do.StopServer(server=server):
            return nova.ActOn(server, nova.Verb.STOP)
        case do.StartServer(server=server):
            return nova.ActOn(server, nova.Verb.START)
        case do.HardReboot(server=server):
            return nova.ActOn(server, nova.Verb.HARD_REBOOT)
        case do.Evacuate(server=server, target=target):
            return nova.Evacuate(server, target)
        case do.ResetState(server=server):
            return nova.ResetState(server)
        case do.LiveMigrate(server=server):
            return nova.LiveMigrate(server)


def send(world: "World", controller: WitnessId, life: int, action: CloudAction) -> None:
    """Ask Nova. What was asked takes effect now, unless it waits in a network on its way."""
    if world.net.delay_s:
        wait = world.rng.random() * world.net.delay_s
        world.after(wait, "cloud_send", controller, life, action)
    else:
        cloud_send(world, controller, life, action)


def cloud_send(world: "World", controller: WitnessId, life: int, action: CloudAction) -> None:
    if is_theirs(world, action):
        world.reply_after(0.0, controller, life, action, on.Outcome.REFUSED, "not_ours")
        return
    reply = world.nova.request(request_of(action), world.now)
    compute.pump(world)
    note_service(world, action, reply)
    if isinstance(action, do.Evacuate) and "next-target" in world.broken:
        world.broken.discard("next-target")
        world.at(world.now + 1.0, ("power", action.target, "off"))
    outcome, why = outcome_of(reply)
    world.reply_after(reply.after_s, controller, life, action, outcome, why)


def is_theirs(world: "World", action: CloudAction) -> bool:
    """Say whether the record, which is read first, shows a disable that is not to be touched."""
    if not isinstance(action, do.Reserve | do.Disable):
        return False
    reply = world.nova.request(nova.ListServices(), world.now)
    shown = reply.body if isinstance(reply, nova.Answer) and isinstance(reply.body, tuple) else ()
    for view in shown:
        if isinstance(view, nova.ServiceView) and view.host == action.host and view.is_disabled:
            is_reserve = view.disabled_reason == RESERVE
            return is_reserve if isinstance(action, do.Disable) else not is_reserve
    return False


def note_service(world: "World", action: CloudAction, reply: nova.Reply) -> None:
    """Remember whose force-down it is: the record does not say."""
    is_taken = isinstance(reply, nova.Answer)
    match action:
        case do.ForceDown(host=host):
            world.forced_by_us.add(host)
            service_changed(world)
        case do.ForceUp(host=host):
            if is_taken:
                world.forced_by_us.discard(host)
            service_changed(world)
        case do.Disable(host=host) | do.Enable(host=host) | do.Reserve(host=host):
            service_changed(world)
        case _:
            pass


def outcome_of(reply: nova.Reply) -> tuple[on.Outcome, str]:
    match reply:
        case nova.Answer():
            return on.Outcome.DONE, ""
        case nova.Fault(status=504) | nova.NoAnswer(reason="timed out"):
            return on.Outcome.UNKNOWN, "timeout"
        case nova.Fault(status=status, message=message):
            return on.Outcome.REFUSED, reason_of(status, message)
        case _:
            return on.Outcome.REFUSED, "http_5xx"


def reason_of(status: int, message: str) -> str:
    """Turn Nova's words into one stable reason."""
    phrases = (
        ("still in use", "still_in_use"),
        ("can't be the same", "same_host"),
        ("Compute host", "unknown_host"),
        ("Unable to force up", "records_done"),
        ("could not be found", "no_such_server"),
        ("is locked", "locked"),
        ("vm_state", "bad_state"),
        ("task_state", "bad_state"),
        ("vTPM", "bad_state"),
    )
    for phrase, reason in phrases:
        if phrase in message:
            return reason
    return "http_5xx" if status >= 500 else "conflict"
