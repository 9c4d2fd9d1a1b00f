"""On which line of a TOML file each key stands, so that an error can name the place.

The standard parser tells what a file means and not where it says so. This scanner only runs over
what that parser accepted, so it may be simple. What it cannot place (a key inside an inline table)
stands where its nearest parent does.
"""

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]

_BARE = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_BARE}(?:\s*\.\s*{_BARE})*"
_HEADER = re.compile(rf"\s*(\[\[|\[)\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=(.*)", re.DOTALL)
_PART = re.compile(_BARE)
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
_COMMENT = re.compile(r"#.*")


def lines_of(text: str) -> Mapping[Path, int]:
    """Map each table, element of an array of tables, and key to its line, from 1. Pure."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    rest = iter(enumerate(text.splitlines(), start=1))
    for number, line in rest:
        header, key = _HEADER.match(line), _KEY.match(line)
        if header is not None:
            table = _table(counts, _parts(header[2]), is_array=header[1] == "[[")
            found.setdefault(table, number)
        elif key is not None:
            path = table + _parts(key[1])
            for length in range(len(table) + 1, len(path) + 1):
                found.setdefault(path[:length], number)
            value = key[2]
            while _is_open(value):
                value += "\n" + next(rest, (0, "]" * 99 + '"""'))[1]
    return found


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of `path`, or of its nearest parent that has one; 1 for the whole file."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def _table(counts: dict[Path, int], parts: Path, *, is_array: bool) -> Path:
    """Return the path of a header, with the number of the element that it is in."""
    path: Path = ()
    for part in parts[:-1]:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path])
    path = (*path, parts[-1])
    if is_array:
        counts[path] = counts.get(path, -1) + 1
        return (*path, counts[path])
    return path


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _is_open(value: str) -> bool:
    """Say whether a value goes on in the next line."""
    for quotes in ('"""', "'''"):
        if value.lstrip().startswith(quotes):
            return value.count(quotes) < 2
    plain = "\n".join(_COMMENT.sub("", line) for line in _STRING.sub("", value).split("\n"))
    return plain.count("[") + plain.count("{") > plain.count("]") + plain.count("}")
