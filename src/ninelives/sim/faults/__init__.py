"""The fault language: what can befall a world, and which of the 72 faults each sentence makes."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ninelives.sim import wellness
from ninelives.sim.happenings import FaultBegan, FaultEnded
from ninelives.sim.setup import Setup

from . import cloud, control, hosts, network
from .grammar import Form, Slots, Verb, Words, match
from .table import Row, table_of

if TYPE_CHECKING:
    from ninelives.sim.world import World

FORMS: tuple[Form, ...] = (*hosts.FORMS, *network.FORMS, *cloud.FORMS, *control.FORMS)
VERBS: Mapping[str, Verb] = {
    name: Verb(name, tuple(form for form in FORMS if form.verb == name))
    for name in dict.fromkeys(form.verb for form in FORMS)
}
TABLE: Mapping[int, Row] = table_of(FORMS)

__all__ = ["TABLE", "VERBS", "Form", "Row", "Verb", "check", "heal_all", "numbers_of", "run"]


def check(words: Words, setup: Setup) -> str | None:
    """Return None for a sentence that can be run, else what is wrong with it and a hint."""
    found = find(words, setup)
    return found if isinstance(found, str) else None


def find(words: Words, setup: Setup) -> tuple[Form, Slots] | str:
    """Find the form of a sentence, or say what is wrong with it."""
    if not words:
        return "an empty command"
    verb = VERBS.get(words[0])
    if verb is None:
        close = get_close_matches(words[0], VERBS, n=1, cutoff=0.6)
        hint = f"did you mean '{close[0]}'?" if close else f"one of {', '.join(sorted(VERBS))}"
        return f"unknown verb '{words[0]}'\nhint: {hint}"
    wrongs: list[str] = []
    for form in verb.forms:
        slots = match(form, words, setup)
        if not isinstance(slots, str):
            return form, slots
        wrongs.append(slots)
    return blame(verb, words, wrongs)


def blame(verb: Verb, words: Words, wrongs: list[str]) -> str:
    """Say what is wrong with the sentence, by the form that comes closest to it."""
    forms = zip(verb.forms, wrongs, strict=True)
    _, why = max(((closeness(form, words), wrong) for form, wrong in forms), key=lambda p: p[0])
    if "hint:" in why:
        return f"{' '.join(words)}: {why}"
    return f"{' '.join(words)}: {why}\nhint: {'; or '.join(form.usage for form in verb.forms)}"


def closeness(form: Form, words: Words) -> tuple[bool, int, int]:
    """Count what a sentence has in common with a form: its length, its fixed words, its slots."""
    pattern = form.usage.split()
    same = sum(each in slot.split("|") for slot, each in zip(pattern, words, strict=False))
    return len(pattern) == len(words), same, sum(slot.isupper() for slot in pattern)


def numbers_of(words: Words, setup: Setup) -> tuple[int, ...]:
    """Return the rows of the table that a sentence makes."""
    found = find(words, setup)
    return () if isinstance(found, str) else found[0].numbers(found[1], setup)


def run(world: "World", words: Words) -> None:
    """Let a sentence come true. A wrong one is a bug of whoever did not `check` it."""
    found = find(words, world.setup)
    assert not isinstance(found, str), found
    form, slots = found
    text = " ".join(words)
    rows = form.numbers(slots, world.setup)
    world.note("fault", text)
    for row in rows:
        world.happen(FaultBegan(row, text))
    end_healed(world, words)
    form.run(world, slots)
    wellness.look_everywhere(world)
    if form.heal:
        world.faults_on[words] = (form.healed_by(slots), rows)
        if form.lasts:
            world.at(world.now + float(slots["SECONDS"]), form.healed_by(slots))
    else:
        for row in rows:
            world.happen(FaultEnded(row, text))


def end_healed(world: "World", words: Words) -> None:
    """Close every fault that this sentence heals."""
    for fault, (heals, rows) in tuple(world.faults_on.items()):
        if heals == words:
            del world.faults_on[fault]
            for row in rows:
                world.happen(FaultEnded(row, " ".join(fault)))


def heal_all(world: "World") -> None:
    """End every fault that can be healed, in the order in which they began."""
    while world.faults_on:
        heals, _ = next(iter(world.faults_on.values()))
        run(world, heals)
