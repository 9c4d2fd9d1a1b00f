"""JSON as it came, read field by field into types that cannot be wrong; else `Garbled`."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from ninelives.engine.errors import Garbled

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Fields: TypeAlias = Mapping[str, Json]


def parsed(body: bytes) -> Fields:
    """Read a whole body, which is an object in every answer that we ask for."""
    try:
        found: Json = json.loads(body)
    except ValueError as error:
        raise Garbled(f"no JSON: {body[:80]!r}", "is this the right endpoint?") from error
    if not isinstance(found, dict):
        raise _wrong("the body", "an object", found)
    return found


def text(fields: Fields, name: str) -> str:
    found = fields.get(name)
    if not isinstance(found, str):
        raise _wrong(name, "text", found)
    return found


def text_or_none(fields: Fields, name: str) -> str | None:
    found = fields.get(name)
    if found is not None and not isinstance(found, str):
        raise _wrong(name, "text or null", found)
    return found or None


def whole(fields: Fields, name: str, default: int | None = None) -> int:
    found = fields.get(name, default)
    if isinstance(found, str) and not found:
        found = default  # swap: "" means none (flavors, before 2.75)
    if not isinstance(found, int) or isinstance(found, bool):
        raise _wrong(name, "a whole number", found)
    return found


def flag(fields: Fields, name: str, default: bool = False) -> bool:
    found = fields.get(name, default)
    if not isinstance(found, bool):
        raise _wrong(name, "true or false", found)
    return found


def inner(fields: Fields, name: str) -> Fields:
    """Return an object inside; an empty one where it is absent or null."""
    found = fields.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _wrong(name, "an object", found)
    return found


def rows(fields: Fields, name: str) -> list[Fields]:
    """Return a list of objects. It has to be there: an absent list is no empty one."""
    found = fields.get(name)
    if not isinstance(found, list):
        raise _wrong(name, "a list", found)
    return [_object(entry, name) for entry in found]


def words(fields: Fields, name: str) -> tuple[str, ...]:
    """Return a list of texts; an empty one where it is absent or null."""
    found = fields.get(name)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise _wrong(name, "a list", found)
    return tuple(entry for entry in found if isinstance(entry, str))


def instant(fields: Fields, name: str) -> datetime | None:
    """Return one of Nova's instants. Some carry a zone, some do not; all are UTC."""
    found = text_or_none(fields, name)
    if found is None:
        return None
    try:
        read = datetime.fromisoformat(found)
    except ValueError as error:
        raise _wrong(name, "an instant", found) from error
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def _object(entry: Json, name: str) -> Fields:
    if not isinstance(entry, dict):
        raise _wrong(name, "a list of objects", entry)
    return entry


def _wrong(name: str, wanted: str, found: Json) -> Garbled:
    return Garbled(
        f"{name} should be {wanted}, but is {found!r:.80}", "is this a version that nobody tested?"
    )
