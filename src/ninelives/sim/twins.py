"""Copies of what changes, so that one world can become two that share nothing that changes."""

from copy import copy
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Thing = TypeVar("Thing", bound="DataclassInstance")


def twin(thing: Thing) -> Thing:
    """Copy a dataclass and its own containers. What those hold must be immutable."""
    other = copy(thing)
    for each in fields(thing):
        value: object = getattr(thing, each.name)
        if isinstance(value, dict | set | list):
            setattr(other, each.name, value.copy())
    return other
