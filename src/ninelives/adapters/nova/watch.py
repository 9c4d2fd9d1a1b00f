"""What changes at Nova without our doing, told to a leader: its services, and whether it is well.

    one list per POLL_S ──▶ records ──▶ NovaSeen     what Nova says of each compute host
                        └─▶ canaries ─▶ CanarySeen   what the list shows of Nova itself

Whether a report is fresh is judged by Nova's own clock. Ours measures only how long we saw nothing
new: a list that some cache repeats, or a clock that stands, must not keep a dead host alive.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ninelives.core.events import CanarySeen, Event, NovaSeen
from ninelives.core.model import HostId
from ninelives.engine.errors import ConfigError, PortError

from .health import Health, answers_of, keystone_answers
from .identity import Identity
from .orders import OURS, is_ours
from .services import Roll, Services
from .views import Names, ServiceRow
from .wire import Wire

POLL_S = 5.0
POLL_TIMEOUT_S = 5.0

Tell = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Report:
    """The last report seen of one compute service."""

    at: datetime  # by Nova's clock
    is_fresh: bool
    grew_at: float  # by ours: when we saw it grow


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose records are watched, and how."""

    agentless: frozenset[HostId]  # whose record is their sign of life
    silence_s: Callable[[HostId], float]  # `record_silence_s` of its segment
    forced_by_us: Callable[[HostId], bool] = lambda _: False


class NovaWatch:
    """Looks at Nova's services. `observe` is a source of the engine: each term begins anew."""

    def __init__(
        self, services: Services, identity: Identity, wire: Wire, names: Names, watched: Watched
    ) -> None:
        self._services, self._identity, self._wire = services, identity, wire
        self._names, self._watched = names, watched

    async def observe(self, tell: Tell) -> None:
        """Look every `POLL_S`, and tell what changed; for ever."""
        records, health = Records(self._names, self._watched), Health()
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + POLL_S
            for event in await self._looked(records, health):
                await tell(event)
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _looked(self, records: "Records", health: Health) -> list[Event]:
        roll = await self._read()
        now = asyncio.get_running_loop().time()
        events: list[Event] = list(records.seen(roll, now))
        answers = answers_of(health, roll, now)
        is_login_well = await self._keystone_answers()
        if is_login_well is not None:
            answers["keystone"] = is_login_well
        events += [CanarySeen(name, is_ok) for name, is_ok in health.changed(answers)]
        return events

    async def _read(self) -> Roll | None:
        try:
            async with asyncio.timeout(POLL_TIMEOUT_S):
                return await self._services.read()
        except (PortError, TimeoutError):
            return None

    async def _keystone_answers(self) -> bool | None:
        try:
            async with asyncio.timeout(POLL_TIMEOUT_S):
                return await keystone_answers(self._wire, self._identity)
        except ConfigError:
            return None  # a cloud without Keystone
        except (PortError, TimeoutError):
            return False


class Records:
    """What one leader was told of each host's record in this term."""

    def __init__(self, names: Names, watched: Watched) -> None:
        self._names, self._watched = names, watched
        self._said: dict[HostId, NovaSeen] = {}
        self._reports: dict[HostId, Report] = {}

    def seen(self, roll: Roll | None, now: float) -> list[NovaSeen]:
        """Return what is to be told after one look; None: Nova did not answer."""
        rows = [] if roll is None else [row for row in roll.computes() if row.is_known]
        there = _time_there(roll)
        told = [self._row_seen(row, there, now) for row in rows]
        shown = {self._names.host(row.host) for row in rows}
        told += [self._unseen(host, now) for host in self._reports.keys() - shown]
        return [event for event in told if event is not None]

    def _row_seen(self, row: ServiceRow, there: datetime | None, now: float) -> NovaSeen | None:
        host = self._names.host(row.host)
        is_agentless = host in self._watched.agentless
        has_advanced = is_agentless and self._advances(host, row, there, now)
        seen = NovaSeen(
            host,
            row.is_up,
            has_advanced,
            row.is_forced_down,
            row.is_disabled,
            self._is_ours(host, row),
        )
        before = self._said.get(host, NovaSeen(host, True, False, False, False, True))
        if seen == before:
            return None
        self._said[host] = seen
        is_back = seen.is_up and not before.is_up
        return seen if is_agentless else replace(seen, has_advanced=is_back)

    def _is_ours(self, host: HostId, row: ServiceRow) -> bool:
        """Say whether no operator has a hand in it.

        Nova does not say who forced a service down. We never do it without our reason on it, unless
        an operator's was there before: and that alone leaves the host to the operator.
        """
        forced = row.reason.startswith(OURS) or self._watched.forced_by_us(host)
        return (forced or not row.is_forced_down) and (is_ours(row.reason) or not row.is_disabled)

    def _advances(self, host: HostId, row: ServiceRow, there: datetime | None, now: float) -> bool:
        """Say whether we saw its record grow, and not too long ago."""
        if row.reported_at is None or there is None:
            return False
        before = self._reports.get(host)
        has_grown = before is not None and row.reported_at > before.at
        grew_at = now if has_grown or before is None else before.grew_at
        silence_s = self._watched.silence_s(host)
        is_young = there < row.reported_at + timedelta(seconds=silence_s)
        was_seen_lately = now < grew_at + silence_s
        is_fresh = (has_grown or (before is not None and before.is_fresh)) and is_young
        is_fresh = is_fresh and was_seen_lately
        self._reports[host] = Report(row.reported_at, is_fresh, grew_at)
        return is_fresh

    def _unseen(self, host: HostId, now: float) -> NovaSeen | None:
        """Nova does not say: after a while no record is a sign any more, for nobody saw it grow."""
        report, said = self._reports[host], self._said.get(host)
        if not report.is_fresh or now < report.grew_at + self._watched.silence_s(host):
            return None
        self._reports[host] = replace(report, is_fresh=False)
        if said is None:
            return None
        self._said[host] = replace(said, has_advanced=False)
        return self._said[host]


def _time_there(roll: Roll | None) -> datetime | None:
    """Return what time it is at Nova: that of its answer, or of the newest report in it."""
    if roll is None:
        return None
    reports = [row.reported_at for row in roll.services if row.reported_at is not None]
    return max([*reports, *((roll.date,) if roll.date else ())], default=None)
