"""Power devices: what they answer, what they really do, and to whom."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import HostId, Power, RoadId, WitnessId

from .truth import Condition, HostTruth, cut_power, power_on

if TYPE_CHECKING:
    from .world import World

Answer = tuple[float, on.Outcome, str]  # after how long, what, why


@dataclass(frozen=True, slots=True)
class Device:
    """One power device, as it behaves. `leads_to` is the host it is truly wired to."""

    host: HostId
    road: RoadId
    leads_to: HostId
    kind: str = "bmc"
    is_silent: bool = False
    says: Power | None = None  # whatever is asked: a lie, or a stale reading
    refuses: bool = False  # 409 to an `off` that finds the host off, instead of an acknowledgement
    is_stuck: bool = False  # acknowledges, and does nothing
    slow_s: float = 0.0
    late_s: float = 0.0  # acts this long after it acknowledged
    is_locked: bool = False  # our password is not accepted


def devices_of(world: "World", host: HostId) -> list[Device]:
    return [world.devices[host, road.id] for road in world.setup.site.hosts[host].roads]


def is_alive(world: "World", device: Device) -> bool:
    """A BMC lives from its own chassis' outlet; a switched outlet from elsewhere."""
    fed = device.kind != "bmc" or world.hosts[device.leads_to].is_fed
    return fed and not device.is_silent


def reading(world: "World", device: Device) -> Power:
    if not is_alive(world, device) or device.is_locked:
        return Power.UNREADABLE
    if device.says is not None:
        return device.says
    return Power.ON if world.hosts[device.leads_to].has_power else Power.OFF


def set_device(world: "World", device: Device, **changes: object) -> None:
    world.devices[device.host, device.road] = replace(device, **changes)  # type: ignore[arg-type]  # its own fields


# Reads.


def read_power(world: "World", controller: WitnessId, life: int, host: HostId) -> None:
    """Ask every device of a host. An answer that does not come is `UNREADABLE` in the end."""
    for device in devices_of(world, host):
        wait = world.jitter(world.setup.knobs.bmc_s) + device.slow_s
        timeout = world.policy_of(host).read_timeout_s
        if not is_alive(world, device) or wait > timeout:
            world.after(timeout, "power_unread", controller, life, host, device.road)
        else:
            world.after(wait, "power_read", controller, life, host, device.road)


def power_read(
    world: "World", controller: WitnessId, life: int, host: HostId, road: RoadId
) -> None:
    power = reading(world, world.devices[host, road])
    world.answer(controller, life, on.PowerRead(host, road, power))


def power_unread(
    world: "World", controller: WitnessId, life: int, host: HostId, road: RoadId
) -> None:
    world.answer(controller, life, on.PowerRead(host, road, Power.UNREADABLE))


# Orders.


def power_off(world: "World", controller: WitnessId, life: int, action: do.PowerOff) -> None:
    """Take an `off`. What the device answers and what it does are two things."""
    device = world.devices[action.host, action.road]
    timeout = world.policy_of(action.host).off_timeout_s
    takes = world.jitter(world.setup.knobs.off_s) + device.slow_s
    if not is_alive(world, device) or takes > timeout:
        world.reply_after(timeout, controller, life, action, on.Outcome.UNKNOWN, "timeout")
        return
    world.after(takes, "off_taken", controller, life, action)


def off_taken(world: "World", controller: WitnessId, life: int, action: do.PowerOff) -> None:
    """The device has the request, unless the one who asked died meanwhile and its agent with it."""
    device = world.devices[action.host, action.road]
    if world.controllers[controller].life != life:
        return
    if device.is_locked or not is_alive(world, device):
        world.note(action.host, "bmc.refused", "password", device.road)
        world.reply_now(controller, life, action, on.Outcome.REFUSED, "password")
        return
    host = world.hosts[device.leads_to]
    if host.condition is Condition.OFF and device.refuses:
        world.note(action.host, "bmc.refused", "already_off", device.road)
        world.reply_now(controller, life, action, on.Outcome.REFUSED, "already_off")
        return
    if device.late_s:
        world.after(device.late_s, "off_acts", host.id, action.host, controller)
    elif not device.is_stuck:
        off_acts(world, host.id, action.host, controller)
    world.reply_now(controller, life, action, on.Outcome.DONE)


def off_acts(world: "World", host: HostId, meant: HostId, by: WitnessId) -> None:
    cut_power(world, world.hosts[host], meant, by)


def switch_on(world: "World", controller: WitnessId, life: int, action: do.PowerOn) -> None:
    """Switch a host on by the first of its devices that answers."""
    for device in devices_of(world, action.host):
        if is_alive(world, device) and not device.is_locked:
            takes = world.jitter(world.setup.knobs.off_s)
            world.after(takes, "on_taken", controller, life, action, device.road)
            return
    timeout = world.policy_of(action.host).off_timeout_s
    world.reply_after(timeout, controller, life, action, on.Outcome.UNKNOWN, "timeout")


def on_taken(
    world: "World", controller: WitnessId, life: int, action: do.PowerOn, road: RoadId
) -> None:
    device = world.devices[action.host, road]
    target: HostTruth = world.hosts[device.leads_to]
    if not device.is_stuck:
        power_on(world, target)
    world.reply_now(controller, life, action, on.Outcome.DONE)
