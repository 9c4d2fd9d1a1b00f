"""Whom a cluster fenced, and when that counts: recorded looks, played in an order."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.virtual_loop import run

from ninelives.adapters.pacemaker.follow import Known, Ways, follow
from ninelives.adapters.pacemaker.topology import CHANGED, NO_LEVEL, Levels, carrier
from ninelives.adapters.pacemaker.topology import read as levels_in
from ninelives.adapters.pacemaker.view import Unknown, View, read
from ninelives.core.events import Event, PacemakerFenced, PacemakerLost
from ninelives.core.model import HostId, PacemakerFence

SEEN = Path(__file__).with_name("pacemaker_seen")
C1, C2 = HostId("host-1"), HostId("host-2")
ROADS = {
    C1: {"ipmi-c1": "c1/bmc", "chassis-c1": "c1/chassis"},
    C2: {"ipmi-c2": "c2/bmc", "chassis-c2": "c2/chassis"},
}
ALL_ROADS = tuple(road for each in ROADS.values() for road in each.values())
EVERY_S = 1.0
ENOUGH_S = 40.0
Look = View | Unknown


def look(name: str) -> View:
    found = read((SEEN / f"{name}.xml").read_text())
    assert isinstance(found, View)
    return found


HEALTHY, PENDING, FENCED = look("healthy"), look("pending"), look("fenced")
LEVELS = levels_in((SEEN / "cib.xml").read_text())


@dataclass
class Played:
    """A cluster that shows one look after the other, and then the last one for ever."""

    looks: Sequence[Look]
    is_marked: bool = True
    levels_read: Sequence[Mapping[str, Levels] | None] = (LEVELS,)
    asked_at: list[float] = field(default_factory=list[float])

    async def look(self) -> Look:
        self.asked_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.05)
        return self.looks[min(len(self.asked_at), len(self.looks)) - 1]

    async def levels(self) -> Mapping[str, Levels] | None:
        first, *rest = self.levels_read
        self.levels_read = rest or [first]
        return first

    async def is_fenced(self, node: str) -> bool:
        assert node in {"c1", "c2"}
        return self.is_marked


def told(
    played: Played,
    heard_at: float | None = None,
    usable: Sequence[str] = ALL_ROADS,
    every_s: float = EVERY_S,
) -> list[Event]:
    """Follow it for a while; return what the mind was told."""
    events = list[Event]()

    async def tell(event: Event) -> None:
        events.append(event)

    async def followed() -> None:
        loop = asyncio.get_running_loop()
        ways = Ways(loop.time, lambda _: heard_at, lambda _: usable)
        known = Known({"c1": C1, "c2": C2}, ROADS)
        with suppress(TimeoutError):
            async with asyncio.timeout(ENOUGH_S):
                await follow(played, known, ways, every_s, tell)

    run(followed())
    return events


def fences(events: Sequence[Event]) -> list[PacemakerFence]:
    return [event.fence for event in events if isinstance(event, PacemakerFenced)]


def losses(events: Sequence[Event]) -> list[tuple[HostId, bool]]:
    return [(each.host, each.is_lost) for each in events if isinstance(each, PacemakerLost)]


class TestAFencingThatWasWitnessed:
    def test_is_told_once_with_all_that_a_proof_takes(self) -> None:
        events = told(Played([HEALTHY, PENDING, FENCED]))

        assert fences(events) == [
            PacemakerFence(
                key="c1 2026-11-23 04:38:43Z pacemaker-controld.36 ctl1 ctl2",
                succeeded=True,
                action="off",
                device="c1/bmc",
                is_off_on=False,
                by_confirmation=False,
                after_life=True,
            )
        ]
        assert losses(events) == [(C1, True)]

    @pytest.mark.parametrize("looks", [[HEALTHY, FENCED], [PENDING, FENCED]])
    def test_is_witnessed_by_its_life_before_or_by_its_beginning(self, looks: list[Look]) -> None:
        assert [each.after_life for each in fences(told(Played(looks)))] == [True]

    def test_is_looked_for_at_once_when_it_has_begun(self) -> None:
        played = Played([HEALTHY, PENDING, FENCED])

        told(played)

        healthy, pending, fenced, *_ = played.asked_at
        assert pending - healthy > EVERY_S
        assert fenced - pending < EVERY_S / 4

    def test_came_after_a_sign_that_is_older_than_the_look_before_it(self) -> None:
        played = Played([HEALTHY, HEALTHY, FENCED])
        assert [each.after_life for each in fences(told(played, heard_at=0.5))] == [True]

    def test_may_have_come_before_a_sign_that_is_younger_than_that(self) -> None:
        played = Played([HEALTHY, HEALTHY, FENCED])
        assert [each.after_life for each in fences(told(played, heard_at=1.2))] == [False]

    def test_is_no_proof_where_the_cluster_itself_does_not_count_it(self) -> None:
        played = Played([HEALTHY, FENCED], is_marked=False)
        assert [each.after_life for each in fences(told(played))] == [False]


class TestAFencingThatWasNotWitnessed:
    def test_is_old_at_the_first_look(self) -> None:
        assert fences(told(Played([FENCED, FENCED]))) == []

    def test_is_old_also_where_the_first_answers_said_nothing(self) -> None:
        assert fences(told(Played([Unknown("not connected"), FENCED]))) == []

    def test_came_before_life_where_its_target_was_never_seen_up(self) -> None:
        without = replace(HEALTHY, nodes={})
        assert [each.after_life for each in fences(told(Played([without, FENCED])))] == [False]

    def test_turns_up_late_while_its_target_is_up_and_is_none(self) -> None:
        """A controller that has just started learns the history of the others."""
        late = replace(HEALTHY, fences=FENCED.fences)
        assert [each.after_life for each in fences(told(Played([HEALTHY, late])))] == [False]

    def test_is_none_where_a_newer_one_of_its_target_has_failed(self) -> None:
        confirmed = look("confirmed")  # of c2: pending, by a human, failed
        without_word = [each for each in confirmed.fences if each.delegate != "a human"]
        seen = replace(confirmed, fences=tuple(without_word))
        before = replace(HEALTHY, fences=confirmed.fences[3:])

        assert fences(told(Played([before, seen]))) == []


def test_what_turns_up_late_below_a_persons_word_is_not_told_beside_it() -> None:
    """Or an old shot by a device would make a proof of what nobody shot today."""
    confirmed = look("confirmed")
    late = replace(FENCED.fences[0], target="c2")
    human = next(each for each in confirmed.fences if each.delegate == "a human")
    seen = replace(confirmed, fences=(human, late))

    said = fences(told(Played([HEALTHY, seen])))

    assert [each.by_confirmation for each in said] == [True]


def test_a_persons_word_is_told_as_such() -> None:
    confirmed = look("confirmed")
    before = replace(HEALTHY, fences=confirmed.fences[3:])  # c1 had been fenced

    said = fences(told(Played([before, confirmed])))

    assert [(each.by_confirmation, each.device) for each in said] == [(True, "")]


class TestTheDeviceOfAFencing:
    def test_is_a_road_that_is_not_usable_where_one_level_has_no_better(self) -> None:
        """Which level was it? The history does not say: the chassis may have been the one."""
        said = fences(told(Played([HEALTHY, FENCED]), usable=("c1/bmc",)))
        assert [each.device for each in said] == ["c1/chassis"]

    def test_is_nobody_knows_which_without_levels(self) -> None:
        said = fences(told(Played([HEALTHY, FENCED], levels_read=[{}])))
        assert [each.device for each in said] == [NO_LEVEL]

    def test_is_nobody_knows_which_where_the_levels_cannot_be_read(self) -> None:
        said = fences(told(Played([HEALTHY, FENCED], levels_read=[LEVELS, None])))
        assert [each.device for each in said] == [NO_LEVEL]

    def test_is_nobody_knows_which_where_the_levels_were_changed_meanwhile(self) -> None:
        other = {"c1": (("ipmi-c1",),)}
        said = fences(told(Played([HEALTHY, FENCED], levels_read=[other, LEVELS])))
        assert [each.device for each in said] == [CHANGED]

    def test_is_one_of_ours_beside_an_agent_that_switches_nothing(self) -> None:
        levels = (("ipmi-c1", "ninelives"), ("chassis-c1", "ninelives"))
        assert carrier(levels, ROADS[C1], ALL_ROADS) == "c1/bmc"

    def test_is_the_one_that_we_do_not_know(self) -> None:
        levels = (("ipmi-c1",), ("sbd",))
        assert carrier(levels, ROADS[C1], ALL_ROADS) == "sbd"


class TestLevels:
    def test_are_read_in_their_order(self) -> None:
        assert LEVELS == {
            "c1": (("ipmi-c1",), ("chassis-c1",)),
            "c2": (("ipmi-c2",), ("chassis-c2",)),
        }

    @pytest.mark.parametrize(
        "text",
        [
            "",
            '<x><fencing-level target-pattern="c.*" index="1" devices="a"/></x>',
            '<x><fencing-level target="c1" index="one" devices="a"/></x>',
            '<x><fencing-level target="c1" index="1"/></x>',
        ],
    )
    def test_that_cannot_be_told_are_none(self, text: str) -> None:
        assert levels_in(text) is None


class TestWhoIsLost:
    def test_is_told_by_differences_and_taken_back_by_life(self) -> None:
        events = told(Played([HEALTHY, PENDING, PENDING, HEALTHY]))
        assert losses(events) == [(C1, True), (C1, False)]

    def test_is_taken_back_where_the_cluster_says_nothing_any_more(self) -> None:
        events = told(Played([HEALTHY, PENDING, Unknown("no quorum")]))
        assert losses(events) == [(C1, True), (C1, False)]

    def test_stays_lost_while_it_is_tried_again(self) -> None:
        assert losses(told(Played([HEALTHY, PENDING, look("reconnecting")]))) == [(C1, True)]

    def test_is_nobody_who_was_offline_from_the_first(self) -> None:
        assert losses(told(Played([look("reconnecting")]))) == []
