"""Servers and their migration records as Nova shows them: one by one afresh, many by listing.

    list_servers   everybody on a host, and all records that name it
    show, one      read afresh, for the check before a send; many that ask at once share a list
    show, many     what changed since the last look: one list of servers and two of records

Nova compares "changes since" with its own clock, and so do we: with the `Date` of its answers. Two
of its machines may disagree by a little, hence `OVERLAP`; and a few servers of each look are asked
for directly, so that nobody's picture grows old unseen.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.engine.errors import Unreachable

from .fields import Fields, inner, rows, text
from .session import PAGE_ROWS, Missing, Session
from .shared import Gathered, together
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
LISTED_FOR_ONE = 8  # servers that a list may show for each that is wanted
SLOW_LIST_S, NO_LIST_S = 2.0, 60.0
SWEEP = 4  # so many of those who were not asked for directly since UNSWEPT_S are, at each look
UNSWEPT_S = 60.0
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
    era: int = 0  # of the roster, when it was read whole
    asked_at: float = 0.0  # by our clock, when it was last asked for directly

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
        self._known: dict[ServerId, Known] = {}
        self._as_of: datetime | None = None  # by Nova's clock: all of this era is at least as new
        self._moves_as_of: datetime | None = None  # the same of all records
        self._era = 1
        self._lists_from = 0.0  # by our clock: before, lists were slow
        self._catching_up = asyncio.Lock()
        self._fresh: Gathered[ServerId, ServerSeen] = Gathered(self._look_afresh)

    # Looking.

    async def on_host(
        self, host: HostId, only: frozenset[ServerId] | None = None
    ) -> tuple[dict[ServerId, ServerSeen], list[MoveRow]]:
        """List who is on a host (or who `only` of them), and all records that name it."""
        name = self.around.names.of(host)
        asked = {"all_tenants": "1", "host": name}
        servers = await self._nova.pages("/servers/detail", asked, "servers")
        moves = await self._moves({"host": name})
        self._began(servers.date)
        mine = _by_server(moves)
        found: dict[ServerId, ServerSeen] = {}

        async def one(fields: Fields) -> None:
            server = ServerId(text(fields, "id"))
            if only is None or server in only:
                found[server] = self._said(server, await self._whole(server, fields, mine))

        await together(map(one, servers.rows))
        return found, moves

    async def show(self, servers: Iterable[ServerId]) -> tuple[ServerSeen, ...]:
        """Show these servers as they are now; who is no more is shown as deleted."""
        wanted = list(dict.fromkeys(servers))
        if len(wanted) == 1:
            return (await self._fresh.ask(wanted[0]),)
        if len(wanted) <= ASKED_DIRECTLY:
            found = await self._ask_each(wanted)
            return tuple(found[server] for server in wanted)
        async with self._catching_up:
            found = await self._catch_up(wanted)
            known = {server: self._known[server] for server in wanted if server not in found}
        found |= {server: self._said(server, each) for server, each in known.items()}
        return tuple(found[server] for server in wanted)

    def _said(self, server: ServerId, known: Known) -> ServerSeen:
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

    # One, and whoever else wants to be read afresh at this moment.

    async def _look_afresh(self, servers: Iterable[ServerId]) -> dict[ServerId, ServerSeen]:
        """Read them by listing their hosts where that is less work, else each directly."""
        wanted, found = list(servers), dict[ServerId, ServerSeen]()
        for host in self._hosts_worth_listing(wanted):
            found |= await self._listed(self.around.names.host(host), frozenset(wanted))
        return found | await self._ask_each(each for each in wanted if each not in found)

    async def _listed(
        self, host: HostId, wanted: frozenset[ServerId]
    ) -> dict[ServerId, ServerSeen]:
        """Read those of them who are on a host; where that is slow, not by a list again for long.

        Whoever waits for it has but a few seconds (`read_timeout_s`), and would try for ever.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            return (await self.on_host(host, wanted))[0]
        finally:
            if clock() > began + SLOW_LIST_S:
                self._lists_from = clock() + NO_LIST_S

    def _hosts_worth_listing(self, wanted: list[ServerId]) -> list[str]:
        if len(wanted) <= ASKED_DIRECTLY or asyncio.get_running_loop().time() < self._lists_from:
            return []
        on_host = Counter(map(self.host_of, self._known))
        asked = Counter(map(self.host_of, wanted))
        worth = [
            host
            for host, many in asked.items()
            if host and many > ASKED_DIRECTLY and many * LISTED_FOR_ONE >= on_host[host]
        ]
        return sorted(worth)

    # Many: what changed.

    async def _catch_up(self, wanted: list[ServerId]) -> dict[ServerId, ServerSeen]:
        """Bring what is known up to date; return those who were read directly for it."""
        since = self._as_of
        if since is None or await self._nova.version() < PAGED_MOVES:
            return await self._ask_each(wanted)
        listed = await self._changed_servers(since)
        if listed is None:
            self._era += 1  # what is known by now is worth nothing any more
            self._as_of = self._moves_as_of = None
            return await self._ask_each(wanted)
        changed, date = listed
        moves = _by_server(await self._changed_moves(wanted, date))
        fresh = {server for server, known in self._known.items() if known.era == self._era}
        for server in (changed.keys() | moves.keys()) & fresh:
            self._learn(server, changed.get(server), moves.get(server, {}))
        self._as_of = date
        strangers = [server for server in wanted if server not in fresh]
        unswept = self._unswept([server for server in wanted if server in fresh])
        found = await self._ask_each([*strangers, *unswept])
        news = [each for each in wanted if each in changed and each not in found]
        await together(self._with_action(each, date) for each in news)
        return found

    def _unswept(self, known: list[ServerId]) -> list[ServerId]:
        before = asyncio.get_running_loop().time() - UNSWEPT_S
        oldest = sorted(known, key=lambda server: self._known[server].asked_at)
        return [server for server in oldest if self._known[server].asked_at < before][:SWEEP]

    async def _changed_servers(
        self, since: datetime
    ) -> tuple[dict[ServerId, Fields], datetime] | None:
        """List what changed; None where that was too long ago, or Nova does not tell its time."""
        query = {"all_tenants": "1", "changes-since": _written(since - OVERLAP)}
        listed = await self._nova.pages("/servers/detail", query, "servers")
        if listed.date is None or listed.date - since > IDLE_MAX:
            return None
        return {ServerId(text(fields, "id")): fields for fields in listed.rows}, listed.date

    async def _changed_moves(self, wanted: list[ServerId], date: datetime) -> list[MoveRow]:
        """List records that are new or changed, as far as they matter to who is wanted.

        A new one has never changed, and then is in no list of changes (nova/db/main/api.py:
        `updated_at >= …`, and that is NULL at first). The newest are few, and often all there is.
        """
        since = self._moves_as_of
        assert since is not None, "set with the first look of an era"
        page = await self._nova.read("/os-migrations", {"limit": str(PAGE_ROWS)})
        newest = [move_row(each, self.around.names) for each in rows(page.fields, "migrations")]
        if len(newest) == PAGE_ROWS and not any(_is_before(row, since - OVERLAP) for row in newest):
            newest = await self._moves({})
        shown = {(row.server, row.record.id) for row in newest}
        if self._open_moves(wanted) <= shown:
            return newest
        self._moves_as_of = date
        return [*newest, *await self._moves({"changes-since": _written(since - OVERLAP)})]

    def _open_moves(self, servers: list[ServerId]) -> set[tuple[ServerId, int]]:
        """Return the records that may yet change under these servers."""
        known = (self._known[server] for server in servers if server in self._known)
        moves = (row for each in known for row in each.moves.values())
        return {(row.server, row.record.id) for row in moves if not row.record.is_final}

    def _began(self, date: datetime | None) -> None:
        """Remember what Nova's clock said at the first look of an era."""
        if self._as_of is None:
            self._as_of = self._moves_as_of = date

    # A few: each directly.

    async def _ask_each(self, servers: Iterable[ServerId]) -> dict[ServerId, ServerSeen]:
        found: dict[ServerId, ServerSeen] = {}

        async def one(server: ServerId) -> None:
            found[server] = self._said(server, await self._ask(server))

        await together(map(one, servers))
        return found

    async def _ask(self, server: ServerId) -> Known:
        asked_at = asyncio.get_running_loop().time()
        try:
            page = await self._nova.read(f"/servers/{server}")
        except Missing as missing:
            if "could not be found" not in str(missing):
                # Some proxy's own 404: whoever believes it forgets a server (I14).
                raise Unreachable(str(missing), "is this Nova's own answer?") from missing
            self._known[server] = Known(None, era=self._era, asked_at=asked_at)
            return self._known[server]
        moves = _by_server(await self._moves({"instance_uuid": server}))
        self._began(page.date)
        whole = await self._whole(server, inner(page.fields, "server"), moves)
        self._known[server] = replace(self._known[server], asked_at=asked_at)
        return whole

    # Keeping what was shown.

    async def _whole(
        self, server: ServerId, fields: Fields, moves: Mapping[ServerId, Mapping[int, MoveRow]]
    ) -> Known:
        """Keep a server that was read whole, and return it as it was read here.

        What is kept may be overwritten meanwhile by a list that is older than this.
        """
        mine = self._learn(server, fields, moves.get(server, {}), self._era)
        action, at = await self._action(server, mine)
        self._known[server] = replace(self._known.get(server, mine), action=action, action_at=at)
        return replace(mine, action=action, action_at=at)

    def _learn(
        self,
        server: ServerId,
        fields: Fields | None,
        moves: Mapping[int, MoveRow],
        era: int | None = None,
    ) -> Known:
        known = self._known.get(server, Known(None))
        if fields is not None and _is_older(fields, known.fields):
            fields = known.fields  # a long list, overtaken by a direct look
        is_gone = fields is not None and fields.get("OS-EXT-STS:vm_state") == VmState.DELETED
        shown = None if is_gone else fields or known.fields
        mine = replace(known, fields=shown, moves={**known.moves, **moves}, era=era or known.era)
        self._known[server] = mine
        while len(self._known) > KNOWN_MAX:
            self._known.pop(next(iter(self._known)))
        return mine

    async def _with_action(self, server: ServerId, date: datetime) -> None:
        """Read the last action of one who changed, once it is at rest.

        Before, Nova takes no order of its user but to delete it, and that is seen. What changed in
        this very second may change again in it; the next look shows it once more.
        """
        known = self._known[server]
        changed = updated_at(known.fields) if known.fields is not None else None
        if known.is_under_way or changed is None or date < changed + SECOND:
            return
        action, at = await self._action(server, known)
        self._known[server] = replace(self._known[server], action=action, action_at=at)

    async def _action(self, server: ServerId, known: Known) -> tuple[str, datetime | None]:
        """Return the last action of its user, and when by Nova's clock it was read."""
        if known.fields is None or known.has_current_action:
            return known.action, known.action_at
        ours = await self._nova.user_id()
        try:
            page = await self._nova.read(f"/servers/{server}/os-instance-actions")
        except Missing:
            return known.action, None  # deleted since; the next look says so
        return user_action(rows(page.fields, "instanceActions"), ours), page.date

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


def _is_older(fields: Fields, known: Fields | None) -> bool:
    if known is None:
        return False
    updated, before = updated_at(fields), updated_at(known)
    return updated is not None and before is not None and updated < before


def _is_before(row: MoveRow, since: datetime) -> bool:
    return row.created_at is not None and row.created_at < since


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
