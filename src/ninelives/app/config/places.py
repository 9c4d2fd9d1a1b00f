"""Several TOML files as one document, in which every value still knows its file and line.

Tables are joined and arrays of tables are strung together, in the order of the files. A value that
two files give is refused: which of them somebody meant cannot be known.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import NamedTuple, TypeAlias

from ninelives.engine.errors import ConfigError

from .lines import Path, line_of, lines_of

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value]"


class Place(NamedTuple):
    """Where something is written."""

    file: File
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(slots=True)
class Document:
    """What all files say together."""

    first: File
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    places: dict[Path, Place] = field(default_factory=dict[Path, Place])

    def place(self, path: Path) -> Place:
        """Return where `path` is written, or its nearest parent."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Place(self.first, 1)


class _Source(NamedTuple):
    file: File
    lines: Mapping[Path, int]


def read_document(file: File) -> Document:
    """Read `file` and, beside it, the `*.toml` of its `conf.d` in the order of their names."""
    document = Document(file)
    for each in (file, *sorted(file.parent.joinpath("conf.d").glob("*.toml"))):
        text = _read(each)
        _join(document, _Source(each, lines_of(text)), document.values, _parsed(each, text))
    return document


def _read(file: File) -> str:
    try:
        return file.read_text()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", "name a file with -c FILE") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text: {error}") from error


def _parsed(file: File, text: str) -> dict[str, Value]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _line_in(str(error), text)
        raise ConfigError(f"{file}:{place}: not TOML: {error}", "see toml.io") from error


def _line_in(message: str, text: str) -> int:
    """Find the line that the parser's own words name; it gives them no other way in 3.11."""
    _, named, rest = message.rpartition("(at line ")
    number = rest.partition(",")[0]
    return int(number) if named and number.isdigit() else text.count("\n") + 1


def _join(
    document: Document, source: _Source, into: dict[str, Value], fresh: Mapping[str, Value],
    written: Path = (), merged: Path = (),
) -> None:  # fmt: skip
    """Join one table. `written` is its path in its own file, `merged` in the whole document."""
    for key, value in fresh.items():
        path, place = (*merged, key), _place(source, (*written, key))
        before = into.get(key)
        match before, value:
            case None, _:
                into[key] = _copied(document, source, value, (*written, key), path)
            case dict(), dict():
                _join(document, source, before, value, (*written, key), path)
            case list(), list() if _are_tables(before) and _are_tables(value):
                for index, element in enumerate(value):
                    there = (*path, len(before))
                    before.append(_copied(document, source, element, (*written, key, index), there))
            case _:
                name, first = ".".join(map(str, path)), document.place(path)
                raise ConfigError(f"{place}: '{name}' is given twice", f"it stands in {first}, too")
        document.places.setdefault(path, place)


def _copied(document: Document, source: _Source, value: Value, written: Path, at: Path) -> Value:
    document.places.setdefault(at, _place(source, written))
    match value:
        case dict():
            copy = dict[str, Value]()
            _join(document, source, copy, value, written, at)
            return copy
        case list():
            return [
                _copied(document, source, element, (*written, index), (*at, index))
                for index, element in enumerate(value)
            ]
        case _:
            return value


def _are_tables(values: Sequence[Value]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _place(source: _Source, path: Path) -> Place:
    return Place(source.file, line_of(source.lines, path))
