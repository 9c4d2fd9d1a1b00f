"""Masakari's monitors, one of each on every host: edge-triggered, their memory dies with them.

sample ─▶ changed to offline ─▶ power read ≤ 4 times ─▶ "off": NORMAL, else UNKNOWN ─▶ POST
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ninelives.core.model import HostId, Power, Service
from ninelives.sim import bmc
from ninelives.sim.truth import ComputeState

from . import power
from .agenda import Agenda, office
from .pacemaker import Pacemaker

if TYPE_CHECKING:
    from ninelives.sim.world import World

SAMPLE_S = 60.0  # monitoring_interval, one sample (masakari 5: U(0,60)·samples)
POWER_READS = 4  # "none of ≤ 4 power reads" (ha-systems 5.3)
POWER_GAP_S = 10.0  # between them, ≤ 50 s in all (masakari 4 C5)
POST_TRIES, POST_GAP_S = 12, 10.0  # masakari 1.8, "Monitor payloads"
PROCESS_LOOK_S, PROCESS_TRIES = 5.0, 3  # the process monitor restarts first (ha-systems 5.3, L)

Post = Callable[[HostId, str, str], None]  # (host, type, status), once the API is reached


@dataclass(slots=True)
class Monitor:
    """The host monitor on one host."""

    boot: int  # another boot is another process, with nothing in its memory
    is_busy: bool = False  # one thread: power reads and POSTs stall everything else (C5)
    known: dict[HostId, bool] = field(default_factory=dict[HostId, bool])  # was it online?


@dataclass(slots=True)
class Monitors:
    """Every monitor of the site."""

    agenda: Agenda
    pacemaker: Pacemaker
    post: Post
    hosts: dict[HostId, Monitor] = field(default_factory=dict[HostId, Monitor])
    restarts: dict[HostId, int] = field(default_factory=dict[HostId, int])

    @property
    def world(self) -> "World":
        return self.agenda.world

    def start(self) -> None:
        for host in self.world.hosts:
            self.agenda.after(self.world.rng.random() * SAMPLE_S, self.sample, host)
            self.agenda.after(
                self.world.rng.random() * PROCESS_LOOK_S, self.look_at_processes, host
            )

    def sample(self, host: HostId) -> None:
        """Compare Pacemaker's view with the last one, where this host has quorum."""
        self.agenda.after(SAMPLE_S, self.sample, host)
        truth = self.world.hosts[host]
        if not truth.is_up or host not in self.pacemaker.members:
            return
        monitor = self.hosts.get(host)
        if monitor is None or monitor.boot != truth.boots:
            monitor = self.hosts[host] = Monitor(truth.boots)
        if not monitor.is_busy:
            self._go_on(monitor, [peer for peer in self.world.hosts if peer != host])

    def _go_on(self, monitor: Monitor, peers: list[HostId]) -> None:
        """Look at one peer after the other; the first sight is only remembered (C3)."""
        monitor.is_busy = False
        while peers:
            peer = peers.pop(0)
            is_online = peer not in self.pacemaker.offline
            before = monitor.known.get(peer)
            monitor.known[peer] = is_online  # also when the POST is given up (C4)
            if before and not is_online:
                monitor.is_busy = True
                self._read_power(monitor, peers, peer, POWER_READS)
                return

    def _read_power(self, monitor: Monitor, peers: list[HostId], peer: HostId, left: int) -> None:
        """Read the power of the peer's BMC: nothing but `external/ipmi` is known (A1)."""
        device = next((d for d in bmc.devices_of(self.world, peer) if d.kind == "bmc"), None)
        if device is not None and power.read(self.world, device) is Power.OFF:
            self._post(monitor, peers, peer, "NORMAL", POST_TRIES)
        elif device is not None and left > 1:
            self.agenda.after(POWER_GAP_S, self._read_power, monitor, peers, peer, left - 1)
        else:
            self._post(monitor, peers, peer, "UNKNOWN", POST_TRIES)

    def _post(
        self, monitor: Monitor, peers: list[HostId], peer: HostId, status: str, left: int
    ) -> None:
        if office(self.world):
            self.post(peer, "COMPUTE_HOST", status)
        elif left > 1:
            self.agenda.after(POST_GAP_S, self._post, monitor, peers, peer, status, left - 1)
            return
        self._go_on(monitor, peers)

    # The process monitor.

    def look_at_processes(self, host: HostId) -> None:
        """Restart a nova-compute that ended; after some tries report it, which costs the host."""
        self.agenda.after(PROCESS_LOOK_S, self.look_at_processes, host)
        truth = self.world.hosts[host]
        if not truth.is_up or truth.compute is not ComputeState.STOPPED:
            self.restarts.pop(host, None)
            return
        self.restarts[host] = self.restarts.get(host, 0) + 1
        if (host, str(Service.NOVA_COMPUTE)) not in self.world.stubborn:
            self.world.start_compute(truth)
        elif self.restarts[host] == PROCESS_TRIES and office(self.world):
            self.post(host, "PROCESS", "STOPPED")
