"""What a record is without its instants, under other names: its shape, worked out once.

A record in a record, and a mapping, are shaped by themselves and remembered by themselves: most of
the time they are the very same ones as in the state before. What the core writes for people, and
instants that it never compares, count for nothing. A field that is not named here counts, so that
one added tomorrow splits states and never merges them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from ninelives.core import states as at
from ninelives.core.cluster import Control, Entry, Heard, PowerSeen, Sights, Views
from ninelives.core.model import Proof

from .truth import LONGEST_S, LOOKS_S, POLICY, Host

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Names: TypeAlias = Mapping[str, str]
Instant: TypeAlias = tuple[float, float]  # when, and after how many seconds its age says nothing
Shape: TypeAlias = tuple[int, tuple[Instant, ...]]  # a hash, and the instants in their order

KEPT_RECORDS_MAX: Final = 400_000

IGNORED: Final[frozenset[tuple[type, str]]] = frozenset(
    {
        (Heard, "since"),  # instants that nothing compares, or a dependency group only
        (at.Healthy, "since"),
        (at.Suspect, "since"),
        (at.Fenced, "since"),
        (at.Evacuating, "since"),
        (at.Vacated, "since"),
        (at.Returning, "since"),
        (at.Planned, "since"),
        (at.Verifying, "since"),
        (at.Done, "at"),
        (at.Failed, "at"),
        (at.Skipped, "at"),
        (at.Cancelled, "at"),
        (at.Move, "began"),
        (Entry, "at"),
        (at.Evacuating, "round"),  # a number in a request; its answer is known by its epoch
        (Proof, "evidence"),  # words for people
        (Proof, "contradicted_by"),
        (Control, "cause"),
        (Sights, "kept"),  # decides only whether somebody is told again
    }
)
# How long the age of an instant can still make a difference: what the core, or a law, compares it
# with. An instant that is compared with another one keeps the longest reach, for their order.
REACH_S: Final[dict[tuple[type, str], float]] = {
    (at.Suspect, "cls_since"): POLICY.confirm_s,
    (at.Held, "since"): POLICY.alive_again_s,
    (at.Fencing, "since"): POLICY.unfenceable_after_s,
    (at.Evacuating, "next_list"): 0.0,
    (at.Quarantined, "since"): 0.0,
    (at.Shot, "sent_at"): POLICY.off_timeout_s,
    (at.Shot, "retry_at"): 0.0,
    (at.Host, "last_off_at"): POLICY.off_late_s,
    (at.Host, "episodes"): 0.0,  # counted within a day, and a path takes minutes
    (at.Host, "false_alarms"): 0.0,  # counted within an hour
    (at.Choosing, "since"): POLICY.request_timeout_s,
    (at.Sending, "since"): POLICY.nova_settle_s,
    (at.Starting, "since"): 0.0,
    (at.Retry, "at"): 0.0,
    (at.WaitingForHost, "since"): POLICY.verify_timeout_s,
    (PowerSeen, "at"): POLICY.proof_fresh_s,
    (Sights, "power_asked_at"): POLICY.power_poll_s,
    (Sights, "promises_asked_at"): POLICY.power_poll_s,
    (Sights, "storage_asked_at"): 0.0,  # no host has a backend that is read
    (Views, "began_at"): POLICY.settle_s,
    (Views, "fault_ended_at"): POLICY.silence_s + POLICY.confirm_s,
    (Host, "on_since"): POLICY.proof_fresh_s,
    (Host, "unsaid_since"): POLICY.silence_s + LOOKS_S,
}


class Shapes:
    """Shapes records, and keeps every one that it saw lately."""

    def __init__(self) -> None:
        """Know none yet."""
        self.known: dict[tuple[int, int], tuple[object, Shape]] = {}

    def of(self, record: object, names: Names) -> Shape:
        """Return the shape of a record under `names`, which must live as long as this does."""
        place = (id(record), id(names))
        known = self.known.get(place)
        if known is not None:
            return known[1]  # the record is kept beside it, so that its id stays its own
        atoms: list[object] = []
        instants: list[Instant] = []
        for part, reach_s in _parts(record, names, atoms):
            self._add(part, reach_s, names, atoms, instants)
        shape = (hash(tuple(atoms)), tuple(instants))
        if len(self.known) >= KEPT_RECORDS_MAX:
            self.known.clear()
        self.known[place] = (record, shape)
        return shape

    def _add(
        self,
        value: object,
        reach_s: float,
        names: Names,
        atoms: list[object],
        instants: list[Instant],
    ) -> None:
        if isinstance(value, str):
            atoms.append(names.get(value, value))
        elif isinstance(value, float):
            instants.append((value, reach_s))
            atoms.append("instant")
        elif value is None or isinstance(value, int) or value == ():
            atoms.append(value)
        elif isinstance(value, frozenset):
            atoms.append(_renamed(cast("frozenset[str]", value), names, is_ordered=False))
        else:
            shape, within = self.of(value, names)
            atoms.append(shape)
            instants.extend((when, min(reach_s, its_own)) for when, its_own in within)


def _parts(record: object, names: Names, atoms: list[object]) -> Iterable[tuple[object, float]]:
    """Return what a record consists of; its kind, and the keys of a mapping, are atoms at once."""
    kind: type = type(record)
    if kind is tuple:
        members = cast("tuple[object, ...]", record)
        atoms.append(len(members))
        return [(member, LONGEST_S) for member in members]
    if isinstance(record, Mapping):
        mapping = cast("Mapping[str | tuple[str, ...], object]", record)
        pairs = [(_key(key, names), item) for key, item in mapping.items()]
        pairs.sort(key=lambda pair: pair[0])
        atoms.append(tuple([key for key, _ in pairs]))
        return [(item, LONGEST_S) for _, item in pairs]
    atoms.append(kind.__name__)
    return [(getattr(record, name), reach_s) for name, reach_s in _that_count(kind.__name__, kind)]


def _key(key: str | tuple[str, ...], names: Names) -> tuple[str, ...]:
    return _renamed((key,) if isinstance(key, str) else key, names, is_ordered=True)


def _renamed(words: Iterable[str], names: Names, *, is_ordered: bool) -> tuple[str, ...]:
    found = [names.get(word, word) for word in words]
    return tuple(found if is_ordered else sorted(found))


@cache
def _that_count(_name: str, kind: type[object]) -> tuple[tuple[str, float], ...]:
    assert is_dataclass(kind) or hasattr(kind, "_fields"), f"{_name} cannot be compared"
    names: tuple[str, ...] = getattr(kind, "_fields", None) or tuple(
        place.name for place in fields(cast("type[DataclassInstance]", kind))
    )
    return tuple(
        (name, REACH_S.get((kind, name), LONGEST_S))
        for name in names
        if (kind, name) not in IGNORED
    )
