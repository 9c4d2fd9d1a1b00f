"""One power device, as every adapter that speaks to one shows it; and what may be wrong with it.

The core is told what was read and what was answered (`ports.PowerDevices`). A person who asks why a
device does not work is told more, in the same words for every kind.
"""

from typing import NamedTuple, Protocol

from ninelives.core.model import Power
from ninelives.engine.ports import Answer


class Look(NamedTuple):
    """What a device said when it was asked once. `detail` is in its own words, without secrets."""

    power: Power
    detail: str = ""


class Identity(NamedTuple):
    """Whose power it says it switches, under every name that it gives. None where it cannot say."""

    serials: tuple[str, ...] = ()
    uuid: str = ""


class Finding(NamedTuple):
    """Something about a device that a person should know, and what to do about it."""

    what: str
    remedy: str
    forbids_use: bool = True  # a device of which this is true carries no proof, and is refused


class Device(Protocol):
    """One road's device. Where nothing answers, each call raises a `PortError`."""

    async def look(self) -> Look:
        """Ask whether it is on. UNREADABLE where it answers but does not say."""
        ...

    async def identity(self) -> Identity:
        """Ask whose power it switches."""
        ...

    async def switch_off(self) -> Answer:
        """Order `off`, absolutely, once. REFUSED with "already_off" where it was."""
        ...

    async def switch_on(self) -> Answer:
        """Order `on`, once. REFUSED with "already_on" where it was."""
        ...

    async def close(self) -> None:
        """Let go of what is open towards it. Safe to repeat."""
        ...
