"""The grammar of the fault language: forms with slots, matched word by word, with hints for people.

A form is its own usage line: `freeze HOST SECONDS`. Words in capitals are slots, all others stand
for themselves, and `a|b` for one of several.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from ninelives.core.model import Mode, Plane
from ninelives.sim.setup import Setup

if TYPE_CHECKING:
    from ninelives.sim.world import World

Words: TypeAlias = tuple[str, ...]
Slots: TypeAlias = Mapping[str, str]
Run: TypeAlias = "Callable[[World, Slots], None]"
Rows: TypeAlias = "tuple[int, ...] | Callable[[Slots, Setup], tuple[int, ...]]"


@dataclass(frozen=True, slots=True)
class Form:
    """One sentence of the language.

    `rows`: which of the 72 faults it makes. `heal`: the sentence that ends it, in the same slots.
    `lasts`: it is healed by itself after SECONDS.
    """

    usage: str
    run: "Run"
    rows: "Rows" = ()
    heal: str = ""
    lasts: bool = False

    @property
    def verb(self) -> str:
        return self.usage.split()[0]

    def numbers(self, slots: Slots, setup: Setup) -> tuple[int, ...]:
        return self.rows(slots, setup) if callable(self.rows) else self.rows

    def healed_by(self, slots: Slots) -> Words:
        return tuple(slots.get(word, word) for word in self.heal.split())


@dataclass(frozen=True, slots=True)
class Verb:
    """All forms of one first word."""

    name: str
    forms: tuple[Form, ...]

    @property
    def usage(self) -> str:
        return "\n".join(form.usage for form in self.forms)

    @property
    def rows(self) -> tuple[int, ...]:
        """Every row of the table that some form of this verb makes, as far as words alone tell."""
        found = {row for form in self.forms if not callable(form.rows) for row in form.rows}
        return tuple(sorted(found))

    @property
    def run(self) -> "Run":
        return self.forms[0].run


def match(form: Form, words: Words, setup: Setup) -> Slots | str:
    """Fill the slots of a form, or say why the words do not fit."""
    pattern = form.usage.split()
    if len(pattern) != len(words):
        return f"it takes {len(pattern) - 1} words, not {len(words) - 1}"
    slots: dict[str, str] = {}
    for slot, word in zip(pattern, words, strict=True):
        if not slot.isupper():
            if word not in slot.split("|"):
                return f"unknown word '{word}'"
            slots[word] = word  # a choice is found by what was chosen
        else:
            wrong = check_slot(slot, word, setup)
            if wrong:
                return wrong
        slots[slot] = word
    return slots


def check_slot(slot: str, word: str, setup: Setup) -> str:
    """Return what is wrong with a word in this slot, "" for nothing."""
    kind = slot.rstrip("2")
    if kind in NUMBERS:
        return wrong_number(word, *NUMBERS[kind])
    if kind in FREE:
        return ""
    if kind == "GROUPS":
        return wrong_groups(word, setup)
    if kind == "HOSTS":
        wrongs = (check_slot("HOST", part, setup) for part in word.split(","))
        return next((wrong for wrong in wrongs if wrong), "")
    known = choices(kind, setup)
    return "" if word in known else f"unknown {kind.lower()} '{word}'{meant(word, known)}"


NUMBERS: Mapping[str, tuple[float, float]] = {
    "SECONDS": (0.0, 1e7),
    "OFFSET": (-1e7, 1e7),
    "PPM": (-900_000.0, 900_000.0),
    "SHARE": (0.0, 1.0),
    "COUNT": (1.0, 1e4),
    "EPOCH": (0.0, 1e6),
}
FREE = frozenset({"CAUSE", "TYPED", "WHO"})


def wrong_number(word: str, least: float, most: float) -> str:
    try:
        value = float(word)
    except ValueError:
        return f"'{word}' is no number"
    return "" if least <= value <= most else f"{word} is not between {least:g} and {most:g}"


def wrong_groups(word: str, setup: Setup) -> str:
    sides = [side.split(",") for side in word.split("|")]
    if len(sides) < 2:
        return f"a partition has sides: c1,c2|c3, not '{word}'"
    wrongs = (check_slot("NODE", name, setup) for side in sides for name in side)
    return next((wrong for wrong in wrongs if wrong), "")


def choices(kind: str, setup: Setup) -> tuple[str, ...]:
    return known_words(kind, IdentityKey(setup))


@dataclass(frozen=True, slots=True, eq=False)
class IdentityKey:
    """A setup as a key: the same object, not an equal one (its site is too large to compare)."""

    setup: Setup

    def __hash__(self) -> int:
        return id(self.setup)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdentityKey) and other.setup is self.setup


@lru_cache(maxsize=256)
def known_words(kind: str, key: IdentityKey) -> tuple[str, ...]:
    """Return every word that may stand in a slot of this kind."""
    setup = key.setup
    hosts = setup.site.hosts
    match kind:
        case "HOST" | "OTHER":
            return tuple(hosts)
        case "CONTROLLER":
            return tuple(setup.site.controllers)
        case "NODE":
            return (*hosts, *setup.site.controllers)
        case "SERVER":
            return tuple(server.id for server in setup.servers)
        case "PLANE":
            return (*(plane.value for plane in Plane), "all")
        case "BACKEND":
            servers = (name for server in setup.servers for name in server.disks)
            return tuple(
                dict.fromkeys((*(b for host in hosts.values() for b in host.backends), *servers))
            )
        case "RACK":
            return tuple(dict.fromkeys(host.rack for host in hosts.values() if host.rack))
        case "ZONE":
            return tuple(dict.fromkeys(host.zone for host in hosts.values() if host.zone))
        case "SEGMENT":
            return tuple(dict.fromkeys(host.segment for host in hosts.values()))
        case "DOMAIN":
            return tuple(setup.site.members)
        case "ROAD":
            return tuple(road.id for host in hosts.values() for road in host.roads)
        case "MODE":
            return tuple(mode.value for mode in Mode)
        case _:
            raise AssertionError(f"a form uses the unknown slot {kind}")


def meant(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"\nhint: did you mean '{close[0]}'?"
    return f"\nhint: one of {', '.join(known[:12])}" if known else ""
