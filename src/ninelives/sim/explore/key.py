"""When two states are the same: names, instants and histories that make no difference are gone.

    shape    a record without its instants, its names exchanged; worked out once per record
    ages     its instants, as milliseconds before or after now, cut off where no wait reaches
    key      shapes and ages of all records, under each exchange of hosts and of servers; the least

The leader of the two controllers is always called one name and the standby another: that is their
symmetry. What the core writes for people, and instants that it never compares, count for nothing.
A field that is not named here counts, so that one added tomorrow splits states, never merges them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import permutations
from typing import TypeAlias

from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Control, Entry, Heard, Sights
from ninelives.core.model import Proof

from .truth import CONTROLLERS, HOSTS, LONGEST_S, SERVERS, Host, Server, Truth

Names: TypeAlias = Mapping[str, str]
Shape: TypeAlias = tuple[int, tuple[float, ...]]
Orders: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
Key: TypeAlias = int

BOOTS_MAX = 9
KEPT_RECORDS_MAX = 100_000

IGNORED = {
    (Heard, "since"),  # never compared
    (Proof, "evidence"),
    (Proof, "contradicted_by"),
    (at.Healthy, "since"),
    (at.Evacuating, "round"),  # a number in a request; only the epoch is looked at in the answer
    (at.Evacuating, "since"),
    (at.Fenced, "since"),
    (at.Vacated, "since"),
    (at.Move, "began"),  # compared inside a dependency group only, and there is none
    (Entry, "at"),
    (Sights, "kept"),  # decides only whether somebody is told again
    (Control, "cause"),
    (Control, "closed_devices"),  # with its words; its length is counted below
}


def _names(hosts: Sequence[str], servers: Sequence[str], leader: str) -> Names:
    found: dict[str, str] = {}
    for old, new in zip(HOSTS, hosts, strict=True):
        found[old] = new
        for form in ("host/{}", "bmc-{}", "needs {}", "serial-{}"):
            found[form.format(old)] = form.format(new)
        for boot in range(1, BOOTS_MAX):
            found[f"{old}#{boot}"] = f"{new}#{boot}"
    found.update(zip(SERVERS, servers, strict=True))
    found.update({name: "leader" if name == leader else "standby" for name in CONTROLLERS})
    return found


def _exchanges(leader: str) -> dict[Orders, Names]:
    return {
        (hosts, servers): _names(hosts, servers, leader)
        for hosts in permutations(HOSTS)
        for servers in permutations(SERVERS)
    }


class Keys:
    """Makes keys, and keeps the shape of every record that it saw lately."""

    def __init__(self, is_symmetric: bool = True) -> None:
        """Compare under every exchange of names, or under none."""
        self.is_symmetric = is_symmetric
        self.exchanges = {leader: _exchanges(leader) for leader in CONTROLLERS}
        self.plain = _names(HOSTS, SERVERS, "") | {name: name for name in CONTROLLERS}
        self.shapes: dict[tuple[int, int], tuple[object, Shape]] = {}
        self.minds: dict[tuple[int, int, float], tuple[Cluster, Key]] = {}

    def key(self, cluster: Cluster, truth: Truth, now: float) -> Key:
        """Return the least key under all exchanges that could be the least."""
        if not self.is_symmetric:
            return self._key(cluster, truth, now, self.plain)
        exchanges = self.exchanges[truth.leader]
        return min(
            self._key(cluster, truth, now, exchanges[hosts, servers])
            for hosts in _orders(HOSTS, [_look(host) for host in truth.hosts])
            for servers in _orders(SERVERS, [_mien(server, hosts) for server in truth.servers])
        )

    def _key(self, cluster: Cluster, truth: Truth, now: float, names: Names) -> Key:
        def sorted_ages(records: Iterable[object]) -> tuple[int, ...]:
            return tuple(sorted(self._aged(record, now, names) for record in records))

        parts = (
            self._mind(cluster, now, names),
            sorted_ages(truth.hosts),
            sorted_ages(truth.servers),
            sorted_ages(truth.in_hand),
            sorted_ages(truth.answers),
            sorted_ages(truth.late),
            (truth.term, truth.faults, truth.leader_changes, truth.owes_fault),
        )
        return hash(parts)

    def _mind(self, cluster: Cluster, now: float, names: Names) -> Key:
        place = (id(cluster), id(names), now)
        known = self.minds.get(place)
        if known is not None:
            return known[1]

        def sorted_ages(records: Iterable[object]) -> tuple[int, ...]:
            return tuple(sorted(self._aged(record, now, names) for record in records))

        wakes = sorted((names.get(who, who), _age(due, now)) for who, due in cluster.wakes.items())
        parts = (
            sorted_ages(cluster.hosts.values()),
            sorted_ages(cluster.sights.values()),
            sorted_ages(cluster.moves.values()),
            sorted_ages(cluster.outbox.values()),
            tuple(wakes),
            self._aged(cluster.control, now, names),
            len(cluster.control.closed_devices),
            self._aged(cluster.views, now, names),
        )
        if len(self.minds) >= KEPT_RECORDS_MAX:
            self.minds.clear()
        self.minds[place] = (cluster, hash(parts))
        return self.minds[place][1]

    def _aged(self, record: object, now: float, names: Names) -> int:
        shape, instants = self.shape(record, names)
        return hash((shape, *[_age(when, now) for when in instants])) if instants else shape

    def shape(self, record: object, names: Names) -> Shape:
        """Return the shape of one record and its instants, from memory where it is known."""
        place = (id(record), id(names))
        known = self.shapes.get(place)
        if known is not None:
            return known[1]  # the record is kept beside it, so that its id stays its own
        atoms: list[object] = []
        instants: list[float] = []
        _flatten(record, names, atoms, instants)
        shape = (hash(tuple(atoms)), tuple(instants))
        if len(self.shapes) >= KEPT_RECORDS_MAX:
            self.shapes.clear()
        self.shapes[place] = (record, shape)
        return shape


def _look(host: Host) -> tuple[object, ...]:
    """Say how a host looks without any name: where two look different, their order is given."""
    marks = (host.is_forced_down, host.is_disabled, host.lies_off, host.was_attested)
    return (host.condition, host.boots, host.said_boot, *marks)


def _mien(server: Server, hosts: Sequence[str]) -> tuple[object, ...]:
    """Say how a server looks, its hosts by their place in the order."""
    place = dict(zip(HOSTS, hosts, strict=True))
    runs_on = sorted(place[host] for host in server.runs_on)
    task = server.task_state or ""
    return (place[server.host], runs_on, server.vm_state, task, server.user_action)


def _orders(names: Sequence[str], looks: list[tuple[object, ...]]) -> Sequence[tuple[str, ...]]:
    """Return the new names of the two: by their looks, or both ways where they look alike."""
    first, second = (repr(look) for look in looks)
    one, other = names
    if first == second:
        return ((one, other), (other, one))
    return ((one, other),) if first < second else ((other, one),)


PLAIN = Keys(is_symmetric=False)


def skeleton(cluster: Cluster) -> int:
    """Return what the leader knows without any instant: when this changes, something happened."""
    records = (
        *cluster.hosts.values(),
        *cluster.sights.values(),
        *cluster.moves.values(),
        *cluster.outbox,
        cluster.control,
        cluster.views,
    )
    return hash(tuple([PLAIN.shape(record, PLAIN.plain)[0] for record in records]))


def _age(when: float, now: float) -> int:
    """Return milliseconds, cut off, and never negative: hash(-1) equals hash(-2)."""
    age = now - when
    if age > LONGEST_S:
        return 2_000 * int(LONGEST_S)
    return round((age + LONGEST_S) * 1000) if age > -LONGEST_S else 0


def _flatten(value: object, names: Names, atoms: list[object], instants: list[float]) -> None:
    kind = type(value)
    if isinstance(value, str):
        atoms.append(names.get(value, value))
    elif kind is float:
        instants.append(value)
    elif value is None or kind is bool or kind is int:
        atoms.append(value)
    elif kind is frozenset:
        atoms.append(tuple(sorted(names.get(item, item) for item in value)))
    elif isinstance(value, Mapping):
        _flatten_mapping(value, names, atoms, instants)
    elif kind is tuple:
        atoms.append(len(value))
        for item in value:
            _flatten(item, names, atoms, instants)
    else:
        atoms.append(kind.__name__)
        for name in _plan(kind):
            _flatten(getattr(value, name), names, atoms, instants)


def _flatten_mapping(
    value: Mapping[object, object], names: Names, atoms: list[object], instants: list[float]
) -> None:
    atoms.append(len(value))
    for key, item in sorted((_renamed(key, names), item) for key, item in value.items()):
        atoms.append(key)
        _flatten(item, names, atoms, instants)


def _renamed(key: object, names: Names) -> tuple[str, ...]:
    parts = key if isinstance(key, tuple) else (key,)
    return tuple([names.get(part, part) for part in parts])


@cache
def _plan(kind: type) -> tuple[str, ...]:
    """Return the fields of a record that count."""
    if hasattr(kind, "_fields"):
        names = kind._fields
    else:
        assert is_dataclass(kind), f"{kind.__name__} cannot be compared"
        names = tuple(place.name for place in fields(kind))
    return tuple(name for name in names if (kind, name) not in IGNORED)
