"""The words in which a timeline speaks of states, requests and their outcomes."""

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at

from .claims import state_name

Said = tuple[str, str, str]  # who, text, reason


def state_words(state: at.HostState | at.MoveState) -> str:
    """Name a state as operators read it, with what tells it from others of its name."""
    match state:
        case at.Held(reason=reason):
            return f"held ({reason})"
        case at.Returning(stage=stage):
            return f"returning ({stage})"
        case _:
            return state_name(type(state))


def condition_words(before: str, after: str) -> str:
    """Say how a host's true condition changed; "" where a fault or a device says it already."""
    match before, after:
        case (_, "booting"):
            return "boots"
        case ("booting", "running"):
            return "is up"
        case (_, "running"):
            return "wakes up"
        case _:
            return ""


def send_line(action: do.Action) -> Said | None:
    """Say that a request went out which happens once; None for all others."""
    match action:
        case do.Evacuate(server=server, target=target, attempt=attempt):
            return "send", f"evacuate {server} to {target}", attempt_words(attempt)
        case do.ResetState(server=server, attempt=attempt):
            return "send", f"reset {server} to error", attempt_words(attempt)
        case do.StartServer(server=server, host=host, attempt=attempt):
            return "send", f"start {server} on {host}", attempt_words(attempt)
        case do.HardReboot(server=server, host=host, attempt=attempt):
            return "send", f"hard reboot {server} on {host}", attempt_words(attempt)
        case do.LiveMigrate(server=server):
            return "send", f"live-migrate {server}", ""  # its number counts all of its host's
        case do.PowerOn(host=host, attempt=attempt):
            return "send", f"power on {host}", attempt_words(attempt)
        case _:
            return None


def attempt_words(attempt: int) -> str:
    return f"attempt {attempt}" if attempt > 1 else ""


def outcome_line(reply: on.Replied) -> Said | None:
    """Say what became of a request, if that is worth a line."""
    known = effect_of(reply.action)
    if known is None:
        return None
    who, done, asked = known
    match reply.outcome:
        case on.Outcome.DONE:
            return (who, done, "") if done else None
        case on.Outcome.REFUSED:
            return who, f"{asked} refused", reply.reason
        case on.Outcome.UNKNOWN:
            return who, f"{asked}: no answer", reply.reason
        case on.Outcome.NOT_SENT:
            return who, f"{asked} not sent", reply.reason


def effect_of(action: do.Action) -> Said | None:
    """Return who does it, what is then done ("" if it is seen otherwise), and what was asked."""
    match action:
        case do.PowerOff(host=host):
            return "bmc", "", f"{host} off"
        case do.PowerOn(host=host):
            return "bmc", f"{host} power on", f"{host} on"
        case do.Revoke(host=host, backend=backend):
            return backend, "", f"revoke {host}"
        case do.LiftRevocation(host=host, backend=backend):
            return backend, "", f"let {host} in"
        case do.Disable(host=host):
            return "nova", f"{host} disabled", f"disable {host}"
        case do.Enable(host=host):
            return "nova", f"{host} enabled", f"enable {host}"
        case do.ForceDown(host=host):
            return "nova", f"{host} forced down", f"force-down {host}"
        case do.ForceUp(host=host):
            return "nova", f"{host} forced up", f"force-up {host}"
        case do.StartCompute(host=host):
            return "agent", f"{host} starts nova-compute", f"start nova-compute on {host}"
        case do.OpenGate(host=host):
            return "agent", f"{host} opens its gate", f"open the gate of {host}"
        case do.Restart(host=host, service=service):
            return "agent", f"{host} restarts {service}", f"restart {service} on {host}"
        case do.HandOver(reason=reason):
            return "control", "", f"hand over ({reason})"
        case _:
            return effect_on_server(action)


def effect_on_server(action: do.Action) -> Said | None:
    match action:
        case do.Evacuate(server=server):
            return "nova", "", f"evacuate {server}"
        case do.ResetState(server=server):
            return "nova", f"{server} is in error now", f"reset {server}"
        case do.StartServer(server=server):
            return "nova", "", f"start {server}"
        case do.HardReboot(server=server):
            return "nova", "", f"hard reboot {server}"
        case do.LiveMigrate(server=server):
            return "nova", "", f"live-migrate {server}"
        case do.StopServer(server=server):
            return "nova", f"{server} stopped again", f"stop {server}"
        case do.Reserve(host=host, enabled=enabled):
            words = "taken from the reserve" if enabled else "back in the reserve"
            return "nova", f"{host} {words}", f"reserve {host}"
        case _:
            return None
