"""Where Nova has a server, and between which hosts it may move it, is told as it is written."""

from tests.sim.small_world import C1, WEB, Story

from ninelives.sim.happenings import Recorded


def recorded(story: Story) -> list[Recorded]:
    return [it for _, it in story.all(Recorded) if it.server == WEB]


def test_a_live_migration_is_open_between_two_hosts_and_then_it_lives_on_one() -> None:
    told = recorded(Story().run(60, (10, "user live-migrate web")))

    begun, ended = told[0], told[-1]

    assert begun.host == C1
    assert C1 in begun.open_ends
    assert ended.host not in (C1, None)
    assert ended.open_ends == frozenset()
    assert {it.host for it in told} == {C1, ended.host}


def test_a_failover_that_loses_what_was_written_takes_it_back() -> None:
    story = Story().run(60, (10, "user live-migrate web"))
    there = recorded(story)[-1].host

    story.run(120, (61, "nova database failover"))

    assert recorded(story)[-1].open_ends == {C1, there}


def test_nothing_is_told_where_nothing_moves() -> None:
    assert recorded(Story().run(60, (10, "user stop web"))) == []
