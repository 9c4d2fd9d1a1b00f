"""What truly became of a world's servers and hosts, whoever looked after them.

Every policy is judged by this alone: it listens to what happens, and asks no policy anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ninelives.core.model import LOCAL, HostId, Plane, ServerId, VmState

from . import happenings as what
from . import network, storage
from .oracle.truth import NOT_RUNNING, UNDOING
from .truth import Condition

if TYPE_CHECKING:
    from .world import World

TOLD = "told."
DEAD = (Condition.OFF, Condition.PANICKED, Condition.BOOTING)
LEASE_OUT = "watchdog.reset"  # a host that resets itself was shot as well


@dataclass(slots=True)
class Outage:
    """A wanted server that nobody serves. `is_death`: its host's end ended it."""

    since: float
    host: HostId
    is_death: bool = False


@dataclass(slots=True)
class Tally:
    """The account of one world."""

    world: "World"
    running: dict[ServerId, set[HostId]] = field(default_factory=dict[ServerId, set[HostId]])
    conditions: dict[HostId, Condition] = field(default_factory=dict[HostId, Condition])
    unwanted: set[ServerId] = field(default_factory=set[ServerId])
    outages: dict[ServerId, Outage] = field(default_factory=dict[ServerId, Outage])
    stops: dict[ServerId, tuple[float, HostId]] = field(
        default_factory=dict[ServerId, tuple[float, HostId]]
    )
    shot_at: dict[HostId, float] = field(default_factory=dict[HostId, float])  # in vain
    doubles: dict[ServerId, float] = field(default_factory=dict[ServerId, float])  # counted up to
    downtimes: list[float] = field(default_factory=list[float])  # from death to running
    false_fences: int = 0
    guests_killed: int = 0
    zombies: int = 0
    zombie_s: float = 0.0
    wiped: int = 0

    def __post_init__(self) -> None:
        """Begin with the world as it was built."""
        self.conditions = {host.id: host.condition for host in self.world.hosts.values()}
        for host in self.world.hosts.values():
            for server in host.running():
                self.running.setdefault(server, set()).add(host.id)
        self.unwanted = {
            each.id for each in self.world.setup.servers if each.vm_state is not VmState.ACTIVE
        }
        self.world.observe(self.saw)

    def saw(self, when: float, happening: what.Happening) -> None:
        """Take in what truly happened."""
        match happening:
            case what.DomainStarted(server=server, host=host, is_rebuilt=is_rebuilt):
                self.running.setdefault(server, set()).add(host)
                self.wiped += is_rebuilt
                self._served(when, server)
            case what.DomainStopped(server=server, host=host):
                self.running.setdefault(server, set()).discard(host)
                self.stops[server] = when, host
                self._missed(when, server, host)
            case what.PowerCut(host=host, ordered_by=by) if by:
                self._shot(host, sum(1 for _ in self.world.hosts[host].running()))
            case what.HostChanged(host=host, condition=condition):
                self._turned(when, host, Condition(condition))
            case what.UserActed(server=server, action=action):
                self._wished(server, action)
            case _:
                pass
        self.count_doubles(when)

    # Shots.

    def _shot(self, host: HostId, guests: int) -> None:
        """Count an ordered end of a host that did its work until then."""
        if self.conditions[host] is Condition.RUNNING and self._is_healthy(host):
            self.false_fences += 1
            self.guests_killed += guests
            self.shot_at[host] = self.world.now

    def _is_healthy(self, host: HostId) -> bool:
        """Say whether guests there reach their disks and their users, as far as it is the host."""
        planes = self.world.setup.site.hosts[host].planes
        reached = Plane.TENANT not in planes or self.world.net.talks(
            host, network.GATEWAY, (Plane.TENANT,)
        )
        return reached and network.storage_reached(self.world, host)

    def _turned(self, when: float, host: HostId, condition: Condition) -> None:
        if condition is Condition.BOOTING and self._resets_itself(when, host):
            self._shot(host, sum(stop == (when, host) for stop in self.stops.values()))
        before, self.conditions[host] = self.conditions[host], condition
        if condition in DEAD:
            self._deaths(when, host)
        here = [server for server, hosts in self.running.items() if host in hosts]
        for server in here:
            if condition is Condition.RUNNING:
                self._served(when, server)
            elif before is Condition.RUNNING:
                self._missed(when, server, host)

    def _deaths(self, when: float, host: HostId) -> None:
        """Tell the end of a host from the end of a guest: it stops its guests at one instant.

        Whom a false shot killed has been counted. He would not have died, and the short way from
        such a shot to a move would make whoever shot look fast.
        """
        if self.shot_at.get(host) == when:
            return
        for server, outage in self.outages.items():
            if self.stops.get(server) == (when, host) and outage.host == host:
                outage.is_death = True

    def _resets_itself(self, when: float, host: HostId) -> bool:
        notes = self.world.notes
        last = notes[-1] if notes else None
        return last is not None and (last.at, last.note.about, last.note.what) == (
            when,
            host,
            LEASE_OUT,
        )

    # Outages.

    def _serving(self, server: ServerId) -> Iterable[HostId]:
        hosts = self.running.get(server, set[HostId]())
        return (host for host in hosts if self.conditions[host] is Condition.RUNNING)

    def _missed(self, when: float, server: ServerId, host: HostId) -> None:
        if server in self.unwanted or any(self._serving(server)):
            return
        self.outages.setdefault(server, Outage(when, host))

    def _served(self, when: float, server: ServerId) -> None:
        if not any(self._serving(server)):
            return
        outage = self.outages.pop(server, None)
        if outage is not None and outage.is_death:
            self.downtimes.append(when - outage.since)

    def _wished(self, server: ServerId, action: str) -> None:
        if action in NOT_RUNNING:
            self.unwanted.add(server)
            self.outages.pop(server, None)
        elif action in UNDOING:
            self.unwanted.discard(server)

    # Zombies.

    def count_doubles(self, when: float) -> None:
        """Count the seconds in which two awake copies of a server can write one disk."""
        for server, until in self.doubles.items():
            self.zombie_s += when - until
            self.doubles[server] = when
        for server, hosts in self.running.items():
            is_double = len(hosts) > 1 and self._writers(server) > 1
            if is_double and server not in self.doubles:
                self.zombies += 1
                self.doubles[server] = when
            elif not is_double:
                self.doubles.pop(server, None)

    def _writers(self, server: ServerId) -> int:
        shared = [disk for disk in self.world.disks_of(server) if disk != LOCAL]
        return sum(
            any(storage.usable(self.world, host, disk) for disk in shared)
            for host in self._serving(server)
        )

    # The end.

    def lost(self) -> list[ServerId]:
        """Return who does not run although its user wants it to."""
        return [
            each.id
            for each in self.world.setup.servers
            if each.id not in self.unwanted and not any(self._serving(each.id))
        ]

    def never(self) -> int:
        """Count whose host died, and who never ran again."""
        lost = set(self.lost())
        return sum(each.is_death for server, each in self.outages.items() if server in lost)

    def forgotten(self) -> list[ServerId]:
        """Return who is lost, and nobody was told of it since: by its name or its host's."""
        return [server for server in self.lost() if not self._is_told(server)]

    def _is_told(self, server: ServerId) -> bool:
        outage = self.outages.get(server)
        if outage is None:
            return False
        domains = self.world.setup.site.domains[outage.host]
        about = {server, outage.host, *domains, "control"}
        return any(
            timed.at >= outage.since
            and timed.note.what.startswith(TOLD)
            and timed.note.about in about
            for timed in self.world.notes
        )
