"""The machines under the cloud as they really are: power, kernel, guests, and their BMCs."""

from dataclasses import dataclass, field

from ninelives.core.model import Plane, Power


@dataclass(slots=True)
class Machine:
    """One host. `guests` are the domains it has defined, and whether they run."""

    name: str
    is_on: bool = True
    is_booting: bool = False
    is_frozen: bool = False  # with its guests in memory: whoever thaws it has its writers back
    cuts: set[Plane] = field(default_factory=set[Plane])
    guests: dict[str, bool] = field(default_factory=dict[str, bool])
    is_compute_alive: bool = True
    starts_compute: bool = True  # at boot, as a host without a gate does
    sees_disks: bool = True
    boots: int = 1

    @property
    def is_up(self) -> bool:
        """A kernel runs, and obeys."""
        return self.is_on and not self.is_booting and not self.is_frozen

    @property
    def stands_still(self) -> bool:
        """Nova-compute lives and reaches nobody, or does nothing."""
        return self.is_frozen or Plane.MANAGEMENT in self.cuts

    def running(self) -> list[str]:
        return [server for server, runs in self.guests.items() if runs]


@dataclass(frozen=True, slots=True)
class Bmc:
    """One BMC, as it behaves. `leads_to` is the host it is truly wired to."""

    leads_to: str
    is_silent: bool = False  # takes the connection, and says nothing
    is_locked: bool = False  # our password is not accepted
    is_failing: bool = False  # 500 to everything
    is_stuck: bool = False  # acknowledges, and does nothing
    lies: bool = False  # and afterwards says that it did
    says: Power | None = None  # whatever is asked: a stale reading
    refuses: int | None = None  # this status to an `off` that finds the host off; None: 204
    slow_s: float = 0.0  # answers so late
    late_s: float = 0.0  # acts so long after it acknowledged, and says PoweringOff until then
    systems: tuple[str, ...] = ()  # more hosts behind the same BMC, listed before its own
    claimed: Power | None = None  # what a liar has acknowledged last


def lose_power(machine: Machine) -> None:
    """End everything on it at once. The guests stay defined, as libvirt keeps them on disk."""
    machine.is_on = machine.is_booting = machine.is_frozen = machine.is_compute_alive = False
    machine.guests = dict.fromkeys(machine.guests, False)


def running_twice(machines: dict[str, Machine]) -> dict[str, list[str]]:
    """Find every server that runs on more than one host, with those hosts."""
    places: dict[str, list[str]] = {}
    for machine in machines.values():
        for server in machine.running():
            places.setdefault(server, []).append(machine.name)
    return {server: hosts for server, hosts in places.items() if len(hosts) > 1}
