"""Any value of any type of the core's vocabulary, made from its type hints."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

SIZE_MAX = 3  # of collections and names: what breaks a codec breaks it small

_SCALARS: Mapping[object, SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(max_size=SIZE_MAX),
    NoneType: st.none(),
}


@cache
def values(kind: Any) -> SearchStrategy[Any]:
    """Return a strategy for values of `kind`: a class, a union, a collection, a name."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if hasattr(kind, "__supertype__"):
        return values(kind.__supertype__)
    if isinstance(kind, type) and get_origin(kind) is None:
        return _of_class(kind)
    return _of_generic(get_origin(kind), get_args(kind))


def _of_class(kind: Any) -> SearchStrategy[Any]:
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    hints = get_type_hints(kind)
    names: list[str] = [each.name for each in fields(kind)] if has_fields(kind) else kind._fields
    return st.builds(kind, **{name: values(hints[name]) for name in names})


def has_fields(kind: Any) -> bool:
    return is_dataclass(kind)


def _of_generic(origin: Any, arguments: tuple[Any, ...]) -> SearchStrategy[Any]:
    if origin in (Union, UnionType):
        return st.one_of([values(member) for member in arguments])
    if origin is tuple and arguments[-1] is ...:
        return st.lists(values(arguments[0]), max_size=SIZE_MAX).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if origin is frozenset:
        return st.frozensets(values(arguments[0]), max_size=SIZE_MAX)
    if origin is Mapping:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=SIZE_MAX)
    raise AssertionError(f"no strategy for {origin}")


def classes(kind: Any) -> Iterator[type]:
    """Yield every class that a value of `kind` can hold, itself included, again and again."""
    if get_origin(kind) is None and (has_fields(kind) or hasattr(kind, "_fields")):
        yield kind
        for hint in get_type_hints(kind).values():
            yield from classes(hint)
    for argument in get_args(kind):
        yield from classes(argument)
