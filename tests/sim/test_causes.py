"""On whose behalf Nova starts something is known to the world, whether or not its API answers."""

from tests.sim.small_world import C1, WEB, Story

from ninelives.sim.happenings import DomainStarted


def test_what_another_rescuer_began_is_its_own_also_while_the_api_is_away() -> None:
    story = Story().run(60, (10, "power c1 off"), (12, "rescuer c1"), (12.5, "nova api down"))

    starts = [it for _, it in story.all(DomainStarted) if it.server == WEB and it.host != C1]
    assert [start.cause for start in starts] == ["foreign"]


def test_a_rebuild_is_of_who_asked_for_it_whatever_its_user_does_meanwhile() -> None:
    story = Story().run(60, (10, "power c1 off"), (12, "rescuer c1"), (12.2, "user lock web"))

    starts = [it for _, it in story.all(DomainStarted) if it.server == WEB and it.host != C1]
    assert [start.cause for start in starts] == ["foreign"]
