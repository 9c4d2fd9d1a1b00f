"""The lab's hosts: what happens to them, and what really runs there.

A host is one nova-compute and its guests. Its switch is the file `run/HOST.off`: it is there first,
then nova-compute is killed and its guests are shut down, as when power goes. A frozen host has the
file `run/HOST.frozen`: nothing of it moves, and all of it is still there, its guests too.
"""

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path

from .openstack import services
from .places import Places
from .processes import Processes


class GuestState(IntEnum):
    """nova/compute/power_state.py."""

    RUNNING = 1
    PAUSED = 3
    SHUT_DOWN = 4


class BmcMode(StrEnum):
    """How a BMC behaves."""

    MENDED = "mend"
    DEAD = "dead"  # takes the connection, and never answers
    LYING = "lie"  # acknowledges an `off`, does nothing, and reads off from then on
    STUCK = "stuck"  # acknowledges, does nothing, and reads what is
    SLOW = "slow"  # every answer takes seconds


RUNS = {GuestState.RUNNING, GuestState.PAUSED}  # QEMU lives and holds its disk
UUID_LETTERS = 36


@dataclass(frozen=True, slots=True)
class Hosts:
    """Every host of one lab."""

    processes: Processes

    @property
    def places(self) -> Places:
        return self.processes.places

    def is_on(self, host: str) -> bool:
        return not self._switch(host).exists()

    def is_frozen(self, host: str) -> bool:
        return self._ice(host).exists()

    def answers(self, host: str) -> bool:
        """Say whether its kernel answers to who probes it."""
        return self.is_on(host) and not self.is_frozen(host)

    def power_off(self, host: str) -> None:
        """Cut the power: nova-compute and every guest of the host end at once. Safe to repeat."""
        self._switch(host).touch()
        self.processes.kill(host)
        for guest in self.defined(host):
            self._shut_down(host, guest)
        self._ice(host).unlink(missing_ok=True)

    def power_on(self, host: str) -> None:
        """Give power back. nova-compute starts; guests stay shut down until Nova wants them."""
        self._switch(host).unlink(missing_ok=True)
        services.start_compute(self.processes, host)

    def freeze(self, host: str) -> None:
        """Stop its clock: it answers nobody, reports nothing, and keeps its guests and their disks.

        Safe to repeat. A host without power has nothing to freeze.
        """
        if self.is_on(host):
            self._ice(host).touch()
            self.processes.send(host, signal.SIGSTOP)

    def thaw(self, host: str) -> None:
        """Let a frozen host go on where it stopped. Safe to repeat."""
        self.processes.send(host, signal.SIGCONT)
        self._ice(host).unlink(missing_ok=True)

    def bmc(self, host: str) -> BmcMode:
        try:
            return BmcMode(self._bmc(host).read_text())
        except FileNotFoundError:
            return BmcMode.MENDED

    def set_bmc(self, host: str, mode: BmcMode) -> None:
        """Let a BMC behave so from its next request on."""
        fresh = self._bmc(host).with_suffix(".new")
        fresh.write_text(mode)
        fresh.replace(self._bmc(host))

    def kill_compute(self, host: str) -> None:
        """Kill nova-compute alone: the guests run on."""
        self.processes.kill(host)

    def set_spawns(self, host: str, *, fails: bool = False, takes_s: float = 0.0) -> None:
        """Say how spawns on this host go from now on, those included that are under way."""
        order = self._order(host)
        order.parent.mkdir(exist_ok=True)
        fresh = order.with_suffix(".new")
        fresh.write_text(json.dumps({"fails": fails, "takes_s": takes_s}))
        fresh.replace(order)

    def spawn_s(self, host: str) -> float:
        """How long a spawn on this host was told to take."""
        order = self._order(host)
        return float(json.loads(order.read_text())["takes_s"]) if order.exists() else 0.0

    def defined(self, host: str) -> list[str]:
        """List the guests whose files lie on a host, whether they run or not."""
        folder = self.places.guests / host
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
        return sorted(name for name in names if len(name) == UUID_LETTERS)

    def running(self) -> Mapping[str, frozenset[str]]:
        """Return for each guest that runs the hosts on which it does."""
        found = dict[str, frozenset[str]]()
        for host in self.places.hosts:
            for guest in self.defined(host):
                if self._state(host, guest) in RUNS:
                    found[guest] = found.get(guest, frozenset()) | {host}
        return found

    def twice(self) -> Mapping[str, frozenset[str]]:
        """Return every guest that runs on two hosts at this moment: a split brain."""
        return {guest: hosts for guest, hosts in self.running().items() if len(hosts) > 1}

    def _state(self, host: str, guest: str) -> int:
        try:
            return int((self.places.guests / host / guest).read_text().split()[0])
        except FileNotFoundError:
            return GuestState.SHUT_DOWN  # destroyed since it was listed

    def _shut_down(self, host: str, guest: str) -> None:
        path = self.places.guests / host / guest
        _, name = path.read_text().split()
        fresh = path.with_suffix(".new")
        fresh.write_text(f"{GuestState.SHUT_DOWN:d} {name}\n")
        fresh.replace(path)

    def _switch(self, host: str) -> Path:
        return self.places.run / f"{host}.off"

    def _ice(self, host: str) -> Path:
        return self.places.run / f"{host}.frozen"

    def _bmc(self, host: str) -> Path:
        return self.places.run / f"{host}.bmc"

    def _order(self, host: str) -> Path:
        return self.places.etc / "spawns" / host
