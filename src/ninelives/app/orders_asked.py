"""An order as it comes over the socket, read into one of the core's; or why it cannot be."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar, cast

from ninelives.core.model import DomainId, HostId, RoadId, ServerId
from ninelives.core.orders import (
    Adopted,
    ConfirmedDead,
    FenceOrdered,
    HalfFencedSettled,
    IncidentApproved,
    IncidentHeld,
    MaintenanceSet,
    Order,
    PowerOnOrdered,
    Released,
    RoadSigned,
    SignedOff,
    StormAllowed,
)

Value = TypeVar("Value")


class Misread(NamedTuple):
    """No order, and why."""

    message: str
    hint: str


class Fields(NamedTuple):
    """What was sent, read by name and type. A field of another type is a `LookupError`."""

    sent: Mapping[str, object]

    def text(self, name: str, default: str | None = None) -> str:
        return self._typed(name, str, default)

    def number(self, name: str) -> int:
        return self._typed(name, int, None)

    def flag(self, name: str, default: bool | None = None) -> bool:
        return self._typed(name, bool, default)

    def _typed(self, name: str, kind: type[Value], default: Value | None) -> Value:
        found = self.sent.get(name, default)
        if type(found) is not kind:
            raise LookupError(f"'{name}' is not {kind.__name__}")
        return found


Make = Callable[[str, Fields], Order]

ORDERS: Mapping[str, Make] = {
    "fence": lambda by, f: FenceOrdered(
        by, HostId(f.text("host")), f.text("typed"), f.text("reason", "")
    ),
    "release": lambda by, f: Released(by, HostId(f.text("host")), f.text("reason", "")),
    "adopt": lambda by, f: Adopted(by, HostId(f.text("host")), f.text("reason", "")),
    "power_on": lambda by, f: PowerOnOrdered(by, HostId(f.text("host")), f.text("reason", "")),
    "sign_off": lambda by, f: SignedOff(by, ServerId(f.text("server")), f.text("reason", "")),
    "maintenance": lambda by, f: MaintenanceSet(
        by, HostId(f.text("host")), f.flag("on"), f.text("reason", ""), f.flag("power_job", False)
    ),
    "confirm_dead": lambda by, f: ConfirmedDead(
        by,
        HostId(f.text("host")),
        f.text("typed"),
        f.number("epoch"),
        f.text("looked_at"),
        f.text("second", ""),
    ),
    "approve": lambda by, f: IncidentApproved(
        by, HostId(f.text("host")), f.number("epoch"), f.text("reason")
    ),
    "hold": lambda by, f: IncidentHeld(
        by, HostId(f.text("host")), f.number("epoch"), f.text("reason")
    ),
    "settle": lambda by, f: HalfFencedSettled(
        by, HostId(f.text("host")), f.number("epoch"), f.flag("finish"), f.text("reason", "")
    ),
    "storm_allow": lambda by, f: StormAllowed(
        by, DomainId(f.text("domain")), f.number("shots"), f.text("reason", "")
    ),
    "road": lambda by, f: RoadSigned(
        by, HostId(f.text("host")), RoadId(f.text("road")), f.flag("verified"), f.text("reason", "")
    ),
}


def order_of(body: bytes, by: str) -> Order | Misread:
    """Read one order of `by`. Pure."""
    try:
        sent: object = json.loads(body)
    except ValueError:
        return Misread("the body is no JSON", "")
    if not isinstance(sent, dict):
        return Misread("the body is no object", "")
    fields = Fields(cast("Mapping[str, object]", sent))
    try:
        name = fields.text("order")
        if name not in ORDERS:
            return Misread(f"no order '{name}'", f"one of {' '.join(ORDERS)}")
        return ORDERS[name](by, fields)
    except LookupError as error:
        return Misread(str(error.args[0]), "")
