"""A recorded journal: one file with all that it takes to ask afterwards why something was done.

    {"ninelives": "recording", "base": {…}}
    {"revision": 1, "term": 1, "at": …, "wall": …, "event": {…}, "notes": {…}}

One JSON document a line; events and notes as the codec writes them. `wall` counts from the
beginning of the story. The first row says under which configuration it was decided. Where a store
is given in place of such a file, its journal is read. `base` are the records before the first row,
where earlier ones were pruned.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ninelives.engine.errors import ConfigError
from ninelives.engine.journal import Row, batch_of, row_of, rows
from ninelives.engine.node import Ready
from ninelives.engine.ports import Entry
from ninelives.sim.happenings import Decided, Happening

if TYPE_CHECKING:
    from .retention import Beginning

HEAD = {"ninelives": "recording"}
SQLITE_MAGIC = b"SQLite format 3\0"  # sqlite.org/fileformat2.html, "Magic Header String"


class Recorder:
    """Listens to a world and writes its journal."""

    def __init__(self, file: TextIO) -> None:
        """Write the head."""
        self._file = file
        write_head(file)

    def saw(self, when: float, happening: Happening) -> None:
        """Write the row of a durable decision."""
        if not isinstance(happening, Decided):
            return
        ready = Ready(
            happening.revision, happening.term, happening.now, happening.event, happening.decision
        )
        write_entry(self._file, batch_of(ready, when).entries[0])


def write_head(file: TextIO, base: Mapping[str, bytes] | None = None) -> None:
    """Begin a recording."""
    shown = {key: body.decode("ascii") for key, body in (base or {}).items()}
    _write(file, {**HEAD, "base": shown} if shown else HEAD)


def write_entry(file: TextIO, entry: Entry) -> None:
    """Write one row."""
    row = {
        "revision": entry.revision,
        "term": entry.term,
        "at": entry.at,
        "wall": entry.wall,
        "event": json.loads(entry.event),
        "notes": json.loads(entry.notes),
    }
    _write(file, row)


def _write(file: TextIO, document: Mapping[str, object]) -> None:
    json.dump(document, file, ensure_ascii=False, separators=(",", ":"))
    file.write("\n")


def read(path: Path) -> Iterator[Row]:
    """Open a recording, or a store. Raises `ConfigError` if it is neither; rows `CodecError`."""
    try:
        if _is_store(path):
            return _stored(path)
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        is_ours = json.loads(head)["ninelives"] == HEAD["ninelives"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    if not (is_ours and lines):
        raise _unreadable(path)
    return _rows(path, lines)


def base_of(path: Path) -> Mapping[str, bytes]:
    """Return the records before the first row: none, unless earlier rows were pruned."""
    if _is_store(path):
        return _floor(path).records
    with path.open(encoding="utf-8") as file:
        head: dict[str, dict[str, str]] = json.loads(file.readline())
    return {key: body.encode("ascii") for key, body in head.get("base", {}).items()}


def _floor(path: Path) -> "Beginning":
    from ninelives.adapters.sql import open_store
    from ninelives.adapters.sql_bases import SqlBases

    from .retention import floor_of

    with closing(open_store(f"sqlite:///{path}", exists=True)) as store:
        return floor_of(SqlBases(store))


def _is_store(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC


def _stored(path: Path) -> Iterator[Row]:
    from ninelives.adapters.sql import open_store

    store = open_store(f"sqlite:///{path}", exists=True)
    try:
        yield from rows(store, _floor(path).revision)
    finally:
        store.close()


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
