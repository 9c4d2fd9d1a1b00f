"""The leader's lease: who may act, and until when, by arithmetic on one clock at a time.

    holder      sends ──────────────── may act ──────────────▶│◀─ margin ─▶ ends (the guard kills)
                  │
    store         └─▶ beat
                        │
    challenger          └─▶ has read it ────────── lease + margin, on its own clock ─────────▶ takes

Laws:
  - The holder counts from before it sent the renewal; the challenger from after it read the
    beat. The first instant is never later than the second, whatever the two clocks show.
  - No two clocks are compared, and the store's is not used. `margin_s` pays for clocks that run
    at different speeds, and for the way from the last check to the effect.
  - A renewal without an answer extends nothing, even when it was written.
  - Who hands over writes "nobody" as the very last thing of its term, after all that it began has
    ended; then there is nobody to wait for. If that fails, the lease runs out by itself.
  - The clock goes on while the machine sleeps: CLOCK_BOOTTIME, not CLOCK_MONOTONIC.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from ninelives.engine.ports import LeaseRow, Store

RENEWALS_PER_LEASE = 4  # so that one may go unanswered and nothing happens

Clock: TypeAlias = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Tenure:
    """How long one answered renewal (or take-over) lets its sender act."""

    term: int
    sent_at: float  # before the request was sent
    lease_s: float
    margin_s: float

    def __post_init__(self) -> None:
        assert self.term >= 1
        assert 0 < self.margin_s < self.lease_s / 2

    @property
    def ends_at(self) -> float:
        """When the guard kills us; a challenger waits at least the margin longer."""
        return self.sent_at + self.lease_s

    def may_act(self, now: float) -> bool:
        """May something be begun now? A clock that went back (R0) says no."""
        return self.sent_at <= now < self.ends_at - self.margin_s

    def may_send(self, now: float, committed_at: float, age_max_s: float) -> bool:
        """May what was committed at `committed_at` leave now? Asked directly before each send.

        The renewal must have begun after the commit: an older one proves only that we led
        before the decision was durable, not that we still did afterwards.
        """
        is_fresh = committed_at <= self.sent_at and now - self.sent_at <= age_max_s
        return is_fresh and self.may_act(now)

    def renew_due(self, now: float) -> bool:
        return now >= self.sent_at + self.lease_s / RENEWALS_PER_LEASE


@dataclass(frozen=True, slots=True)
class Hold:
    """The lease as its holder has it: the row last written, and what it allows."""

    row: LeaseRow
    tenure: Tenure


@dataclass(frozen=True, slots=True)
class Watch:
    """What a challenger saw: this very row, unchanged since that instant of its own clock."""

    row: LeaseRow
    since: float


def watched(before: Watch | None, row: LeaseRow, read_at: float) -> Watch:
    """Watch on. Pure. `read_at` is an instant after the answer came, never before the question.

    The beat was sent before it was read, but perhaps after we asked: a count from the question
    could end before the holder's.
    """
    if before is not None and before.row == row:
        return before
    return Watch(row, read_at)


def may_take(watch: Watch, now: float, lease_s: float, margin_s: float) -> bool:
    """May the lease be tried for? Pure. Where nobody holds it there is nobody to wait for."""
    return not watch.row.holder or now - watch.since >= lease_s + margin_s


def taken(
    store: Store, watch: Watch, holder: str, clock: Clock, lease_s: float, margin_s: float
) -> Hold | None:
    """Try to lead. None: too early, or somebody was faster or is alive after all.

    `holder` must be new for every start of a process. Nobody recognises the lease of its former
    life: after a lost answer or a restart it waits like everybody else, and gets a new term.
    """
    sent_at = clock()
    if not may_take(watch, sent_at, lease_s, margin_s):
        return None
    row = store.take(watch.row, holder)
    return row and Hold(row, Tenure(row.term, sent_at, lease_s, margin_s))


def renewed(store: Store, hold: Hold, clock: Clock) -> Hold | None:
    """Renew `hold`. None: it is lost. `StoreUnavailable` leaves `hold` as it was; try again."""
    sent_at = clock()
    if sent_at >= hold.tenure.ends_at:
        # It may still stand in the store, if nobody wants it. But nobody watched over us
        # meanwhile, and what we knew is old: begin again, with a term of its own.
        return None
    row = store.renew(hold.row)
    if row is not None:
        return Hold(row, replace(hold.tenure, sent_at=sent_at))
    return _after_a_lost_reply(store, hold)


def released(store: Store, hold: Hold) -> bool:
    """Let go of `hold`: the last act of a term, with nothing under way any more.

    False: it is lost already, or beat once more than we know (a lost reply). Then, and after
    `StoreUnavailable`, it ends by running out.
    """
    return store.release(hold.row)


def _after_a_lost_reply(store: Store, hold: Hold) -> Hold | None:
    """Only we beat in our term, so another beat of it is ours, written although no reply came."""
    row = store.lease()
    if (row.holder, row.term) != (hold.row.holder, hold.row.term):
        return None
    return replace(hold, row=row)
