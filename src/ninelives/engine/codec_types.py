"""How each type of the vocabulary looks in JSON; whatever does not fit exactly is refused.

    class               an object with exactly its fields, none missing, none more
    one of a union      an object with one key, the name of the class: {"Replied": {…}}
    tuple, NamedTuple   an array
    frozenset           an array, sorted, without repetition
    enum, name          a string
    float               a finite number

Every field is written, also one that has its default: what a record says must not change when a
default does. And nothing is converted on reading: what was read can be written again the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from cattrs import Converter
from cattrs.cols import is_namedtuple
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

Write = Callable[[Any], Any]
Read = Callable[[Any, Any], Any]


class Misfit(ValueError):  # noqa: N818 - says what it is, like all our errors
    """A value is not what its type says. The codec adds where it stands."""


def new_converter() -> Converter:
    """Make a converter that knows the whole vocabulary, and nothing else."""
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    for scalar, read in _SCALARS.items():
        converter.register_structure_hook(scalar, read)
        converter.register_unstructure_hook(scalar, _unchanged)
    for fits, writer_of, reader_of in _SHAPES:
        converter.register_unstructure_hook_factory(fits, _given(writer_of, converter))
        converter.register_structure_hook_factory(fits, _given(reader_of, converter))
    return converter


def _given(
    factory: Callable[[Any, Converter], Any], converter: Converter
) -> Callable[[Any], Callable[..., Any]]:
    return lambda kind: factory(kind, converter)


def _unchanged(value: Any) -> Any:
    return value


# ------------------------------------------------------------------------------------- scalars


def _exactly(kind: type, name: str) -> Read:
    def read(value: Any, _kind: Any) -> Any:
        # Not isinstance: True is an int in Python, and must be none here.
        if type(value) is not kind:
            raise Misfit(f"expected {name}, found {_shown(value)}")
        return value

    return read


def _read_float(value: Any, _kind: Any) -> float:
    if type(value) not in (float, int):
        raise Misfit(f"expected a number, found {_shown(value)}")
    try:
        number = float(value)
    except OverflowError as error:
        raise Misfit("expected a finite number, found a huge one") from error
    if not isfinite(number) or number != value:
        raise Misfit(f"expected a finite number, found {_shown(value)}")
    return number


@cache
def _values(kind: type[StrEnum]) -> frozenset[str]:
    return frozenset(member.value for member in kind)


def _read_enum(value: Any, kind: Any) -> Any:
    if value.__class__ is not str or value not in _values(kind):
        raise Misfit(f"{_shown(value)} is no {kind.__name__}")
    return kind(value)


_SCALARS: Mapping[type, Read] = {
    StrEnum: _read_enum,  # found before str for every enum, because it is derived from it
    str: _exactly(str, "a string"),
    int: _exactly(int, "an integer"),
    bool: _exactly(bool, "true or false"),
    float: _read_float,
}


# ------------------------------------------------------------------------------------- classes


def _is_class(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


def _class_writer(kind: type, converter: Converter) -> Write:
    return make_dict_unstructure_fn(kind, converter)


def _class_reader(kind: Any, converter: Converter) -> Read:
    names = frozenset(field.name for field in fields(kind))
    build = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def read(value: Any, _kind: Any) -> Any:
        if value.__class__ is not dict:
            raise Misfit(f"expected {kind.__name__}, found {_shown(value)}")
        if value.keys() != names:
            raise Misfit(f"{kind.__name__}: {_difference(names, value)}")
        return build(value, kind)

    return read


def _difference(names: frozenset[str], value: Mapping[str, Any]) -> str:
    unknown = [f"unknown field {_shown(name)}" for name in sorted(value.keys() - names)]
    missing = [f"field '{name}' is missing" for name in sorted(names - value.keys())]
    return ", ".join(unknown + missing)


# -------------------------------------------------------------------------------------- unions


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _members(union: Any) -> list[Any]:
    return [member for member in get_args(union) if member is not NoneType]


def _union_writer(union: Any, converter: Converter) -> Write:
    members = _members(union)
    if len(members) == 1:
        return _optional_writer(members[0], converter)
    assert len(members) == len(get_args(union)), f"{union}: a union of classes is never None"
    writers = {kind: (kind.__name__, converter.get_unstructure_hook(kind)) for kind in members}

    def write(value: Any) -> Any:
        tag, write_member = writers[value.__class__]
        return {tag: write_member(value)}

    return write


def _union_reader(union: Any, converter: Converter) -> Read:
    members = _members(union)
    if len(members) == 1:
        return _optional_reader(members[0], converter)
    readers = {kind.__name__: (kind, converter.get_structure_hook(kind)) for kind in members}
    assert len(readers) == len(members), f"{union}: two classes of one name"

    def read(value: Any, _kind: Any) -> Any:
        if value.__class__ is not dict or len(value) != 1:
            raise Misfit(f"expected one named value, found {_shown(value)}")
        tag, body = next(iter(value.items()))
        if tag not in readers:
            raise Misfit(f"unknown type {_shown(tag)}")
        kind, read_member = readers[tag]
        return read_member(body, kind)

    return read


def _optional_writer(kind: Any, converter: Converter) -> Write:
    write_some: Write = converter.get_unstructure_hook(kind)
    if write_some is _unchanged:
        return _unchanged
    return lambda value: None if value is None else write_some(value)


def _optional_reader(kind: Any, converter: Converter) -> Read:
    read_some: Read = converter.get_structure_hook(kind)
    return lambda value, _kind: None if value is None else read_some(value, kind)


# --------------------------------------------------------------------------------- collections


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple or is_namedtuple(kind)


def _elements(kind: Any) -> tuple[Any, ...]:
    """Return the types of the elements; (X, ...) for any number of X."""
    return tuple(kind.__annotations__.values()) if is_namedtuple(kind) else get_args(kind)


def _tuple_writer(kind: Any, converter: Converter) -> Write:
    elements = _elements(kind)
    writers = [converter.get_unstructure_hook(each) for each in elements if each is not ...]
    if all(write is _unchanged for write in writers):
        return _unchanged  # JSON writes a tuple as an array by itself
    if elements[-1] is ...:
        write_one = writers[0]
        return lambda values: [write_one(value) for value in values]
    return lambda values: [write(value) for write, value in zip(writers, values, strict=True)]


def _tuple_reader(kind: Any, converter: Converter) -> Read:
    elements = _elements(kind)
    if elements[-1] is ...:
        one, read_one = elements[0], converter.get_structure_hook(elements[0])
        return lambda value, _kind: tuple(read_one(each, one) for each in _array(value))
    readers = [(each, converter.get_structure_hook(each)) for each in elements]
    build: Read = _namedtuple if is_namedtuple(kind) else _plain_tuple

    def read(value: Any, _kind: Any) -> Any:
        if len(_array(value)) != len(readers):
            raise Misfit(f"expected {len(readers)} values, found {len(value)}")
        pairs = zip(readers, value, strict=True)
        return build([read_one(each, element) for (element, read_one), each in pairs], kind)

    return read


def _namedtuple(elements: list[Any], kind: Any) -> Any:
    return kind(*elements)


def _plain_tuple(elements: list[Any], _kind: Any) -> tuple[Any, ...]:
    return tuple(elements)


def _is_frozenset(kind: Any) -> bool:
    return get_origin(kind) is frozenset


def _frozenset_writer(kind: Any, converter: Converter) -> Write:
    (element,) = get_args(kind)
    assert converter.get_unstructure_hook(element) is _unchanged, f"{kind}: cannot be sorted"
    return sorted


def _frozenset_reader(kind: Any, converter: Converter) -> Read:
    (element,) = get_args(kind)
    read_one = converter.get_structure_hook(element)

    def read(value: Any, _kind: Any) -> Any:
        members = [read_one(each, element) for each in _array(value)]
        if any(here >= after for here, after in pairwise(members)):
            raise Misfit("expected a set: sorted, each element once")
        return frozenset(members)

    return read


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) is Mapping


def _mapping_writer(kind: Any, converter: Converter) -> Write:
    key, element = get_args(kind)
    plain = getattr(key, "__supertype__", key)
    assert plain is str, f"{kind}: the keys of a JSON object are strings"
    write_one = converter.get_unstructure_hook(element)
    return lambda value: {key: write_one(value[key]) for key in sorted(value)}


def _mapping_reader(kind: Any, converter: Converter) -> Read:
    _key, element = get_args(kind)
    read_one = converter.get_structure_hook(element)

    def read(value: Any, _kind: Any) -> Any:
        if value.__class__ is not dict:
            raise Misfit(f"expected an object, found {_shown(value)}")
        return {key: read_one(each, element) for key, each in value.items()}

    return read


def _is_name(kind: Any) -> bool:
    return hasattr(kind, "__supertype__")


def _name_writer(kind: Any, converter: Converter) -> Write:
    return converter.get_unstructure_hook(kind.__supertype__)


def _name_reader(kind: Any, converter: Converter) -> Read:
    return converter.get_structure_hook(kind.__supertype__)


def _array(value: Any) -> list[Any]:
    if value.__class__ is not list:
        raise Misfit(f"expected an array, found {_shown(value)}")
    return value


SHOWN_CHARS_MAX = 60


def _shown(value: Any) -> str:
    """Show what was found, short: it may be megabytes, or not printable."""
    if value.__class__ in (dict, list):
        return "an object" if value.__class__ is dict else "an array"
    text = ascii(value)
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}…"


_SHAPES = (
    (_is_class, _class_writer, _class_reader),
    (_is_union, _union_writer, _union_reader),
    (_is_tuple, _tuple_writer, _tuple_reader),
    (_is_frozenset, _frozenset_writer, _frozenset_reader),
    (_is_mapping, _mapping_writer, _mapping_reader),
    (_is_name, _name_writer, _name_reader),
)
