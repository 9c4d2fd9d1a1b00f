"""Leases of hosts while their leader stands still: nothing of theirs may depend on luck."""

from tests.sim.small_world import C1, Story

from ninelives.core import events as on
from ninelives.core.model import HostId, WitnessId

N1 = WitnessId("n1")


def renewals_told(story: Story, host: HostId) -> list[float]:
    return [at for at, e in story.events("n1") if isinstance(e, on.Renewed) and e.host == host]


def test_a_leader_that_stood_still_for_a_moment_renews_every_lease_again() -> None:
    story = Story(watchdog=True).run(30, (20, "controller n1 vmpause 1.5"))

    assert story.world.controllers[N1].renews
    assert set(story.world.controllers[N1].renewing) == set(story.world.hosts)


def test_a_store_that_was_away_for_a_moment_ends_no_lease_of_a_host() -> None:
    story = Story(watchdog=True).run(30, (20, "store down"), (21, "store up"))

    assert story.world.controllers[N1].renews
    assert set(story.world.controllers[N1].renewing) == set(story.world.hosts)


def test_who_fell_while_the_leader_stood_still_renewed_until_then_for_all_it_knows() -> None:
    story = Story(watchdog=True).run(30, (20, "controller n1 vmpause 4"), (22, "net c1 all down"))

    assert [at for at in renewals_told(story, C1) if at >= 24]
