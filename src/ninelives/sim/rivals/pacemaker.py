"""A Pacemaker cluster of all hosts: who is a member, and STONITH of who is not.

seen ─▶ silent ─▶ offline, unclean ─▶ fenced (off, or off and on again)
  ▲        │             │
  └────────┴─────────────┘  heard again by the partition that has quorum
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ninelives.core.model import HostId, Plane, Power
from ninelives.sim import bmc, truth
from ninelives.sim.truth import Condition

from . import power
from .agenda import Agenda

if TYPE_CHECKING:
    from ninelives.sim.world import World

LOOK_S = 1.0  # how finely this model looks; corosync has its token passed all the time
TOKEN_S, TOKEN_PER_NODE_S = 3.0, 0.65  # corosync.conf(5): token, token_coefficient above 2 nodes
CONSENSUS = 1.2  # corosync.conf(5): consensus, as a multiple of the token
TIMEOUT_S = 60.0  # stonith-timeout (clusterlabs-redhat 6, "Timeouts")
ATTEMPTS_MAX = 10  # stonith-max-attempts (6, "Attempts")
RECHECK_S = 900.0  # cluster-recheck-interval, after which it tries again (6, "Attempts")
POWER_WAIT_S = 2.0  # fence_ipmilan power_wait (clusterlabs-redhat 1.1)
SETTLES_S = 20.0  # how long fence agents wait for the state (ha-systems 2c, "Fencing")
BY = "pacemaker"


class Stonith(StrEnum):
    """`stonith-action`. Pacemaker's default is reboot; Masakari's power check needs off."""

    OFF = "off"
    REBOOT = "reboot"


@dataclass(slots=True)
class Pacemaker:
    """What the partition with quorum believes. Without quorum nobody is fenced (6, "Quorum")."""

    agenda: Agenda
    action: Stonith = Stonith.OFF
    members: frozenset[HostId] = frozenset()  # of the partition with quorum; empty: there is none
    silent_since: dict[HostId, float] = field(default_factory=dict[HostId, float])
    offline: set[HostId] = field(default_factory=set[HostId])
    fencing: dict[HostId, int] = field(default_factory=dict[HostId, int])  # at which attempt

    @property
    def world(self) -> "World":
        return self.agenda.world

    def start(self) -> None:
        self.members = frozenset(self.world.hosts)
        self.look()

    def look(self) -> None:
        """Look who is heard, and fence who was silent for too long."""
        if not (is_calm(self.world) and len(self.members) == len(self.world.hosts)):
            self._membership()
        self.agenda.after(LOOK_S, self.look)

    def _membership(self) -> None:
        world = self.world
        self.members = quorate(world)
        for host in world.hosts:
            if host in self.members or not self.members:
                self.silent_since.pop(host, None)
                self.offline -= {host} & self.members
            elif world.now - self.silent_since.setdefault(host, world.now) >= self._token_s():
                self._lost(host)

    def _token_s(self) -> float:
        token_s = TOKEN_S + TOKEN_PER_NODE_S * max(0, len(self.world.hosts) - 2)
        return token_s * (1.0 + CONSENSUS)

    def _lost(self, host: HostId) -> None:
        if host not in self.offline:
            self.offline.add(host)
            if host not in self.fencing:
                self.fencing[host] = 0
                self._attempt(host)

    # STONITH.

    def _attempt(self, host: HostId) -> None:
        """Begin with the first level, unless the host is a member again meanwhile."""
        if host not in self.offline or not self.members:
            self.fencing.pop(host, None)
            return
        self.fencing[host] += 1
        roads = self.world.setup.site.hosts[host].roads
        levels = sorted({road.level for road in roads})
        self._devices(host, [d for level in levels for d in self._level(host, level)])

    def _level(self, host: HostId, level: int) -> list[tuple[int, bmc.Device]]:
        roads = {road.id: road.level for road in self.world.setup.site.hosts[host].roads}
        devices = bmc.devices_of(self.world, host)
        return [(level, device) for device in devices if roads[device.road] == level]

    def _devices(self, host: HostId, left: list[tuple[int, bmc.Device]]) -> None:
        """Go on with the next device; all of one level must do it, or the next level has to."""
        if not left:
            self._failed(host)
            return
        device = self._now(left[0][1])
        if not power.answers(self.world, device, TIMEOUT_S):
            self.agenda.after(TIMEOUT_S, self._next_level, host, left)
        else:
            self.agenda.after(power.read_s(self.world, device), self._asked, host, left)

    def _asked(self, host: HostId, left: list[tuple[int, bmc.Device]]) -> None:
        """Ask for the state first: what is off already is a success (1.1, `off` precheck)."""
        device = self._now(left[0][1])
        match power.read(self.world, device):
            case Power.OFF:
                self._done_with(host, left)
            case Power.ON:
                wait = power.order_s(self.world, device)
                self.agenda.after(wait, self._order, host, left)
            case _:
                self._next_level(host, left)

    def _order(self, host: HostId, left: list[tuple[int, bmc.Device]]) -> None:
        _, device = left[0]
        if power.switch_off(self.world, device, BY).is_done:
            self.agenda.after(POWER_WAIT_S, self._verify, host, left, self.world.now + SETTLES_S)
        else:
            self._next_level(host, left)

    def _verify(self, host: HostId, left: list[tuple[int, bmc.Device]], until: float) -> None:
        """Exit 0 only when the off state was verified (1.1, "Off/reboot semantics")."""
        if power.read(self.world, self._now(left[0][1])) is Power.OFF:
            self._done_with(host, left)
        elif self.world.now < until:
            self.agenda.after(1.0, self._verify, host, left, until)
        else:
            self._next_level(host, left)

    def _done_with(self, host: HostId, left: list[tuple[int, bmc.Device]]) -> None:
        level = left[0][0]
        if any(other == level for other, _ in left[1:]):
            self._devices(host, left[1:])
            return
        self.fencing.pop(host, None)
        if self.action is Stonith.REBOOT:
            power.switch_on(self.world, host)

    def _next_level(self, host: HostId, left: list[tuple[int, bmc.Device]]) -> None:
        level = left[0][0]
        self._devices(host, [each for each in left if each[0] > level])

    def _failed(self, host: HostId) -> None:
        tried = self.fencing.get(host, 0)
        self.agenda.after(RECHECK_S if tried % ATTEMPTS_MAX == 0 else LOOK_S, self._attempt, host)

    def _now(self, device: bmc.Device) -> bmc.Device:
        return self.world.devices[device.host, device.road]


def is_calm(world: "World") -> bool:
    """Say whether everybody is up and hears everybody."""
    if world.net.links or not world.net.is_calm:
        return False
    return all(host.condition is Condition.RUNNING for host in world.hosts.values())


def quorate(world: "World") -> frozenset[HostId]:
    """Return the partition with more than half of all hosts in it, if there is one."""
    left = [host.id for host in world.hosts.values() if is_awake(host)]
    while left:
        found = {left.pop()}
        edge = list(found)
        while edge:
            here = edge.pop()
            heard = [there for there in left if world.net.talks(here, there, (Plane.MANAGEMENT,))]
            found.update(heard)
            edge.extend(heard)
            left = [host for host in left if host not in found]
        if len(found) * 2 > len(world.hosts):
            return frozenset(found)
    return frozenset()


def is_awake(host: truth.HostTruth) -> bool:
    return host.condition is Condition.RUNNING
