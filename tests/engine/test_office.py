"""A send leaves only after a renewal that began after its commit, is fresh, and is watched over."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

import pytest
from tests import virtual_loop
from tests.engine.stand_ins import QuietGuard

from ninelives.engine.errors import HandedOver, LeaseLost
from ninelives.engine.high_water import HighWater
from ninelives.engine.lease import Hold, Watch, taken
from ninelives.engine.office import SEND_AGE_MAX_S, Office
from ninelives.engine.ports import Batch, Entry, LeaseRow, StoreIdentity
from ninelives.sim.memory_store import Answers, MemoryStore

BEGAN, LEASE_S, MARGIN_S = 1000.0, 15.0, 3.0


@dataclass
class Hands:
    """A clock that is moved by hand."""

    at: float = BEGAN

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return 0.0


class SlowStore(MemoryStore):
    """A store whose renewals take their time."""

    def __init__(self, hands: Hands) -> None:
        super().__init__()
        self.hands, self.takes_s = hands, 0.0

    def renew(self, row: LeaseRow) -> LeaseRow | None:
        self.hands.at += self.takes_s
        return super().renew(row)


@dataclass
class Desk:
    hands: Hands = field(default_factory=Hands)
    guard: QuietGuard = field(default_factory=QuietGuard)

    def __post_init__(self) -> None:
        self.store = SlowStore(self.hands)
        self.office = Office(self.store, self.hands, self.guard, self.hold())

    def hold(self) -> Hold:
        watch = Watch(self.store.lease(), self.hands.at)
        hold = taken(self.store, watch, "me", self.hands.now, LEASE_S, MARGIN_S)
        assert hold is not None
        return hold

    def may_send(self, committed_at: float) -> str:
        return run(self.office.may_send(committed_at))


def run(main: Coroutine[object, object, str]) -> str:
    return virtual_loop.run(main)


def test_a_renewal_from_before_the_commit_proves_nothing() -> None:
    desk = Desk()
    desk.hands.at += 0.5

    assert desk.may_send(committed_at=desk.hands.at) == ""
    assert desk.store.lease().beat == 1
    assert desk.office.tenure.sent_at == BEGAN + 0.5


def test_a_fresh_renewal_from_after_the_commit_is_enough_for_many() -> None:
    desk = Desk()
    desk.hands.at += 0.5

    async def many() -> str:
        said = [asyncio.get_running_loop().create_task(desk.office.may_send(BEGAN + 0.4))]
        said += [asyncio.get_running_loop().create_task(desk.office.may_send(BEGAN + 0.5))]
        return "".join([await each for each in said])

    assert run(many()) == ""
    assert desk.store.lease().beat == 1


def test_a_renewal_grows_too_old() -> None:
    desk = Desk()
    desk.hands.at += SEND_AGE_MAX_S + 0.1

    assert desk.may_send(committed_at=BEGAN) == ""
    assert desk.store.lease().beat == 1


def test_one_whose_answer_took_too_long_does_not_count() -> None:
    desk = Desk()
    desk.store.takes_s = SEND_AGE_MAX_S + 0.1

    assert desk.may_send(committed_at=BEGAN + 0.1) == "lease"


@pytest.mark.parametrize("answers", [Answers.NEVER, Answers.REPLY_LOST])
def test_without_an_answer_nothing_goes_out(answers: Answers) -> None:
    desk = Desk()
    desk.hands.at += 2.0
    desk.store.answers = answers

    assert desk.may_send(committed_at=BEGAN + 1.0) == "lease"
    assert desk.office.tenure.sent_at == BEGAN

    desk.store.answers = Answers.ALWAYS
    assert desk.may_send(committed_at=BEGAN + 1.0) in ("", "lease")
    assert desk.may_send(committed_at=BEGAN + 1.0) == ""


def test_a_store_away_for_too_long_ends_the_term() -> None:
    desk = Desk()
    desk.store.answers = Answers.NEVER
    desk.hands.at += LEASE_S - MARGIN_S

    with pytest.raises(LeaseLost, match="could not be renewed"):
        desk.may_send(committed_at=BEGAN)


def test_another_leader_ends_the_term() -> None:
    desk = Desk()
    assert desk.store.take(desk.store.lease(), "other")
    desk.hands.at += 2.0

    with pytest.raises(LeaseLost, match="another controller leads"):
        desk.may_send(committed_at=BEGAN)


def test_nothing_goes_out_that_the_guard_does_not_watch() -> None:
    desk = Desk()
    desk.guard.until = None
    desk.guard.hears = False

    assert desk.may_send(committed_at=BEGAN) == "guard"
    desk.guard.until = BEGAN - 1.0
    assert desk.may_send(committed_at=BEGAN) == "guard"


def test_who_hands_over_begins_nothing_more_and_lets_go_at_the_very_end() -> None:
    desk = Desk()

    with pytest.raises(HandedOver, match="vantage"):
        desk.office.hand_over("vantage")

    assert desk.office.is_over()
    assert desk.may_send(committed_at=BEGAN) == "lease"
    assert desk.store.lease().holder == "me"
    desk.office.release()
    assert desk.store.lease().holder == ""


def test_what_was_sent_is_remembered_outside_the_store_before_it_is_sent() -> None:
    desk = Desk()
    seen = list[StoreIdentity]()

    def recall() -> HighWater:
        seen.append(desk.store.identity())
        return HighWater(*desk.store.identity(), disarmed="store_behind")

    row = desk.store.lease()
    hold = Hold(row, desk.office.tenure)
    office = Office(desk.store, desk.hands, desk.guard, hold, recall)
    entry = Entry(1, row.term, 0.0, 0.0, b"", b"")
    desk.hands.at += 0.5
    desk.store.commit(Batch(row.term, 0, (entry,)))

    assert run(office.may_send(desk.hands.at)) == ""

    assert [identity.revision for identity in seen] == [1]
    assert office.disarmed == "store_behind"


def test_a_store_that_is_away_keeps_nobody_from_ending_his_term() -> None:
    desk = Desk()
    desk.store.answers = Answers.NEVER

    desk.office.release()

    desk.store.answers = Answers.ALWAYS
    assert desk.store.lease().holder == "me"


def test_each_renewal_feeds_the_guard_and_hears_of_a_disarm() -> None:
    desk = Desk()
    assert desk.guard.until == BEGAN + LEASE_S
    desk.store.set_disarmed("drill")
    desk.hands.at += 2.0

    assert desk.may_send(committed_at=BEGAN) == ""

    assert desk.guard.until == BEGAN + 2.0 + LEASE_S
    assert desk.office.disarmed == "drill"
