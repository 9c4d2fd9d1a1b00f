"""All that the laws look at: the truth, what the leader was told, and what it made durable."""

from collections import Counter, deque
from copy import copy
from dataclasses import dataclass, field, fields
from typing import TypeVar, cast

from .facts import SetupFacts
from .records import Records
from .told import Told
from .truth import Truth


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody must be told of this before `deadline`, else `law` is broken."""

    deadline: float
    within_s: float
    law: str
    about: str
    epoch: int
    what: str  # the reason that must be told, "" for any


@dataclass(slots=True)
class Picture:
    """One instant. Laws read it; only the oracle writes."""

    facts: SetupFacts
    truth: Truth
    told: Told
    records: Records
    duties: list[Duty] = field(default_factory=list[Duty])
    excused: Counter[str] = field(default_factory=Counter[str])
    suspicions: dict[str, deque[float]] = field(default_factory=dict[str, deque[float]])
    at_fence: dict[str, tuple[int, frozenset[str]]] = field(
        default_factory=dict[str, tuple[int, frozenset[str]]]
    )

    @classmethod
    def of(cls, facts: SetupFacts) -> "Picture":
        """Start where the story begins."""
        told = Told(facts.policy.nova_settle_s, facts.site.agentless)
        return cls(facts, Truth.of(facts), told, Records())


def is_held_back(picture: Picture, host: str) -> bool:
    """Say whether a person holds this host's outage."""
    said = picture.records.control.consents
    return any(each.host == host and not each.is_given for each in said)


Part = TypeVar("Part", bound=Picture | Truth | Told | Records)


def forked(part: Part) -> Part:
    """Return an independent copy: containers are copied, immutable values shared."""
    twin = copy(part)
    for item in fields(part):
        setattr(twin, item.name, _copied(getattr(part, item.name)))
    return twin


def _copied(value: object) -> object:
    match value:
        case Truth() | Told() | Records():
            return forked(value)
        case dict():
            return _dict_copied(cast("dict[object, object]", value))
        case set() | list() | deque():
            return copy(cast("set[object] | list[object] | deque[object]", value))
        case _:
            return value


def _dict_copied(value: dict[object, object]) -> dict[object, object]:
    """Copy a dict whose values may themselves be containers, all of one kind."""
    twin = copy(value)
    first = next(iter(value.values()), None)
    if isinstance(first, dict | set | list | deque):
        for key, inner in value.items():
            twin[key] = _copied(inner)
    return twin
