"""The lab's hosts: what happens to them, and what really runs there.

A host is one nova-compute and its guests, in namespaces where the lab has networks. Its switch is
the file `run/HOST.off`: it is there first, then the links go, then nova-compute and all guests are
killed, as when power goes. A frozen host has the file `run/HOST.frozen`: nothing of it moves,
nobody hears it, and all of it is still there, its guests too.
"""

import fcntl
import json
import os
import signal
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path

from ninelives.engine.errors import ConfigError

from . import planes
from .namespaces import Namespaces
from .openstack import services
from .pacemaker import machines
from .places import OPENSTACK, PACEMAKER, Network, Places
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

    @property
    def namespaces(self) -> Namespaces | None:
        """Where hosts live; None in a lab without networks, where they are processes alone."""
        return None if self.places.slot is None else Namespaces(self.processes)

    def is_on(self, host: str) -> bool:
        return not self._switch(host).exists()

    def is_frozen(self, host: str) -> bool:
        return self._ice(host).exists()

    def answers(self, host: str) -> bool:
        """Say whether its kernel answers to who probes it."""
        return self.is_on(host) and not self.is_frozen(host)

    def power_off(self, host: str) -> None:
        """Cut the power: nova-compute and every guest of the host end at once. Safe to repeat."""
        with self._alone(host):
            self._power_off(host)

    def _power_off(self, host: str) -> None:
        self._switch(host).touch()
        if self.namespaces is not None:
            self.namespaces.end(host)
        for name in (host, *machines.daemons(self.places, host)):
            self.processes.kill(name)
        for guest in self.defined(host):
            self._shut_down(host, guest)
        self._ice(host).unlink(missing_ok=True)

    def power_on(self, host: str) -> None:
        """Give power back. nova-compute starts; guests stay shut down until Nova wants them."""
        with self._alone(host):
            self._switch(host).unlink(missing_ok=True)
            self.boot(host)

    @contextmanager
    def _alone(self, host: str) -> Generator[None]:
        """Switch a host while nobody else does: neither its BMC, nor who calls a command."""
        with (self.places.run / f"{host}.switched").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def boot(self, host: str) -> None:
        """Start what a host with power runs. Safe to repeat."""
        init = None
        if self.namespaces is not None:
            self.namespaces.begin(host)
            init = self.namespaces.init(host)
        if OPENSTACK in self.places.parts and host in self.places.hosts:
            services.start_compute(self.processes, host, init)
        if PACEMAKER in self.places.parts:
            machines.start(self.processes, host)

    def freeze(self, host: str) -> None:
        """Stop its clock: it answers nobody, reports nothing, and keeps its guests and their disks.

        Safe to repeat. A host without power has nothing to freeze.
        """
        if self.is_on(host):
            self._ice(host).touch()
            if self.namespaces is not None:
                self.namespaces.freeze(host)
            self.processes.send(host, signal.SIGSTOP)

    def thaw(self, host: str) -> None:
        """Let a frozen host go on where it stopped. Safe to repeat."""
        if self.namespaces is not None:
            self.namespaces.thaw(host)
        self.processes.send(host, signal.SIGCONT)
        self._ice(host).unlink(missing_ok=True)

    def cut(self, host: str, network: Network) -> None:
        """Cut its cable to a plane, or that of its BMC. Safe to repeat."""
        self._demand_planes()
        planes.cut_mark(self.places, host, network).touch()
        planes.set_link(self.places, host, network, is_up=False)

    def mend(self, host: str, network: Network) -> None:
        """Mend its cable. Safe to repeat."""
        self._demand_planes()
        planes.cut_mark(self.places, host, network).unlink(missing_ok=True)
        planes.set_link(self.places, host, network, is_up=True)

    def cuts(self, host: str) -> list[Network]:
        """List the planes on which its cable is cut."""
        return [network for network in Network if planes.is_cut(self.places, host, network)]

    def run(self, host: str, words: Sequence[str]) -> int:
        """Run a command inside a host; return how it ended."""
        self._demand_planes()
        path = f"{os.environ.get('PATH', '')}:{planes.SBIN}"  # what a host is asked by, is root's
        return Namespaces(self.processes).run(host, words, {**os.environ, "PATH": path})

    def kill(self, host: str, name: str) -> None:
        """Kill every process of this name in a host."""
        if name == "nova-compute":
            self.kill_compute(host)
            return
        self._demand_planes()
        if not Namespaces(self.processes).kill(host, name):
            raise ConfigError(f"no {name} runs on {host}", f"ninelives lab host {host} exec -- ps")

    def _demand_planes(self) -> None:
        if self.places.slot is None:
            raise ConfigError(
                "the hosts of this lab share this machine's namespaces",
                "ninelives lab down --wipe, then up as root",
            )

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
            for guest in self._alive(host):
                found[guest] = found.get(guest, frozenset()) | {host}
        return found

    def twice(self) -> Mapping[str, frozenset[str]]:
        """Return every guest that runs on two hosts at this moment: a split brain."""
        return {guest: hosts for guest, hosts in self.running().items() if len(hosts) > 1}

    def forget(self, host: str, guest: str) -> None:
        """Remove a guest that is nobody's any more. Safe to repeat."""
        if self.namespaces is not None:
            self.namespaces.kill_guest(host, guest)
        (self.places.guests / host / guest).unlink(missing_ok=True)

    def _alive(self, host: str) -> list[str]:
        """List the guests that run on a host: their processes, where they have any."""
        if self.namespaces is not None:
            return self.namespaces.guests(host)
        return [guest for guest in self.defined(host) if self._state(host, guest) in RUNS]

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
