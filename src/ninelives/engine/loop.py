"""The heart of a leader: events in, decisions made durable, actions out; until the lease is lost.

    sources, answers ──▶ inbox ──▶ Node.offer ──▶ writer ──▶ durable ──▶ perform
                                      ▲                                     │
                          wakes ──────┘ ◀────────────── answers ◀───────────┘

Laws:
  - Only what is durable is acted upon, in order.
  - Whatever ends the term, a lost lease, a lost guard, a store without an answer, a bug, cancels
    everything that is under way before anything else is done.
  - A gap in our own time is folded before whatever it may have made us believe.
  - A bug of ours, a broken law first of all, ends with every controller disarmed (disarm.py).
"""

import asyncio
import gc
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from ninelives.core.actions import READS, Action
from ninelives.core.cluster import Cluster
from ninelives.core.events import Armed, Event, OwnFault, TermBegan, Woke
from ninelives.core.model import ServerSeen, WitnessId
from ninelives.core.setting import Setting
from ninelives.engine.disarm import Memory, disarm, finished, recalled, unfinished
from ninelives.engine.errors import GuardLost, HandedOver, LeaseLost, StoreUnavailable, first_of
from ninelives.engine.journal import batch_of, began, restored
from ninelives.engine.lease import Hold, Watch, may_take, taken, watched
from ninelives.engine.looks import Looks
from ninelives.engine.node import Decide, Laws, Node, Ready
from ninelives.engine.office import Office
from ninelives.engine.perform import Desk, Objection, perform
from ninelives.engine.ports import Batch, Clock, Committed, Ports, Store
from ninelives.engine.reads import Reads
from ninelives.engine.writer import Report

log = logging.getLogger(__name__)

INBOX_EVENTS_MAX = 10_000  # full means: whoever has news waits
TURN_EVENTS_MAX = 100  # decided in a row before everybody else gets a turn
PULSE_S = 0.5  # the heart beats at least so often, news or not
FROZEN_S = 3.0  # a beat later than this: we did not run, and what we missed means nothing
WRITER_END_S = 5.0
BEAT_LOOK_S = 0.25  # how often a standby reads the lease: one row
GUARD_LOOK_S = 0.01
LEAVE_WAIT_S = 4.0  # for answers to what is out, before the lease is let go: a stop takes 5 s

Tell = Callable[[Event], Awaitable[None]]
Source = Callable[[Tell], Awaitable[None]]
Opening = Callable[[Cluster], tuple[Event, ...]]


def nothing_first(cluster: Cluster) -> tuple[Event, ...]:
    """Open a term with nothing to say."""
    del cluster
    return ()


class Scribe(Protocol):
    """A `writer.Writer`, or its stand-in."""

    def offer(self, batch: Batch) -> bool: ...
    def close(self, timeout_s: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that a controller is made of."""

    me: WitnessId
    holder: str  # new for every start of a process (lease.taken)
    memory: Memory  # on our own disk
    setting: Setting
    decide: Decide
    laws: Laws
    objection: Objection
    ports: Ports
    open_writer: Callable[[Store, Callable[[Report], None]], Scribe]
    sources: tuple[Source, ...]  # each observes the world, and tells what changed
    published: Callable[[Ready], None]  # told each decision once, when it is durable
    lease_s: float
    margin_s: float
    opening: Opening = nothing_first  # what a term is told before anything is seen or sent
    leave: asyncio.Event = field(default_factory=asyncio.Event)  # set: end in good order


async def serve(wiring: Wiring) -> None:
    """Stand by, lead, stand by again; until told to leave, or until something is broken."""
    rests_until = 0.0
    while (hold := await stand_by(wiring, rests_until)) is not None:
        try:
            await lead(wiring, hold)
        except* HandedOver as handed:
            rests_until = wiring.ports.clock.now() + wiring.setting.policy.hand_over_rest_s
            log.warning("term.handed_over", extra={"why": str(handed.exceptions[0])})
        except* LeaseLost as lost:
            # A guard, a store or a bug that is broken is not caught here: that ends the process.
            log.warning("term.lost", extra={"why": str(lost.exceptions[0])})


# ------------------------------------------------------------------------------------ standing by


async def stand_by(wiring: Wiring, rests_until: float = 0.0) -> Hold | None:
    """Watch the lease until it can be taken, and take it; before `rests_until` only watch.

    None: told to leave. Whoever just took it still leads, and lets go at once.
    """
    watch: Watch | None = None
    while not wiring.leave.is_set():
        try:
            watch, hold = await asyncio.to_thread(_look, wiring, watch, rests_until)
        except StoreUnavailable:
            # What was not seen proves nothing; but what was seen before still was.
            log.warning("store.unavailable")
            hold = None
        if hold is not None:
            return hold
        await asyncio.sleep(BEAT_LOOK_S)
    return None


def _look(wiring: Wiring, watch: Watch | None, rests_until: float) -> tuple[Watch, Hold | None]:
    store, clock = wiring.ports.store, wiring.ports.clock
    row = store.lease()
    if watch is None or watch.row != row:
        recalled(wiring.memory, store)  # a standby, too, knows how far the store had come
    watch = watched(watch, row, clock.now())
    rests = clock.now() < rests_until
    if rests or not may_take(watch, clock.now(), wiring.lease_s, wiring.margin_s):
        return watch, None
    hold = taken(store, watch, wiring.holder, clock.now, wiring.lease_s, wiring.margin_s)
    return watch, hold


# ------------------------------------------------------------------------------------ leading


async def lead(wiring: Wiring, hold: Hold) -> None:
    """Lead for one term. It ends by an exception only; then nothing of ours is under way."""
    ports = wiring.ports
    recall = partial(recalled, wiring.memory, ports.store)
    remembered = await asyncio.to_thread(recall)
    office = Office(ports.store, ports.clock, ports.guard, hold, recall, remembered)
    await _guarded(office)
    await office.renew()  # hears of a disarm before anything is decided
    node, first = await asyncio.to_thread(_begin, wiring, hold.tenure.term)
    heart = Heart(wiring, office, node, first)
    try:
        await heart.run()
    except* AssertionError as bugs:
        # Not in a thread, and awaiting nothing: no cancellation may come between a bug and this.
        heart.end_by(bugs)
        raise
    finally:
        # Only now: until here the guard would have killed us, had anything hung.
        if heart.close():
            if office.is_handing_over:
                office.release()
            ports.guard.rest()


async def _guarded(office: Office) -> None:
    """Begin nothing before the guard has acknowledged its first deadline."""
    while not office.is_guarded():
        if office.is_over():
            raise LeaseLost("the guard did not answer in time", "is this machine overloaded?")
        await asyncio.sleep(GUARD_LOOK_S)


def _begin(wiring: Wiring, term: int) -> tuple[Node, TermBegan]:
    """Return the mind of a new leader, and what it is told first."""
    store, setting = wiring.ports.store, wiring.setting
    # In this order both are of one revision: we hold the lease, so that nobody else writes.
    stored = store.load()
    cluster, first = restored(stored, setting), began(term, wiring.me, setting, stored)
    # It lives as long as the term, and holds no cycles: walked again and again by the garbage
    # collector, a fleet of 10,000 hosts would stop the loop for 0.1 to 0.3 s each time.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return Node(cluster, wiring.decide, store.identity().revision, wiring.laws), first


class Heart:
    """One leader's term while it lasts."""

    def __init__(self, wiring: Wiring, office: Office, node: Node, first: TermBegan) -> None:
        self._wiring, self._office, self._node, self._first = wiring, office, node, first
        self._clock: Clock = wiring.ports.clock
        self._inbox: asyncio.Queue[Event] = asyncio.Queue(INBOX_EVENTS_MAX)
        self._reports: asyncio.Queue[Report] = asyncio.Queue()
        self._undurable: deque[Ready] = deque()
        self._reads = Reads()
        self._orders_out = 0
        self._quiet = asyncio.Event()  # no order is out
        self._quiet.set()
        self._last_beat = self._clock.now()
        self._fault_since: float | None = None
        self._told_disarmed: str | None = None
        self._unfinished: Event | None = None  # under way; still there when it made us stumble
        loop = asyncio.get_running_loop()
        self._writer = wiring.open_writer(
            wiring.ports.store,
            lambda report: _hand_over(loop, self._reports, report),
        )
        self._desk = Desk(
            wiring.ports, office, node.cluster, self._object, self._inbox.put, Looks()
        )

    def _object(self, mind: Cluster, action: Action, now: float, seen: ServerSeen | None) -> str:
        """Return why an action must not go out at this very instant."""
        return self._node.unsettled() or self._wiring.objection(mind, action, now, seen)

    async def run(self) -> None:
        """Run every part; the first that ends with an exception cancels all others."""
        self._fold(self._first)
        for event in self._wiring.opening(self._node.cluster):
            self._fold(event)
        if self._office.disarmed is not None:
            self._fold(Armed("store", is_armed=False, cause=self._office.disarmed))
            self._told_disarmed = self._office.disarmed
        self._look_back()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_lease())
            tasks.create_task(self._leave())
            tasks.create_task(self._act(tasks))
            for source in self._wiring.sources:
                tasks.create_task(_observed(source, self._inbox.put))
            # In the body, not beside it. A group that already waits in `__aexit__` when a part
            # fails cancels its own task and never takes that back (CPython 3.11,
            # asyncio/taskgroups.py: uncancel() comes before the wait): after one lost term no
            # timeout around this one would end as it should.
            await self._decide()

    def _look_back(self) -> None:
        """Fold what we stumbled over last time, with effects off: judged, and thrown away.

        What it said is asked for anew in this term; only whether the bug is still there is new.
        """
        event = unfinished(self._wiring.memory)
        if event is None:
            return
        try:
            self._node.judged(event, self._clock.now())
        except AssertionError as bug:
            log.error("bug.still_there", extra={"why": str(bug), "over": type(event).__name__})
        else:
            log.warning("bug.gone", extra={"over": type(event).__name__})
            finished(self._wiring.memory)

    def end_by(self, bugs: BaseExceptionGroup[AssertionError]) -> None:
        """Disarm every controller, and say so in the last row of this term."""
        bug, event = first_of(bugs), self._unfinished
        over = f" over {type(event).__name__}" if event is not None else ""
        what = str(bug).partition("\n")[0] or type(bug).__name__
        cause = f"a bug of ninelives{over}: {what}"
        log.error("bug.disarmed", extra={"cause": cause})
        disarm(self._wiring.memory, self._wiring.ports.store, cause, event)
        try:
            self._fold(Armed("ninelives", is_armed=False, cause=cause))
        except (AssertionError, LeaseLost) as worse:
            # A mind that cannot even do this: the words on disk and in the store are enough.
            log.error("bug.unwritten", extra={"why": str(worse)})

    def close(self) -> bool:
        """End the writer. False: it hangs, and what it holds may yet be written."""
        return self._writer.close(WRITER_END_S)

    # Deciding.

    async def _decide(self) -> None:
        while True:
            for _ in range(TURN_EVENTS_MAX):
                event = await self._next()
                self._feel_gap()
                if event is not None:
                    self._fold(event)
            await asyncio.sleep(0)

    async def _next(self) -> Event | None:
        """Return what happened, or a wake that is due; None after a pulse without either."""
        now = self._clock.now()
        subject = self._node.due(now)
        if subject is not None:
            return Woke(subject)
        if not self._inbox.empty():
            return self._inbox.get_nowait()
        due = self._node.wake_at()
        wait_s = PULSE_S if due is None else min(PULSE_S, due - now)
        try:
            async with asyncio.timeout(wait_s):
                return await self._inbox.get()
        except TimeoutError:
            return None

    def _feel_gap(self) -> None:
        """Fold our own fault, or its end, before anything that we may have missed by it."""
        now = self._clock.now()
        gap_s, self._last_beat = now - self._last_beat, now
        if gap_s > FROZEN_S:
            self._fault_since = now
            self._fold(OwnFault("froze"))
        elif self._fault_since is not None and now - self._fault_since >= self._fresh_s():
            self._fault_since = None
            self._fold(OwnFault("froze", ended=True))

    def _fresh_s(self) -> float:
        return self._wiring.setting.policy.silence_s

    def _fold(self, event: Event) -> None:
        self._unfinished = event
        ready = self._node.offer(event, self._clock.now())
        self._unfinished = None
        self._undurable.append(ready)
        if not self._writer.offer(batch_of(ready, self._clock.wall())):
            raise LeaseLost("decisions do not become durable fast enough", "is the disk slow?")

    # Acting.

    async def _act(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            report = await self._reports.get()
            if not isinstance(report, Committed):
                raise LeaseLost(f"a decision did not become durable: {report}", "see the store")
            self._publish(report.revision)
            committed_at = self._clock.now()
            actions = self._node.committed(report.revision)
            # Who leaves begins nothing: it stands in the outbox, and the next leader asks again.
            for action in () if self._wiring.leave.is_set() else actions:
                tasks.create_task(self._perform(action, committed_at))

    async def _perform(self, action: Action, committed_at: float) -> None:
        if not isinstance(action, READS):
            await self._order(action, committed_at)
            return
        look = partial(perform, self._desk, committed_at=committed_at)
        await self._reads.begin(action, look)

    async def _order(self, action: Action, committed_at: float) -> None:
        self._orders_out += 1
        self._quiet.clear()
        try:
            await perform(self._desk, action, committed_at)
        finally:
            self._orders_out -= 1
            if not self._orders_out:
                self._quiet.set()

    def _publish(self, revision: int) -> None:
        while self._undurable and self._undurable[0].revision <= revision:
            self._wiring.published(self._undurable.popleft())

    # The lease.

    async def _leave(self) -> None:
        """Let go when told to, with the answers to what is out already: none is left unknown."""
        await self._wiring.leave.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_WAIT_S):
                await self._quiet.wait()
        self._office.hand_over("told to leave")

    async def _keep_lease(self) -> None:
        while True:
            await self._tell_if_disarmed()
            tenure = self._office.tenure
            await asyncio.sleep(self._office.renews_in_s())
            await self._office.renew()
            if self._office.tenure is tenure:
                await asyncio.sleep(PULSE_S)  # the store is away: ask again, not all the time
            if not self._office.is_guarded():
                raise GuardLost("the guard let the deadline pass", "restart this controller")

    async def _tell_if_disarmed(self) -> None:
        """Let the core know what the store says, also when another controller wrote it.

        That neither word disarms any more was written by a person: `ninelives arm`.
        """
        cause = self._office.disarmed
        if cause != self._told_disarmed:
            await self._inbox.put(Armed("store", is_armed=cause is None, cause=cause or ""))
        self._told_disarmed = cause


async def _observed(source: Source, tell: Tell) -> None:
    await source(tell)


def _hand_over(
    loop: asyncio.AbstractEventLoop, reports: asyncio.Queue[Report], report: Report
) -> None:
    """Bring a report from the writer's thread to the loop; one that is closed wants no more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(reports.put_nowait, report)
