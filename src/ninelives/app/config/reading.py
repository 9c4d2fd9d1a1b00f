"""Read the configuration: files, then shape, then sense; the first thing that is wrong is named.

    files ──▶ Document ──▶ File (pydantic) ──▶ Configuration (frozen, what all else is made of)
              places       types, limits       one inventory, secrets read

Every complaint has its file and line, and all of one stage are told together.
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ninelives.engine.errors import ConfigError

from .document import File
from .places import Document, Value, read_document

COMPLAINTS_MAX = 20


def read_file(path: Path) -> tuple[File, Document]:
    """Read `path` and its conf.d into the shape of the file. Raises `ConfigError`."""
    document = read_document(path)
    values = with_defaults(document.values)
    try:
        return File.model_validate(values, strict=False), document
    except ValidationError as error:
        complaints = [_complaint(document, each) for each in error.errors(include_input=False)]
        raise complained(complaints) from error


def complained(complaints: Iterable[tuple[str, str]]) -> ConfigError:
    """Make one error of several (what, hint)."""
    every = list(complaints)
    lines = [what for what, _ in every[:COMPLAINTS_MAX]]
    if len(every) > COMPLAINTS_MAX:
        lines.append(f"… and {len(every) - COMPLAINTS_MAX} more")
    hint = next((hint for _, hint in every if hint), "")
    return ConfigError("\n".join(lines), hint or "`ninelives config schema` describes every key")


def with_defaults(values: Mapping[str, Value]) -> dict[str, Value]:
    """Give each host, and each of its devices, the defaults that it does not overrule. Pure."""
    defaults, hosts = values.get("defaults"), values.get("host")
    if not isinstance(defaults, dict) or not isinstance(hosts, list):
        return dict(values)
    device = defaults.get("bmc")
    plain = {key: value for key, value in defaults.items() if key != "bmc"}
    return {**values, "host": [_host(host, plain, device) for host in hosts]}


def _host(host: Value, plain: Mapping[str, Value], device: "Value | None") -> Value:
    if not isinstance(host, dict):
        return host
    filled = {**plain, **host}
    devices = filled.get("bmc")
    if isinstance(device, dict) and isinstance(devices, list):
        filled["bmc"] = [{**device, **each} if isinstance(each, dict) else each for each in devices]
    return filled


# --------------------------------------------------------------------------------- complaints


def _complaint(document: Document, error: ErrorDetails) -> tuple[str, str]:
    path = tuple(part for part in error["loc"] if part != "[key]")
    place, name = document.place(path), dotted(path)
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(path)
            close = difflib.get_close_matches(str(path[-1]), known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known here: {' '.join(known)}"
            return f"{place}: unknown key '{name}'", hint
        case "missing":
            return f"{place}: '{name}' is missing", ""
        case _:
            return f"{place}: {name}: {error['msg']}", ""


def dotted(path: Iterable[str | int]) -> str:
    """Write a path as a person would: host[2].address."""
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else part
    return words


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    """List the keys that may stand beside the last of `path`."""
    model: type[BaseModel] = File
    for part in path[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = _inner(model.model_fields[part].annotation) or model
    return sorted(model.model_fields)


def _inner(annotation: object) -> type[BaseModel] | None:
    """Find the model inside `list[Model]` or `dict[str, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inside = get_args(annotation)
    return next((found for each in inside if (found := _inner(each)) is not None), None)
