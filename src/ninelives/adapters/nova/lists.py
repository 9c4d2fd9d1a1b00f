"""Lists of servers and of their migration records: all pages, and Nova's own time with them.

Nova compares "changes since" with its own clock, and so do we: with the `Date` of its answers. Two
of its machines may disagree by a little, hence `OVERLAP`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ninelives.core.model import ServerId

from .fields import Fields, rows, text
from .session import PAGE_ROWS, Session
from .views import MoveRow, Names, move_row

OVERLAP = timedelta(seconds=15)
IDLE_MAX = timedelta(minutes=5)  # longer without a look: begin anew rather than list all changes
PAGED_MOVES = (2, 59)  # from here on records come in pages, and by when they changed


class Rows(NamedTuple):
    """Servers as Nova listed them, and what its clock said then."""

    servers: Mapping[ServerId, Fields]
    date: datetime | None


class Lists:
    """Asks Nova for lists, and remembers nothing."""

    def __init__(self, nova: Session, names: Names) -> None:
        self._nova, self._names = nova, names

    async def can_tell_changes(self) -> bool:
        """Say whether this Nova lists by when something changed."""
        return await self._nova.version() >= PAGED_MOVES

    async def on_host(self, name: str) -> Rows:
        """List the servers on one of Nova's hosts."""
        return await self._servers({"host": name})

    async def changed(self, since: datetime) -> Rows | None:
        """List what changed; None where that was too long ago, or Nova does not tell its time."""
        listed = await self._servers({"changes-since": _written(since - OVERLAP)})
        return None if is_too_long(since, listed.date) else listed

    async def _servers(self, query: Mapping[str, str]) -> Rows:
        asked = {"all_tenants": "1", **query}
        listed = await self._nova.pages("/servers/detail", asked, "servers")
        return Rows({ServerId(text(each, "id")): each for each in listed.rows}, listed.date)

    async def moves(self, query: Mapping[str, str]) -> list[MoveRow]:
        """List records, newest first."""
        if not await self.can_tell_changes():
            page = await self._nova.read("/os-migrations", query)
            return self._read(rows(page.fields, "migrations"))
        return self._read((await self._nova.pages("/os-migrations", query, "migrations")).rows)

    async def newest_moves(self, since: datetime) -> list[MoveRow]:
        """List every record that was made since then, and some that are older.

        One that is new has never changed, and then is in no list of changes (nova/db/main/api.py:
        `updated_at >= …`, and that is NULL at first). The newest are few, and often all there is.
        """
        page = await self._nova.read("/os-migrations", {"limit": str(PAGE_ROWS)})
        newest = self._read(rows(page.fields, "migrations"))
        if len(newest) == PAGE_ROWS and not any(_is_before(row, since - OVERLAP) for row in newest):
            return await self.moves({})
        return newest

    async def changed_moves(self, since: datetime) -> list[MoveRow]:
        """List records that changed since then."""
        return await self.moves({"changes-since": _written(since - OVERLAP)})

    def _read(self, found: list[Fields]) -> list[MoveRow]:
        return [move_row(fields, self._names) for fields in found]


def is_too_long(since: datetime, date: datetime | None) -> bool:
    """Say whether more changed between these than is worth a list, or nobody knows."""
    return date is None or date - since > IDLE_MAX


def _is_before(row: MoveRow, since: datetime) -> bool:
    return row.created_at is not None and row.created_at < since


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
