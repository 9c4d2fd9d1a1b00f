"""One HTTP call as the handlers see it, and what they have said to it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ninelives.sim import nova

if TYPE_CHECKING:
    from .stand_in import StandIn

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Document: TypeAlias = dict[str, object]  # what a view makes: JSON by construction


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was read whole. `version` is the microversion that counts for it."""

    method: str
    url: str  # scheme, host and port, as the caller wrote them
    path: str
    host: str  # whose BMC was asked; "" for every other API
    parts: Mapping[str, str]  # the variable parts of the path
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: Json
    by: nova.Caller = nova.Caller("nobody")
    project: str = ""
    version: nova.Microversion = (2, 1)

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.query if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]

    def member(self, *names: str) -> Json:
        """Look up a member of the body's objects in objects; None where there is none."""
        found: Json = self.body
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, sent `after_s` from now."""

    status: int
    body: object | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HangUp:
    """No answer: the connection ends `after_s` from now; None: it stays open, and still."""

    after_s: float | None = None


Saying: TypeAlias = Said | HangUp
Handler: TypeAlias = "Callable[[StandIn, Call], Saying]"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an API's table of routes."""

    method: str
    path: str
    handler: Handler
    is_open: bool = False  # answers without a token
    is_for_admins: bool = False


def nova_fault(status: int, message: str, after_s: float = 0.0) -> Said:
    """Say an error as Nova does (nova/api/openstack/wsgi.py, Fault)."""
    name = _FAULT_NAMES.get(status, "computeFault")
    return Said(status, {name: {"code": status, "message": message}}, after_s=after_s)


_FAULT_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}


def parsed(body: bytes) -> Json:
    """Read a JSON body; an empty one is None, one that cannot be read a ValueError."""
    if not body:
        return None
    document: Json = json.loads(body)
    return document


def text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def boolean(value: Json) -> bool | None:
    """Read a boolean as OpenStack's schemas do: also from its usual words."""
    match value:
        case bool():
            return value
        case str() if value.strip().lower() in {"1", "t", "true", "on", "y", "yes"}:
            return True
        case str() if value.strip().lower() in {"0", "f", "false", "off", "n", "no"}:
            return False
        case _:
            return None
