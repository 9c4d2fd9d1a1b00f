"""What users do at Nova's API is known for what it came to, whether or not it answered them."""

import pytest
from tests.sim.small_world import WEB, Story

from ninelives.sim.happenings import DomainPaused, UserActed


def acted(story: Story) -> list[tuple[float, str]]:
    return [(round(at), it.action) for at, it in story.all(UserActed) if it.server == WEB]


@pytest.mark.parametrize("fault", ["api lost", "api timeout"])
def test_an_answer_that_is_lost_undoes_nothing(fault: str) -> None:
    story = Story().run(30, (10, f"nova {fault}"), (12, "user stop web"))

    assert acted(story) == [(12, "stop")]


def test_a_request_out_of_the_backlog_is_an_act_when_it_is_taken() -> None:
    story = Story().run(11, (10, "nova api backlog"), (10.2, "user stop web"))
    assert acted(story) == []

    late_s = story.world.nova.backlog_s
    story.run(20 + late_s, (12, "nova api up"))

    assert acted(story) == [(round(10.2 + late_s), "stop")]


def test_what_is_refused_is_none() -> None:
    story = Story().run(200, (10, "nova posts errors"), (12, "user stop web"))

    assert acted(story) == []


def test_what_comes_after_a_delete_in_the_same_instant_is_none() -> None:
    story = Story().run(30, (12, "user delete web"), (12, "user start web"))

    assert acted(story) == [(12, "delete")]


def test_a_paused_guest_stands_still_also_where_it_is_migrated_to() -> None:
    story = Story().run(60, (10, "user pause web"), (15, "user live-migrate web"))
    stood = [it.host for _, it in story.all(DomainPaused) if it.server == WEB and not it.is_over]
    assert len(set(stood)) == 2

    story.run(80, (70, "user unpause web"))
    assert [it.host for _, it in story.all(DomainPaused) if it.is_over] == stood[1:]
