"""How a rival uses the site's power devices: the same ones, with the same whims, that we have."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ninelives.core.model import HostId, Power
from ninelives.sim import bmc, truth
from ninelives.sim.truth import Condition

if TYPE_CHECKING:
    from ninelives.sim.world import World


@dataclass(frozen=True, slots=True)
class Taken:
    """What a device said to an order."""

    is_done: bool
    is_already_off: bool = False


def answers(world: "World", device: bmc.Device, timeout_s: float) -> bool:
    """Say whether a question put now would be answered in time."""
    return bmc.is_alive(world, device) and device.slow_s < timeout_s


def read_s(world: "World", device: bmc.Device) -> float:
    return world.jitter(world.setup.knobs.bmc_s) + device.slow_s


def order_s(world: "World", device: bmc.Device) -> float:
    return world.jitter(world.setup.knobs.off_s) + device.slow_s


def read(world: "World", device: bmc.Device) -> Power:
    """Read what the device says, which need not be true."""
    return bmc.reading(world, device)


def switch_off(world: "World", device: bmc.Device, by: str) -> Taken:
    """Give the order. What the device answers and what it does are two things."""
    device = world.devices[device.host, device.road]
    if device.is_locked or not bmc.is_alive(world, device):
        return Taken(is_done=False)
    host = world.hosts[device.leads_to]
    if host.condition is Condition.OFF and device.refuses:
        return Taken(is_done=False, is_already_off=True)
    if device.late_s:
        world.after(device.late_s, "off_acts", host.id, device.host, by)
    elif not device.is_stuck:
        truth.cut_power(world, host, device.host, by)
    return Taken(is_done=True)


def switch_on(world: "World", host: HostId) -> bool:
    """Switch a host on by the first of its devices that takes the order."""
    for device in bmc.devices_of(world, host):
        if bmc.is_alive(world, device) and not device.is_locked:
            if not device.is_stuck:
                truth.power_on(world, world.hosts[device.leads_to])
            return True
    return False
