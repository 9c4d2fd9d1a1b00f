"""Reads a JSON object into a frozen record: what it names is changed, and must be a field."""

from dataclasses import dataclass
from typing import TypeVar

from cattrs import BaseValidationError, Converter, transform_error

from .calls import Json

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Unreadable:
    message: str


def record_from(known: Record, body: Json) -> Record | Unreadable:
    """Change what the body names, in nested records too. Pure."""
    converter = Converter(forbid_extra_keys=True)
    written: Json = converter.unstructure(known)
    try:
        return converter.structure(merged(written, body or {}), type(known))
    except BaseValidationError as error:
        return Unreadable("; ".join(transform_error(error)))


def merged(known: Json, body: Json) -> Json:
    if isinstance(known, dict) and isinstance(body, dict):
        return known | {name: merged(known.get(name), each) for name, each in body.items()}
    return body
