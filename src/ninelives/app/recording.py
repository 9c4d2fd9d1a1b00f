"""A recorded journal: one file with all that it takes to ask afterwards why something was done.

    {"ninelives": "recording", "story": "…"}     under which setup the leaders decided
    {"revision": 1, "term": 1, "at": …, "wall": …, "event": {…}, "notes": {…}}

One JSON document a line; events and notes as the codec writes them. `wall` counts from the
beginning of the story. The setup is kept as the story that declares it, since nothing else says as
plainly who was there.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from ninelives.engine.errors import ConfigError
from ninelives.engine.journal import Row, Setting, batch_of, row_of
from ninelives.engine.node import Ready
from ninelives.engine.ports import Entry
from ninelives.sim.happenings import Decided, Happening
from ninelives.sim.scenario import parse
from ninelives.sim.scenario_words import ParseError

HEAD = {"ninelives": "recording"}


class Recorder:
    """Listens to a world and writes its journal."""

    def __init__(self, file: TextIO, story: str) -> None:
        """Write the head."""
        self._file = file
        self._write({**HEAD, "story": story})

    def saw(self, when: float, happening: Happening) -> None:
        """Write the row of a durable decision."""
        if not isinstance(happening, Decided):
            return
        ready = Ready(
            happening.revision, happening.term, happening.now, happening.event, happening.decision
        )
        entry = batch_of(ready, when).entries[0]
        self._write(
            {
                "revision": entry.revision,
                "term": entry.term,
                "at": entry.at,
                "wall": entry.wall,
                "event": json.loads(entry.event),
                "notes": json.loads(entry.notes),
            }
        )

    def _write(self, document: dict[str, object]) -> None:
        json.dump(document, self._file, ensure_ascii=False, separators=(",", ":"))
        self._file.write("\n")


def read(path: Path) -> tuple[Setting, Iterator[Row]]:
    """Open a recording. Raises `ConfigError` where it is none, `CodecError` where a row is bad."""
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        story = json.loads(head)["story"]
        is_ours = json.loads(head)["ninelives"] == HEAD["ninelives"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    if not is_ours:
        raise _unreadable(path)
    scenario = parse(story)
    if isinstance(scenario, ParseError):
        raise ConfigError(f"{path}: its story: {scenario}", "record it again")
    setup = scenario.setup
    setting = Setting(setup.site, setup.policy, setup.segment_policies)
    return setting, _rows(path, lines)


def _unreadable(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} is no recorded journal", "make one: ninelives sim play FILE --journal OUT"
    )


def _rows(path: Path, lines: Iterable[str]) -> Iterator[Row]:
    for line in lines:
        try:
            row = json.loads(line)
            entry = Entry(
                int(row["revision"]),
                int(row["term"]),
                float(row["at"]),
                float(row["wall"]),
                json.dumps(row["event"]).encode(),
                json.dumps(row["notes"]).encode(),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable(path) from error
        yield row_of(entry)
