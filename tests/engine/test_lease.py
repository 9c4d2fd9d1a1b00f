"""Two leaders never act at once, whatever clocks, networks and pauses do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ninelives.engine.errors import StoreUnavailable
from ninelives.engine.lease import (
    Hold,
    Tenure,
    Watch,
    may_take,
    released,
    renewed,
    taken,
    watched,
)
from ninelives.engine.ports import LeaseRow
from ninelives.sim.memory_store import Answers, MemoryStore

LEASE_S = 10.0
MARGIN_S = 2.0
TENURE = Tenure(term=3, sent_at=100.0, lease_s=LEASE_S, margin_s=MARGIN_S)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


class SlowStore(MemoryStore):
    """A store whose answers take a while: `on_the_way` runs between the write and the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.on_the_way: Callable[[], None] = lambda: None

    def renew(self, row: LeaseRow) -> LeaseRow | None:
        try:
            return super().renew(row)
        finally:
            self.on_the_way()

    def take(self, seen: LeaseRow, holder: str) -> LeaseRow | None:
        try:
            return super().take(seen, holder)
        finally:
            self.on_the_way()

    def release(self, row: LeaseRow) -> bool:
        try:
            return super().release(row)
        finally:
            self.on_the_way()


def take_at_once(store: MemoryStore, clock: Clock) -> Hold:
    hold = taken(store, Watch(store.lease(), clock()), "a", clock, LEASE_S, MARGIN_S)
    assert hold is not None
    return hold


@pytest.mark.parametrize(
    ("now", "allowed"),
    [(99.9, False), (100.0, True), (107.9, True), (108.0, False), (110.0, False), (1e9, False)],
)
def test_a_holder_acts_until_the_margin(now: float, allowed: bool) -> None:
    assert TENURE.may_act(now) is allowed


@pytest.mark.parametrize(
    ("now", "committed_at", "allowed"),
    [
        (100.5, 99.0, True),
        (101.0, 100.0, True),
        (101.1, 99.0, False),  # the renewal is too old
        (100.5, 100.1, False),  # it began before the commit
        (99.9, 99.0, False),  # the clock went back
    ],
)
def test_a_send_follows_a_fresh_renewal(now: float, committed_at: float, allowed: bool) -> None:
    assert TENURE.may_send(now, committed_at, age_max_s=1.0) is allowed


def test_no_send_in_the_margin_however_fresh() -> None:
    assert not TENURE.may_send(108.5, 100.0, age_max_s=60.0)


def test_renewal_is_due_early() -> None:
    assert not TENURE.renew_due(102.4)
    assert TENURE.renew_due(102.5)


@pytest.mark.parametrize("margin_s", [0.0, 5.0, 10.0])
def test_a_margin_of_nothing_or_of_everything_is_refused(margin_s: float) -> None:
    with pytest.raises(AssertionError):
        Tenure(1, 0.0, LEASE_S, margin_s)


def test_the_lease_counts_from_before_the_renewal_was_sent() -> None:
    store, clock = SlowStore(), Clock()
    hold = take_at_once(store, clock)
    store.on_the_way = lambda: setattr(clock, "now", clock.now + 3.0)
    clock.now = 104.0

    after = renewed(store, hold, clock)

    assert after is not None
    assert clock.now == 107.0
    assert after.tenure.ends_at == 104.0 + LEASE_S


def test_the_lease_counts_from_before_the_take_over_was_sent() -> None:
    store, clock = SlowStore(), Clock()
    store.on_the_way = lambda: setattr(clock, "now", clock.now + 3.0)

    hold = take_at_once(store, clock)

    assert hold.tenure == Tenure(1, 100.0, LEASE_S, MARGIN_S)


def test_a_renewal_without_an_answer_extends_nothing() -> None:
    store, clock = MemoryStore(), Clock()
    hold = take_at_once(store, clock)
    store.answers = Answers.REPLY_LOST
    clock.now = 103.0
    with pytest.raises(StoreUnavailable):
        renewed(store, hold, clock)

    store.answers = Answers.ALWAYS
    clock.now = 104.0
    found = renewed(store, hold, clock)
    assert found is not None
    assert found == Hold(LeaseRow("a", 1, 1), hold.tenure)

    clock.now = 105.0
    again = renewed(store, found, clock)
    assert again is not None
    assert again.tenure.sent_at == 105.0


def test_a_lease_taken_by_another_is_lost() -> None:
    store, clock = MemoryStore(), Clock()
    hold = take_at_once(store, clock)
    store.take(store.lease(), "b")

    assert renewed(store, hold, clock) is None
    assert store.lease() == LeaseRow("b", 2, 0)


def test_a_lease_taken_in_another_life_of_ours_is_lost() -> None:
    store, clock = MemoryStore(), Clock()
    hold = take_at_once(store, clock)
    store.take(store.lease(), "a")

    assert renewed(store, hold, clock) is None


def test_a_lease_that_ran_out_is_not_renewed_though_nobody_took_it() -> None:
    store, clock = MemoryStore(), Clock()
    hold = take_at_once(store, clock)
    clock.now = hold.tenure.ends_at

    assert renewed(store, hold, clock) is None
    assert store.lease() == hold.row


def test_a_challenger_waits_lease_and_margin_from_the_answer() -> None:
    watch = watched(None, LeaseRow("a", 1, 4), read_at=50.0)
    same = watched(watch, LeaseRow("a", 1, 4), read_at=60.0)

    assert not may_take(same, 61.9, LEASE_S, MARGIN_S)
    assert may_take(same, 62.0, LEASE_S, MARGIN_S)


@pytest.mark.parametrize("row", [("a", 1, 5), ("a", 2, 4), ("b", 1, 4)])
def test_any_change_begins_the_wait_again(row: tuple[str, int, int]) -> None:
    watch = watched(None, LeaseRow("a", 1, 4), read_at=50.0)

    assert watched(watch, LeaseRow(*row), read_at=60.0) == Watch(LeaseRow(*row), 60.0)


def test_a_challenger_too_early_does_not_even_ask() -> None:
    store, clock = MemoryStore(), Clock()
    take_at_once(store, clock)
    watch = Watch(store.lease(), clock())
    clock.now += LEASE_S + MARGIN_S - 0.1

    assert taken(store, watch, "b", clock, LEASE_S, MARGIN_S) is None
    assert store.lease() == LeaseRow("a", 1, 0)


def test_a_challenger_that_slept_does_not_take_from_the_living() -> None:
    store, clock = MemoryStore(), Clock()
    hold = take_at_once(store, clock)
    watch = Watch(store.lease(), clock())
    clock.now += 9.0
    assert renewed(store, hold, clock) is not None
    clock.now += 600.0

    assert taken(store, watch, "b", clock, LEASE_S, MARGIN_S) is None


def test_where_nobody_led_nobody_waits() -> None:
    assert may_take(Watch(LeaseRow("", 0, 0), 100.0), 100.0, LEASE_S, MARGIN_S)


def test_where_the_holder_let_go_nobody_waits() -> None:
    store, clock = MemoryStore(), Clock()
    hold = take_at_once(store, clock)

    assert released(store, hold)
    after = taken(store, Watch(store.lease(), clock()), "b", clock, LEASE_S, MARGIN_S)

    assert after is not None
    assert after.row == LeaseRow("b", 2, 0)
    assert renewed(store, hold, clock) is None


def test_a_renewal_of_unknown_outcome_leaves_nothing_to_let_go() -> None:
    """It runs out as ever: whoever saw that beat waits for it."""
    store, clock = MemoryStore(), Clock()
    hold = take_at_once(store, clock)
    store.answers = Answers.REPLY_LOST
    with pytest.raises(StoreUnavailable):
        renewed(store, hold, clock)
    store.answers = Answers.ALWAYS

    assert not released(store, hold)
    assert store.lease().holder == "a"


@dataclass
class Contender:
    """One controller with a clock of its own: another zero, and a little faster or slower."""

    name: str
    clock: Clock
    speed: float
    hold: Hold | None = None
    watch: Watch | None = None
    is_waiting: bool = False

    def lead_or_watch(self, store: SlowStore) -> None:
        self.is_waiting = True
        try:
            if self.hold is not None:
                self.hold = renewed(store, self.hold, self.clock)
            else:
                row = store.lease()
                store.on_the_way()
                self.watch = watched(self.watch, row, self.clock())
                self.hold = taken(store, self.watch, self.name, self.clock, LEASE_S, MARGIN_S)
        except StoreUnavailable:
            return
        finally:
            self.is_waiting = False

    def hand_over(self, store: SlowStore) -> None:
        """Act no more, and then let go."""
        hold, self.hold = self.hold, None
        self.is_waiting = True
        try:
            if hold is not None:
                released(store, hold)
        except StoreUnavailable:
            return
        finally:
            self.is_waiting = False


@dataclass
class Race:
    """True time passes for everybody, also while somebody waits for the store's answer."""

    store: SlowStore = field(default_factory=SlowStore)
    contenders: list[Contender] = field(default_factory=list[Contender])

    def add(self, name: str, zero: float, speed: float) -> None:
        self.contenders.append(Contender(name, Clock(zero), speed))

    def pass_time(self, seconds: float) -> None:
        for contender in self.contenders:
            contender.clock.now += seconds * contender.speed

    def actors(self) -> list[str]:
        return [c.name for c in self.contenders if c.hold and c.hold.tenure.may_act(c.clock())]


Step = tuple[str, float, float, Answers, bool]
# Some waits outlive a lease; others are just shorter, so that the one before may still be acting.
STEPS = st.tuples(
    st.sampled_from("aabbc"),  # who calls the store
    st.sampled_from([0.1, 2.5, 6.2, 9.0, 11.6]),  # how long before
    st.sampled_from([0.0, 0.0, 0.0, 0.5, 14.0]),  # how long the answer takes
    st.sampled_from([*[Answers.ALWAYS] * 4, Answers.REPLY_LOST, Answers.NEVER]),
    st.sampled_from([False] * 5 + [True]),  # whether it hands over
)


def play_next(race: Race, steps: Iterator[Step]) -> None:
    """One call of the store; while its answer is slow the next calls happen."""
    for who, before_s, delay_s, answers, hands_over in steps:
        race.pass_time(before_s)

        def wait(delay_s: float = delay_s) -> None:
            race.pass_time(delay_s / 2)
            if delay_s:
                play_next(race, steps)
            race.pass_time(delay_s / 2)

        race.store.answers = answers
        race.store.on_the_way = wait
        contender = race.contenders["abc".index(who)]
        if not contender.is_waiting:
            (contender.hand_over if hands_over else contender.lead_or_watch)(race.store)
        assert len(race.actors()) <= 1, race
        return


@settings(max_examples=1_500, deadline=None)
@given(st.lists(STEPS, min_size=6, max_size=25))
def test_two_never_act_at_once(steps: list[Step]) -> None:
    race, rest = Race(), iter(steps)
    race.add("a", 0.0, 0.95)
    race.add("b", 1e6, 1.05)
    race.add("c", -50.0, 1.0)

    for _ in steps:
        play_next(race, rest)
