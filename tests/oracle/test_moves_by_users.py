"""I14 and I15 where the hands of a user, or a live migration, took a server somewhere."""

import pytest
from tests.oracle.history import C1, C2, NEW, S1, S2, S3, record, seen, story
from tests.oracle.test_moves import emptied, others_settled
from tests.oracle.test_returns import bare

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId
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


@pytest.mark.parametrize("word", ["rebuild", "rescue"])
def test_who_was_stopped_and_runs_by_its_users_last_word_may_be_started(word: str) -> None:
    told = story().evacuating().truly(so.UserActed(S1, "stop")).after(5)
    told.truly(so.UserActed(S1, word)).sent()

    told.replied(do.Evacuate(S1, C1, C2, 1, 1)).watched(seen(S1, C2, record("completed")))
    told.read(C1).acted(do.StartServer(S1, C2, 1, 1))

    assert told.laws == set()


def test_what_a_person_let_lie_at_its_own_host_is_not_forgotten_where_a_copy_was() -> None:
    told = others_settled(story().evacuating()).decided(on.SignedOff("ann", S1))

    assert emptied(told.watched(seen(S1, C2), seen(S2), seen(S3))).laws == set()


def test_what_a_person_signed_off_is_in_the_plan_of_its_own_host() -> None:
    told = others_settled(story().evacuating()).decided(on.SignedOff("ann", S1))

    assert emptied(told.watched(seen(S1), seen(S2), seen(S3))).laws == {"I14"}


@pytest.mark.parametrize(
    ("asks_late", "named", "laws"),
    [(False, C2, set[str]()), (False, C1, {"I14"}), (True, C2, {"I14"})],
    ids=["it had left", "it is at home", "asked after its boot"],
)
def test_a_start_that_waited_where_its_server_lives_no_more_is_no_move(
    asks_late: bool, named: HostId, laws: set[str]
) -> None:
    told = bare().died()
    if not asks_late:
        told.truly(so.UserActed(S1, "start"))
    told.truly(so.DomainStarted(S1, C2, is_rebuilt=False), so.DomainStopped(S1, C2))
    told.watched(seen(S1, named), host=C1).after(5).truly(so.HostChanged(C1, "booting", None))
    told.after(60).truly(so.HostChanged(C1, "running", NEW)).after(1)
    if asks_late:
        told.truly(so.UserActed(S1, "start"))
    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False), so.DomainStopped(S1, C1))

    told = emptied(others_settled(told.evacuating()))

    assert told.laws & {"I14"} == laws
