"""Verbs that wait for something to be noted: `when c3 enters fencing: pause leader 20`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ninelives.core.cluster import Note

if TYPE_CHECKING:
    from .world import World


@dataclass(frozen=True, slots=True)
class Trigger:
    """Fires once. `pattern`: who, then words that stand in the note."""

    pattern: tuple[str, ...]
    words: tuple[str, ...]


def fire(world: "World", note: Note) -> None:
    """Let every verb happen whose pattern this note matches, right after the present event."""
    for trigger in tuple(world.triggers):
        if matches(trigger.pattern, note):
            world.triggers.remove(trigger)
            world.at(world.now, trigger.words)


def matches(pattern: tuple[str, ...], note: Note) -> bool:
    """Say whether a note speaks of this: its subject, and each further word in it. Pure."""
    about, *words = pattern
    if about not in ("*", note.about):
        return False
    text = f"{note.what} {note.why} {note.detail}"
    return all(word in text for word in words if word not in ("enters", "is"))
