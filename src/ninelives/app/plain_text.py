"""Speak to terminals and files that know ASCII alone: an arrow becomes "->", and nothing fails."""

import codecs
import io
import sys
from collections.abc import Mapping

SPELLED: Mapping[str, str] = {
    "→": "->",
    "◀": "<",
    "●": "*",
    "○": "-",
    "·": "-",
    "…": "...",
    "≥": ">=",
    "≤": "<=",
    "×": "x",
    "–": "-",
    "─": "-",
    "▇": "#",
}
HANDLER = "ninelives.spell"


def spell(error: UnicodeError) -> tuple[str, int]:
    """Spell what an encoding cannot hold; what nobody thought of becomes a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(SPELLED.get(character, "?") for character in wrong), error.end


def prepare_output() -> None:
    """Let standard output and error spell what they cannot encode."""
    codecs.register_error(HANDLER, spell)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)
