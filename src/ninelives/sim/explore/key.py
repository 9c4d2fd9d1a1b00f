"""When two states are the same: names, instants and histories that make no difference are gone.

    ages     the instants of a record, as milliseconds from now, cut off where no wait reaches
    mind     shapes and ages of all that the leader knows; many states share one mind
    key      mind and truth together, under the exchange of hosts and servers that is the least

The leader of the two controllers is always called one name and the standby another: that is their
symmetry. Where two hosts, or two servers, look different in truth, their order is given by that,
and only where they look alike are both exchanges tried.

A key is a hash of 64 bits: that two of a million states share one by chance is less likely than
1 in 30 million. Hashes of negative numbers are avoided, for hash(-1) equals hash(-2).
"""

from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Final, TypeAlias

from ninelives.core.cluster import Cluster

from .shape import Names, Shapes
from .truth import CONTROLLERS, HOSTS, LONGEST_S, SERVERS, Host, Server, Truth

Order: TypeAlias = tuple[str, ...]
Key: TypeAlias = int

BOOTS_MAX: Final = 9
KEPT_MINDS_MAX: Final = 200_000


def _names(hosts: Order, servers: Order, leader: str, standby: str) -> Names:
    found: dict[str, str] = {}
    for old, new in zip(HOSTS, hosts, strict=True):
        found[old] = new
        for form in ("host/{}", "bmc-{}", "needs {}", "read off while {} lives"):
            found[form.format(old)] = form.format(new)
        for boot in range(1, BOOTS_MAX):
            found[f"{old}#{boot}"] = f"{new}#{boot}"
    found.update(zip(SERVERS, servers, strict=True))
    found[leader], found[standby] = "leader", "standby"
    return found


def _exchanges(leader: str, standby: str) -> dict[tuple[Order, Order], Names]:
    return {
        (hosts, servers): _names(hosts, servers, leader, standby)
        for hosts in permutations(map(str, HOSTS))
        for servers in permutations(map(str, SERVERS))
    }


class Keys:
    """Makes keys. Without symmetry every name stays what it is, also those of the controllers."""

    def __init__(self, *, symmetric: bool = True) -> None:
        """Compare under every exchange of names, or under none."""
        self.is_symmetric = symmetric
        self.shapes = Shapes()
        first, second = CONTROLLERS
        self.exchanges = {first: _exchanges(first, second), second: _exchanges(second, first)}
        self.plain = self.exchanges[first][HOSTS, SERVERS]
        self.minds: dict[tuple[int, int, float], tuple[Cluster, Key]] = {}
        self.skeletons: dict[int, tuple[Cluster, int]] = {}

    def key(self, cluster: Cluster, truth: Truth, now: float) -> Key:
        """Return the least key under all exchanges that could be the least."""
        if not self.is_symmetric:
            return hash((truth.leader, self._key(cluster, truth, now, self.plain)))
        exchanges = self.exchanges[truth.leader]
        return min(
            self._key(cluster, truth, now, exchanges[hosts, servers])
            for hosts in _orders(HOSTS, [_look(host) for host in truth.hosts])
            for servers in _orders(SERVERS, [_mien(server, hosts) for server in truth.servers])
        )

    def _key(self, cluster: Cluster, truth: Truth, now: float, names: Names) -> Key:
        counters = (truth.term, truth.faults, truth.leader_changes, truth.owes_fault)
        parts = (
            self._mind(cluster, now, names),
            self._aged(truth.hosts, now, names),
            self._aged(truth.servers, now, names),
            self._aged(truth.in_hand, now, names),
            self._aged(truth.answers, now, names),
            self._aged(truth.late, now, names),
            counters,
        )
        return hash(parts)

    def _mind(self, cluster: Cluster, now: float, names: Names) -> Key:
        place = (id(cluster), id(names), now)
        known = self.minds.get(place)
        if known is not None:
            return known[1]
        wakes = sorted(
            (names.get(who, who), _age(due, now, 0.0)) for who, due in cluster.wakes.items()
        )
        parts = (
            self._aged(cluster.hosts.values(), now, names),
            self._aged(cluster.sights.values(), now, names),
            self._aged(cluster.moves.values(), now, names),
            self._aged(cluster.outbox.values(), now, names),
            self._aged((cluster.control, cluster.views), now, names),
            tuple(wakes),
        )
        if len(self.minds) >= KEPT_MINDS_MAX:
            self.minds.clear()
        self.minds[place] = (cluster, hash(parts))
        return self.minds[place][1]

    def _aged(self, records: Iterable[object], now: float, names: Names) -> tuple[int, ...]:
        found: list[int] = []
        for record in records:
            shape, instants = self.shapes.of(record, names)
            ages = [_age(when, now, reach_s) for when, reach_s in instants]
            found.append(hash((shape, *ages)) if ages else shape)
        return tuple(sorted(found))

    def skeleton(self, cluster: Cluster) -> int:
        """Return what the leader knows without instants: when it changes, something happened."""
        known = self.skeletons.get(id(cluster))
        if known is not None:
            return known[1]
        records = (
            *cluster.hosts.values(),
            *cluster.sights.values(),
            *cluster.moves.values(),
            *cluster.outbox,
            cluster.control,
            cluster.views,
        )
        found = hash(tuple([self.shapes.of(record, self.plain)[0] for record in records]))
        if len(self.skeletons) >= KEPT_MINDS_MAX:
            self.skeletons.clear()
        self.skeletons[id(cluster)] = (cluster, found)
        return found


def _age(when: float, now: float, reach_s: float) -> int:
    age = min(now - when, reach_s)
    return round((age + LONGEST_S) * 1000) if age > -LONGEST_S else 0


def _look(host: Host) -> str:
    """Say how a host looks without any name."""
    marks = (host.is_forced_down, host.is_disabled, host.lies_off, host.was_attested)
    return repr((host.condition, host.boots, host.said_boot, *marks))


def _mien(server: Server, hosts: Order) -> str:
    """Say how a server looks, its hosts by their place in the order."""
    place = dict(zip(map(str, HOSTS), hosts, strict=True))
    runs_on = sorted(place[host] for host in server.runs_on)
    task = server.task_state or ""
    return repr((place[server.host], runs_on, server.vm_state.value, task, server.user_action))


def _orders(names: Sequence[str], looks: Sequence[str]) -> tuple[Order, ...]:
    """Return the new names of two: by their looks, or both ways where they look alike."""
    (one, other), (first, second) = names, looks
    if first == second:
        return ((one, other), (other, one))
    return ((one, other),) if first < second else ((other, one),)
