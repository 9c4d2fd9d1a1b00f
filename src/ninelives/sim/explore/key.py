"""When two states are the same: names, instants and histories that make no difference are gone.

    shape    a record without its instants, its names exchanged; worked out once per record
    ages     its instants, as milliseconds before or after now, cut off where no wait reaches
    key      shapes and ages of all records, under each exchange of hosts and of servers; the least

The leader of the two controllers is always called one name and the standby another: that is their
symmetry. What the core writes for people, and instants that it never compares, count for nothing.
A field that is not named here counts, so that one added tomorrow splits states, never merges them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import permutations
from typing import TypeAlias

from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Control, Entry, Heard, Sights
from ninelives.core.model import Proof

from .truth import CONTROLLERS, HOSTS, LONGEST_S, SERVERS, Truth

Names: TypeAlias = Mapping[str, str]
Shape: TypeAlias = tuple[int, tuple[float, ...]]
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


def _exchanges(leader: str) -> tuple[Names, ...]:
    return tuple(
        _names(hosts, servers, leader)
        for hosts in permutations(HOSTS)
        for servers in permutations(SERVERS)
    )


class Keys:
    """Makes keys, and keeps the shape of every record that it saw lately."""

    def __init__(self, is_symmetric: bool = True) -> None:
        """Compare under every exchange of names, or under none."""
        exchanges = {leader: _exchanges(leader) for leader in CONTROLLERS}
        plain = ((_names(HOSTS, SERVERS, "") | {name: name for name in CONTROLLERS}),)
        self.exchanges = exchanges if is_symmetric else dict.fromkeys(CONTROLLERS, plain)
        self.shapes: dict[tuple[int, int], tuple[object, Shape]] = {}

    def key(self, cluster: Cluster, truth: Truth, now: float) -> Key:
        """Return the least key under all exchanges."""
        if len(self.shapes) > KEPT_RECORDS_MAX:
            self.shapes.clear()
        return min(self._key(cluster, truth, now, names) for names in self.exchanges[truth.leader])

    def _key(self, cluster: Cluster, truth: Truth, now: float, names: Names) -> int:
        parts = [
            _named(
                (names[host], self._aged(record, now, names))
                for host, record in cluster.hosts.items()
            ),
            _named(
                (names[host], self._aged(seen, now, names)) for host, seen in cluster.sights.items()
            ),
            _named(
                (names[server], self._aged(move, now, names))
                for server, move in cluster.moves.items()
            ),
            _named((names.get(who, who), _age(when, now)) for who, when in cluster.wakes.items()),
            tuple(sorted(self._aged(entry, now, names) for entry in cluster.outbox.values())),
            self._aged(cluster.control, now, names),
            len(cluster.control.closed_devices),
            self._aged(cluster.views, now, names),
            _named((names[host.id], self._aged(host, now, names)) for host in truth.hosts),
            _named((names[server.id], self._aged(server, now, names)) for server in truth.servers),
            tuple(sorted(self._aged(action, now, names) for action in truth.in_hand)),
            tuple(sorted(self._aged(answer, now, names) for answer in truth.answers)),
            tuple(sorted(self._aged(late, now, names) for late in truth.late)),
            (names[truth.leader], truth.term, truth.faults, truth.leader_changes, truth.owes_fault),
        ]
        return hash(tuple(parts))

    def _aged(self, record: object, now: float, names: Names) -> int:
        shape, instants = self.shape(record, names)
        return hash((shape, *(_age(when, now) for when in instants))) if instants else shape

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
        self.shapes[place] = (record, shape)
        return shape


PLAIN = Keys(is_symmetric=False)


def skeleton(cluster: Cluster) -> int:
    """Return what the leader knows without any instant: when this changes, something happened."""
    names = PLAIN.exchanges[CONTROLLERS[0]][0]
    records = (
        *cluster.hosts.values(),
        *cluster.sights.values(),
        *cluster.moves.values(),
        *cluster.outbox,
        cluster.control,
        cluster.views,
    )
    return hash(tuple(PLAIN.shape(record, names)[0] for record in records))


def _named(pairs: object) -> tuple[object, ...]:
    return tuple(sorted(pairs))


def _age(when: float, now: float) -> int:
    """Return milliseconds, cut off, and never negative: hash(-1) equals hash(-2)."""
    age = min(max(now - when, -LONGEST_S), LONGEST_S)
    return round((age + LONGEST_S) * 1000)


def _flatten(value: object, names: Names, atoms: list[object], instants: list[float]) -> None:
    match value:
        case str():
            atoms.append(names.get(value, value))
        case float():
            instants.append(value)
        case None | bool() | int():
            atoms.append(value)
        case frozenset():
            atoms.append(tuple(sorted(names.get(str(item), str(item)) for item in value)))
        case tuple():
            atoms.append(len(value))
            plan = getattr(value, "_fields", None)
            for number, item in enumerate(value):
                if plan is None or (type(value), plan[number]) not in IGNORED:
                    _flatten(item, names, atoms, instants)
        case Mapping():
            _flatten_mapping(value, names, atoms, instants)
        case _:
            _flatten_record(value, names, atoms, instants)


def _flatten_mapping(value, names: Names, atoms: list[object], instants: list[float]) -> None:
    def renamed(key: object) -> tuple[str, ...]:
        parts = key if isinstance(key, tuple) else (key,)
        return tuple(names.get(part, part) for part in parts)

    atoms.append(len(value))
    for key, item in sorted((renamed(key), item) for key, item in value.items()):
        atoms.append(key)
        _flatten(item, names, atoms, instants)


def _flatten_record(
    value: object, names: Names, atoms: list[object], instants: list[float]
) -> None:
    assert is_dataclass(value), f"{type(value).__name__} cannot be compared"
    kind = type(value)
    atoms.append(kind.__name__)
    for place in fields(value):
        if (kind, place.name) not in IGNORED:
            _flatten(getattr(value, place.name), names, atoms, instants)
