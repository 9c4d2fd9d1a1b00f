"""I14 and I15 where the hands of a user, or a live migration, took a server somewhere."""

import pytest
from tests.oracle.history import C1, C2, S1, record, seen, story
from tests.oracle.test_moves import emptied, others_settled

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId
from ninelives.sim import happenings as so


def test_who_left_by_a_resize_of_its_user_is_not_forgotten() -> None:
    told = others_settled(story().evacuating()).recorded(S1, C2, C1, C2)
    told.truly(so.DomainStarted(S1, C2, is_rebuilt=False))

    assert emptied(told).laws & {"I14"} == set()


def test_who_is_back_on_its_host_after_a_resize_is_not_forgotten_there() -> None:
    told = others_settled(story().evacuating()).recorded(S1, C2).recorded(S1, C1)

    assert emptied(told).laws == {"I14"}


def test_a_guest_that_was_moved_alive_was_started_by_nobody() -> None:
    told = story().moving(at.Mending(1.0, is_migration=True))
    told.truly(so.UserActed(S1, "pause")).after(5)

    assert told.moving(at.Done(told.now, C2)).laws == set()


@pytest.mark.parametrize("word", ["rebuild", "rescue"])
def test_who_was_stopped_and_runs_by_its_users_last_word_may_be_started(word: str) -> None:
    told = story().evacuating().truly(so.UserActed(S1, "stop")).after(5)
    told.truly(so.UserActed(S1, word)).sent()

    told.replied(do.Evacuate(S1, C1, C2, 1, 1)).watched(seen(S1, C2, record("completed")))
    told.read(C1).acted(do.StartServer(S1, C2, 1, 1))

    assert told.laws == set()


@pytest.mark.parametrize(("home", "laws"), [(C2, set[str]()), (C1, {"I14"})])
def test_what_a_person_signed_off_is_in_the_plan_of_its_own_host_alone(
    home: HostId, laws: set[str]
) -> None:
    told = others_settled(story().evacuating()).decided(on.SignedOff("ann", S1))

    assert emptied(told.recorded(S1, home)).laws == laws
