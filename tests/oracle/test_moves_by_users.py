"""I14 and I15 where the hands of a user, or a live migration, took a server somewhere."""

from tests.oracle.history import C1, C2, S1, story
from tests.oracle.test_moves import emptied, others_settled

from ninelives.core import states as at
from ninelives.sim import happenings as so


def test_who_left_by_a_resize_of_its_user_is_not_forgotten() -> None:
    told = others_settled(story().evacuating()).truly(so.UserActed(S1, "resize"))

    assert emptied(told).laws == set()


def test_who_runs_again_on_its_host_after_a_resize_is_not_forgotten_there() -> None:
    told = others_settled(story().evacuating()).truly(so.UserActed(S1, "resize"))
    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause="nova"))

    assert "I14" in emptied(told).laws


def test_a_guest_that_was_moved_alive_was_started_by_nobody() -> None:
    told = story().moving(at.Mending(1.0, is_migration=True))
    told.truly(so.UserActed(S1, "pause")).after(5)

    assert told.moving(at.Done(told.now, C2)).laws == set()
