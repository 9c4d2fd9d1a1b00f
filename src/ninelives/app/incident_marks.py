"""Which notes of the journal begin and end an incident."""

from ninelives.core.cluster import Note

BEGINS = ("healthy \u2192 suspect", "unknown \u2192 suspect")
ENDS = "\u2192 healthy"


def begins(note: Note) -> bool:
    """Say whether an incident of a host begins with it."""
    return note.what == "host.moved" and note.detail.startswith(BEGINS)


def ends(note: Note) -> bool:
    """Say whether an incident of a host ends with it."""
    return note.what == "host.moved" and note.detail.endswith(ENDS)
