"""Nova's own services: who is there, under which id, and whether every cell answers."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from ninelives.core.model import HostId
from ninelives.engine.errors import Refused

from .fields import rows
from .session import Query, Session
from .views import Names, ServiceRow, service_row

COMPUTE = "nova-compute"
LATELY_S = 6.0  # a leader reads them every 5 s anyway (watch.py)
CELLS_TELL = (2, 69)  # from here on a cell that is down is told of, instead of left out


class Roll(NamedTuple):
    """All services at one look, and what Nova's clock said then."""

    services: tuple[ServiceRow, ...]
    date: datetime | None

    def computes(self) -> Iterable[ServiceRow]:
        """Return the compute services."""
        return (each for each in self.services if each.binary == COMPUTE)


class Services:
    """Reads the services, and remembers their ids: these never change while the service is."""

    def __init__(self, nova: Session, names: Names, expected: frozenset[HostId]) -> None:
        self._nova, self._names, self._expected = nova, names, expected
        self._ids: dict[HostId, str] = {}
        self._last: tuple[Roll, float] | None = None  # and when it was asked for, by our clock

    async def read(self) -> Roll:
        """Read all of them. Nova gives this list in one page."""
        asked_at = asyncio.get_running_loop().time()
        roll = await self._read({})
        self._last = roll, asked_at
        return roll

    async def lately(self) -> Roll:
        """Return what somebody read, at most `LATELY_S` ago."""
        now = asyncio.get_running_loop().time()
        if self._last is not None and now < self._last[1] + LATELY_S:
            return self._last[0]
        return await self.read()

    async def of(self, host: HostId) -> ServiceRow:
        """Read the compute service of one host."""
        roll = await self._read({"binary": COMPUTE, "host": self._names.of(host)})
        found = next((each for each in roll.computes() if each.is_known), None)
        if found is None:
            raise Refused(f"Nova shows no compute service of {host}", "is its cell down?")
        return found

    async def id_of(self, host: HostId) -> str:
        """Return its id, from memory where it was ever seen."""
        return self._ids.get(host) or (await self.of(host)).id

    def forget(self, host: HostId) -> None:
        """Nova does not know this id any more."""
        self._ids.pop(host, None)

    async def is_whole(self, roll: Roll) -> bool:
        """Say whether every cell has answered.

        Before 2.69 Nova leaves out a cell that is down: then a host of the inventory is missing.
        """
        if await self._nova.version() >= CELLS_TELL:
            return all(each.is_known for each in roll.services)
        shown = {self._names.host(each.host) for each in roll.computes()}
        return self._expected <= shown

    async def _read(self, query: Query) -> Roll:
        page = await self._nova.read("/os-services", query)
        found = tuple(map(service_row, rows(page.fields, "services")))
        for each in found:
            if each.binary == COMPUTE and each.is_known:
                self._ids[self._names.host(each.host)] = each.id
        return Roll(found, page.date)
