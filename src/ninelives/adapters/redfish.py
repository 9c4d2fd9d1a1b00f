"""Power by Redfish, spoken directly: the quick road beside the fence agents.

    look        GET the system ──▶ PowerState: "Off" is off, a state that still feeds the host is on
    off, on     POST ForceOff, On to the reset action of that very system, once
    identity    serial number, service tag and UUID that the BMC gives for the system

Laws:
  - One system, named in full. What the BMC's other systems are called is never asked.
  - What a POST returns is an answer, and never a reading. 400 and 409 are "already off" only if
    the power then reads off.
  - A POST is sent once. After an answer that did not come, nobody knows, and nobody repeats.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ninelives.adapters.redfish_account import Account, Document, Reply
from ninelives.adapters.redfish_wire import Trust, Wire
from ninelives.core.events import Outcome
from ninelives.core.model import Power
from ninelives.engine.device import Identity, Look
from ninelives.engine.errors import Unreachable
from ninelives.engine.ports import ACCEPTED, Answer

# Below the core's own limits (`read_timeout_s`, `off_timeout_s`).
READ_S = 4.5
ORDER_S = 24.0

# DSP2046, Resource.PowerState. On its way down or up, a host still has power.
STATES: Mapping[object, Power] = {
    "On": Power.ON,
    "Off": Power.OFF,
    "PoweringOff": Power.ON,
    "PoweringOn": Power.ON,
    "Paused": Power.ON,
}


@dataclass(frozen=True, slots=True)
class RedfishAt:
    """Where a BMC is, which of its systems is meant, and how it is known to be that BMC."""

    url: str  # https://192.0.2.1
    system: str  # /redfish/v1/Systems/1
    user: str
    password: str = field(repr=False)
    trust: Trust = Trust()
    has_sessions: bool = False  # log in once, instead of giving the password each time
    read_s: float = READ_S
    order_s: float = ORDER_S


class Redfish:
    """One system behind one BMC."""

    def __init__(self, at: RedfishAt) -> None:
        self._at = at
        self._wire = Wire(at.url, at.trust)
        self._account = Account(self._wire, at.user, at.password, has_sessions=at.has_sessions)
        self._target = f"{at.system}/Actions/ComputerSystem.Reset"

    async def look(self) -> Look:
        async with _limit(self._at.read_s, self._at.url):
            return self._look_at(await self._account.get(self._at.system))

    async def identity(self) -> Identity:
        async with _limit(self._at.read_s, self._at.url):
            system = (await self._account.get(self._at.system)).document
        # A Dell's own serial number is its board's; what the host reads in DMI is the SKU.
        names = [_text(system.get(key)) for key in ("SerialNumber", "SKU")]
        return Identity(tuple(name for name in names if name), _text(system.get("UUID")))

    async def certificate(self) -> bytes:
        """Return what the BMC presents, in DER: what a person may pin. Nothing is sent."""
        async with _limit(self._at.read_s, self._at.url):
            return await self._wire.certificate()

    async def switch_off(self) -> Answer:
        return await self._reset("ForceOff", Power.OFF)

    async def switch_on(self) -> Answer:
        return await self._reset("On", Power.ON)

    async def close(self) -> None:
        await self._account.close()

    async def _reset(self, kind: str, wanted: Power) -> Answer:
        async with _limit(self._at.order_s, self._at.url):
            reply = await self._account.post(self._target, {"ResetType": kind})
            match reply.status:
                case 200 | 201 | 202 | 204:
                    return ACCEPTED
                case 401 | 403:
                    return Answer(Outcome.REFUSED, "password", reply.words)
                case 400 | 409 if await self._is(wanted):
                    return Answer(Outcome.REFUSED, f"already_{wanted.value}", reply.words)
                case status if status >= 500:
                    return Answer(Outcome.UNKNOWN, "device_failed", reply.words)
                case _:
                    return Answer(Outcome.REFUSED, "refused", reply.words)

    async def _is(self, wanted: Power) -> bool:
        return self._look_at(await self._account.get(self._at.system)).power is wanted

    def _look_at(self, reply: Reply) -> Look:
        power = STATES.get(reply.document.get("PowerState"), Power.UNREADABLE)
        if reply.status != 200 or power is Power.UNREADABLE:
            return Look(Power.UNREADABLE, reply.words)
        self._remember_target(reply.document)
        return Look(power)

    def _remember_target(self, system: Document) -> None:
        """Take the reset action that this system names, if it is one of its own."""
        match system:
            case {"Actions": {"#ComputerSystem.Reset": {"target": str(target)}}}:
                if target.startswith(f"{self._at.system}/"):
                    self._target = target
            case _:
                pass


@asynccontextmanager
async def _limit(limit_s: float, url: str) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as error:
        raise Unreachable(f"{url}: no answer within {limit_s:g} s") from error


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
