"""Servers and their migration records as Nova shows them: one by one afresh, many by listing.

    list_servers   everybody on a host, all records that name it, whoever holds room there
    show, one      this server, its records: asked directly, as the check before a send wants it
    show, many     what changed since the last look, one list of servers and two of records

Nova compares "changes since" with its own clock, and so do we: with the `Date` of its answers. Two
of its machines may disagree by a little, hence `OVERLAP`; and a few servers of each look are asked
for directly, so that nobody's picture grows old unseen.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.engine.errors import Unreachable

from .fields import Fields, inner, rows, text
from .session import PAGE_ROWS, Missing, Session
from .shared import together
from .views import (
    MoveRow,
    Surroundings,
    deleted,
    host_of,
    move_row,
    server_seen,
    updated_at,
    user_action,
)

OVERLAP = timedelta(seconds=15)
ASKED_DIRECTLY = 3  # so few servers are not worth a list
SWEEP = 4  # of those who did not change, so many are asked for directly at each look
IDLE_MAX = timedelta(minutes=5)  # longer without a look: begin anew rather than list all changes
PAGED_MOVES = (2, 59)  # from here on records come in pages, and by when they changed
SECOND = timedelta(seconds=2)  # `updated` has seconds only: what came within one may not be seen
KNOWN_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Known:
    """What was last shown of one server."""

    fields: Fields | None  # None: Nova does not know it any more
    moves: Mapping[int, MoveRow] = field(default_factory=dict[int, MoveRow])
    action: str = ""
    action_at: datetime | None = None  # by Nova's clock, when its actions were read

    @property
    def has_current_action(self) -> bool:
        """Nothing can have been asked of it since its actions were read."""
        changed = updated_at(self.fields) if self.fields is not None else None
        read = self.action_at
        return changed is not None and read is not None and read >= changed + SECOND

    @property
    def is_under_way(self) -> bool:
        """Nova is at work on it, and takes no orders of its user but to delete it."""
        return self.fields is not None and self.fields.get("OS-EXT-STS:task_state") is not None


class Roster:
    """What is known of servers, kept current by whoever looks."""

    def __init__(self, nova: Session, around: Surroundings) -> None:
        self.around = around
        self._nova = nova
        self._known: dict[ServerId, Known] = {}  # the one asked for longest ago comes first
        self._as_of: datetime | None = None  # by Nova's clock: all known is at least as new
        self._looking = asyncio.Lock()

    # Looking.

    async def on_host(self, host: HostId) -> tuple[list[ServerId], list[MoveRow]]:
        """List who is on a host, and all records that name it."""
        name = self.around.names.of(host)
        asked = {"all_tenants": "1", "host": name}
        servers = await self._nova.pages("/servers/detail", asked, "servers")
        moves = await self._moves({"host": name})
        if self._as_of is None:
            self._as_of = servers.date
        mine = _by_server(moves)
        for fields in servers.rows:
            server = ServerId(text(fields, "id"))
            self._learn(server, fields, mine.get(server, {}))
        found = [ServerId(text(fields, "id")) for fields in servers.rows]
        await self._read_actions(found)
        return found, moves

    async def show(self, servers: Iterable[ServerId]) -> tuple[ServerSeen, ...]:
        """Show these servers as they are now; who is no more is shown as deleted."""
        wanted = list(dict.fromkeys(servers))
        if len(wanted) <= ASKED_DIRECTLY:
            await self._ask_each(wanted)
        else:
            async with self._looking:
                await self._catch_up(wanted)
        return tuple(self.seen(server) for server in wanted)

    def seen(self, server: ServerId) -> ServerSeen:
        """Say how a known server looked last."""
        known = self._known[server]
        if known.fields is None:
            return deleted(server)
        records = (row.record for row in known.moves.values())
        return server_seen(known.fields, records, known.action, self.around)

    def fields(self, server: ServerId) -> Fields | None:
        """Return what Nova itself said of a server at the last look."""
        known = self._known.get(server)
        return known.fields if known is not None else None

    def host_of(self, server: ServerId) -> str | None:
        """Return on which of Nova's hosts it was at the last look."""
        fields = self.fields(server)
        return host_of(fields) if fields is not None else None

    def learn_aggregates(self, names: Mapping[str, tuple[str, ...]]) -> None:
        """Know in which aggregates each host is."""
        self.around = replace(self.around, aggregates=names)

    # Many: what changed.

    async def _catch_up(self, wanted: list[ServerId]) -> None:
        strangers = [server for server in wanted if server not in self._known]
        since = self._as_of
        if since is None or await self._nova.version() < PAGED_MOVES:
            await self._ask_each(wanted)
            return
        listed = await self._changed_servers(since)
        if listed is None:
            self._known.clear()
            self._as_of = None
            await self._ask_each(wanted)
            return
        changed, date = listed
        moves = _by_server(await self._changed_moves(since))
        for server in changed.keys() | moves.keys():
            if server in self._known:
                self._learn(server, changed.get(server), moves.get(server, {}))
        self._as_of = date
        oldest = [server for server in self._known if server in wanted][:SWEEP]
        await self._ask_each(dict.fromkeys([*strangers, *oldest]))
        await self._read_actions(server for server in changed if server in self._known)

    async def _changed_servers(
        self, since: datetime
    ) -> tuple[dict[ServerId, Fields], datetime | None] | None:
        """List what changed; None where that was too long ago, or Nova does not tell its time."""
        query = {"all_tenants": "1", "changes-since": _written(since - OVERLAP)}
        listed = await self._nova.pages("/servers/detail", query, "servers")
        if listed.date is None or listed.date - since > IDLE_MAX:
            return None
        return {ServerId(text(fields, "id")): fields for fields in listed.rows}, listed.date

    async def _changed_moves(self, since: datetime) -> list[MoveRow]:
        """List new and changed records. A new one has never changed, and then is in no such list.

        (nova/db/main/api.py: `updated_at >= …`, and that is NULL until the first change.)
        """
        query = {"changes-since": _written(since - OVERLAP)}
        return [*await self._moves(query), *await self._new_moves(since - OVERLAP)]

    async def _new_moves(self, since: datetime) -> list[MoveRow]:
        """Read the newest first, until they are old."""
        page = await self._nova.read("/os-migrations", {"limit": str(PAGE_ROWS)})
        newest = [move_row(each, self.around.names) for each in rows(page.fields, "migrations")]
        is_all = len(newest) < PAGE_ROWS or any(_is_before(row, since) for row in newest)
        return newest if is_all else await self._moves({})

    # A few: each directly.

    async def _ask_each(self, servers: Iterable[ServerId]) -> None:
        await together(self._ask(server) for server in servers)

    async def _ask(self, server: ServerId) -> None:
        try:
            page = await self._nova.read(f"/servers/{server}")
        except Missing as missing:
            if "could not be found" not in str(missing):
                # Some proxy's own 404: whoever believes it forgets a server (I14).
                raise Unreachable(str(missing), "is this Nova's own answer?") from missing
            self._known.pop(server, None)
            self._known[server] = Known(None)
            return
        moves = _by_server(await self._moves({"instance_uuid": server}))
        if self._as_of is None:
            self._as_of = page.date
        self._known[server] = self._known.pop(server, Known(None))  # to the end of the line
        self._learn(server, inner(page.fields, "server"), moves.get(server, {}))
        await self._read_actions([server])

    # Keeping what was shown.

    def _learn(self, server: ServerId, fields: Fields | None, moves: Mapping[int, MoveRow]) -> None:
        known = self._known.get(server) or Known(None)
        is_gone = fields is not None and fields.get("OS-EXT-STS:vm_state") == VmState.DELETED
        fresh = None if is_gone else fields or known.fields
        self._known[server] = replace(known, fields=fresh, moves={**known.moves, **moves})
        while len(self._known) > KNOWN_MAX:
            self._known.pop(next(iter(self._known)))

    async def _read_actions(self, servers: Iterable[ServerId]) -> None:
        """Read the last action of everybody of whom it may have changed."""
        wanted = [each for each in servers if self._wants_action(self._known[each])]
        await together(map(self._read_action, wanted))

    def _wants_action(self, known: Known) -> bool:
        if known.fields is None or known.has_current_action:
            return False
        return known.action_at is None or not known.is_under_way

    async def _read_action(self, server: ServerId) -> None:
        ours = await self._nova.user_id()
        try:
            page = await self._nova.read(f"/servers/{server}/os-instance-actions")
        except Missing:
            return  # deleted since; the next look says so
        action = user_action(rows(page.fields, "instanceActions"), ours)
        known = self._known[server]
        self._known[server] = replace(known, action=action, action_at=page.date)

    async def _moves(self, query: Mapping[str, str]) -> list[MoveRow]:
        if await self._nova.version() < PAGED_MOVES:
            page = await self._nova.read("/os-migrations", query)
            found = rows(page.fields, "migrations")
        else:
            found = (await self._nova.pages("/os-migrations", query, "migrations")).rows
        return [move_row(fields, self.around.names) for fields in found]


def _by_server(moves: Iterable[MoveRow]) -> dict[ServerId, dict[int, MoveRow]]:
    found: dict[ServerId, dict[int, MoveRow]] = {}
    for row in moves:
        found.setdefault(row.server, {})[row.record.id] = row
    return found


def _is_before(row: MoveRow, since: datetime) -> bool:
    return row.created_at is not None and row.created_at < since


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
