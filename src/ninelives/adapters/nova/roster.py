"""Servers and their migration records as Nova shows them: all who ask at a time share one list.

    list_servers   everybody on a host, and all records that name it
    show, one      afresh, for the check before a send: by a row that was read since he asked
    show, many     as they are, or were when last shown, if no list says that they changed
    watch          the same, and patient: in a storm the checks of others bring the news along

    wanted ─▶ who rests on a host of which many are wanted: a list of that host
          ├─▶ everybody else: one list of what changed, and one of the newest records
          └─▶ whom no list answers, and who is alone: directly

Nobody's answer was asked of Nova before he asked for it. A few servers of each look of whom no list
has shown anything for long are asked for directly: nobody's picture grows old unseen.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.engine.errors import Garbled, PortError, Unreachable

from .fields import Fields, inner, rows
from .known import Asked, Known, by_server, is_older, with_asked
from .lists import OVERLAP, Lists, Rows, is_too_long
from .session import Missing, Session
from .shared import Company, Gathered, together
from .views import MoveRow, Surroundings, deleted, host_of, own_reboot, server_seen, user_action

WATCH_S = 2.0  # how often servers on the move are listed when nobody is in a hurry
COMPANY_S = 0.3  # what follows from one look is checked by one other
LISTED_FOR_ONE = 16  # servers that a list may show for each that is wanted
SLOW_LIST_S, NO_LIST_S = 2.0, 60.0
SWEEP = 1  # so many of those of whom no row was read since UNSWEPT_S are asked for at each look
UNSWEPT_S = 60.0
STARTING_S = 20.0  # so long a list of changes may show a server for our own start of it
KNOWN_MAX = 50_000

Value = TypeVar("Value")


class Look(NamedTuple):
    """One server that somebody wants to see."""

    server: ServerId
    is_afresh: bool


class Roster:
    """What is known of servers, kept current by whoever looks."""

    def __init__(self, nova: Session, around: Surroundings) -> None:
        self.around = around
        self._nova = nova
        self._lists = Lists(nova, around.names)
        self._known: dict[ServerId, Known] = {}
        self._as_of: datetime | None = None  # by Nova's clock: all of this era is at least as new
        self._moves_as_of: datetime | None = None  # the same of all records
        self._new_moves_as_of: datetime | None = None  # all that were made before are known
        self._era = 1
        self._lists_from = 0.0  # by our clock: before, lists of hosts were slow
        self._looks: Gathered[Look, ServerSeen | PortError] = Gathered(
            self._look, Company(WATCH_S, COMPANY_S)
        )

    # Looking.

    async def on_host(self, host: HostId) -> tuple[dict[ServerId, ServerSeen], list[MoveRow]]:
        """List who is on a host, and all records that name it."""
        asked_at = asyncio.get_running_loop().time()
        name = self.around.names.of(host)
        listed = await self._lists.on_host(name)
        moves = await self._lists.moves({"host": name})
        self._began(listed.date)
        mine = by_server(moves)
        found: dict[ServerId, ServerSeen] = {}

        async def one(server: ServerId, fields: Fields) -> None:
            known = self._learn(server, fields, mine.get(server, {}), asked_at, self._era)
            # Under way it takes no order of its user but to delete it, and that is seen.
            if not (known.is_under_way and known.action_at):
                known = await self._with_action(server, known)
            found[server] = self._said(server, known)

        await together(one(server, fields) for server, fields in listed.servers.items())
        return found, moves

    async def show(self, servers: Iterable[ServerId]) -> tuple[ServerSeen, ...]:
        """Show these servers as they are now; who is no more is shown as deleted."""
        wanted = list(dict.fromkeys(servers))
        if len(wanted) == 1 and asyncio.get_running_loop().time() < self._lists_from:
            return (self._said(wanted[0], await self._ask(wanted[0])),)
        return await self._looked([Look(server, len(wanted) == 1) for server in wanted])

    async def watch(self, servers: Iterable[ServerId]) -> tuple[ServerSeen, ...]:
        """Show the same with whoever asks next, or `WATCH_S` after the last look of anybody."""
        looks = [Look(server, is_afresh=False) for server in dict.fromkeys(servers)]
        return await self._looked(looks, is_patient=True)

    async def _looked(self, looks: list[Look], is_patient: bool = False) -> tuple[ServerSeen, ...]:
        if not looks:
            return ()
        found = await self._looks.ask_all(looks, is_patient)
        return tuple(_good(found[look]) for look in looks)

    def _said(self, server: ServerId, known: Known) -> ServerSeen:
        if known.fields is None:
            return deleted(server)
        records = [row.record for row in known.moves.values()]
        if known.reboot is not None:
            records.append(known.reboot)
        return server_seen(known.fields, records, known.action, self.around)

    def fields(self, server: ServerId) -> Fields | None:
        """Return what Nova itself said of a server at the last look."""
        known = self._known.get(server)
        return known.fields if known is not None else None

    def host_of(self, server: ServerId) -> str | None:
        """Return on which of Nova's hosts it was at the last look."""
        fields = self.fields(server)
        return host_of(fields) if fields is not None else None

    def starts(self, server: ServerId) -> None:
        """Remember that we have it started now: that it changes is no word of anybody's."""
        if server in self._known:
            now = asyncio.get_running_loop().time()
            self._keep(server, replace(self._known[server], started_at=now))

    def learn_aggregates(self, names: Mapping[str, tuple[str, ...]]) -> None:
        """Know in which aggregates each host is."""
        self.around = replace(self.around, aggregates=names)

    # Together.

    async def _look(self, looks: Iterable[Look]) -> dict[Look, ServerSeen | PortError]:
        """Answer each; that one of them cannot be read keeps nobody else from being seen."""
        asked = list(looks)
        wanted = list(dict.fromkeys(look.server for look in asked))
        afresh = {look.server for look in asked if look.is_afresh}
        is_known = any(self._is_current(server) for server in wanted)
        if len(wanted) == 1 or not is_known or not await self._lists.can_tell_changes():
            found = await self._ask_each(wanted)
        else:
            found = await self._catch_up(wanted, afresh)
        return {each: self._answer(each.server, found[each.server]) for each in asked}

    def _answer(self, server: ServerId, found: Known | PortError) -> ServerSeen | PortError:
        try:
            return self._said(server, _good(found))
        except PortError as error:
            return error

    async def _catch_up(
        self, wanted: list[ServerId], afresh: set[ServerId]
    ) -> dict[ServerId, Known | PortError]:
        """Bring what is known up to date by lists; ask directly for whom they do not answer."""
        asked_at = asyncio.get_running_loop().time()
        listed = await self._listed(wanted, afresh)
        if listed is None or listed.date is None:
            self._begin_era(None)
            return await self._ask_each(wanted)
        moves = by_server(await self._news_of_moves(wanted, listed.date))
        found, current = dict[ServerId, Known](), set(filter(self._is_current, wanted))
        for server in filter(self._is_current, listed.servers.keys() | moves.keys()):
            fields = listed.servers.get(server)
            known = self._learn(server, fields, moves.get(server, {}), asked_at)
            if fields is not None:
                found[server] = known
        strangers = set(wanted) - current
        unread = (afresh & current) - found.keys()
        unswept = self._unswept(each for each in wanted if each in current - unread)
        asked = await self._ask_each([*strangers, *unswept])
        asked |= await _each(self._ask_row, unread)  # its records were listed just now
        shown = {each: found[each] for each in wanted if each in found}
        read = await self._with_actions(shown, afresh, listed.date)
        kept = {each: self._known[each] for each in wanted if each not in asked}
        return {**kept, **shown, **read, **asked}

    async def _listed(self, wanted: list[ServerId], afresh: set[ServerId]) -> Rows | None:
        """List who rests, by hosts, and what changed. None: too much did to list it all."""
        if self._as_of is None:
            return None
        servers, date = dict[ServerId, Fields](), None
        for name in self._hosts_worth_listing(filter(self._is_at_rest, afresh)):
            there = await self._timed(self._lists.on_host(name))
            servers, date = {**servers, **there.servers}, date or there.date
        if servers.keys() >= set(wanted):
            return Rows(servers, date)
        changed = await self._timed(self._lists.changed(self._as_of))
        if changed is None:
            return None
        self._as_of = changed.date
        return Rows({**servers, **changed.servers}, date or changed.date)

    def _is_current(self, server: ServerId) -> bool:
        """Say whether it was read whole in this era."""
        known = self._known.get(server)
        return known is not None and known.era == self._era

    def _is_at_rest(self, server: ServerId) -> bool:
        """Say whether it changed so long ago that no list of changes will show it."""
        known = self._known.get(server)
        changed = known.changed_at if known is not None else None
        return changed is not None and self._as_of is not None and changed < self._as_of - OVERLAP

    def _hosts_worth_listing(self, wanted: Iterable[ServerId]) -> list[str]:
        asked = Counter(map(self._host, wanted))
        if not any(many > 1 for many in asked.values()):
            return []
        on_host = Counter(map(self._host, self._known))
        return sorted(
            host
            for host, many in asked.items()
            if host and many > 1 and many * LISTED_FOR_ONE >= on_host[host]
        )

    def _host(self, server: ServerId) -> str | None:
        """Return where it was; None also where its cell is down, and Nova does not say."""
        try:
            return self.host_of(server)
        except Garbled:
            return None

    async def _timed(self, asked: Awaitable[Value]) -> Value:
        """Await a list; where that is slow, no check is made by a list again for long.

        Whoever waits for it has but a few seconds (`read_timeout_s`), and would try for ever.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            return await asked
        finally:
            if clock() > began + SLOW_LIST_S:
                self._lists_from = clock() + NO_LIST_S

    async def _news_of_moves(self, wanted: list[ServerId], date: datetime) -> list[MoveRow]:
        """List records that are new or changed, as far as they matter to who is wanted."""
        since, made_since = self._moves_as_of, self._new_moves_as_of
        assert since is not None, "set with the first look of an era"
        assert made_since is not None, "and this with it"
        newest = await self._lists.newest_moves(made_since)
        self._new_moves_as_of = date
        if self._open_moves(wanted) <= {(row.server, row.record.id) for row in newest}:
            return newest
        self._moves_as_of = date
        return [*newest, *await self._lists.changed_moves(since)]

    def _open_moves(self, servers: list[ServerId]) -> set[tuple[ServerId, int]]:
        """Return the records that may yet change under these servers."""
        known = (self._known[server] for server in servers if server in self._known)
        moves = (row for each in known for row in each.moves.values())
        return {(row.server, row.record.id) for row in moves if not row.record.is_final}

    def _unswept(self, servers: Iterable[ServerId]) -> list[ServerId]:
        before = asyncio.get_running_loop().time() - UNSWEPT_S
        oldest = sorted(servers, key=lambda server: self._known[server].asked_at)
        return [server for server in oldest if self._known[server].asked_at < before][:SWEEP]

    async def _with_actions(
        self, shown: Mapping[ServerId, Known], afresh: set[ServerId], date: datetime
    ) -> dict[ServerId, Known | PortError]:
        """Read the last actions of who is checked, and of whom somebody else changed."""
        before = asyncio.get_running_loop().time() - STARTING_S
        others = {
            server
            for server, known in shown.items()
            if known.is_done_changing(date) and known.started_at < before
        }
        due = shown.keys() & (afresh | others)
        return await _each(lambda server: self._with_action(server, shown[server]), due)

    # Eras.

    def _began(self, date: datetime | None) -> None:
        """Remember what Nova's clock said at the first look of an era, or of one after long."""
        is_late = date is not None and self._as_of is not None and is_too_long(self._as_of, date)
        if self._as_of is None or is_late:
            self._begin_era(date)

    def _begin_era(self, date: datetime | None) -> None:
        """Forget that anything is current: what was known by now is worth nothing any more."""
        self._era += 1
        self._as_of = self._moves_as_of = self._new_moves_as_of = date

    # A few: each directly.

    async def _ask_each(self, servers: Iterable[ServerId]) -> dict[ServerId, Known | PortError]:
        return await _each(self._ask, servers)

    async def _ask(self, server: ServerId) -> Known:
        """Read one whole."""
        return await self._ask_row(server, is_whole=True)

    async def _ask_row(self, server: ServerId, is_whole: bool = False) -> Known:
        """Read one, whose records are known from lists unless it is read whole."""
        asked_at = asyncio.get_running_loop().time()
        try:
            page = await self._nova.read(f"/servers/{server}")
        except Missing as missing:
            if "could not be found" not in str(missing):
                # Some proxy's own 404: whoever believes it forgets a server (I14).
                raise Unreachable(str(missing), "is this Nova's own answer?") from missing
            return self._keep(server, Known(None, era=self._era, asked_at=asked_at))
        moves = await self._lists.moves({"instance_uuid": server}) if is_whole else []
        self._began(page.date)
        mine, era = by_server(moves).get(server, {}), self._era if is_whole else None
        known = self._learn(server, inner(page.fields, "server"), mine, asked_at, era)
        return await self._with_action(server, known)

    # Keeping what was shown.

    def _keep(self, server: ServerId, known: Known) -> Known:
        self._known[server] = known
        while len(self._known) > KNOWN_MAX:
            self._known.pop(next(iter(self._known)))
        return known

    def _learn(
        self,
        server: ServerId,
        fields: Fields | None,
        moves: Mapping[int, MoveRow],
        asked_at: float,
        era: int | None = None,
    ) -> Known:
        known = self._known.get(server, Known(None))
        asked_at = known.asked_at if fields is None else max(asked_at, known.asked_at)
        if fields is not None and is_older(fields, known.fields):
            fields = known.fields  # a long list, overtaken by a direct look
        is_gone = fields is not None and fields.get("OS-EXT-STS:vm_state") == VmState.DELETED
        shown = None if is_gone else fields or known.fields
        moves, era = {**known.moves, **moves}, era or known.era
        mine = replace(known, fields=shown, moves=moves, era=era, asked_at=asked_at)
        return self._keep(server, mine)

    async def _with_action(self, server: ServerId, mine: Known) -> Known:
        """Read what was asked of it last; return the server as it was read here.

        What is kept may be overwritten meanwhile by a list that is older than this.
        """
        asked = await self._asked(server, mine)
        self._keep(server, with_asked(self._known.get(server, mine), asked))
        return with_asked(mine, asked)

    async def _asked(self, server: ServerId, known: Known) -> Asked:
        kept = Asked(known.action, known.reboot, known.action_at)
        if known.fields is None or known.has_current_action:
            return kept
        ours = await self._nova.user_id()
        try:
            page = await self._nova.read(f"/servers/{server}/os-instance-actions")
        except Missing:
            return kept._replace(at=None)  # deleted since; the next look says so
        actions, host = rows(page.fields, "instanceActions"), host_of(known.fields)
        here = self.around.names.host(host) if host else None
        return Asked(user_action(actions, ours), own_reboot(actions, ours, here), page.date)


async def _each(
    ask: Callable[[ServerId], Awaitable[Known]], servers: Iterable[ServerId]
) -> dict[ServerId, Known | PortError]:
    """Ask for each; whoever cannot be read fails alone."""
    found: dict[ServerId, Known | PortError] = {}

    async def one(server: ServerId) -> None:
        try:
            found[server] = await ask(server)
        except PortError as error:
            found[server] = error

    await together(map(one, servers))
    return found


def _good(found: Value | PortError) -> Value:
    if isinstance(found, PortError):
        raise found
    return found
