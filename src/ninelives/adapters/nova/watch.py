"""What changes at Nova without our doing, told to a leader: its services, and whether it is well.

    one list per POLL_S ──▶ records ──▶ NovaSeen     what Nova says of each compute host
                        └─▶ canaries ─▶ CanarySeen   what the list shows of Nova itself

Whether a report is fresh is judged by Nova's own clock. Ours measures only how long we saw nothing
new: a list that some cache repeats, or a clock that stands, must not keep a dead host alive.

What Nova shows as the time of the last report is that of the last write to the row, whoever wrote
(nova/servicegroup/drivers/db.py, `updated_time`; seen on a real one: the record of a dead host
"advanced" by our own force-down). So a growth that comes with another change is no report, and the
first sign of life of a host is two growths in a row: one may hide a change and its undoing.
A host that is forced down is never called up, but its nova-compute goes on to write its reports.
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
from .reasons import OURS, is_ours, is_reserve
from .services import Roll, Services
from .views import Names, ServiceRow
from .wire import Wire

POLL_S = 5.0
POLL_TIMEOUT_S = 5.0
FIRST_GROWTHS = 2

Tell = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen of the reports of one compute service."""

    row: ServiceRow  # as last seen
    at: datetime  # of the last write that was a report, by Nova's clock
    grew_at: float  # by ours: when we saw that
    growths: int = 0  # in a row
    is_fresh: bool = False


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
        self._records = Records(names, watched)

    def reported_at(self, host: HostId) -> float | None:
        """Return when a report of it was last seen in this term, by our own clock."""
        return self._records.reported_at(host)

    async def observe(self, tell: Tell) -> None:
        """Look every `POLL_S`, and tell what changed; for ever."""
        records, health = Records(self._names, self._watched), Health()
        self._records = records
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

    def reported_at(self, host: HostId) -> float | None:
        """Return when its record was last seen to have grown; or when it was seen at all."""
        report = self._reports.get(host)
        return None if report is None else report.grew_at

    def _row_seen(self, row: ServiceRow, there: datetime | None, now: float) -> NovaSeen | None:
        host = self._names.host(row.host)
        is_agentless = host in self._watched.agentless
        advances = self._advances(host, row, there, now)
        seen = NovaSeen(
            host,
            row.is_up,
            is_agentless and advances,
            row.is_forced_down,
            row.is_disabled,
            self._is_ours(host, row),
            is_reserve=row.is_disabled and is_reserve(row.reason),
            still_reports=row.is_forced_down and advances,
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
        silence_s = self._watched.silence_s(host)
        report = _grown(self._reports.get(host), row, now, silence_s)
        is_young = there < report.at + timedelta(seconds=silence_s)
        was_seen_lately = now < report.grew_at + silence_s
        is_alive = report.is_fresh or report.growths >= FIRST_GROWTHS
        is_fresh = is_alive and is_young and was_seen_lately
        self._reports[host] = replace(report, is_fresh=is_fresh)
        return is_fresh

    def _unseen(self, host: HostId, now: float) -> NovaSeen | None:
        """Nova does not say: after a while no record is a sign any more, for nobody saw it grow."""
        report, said = self._reports[host], self._said.get(host)
        if not report.is_fresh or now < report.grew_at + self._watched.silence_s(host):
            return None
        self._reports[host] = replace(report, is_fresh=False)
        if said is None or not (said.has_advanced or said.still_reports):
            return None
        self._said[host] = replace(said, has_advanced=False, still_reports=False)
        return self._said[host]


def _grown(before: Report | None, row: ServiceRow, now: float, silence_s: float) -> Report:
    """Fold one look at a record: a report, somebody's write, or nothing new."""
    at = row.reported_at
    assert at is not None, "a record that was never written"
    if before is None:
        return Report(row, at, now)
    written_at = before.row.reported_at
    if written_at is not None and at <= written_at:
        return before
    if _settings(row) != _settings(before.row):
        return replace(before, row=row, growths=0)
    in_a_row = before.growths if now < before.grew_at + silence_s else 0
    return replace(before, row=row, at=at, grew_at=now, growths=in_a_row + 1)


def _settings(row: ServiceRow) -> tuple[bool, str, bool]:
    """Return all that anybody but nova-compute writes to the row. The same again writes nothing."""
    return row.is_disabled, row.reason, row.is_forced_down


def _time_there(roll: Roll | None) -> datetime | None:
    """Return what time it is at Nova: that of its answer, or of the newest report in it."""
    if roll is None:
        return None
    reports = [row.reported_at for row in roll.services if row.reported_at is not None]
    return max([*reports, *((roll.date,) if roll.date else ())], default=None)
