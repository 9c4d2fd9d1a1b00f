"""I14 to I19 but I16: for each law a history that makes it alone fire."""

from dataclasses import replace

import pytest
from tests.oracle.history import (
    C1,
    C2,
    C3,
    CEPH,
    OLD,
    S1,
    S2,
    S3,
    History,
    facts,
    record,
    seen,
    story,
)

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import Candidate, HostId, Method, ServerSeen, VmState
from ninelives.core.policy import BALANCED, Policy
from ninelives.core.protection import Promise
from ninelives.sim import happenings as so
from ninelives.sim.oracle import ServerFacts

FIRST = do.Evacuate(S1, C1, C2, 1, 1)
SKIPPED = at.Skipped(1.0, "locked")


def others_settled(told: History) -> History:
    return told.moving(SKIPPED, S2).moving(SKIPPED, S3)


def emptied(told: History) -> History:
    return told.host(C1, at.Vacated(told.now))


# I14.


def test_a_server_in_no_plan_breaks_i14() -> None:
    assert emptied(others_settled(story().evacuating())).laws == {"I14"}


def test_a_server_in_mid_move_breaks_i14() -> None:
    told = others_settled(story().evacuating()).moving(at.Verifying(1.0, C2))

    assert emptied(told).laws == {"I14"}


@pytest.mark.parametrize("state", [at.WaitingForHost(1.0, "no target"), SKIPPED])
def test_a_server_with_an_outcome_is_not_forgotten(state: at.MoveState) -> None:
    assert emptied(others_settled(story().evacuating()).moving(state)).laws == set()


def lived_on_c2() -> History:
    return others_settled(story(facts(s1=ServerFacts(C2, (CEPH,)))))


def died_with_a_copy_of_s1(told: History, cause: str = "nova") -> History:
    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause=cause), so.DomainStopped(S1, C1))
    return emptied(others_settled(told.evacuating()))


@pytest.mark.parametrize("cause", ["autostart", "nova", "user"])
def test_a_copy_that_came_up_past_nova_s_records_moves_nobody(cause: str) -> None:
    assert died_with_a_copy_of_s1(lived_on_c2(), cause).laws & {"I14"} == set()


def test_who_came_to_a_host_is_not_forgotten_there() -> None:
    told = lived_on_c2().recorded(S1, C1)

    assert died_with_a_copy_of_s1(told).laws & {"I14"} == {"I14"}


def test_who_nova_has_on_a_host_is_not_forgotten_there_wherever_a_copy_came_up() -> None:
    told = others_settled(story()).truly(so.DomainStarted(S1, C2, is_rebuilt=False))

    assert "I14" in emptied(told.evacuating()).laws


@pytest.mark.parametrize(
    ("open_ends", "laws"),
    [((), set[str]()), ((C2, C3), set[str]()), ((C2, C1), {"I14"})],
    ids=["final", "open elsewhere", "open"],
)
def test_whose_copy_came_over_is_on_the_list_while_nova_s_record_of_it_is_open(
    open_ends: tuple[HostId, ...], laws: set[str]
) -> None:
    told = lived_on_c2().recorded(S1, C2, *open_ends)

    assert died_with_a_copy_of_s1(told).laws & {"I14"} == laws


def test_a_deleted_server_needs_no_outcome() -> None:
    told = others_settled(story().evacuating()).truly(so.UserActed(S1, "delete"))

    assert emptied(told).laws == set()


def test_a_server_that_was_shelved_away_needs_no_outcome() -> None:
    told = others_settled(story().evacuating())
    told.truly(so.UserActed(S1, "shelve"), so.DomainStopped(S1, C1))

    assert emptied(told).laws == set()


def test_a_server_that_still_runs_while_it_is_shelved_is_not_forgotten() -> None:
    told = others_settled(story().evacuating())
    told.truly(so.UserActed(S1, "shelve"), so.DomainStarted(S1, C1, is_rebuilt=False))

    assert "I14" in emptied(told).laws


def test_a_failure_of_which_nobody_is_told_breaks_i14() -> None:
    told = story().evacuating().moving(at.Failed(1.0, "attempts"))

    assert told.after(11).decided().laws == {"I14"}


def test_a_failure_that_is_told_keeps_i14() -> None:
    told = story().evacuating().moving(at.Failed(1.0, "attempts"))

    assert told.decided(tells=(do.Tell(S1, "failed", 1),)).after(11).decided().laws == set()


def test_a_server_that_is_left_for_no_reason_breaks_i14() -> None:
    assert story().evacuating().moving(at.Skipped(1.0, "")).laws == {"I14"}


def test_a_record_dropped_before_its_end_breaks_i14() -> None:
    told = story().evacuating().moving(at.WaitingForHost(1.0, "no target"))

    assert told.decided(moves={S1: None}).laws == {"I14"}


def test_a_record_that_a_person_signed_off_may_go() -> None:
    told = story().evacuating().moving(at.WaitingForHost(1.0, "no target"))

    assert told.decided(on.SignedOff("ann", S1), moves={S1: None}).laws == set()


def test_a_failure_that_is_told_of_its_host_keeps_i14() -> None:
    told = story().evacuating().moving(at.Failed(1.0, "attempts"))

    told.decided(tells=(do.Tell(C1, "server_failed:s1", 1),))

    assert told.after(11).decided().laws == set()


# I15.


@pytest.mark.parametrize("word", ["delete", "shelve"])
def test_a_move_after_its_user_took_it_away_breaks_i15(word: str) -> None:
    told = story().evacuating().truly(so.UserActed(S1, word)).after(5)

    assert told.sent().laws == {"I15"}


def test_a_stopped_server_is_moved_but_not_started() -> None:
    told = story().evacuating().truly(so.UserActed(S1, "stop")).after(5).sent()
    assert told.laws == set()

    told.replied(FIRST).watched(seen(S1, C2, record("completed")))
    told.read(C1).acted(do.StartServer(S1, C2, 1, 1))

    assert told.laws == {"I15"}


def test_who_was_stopped_before_the_story_began_is_not_started() -> None:
    stopped = ServerFacts(C1, (CEPH,), is_running=False, is_wanted=False, word="stop")
    told = story(facts(s1=stopped)).evacuating().sent()
    told.replied(FIRST).watched(seen(S1, C2, record("completed")))

    assert told.read(C1).acted(do.StartServer(S1, C2, 1, 1)).laws == {"I15"}


def test_a_start_in_the_second_in_which_its_user_acts_is_nobodys_fault() -> None:
    told = story().evacuating().truly(so.UserActed(S1, "delete")).after(0.5)

    assert told.sent().laws == set()


def test_a_server_called_done_that_runs_against_its_will_breaks_i15() -> None:
    told = story().evacuating().sent().truly(so.UserActed(S1, "stop")).after(5)

    assert told.arrived().laws == {"I15"}


@pytest.mark.parametrize(("is_over", "laws"), [(False, set[str]()), (True, {"I15"})])
def test_a_copy_that_its_user_paused_where_it_came_to_rests(is_over: bool, laws: set[str]) -> None:
    """World 1469 of seed day6: paused between our start and the look that called it done."""
    told = story().evacuating().sent()
    told.truly(so.DomainStarted(S1, C2, is_rebuilt=False), so.UserActed(S1, "pause"))
    told.truly(so.DomainPaused(S1, C2)).after(5)
    if is_over:
        told.truly(so.DomainPaused(S1, C2, is_over=True))

    assert told.moving(at.Done(told.now, C2)).laws == laws


def test_a_copy_that_a_person_falsely_called_dead_is_nobodys_resurrection() -> None:
    told = story().truly(so.HostChanged(C1, "hung", OLD)).fencing().proved(C1, Method.HUMAN)
    told.host(C1, at.Evacuating(told.now)).sent().truly(so.UserActed(S1, "stop")).after(5)
    told.replied(FIRST).watched(seen(S1, C2, record("completed")))

    told.moving(at.Done(told.now, C2))

    assert "I15" not in told.laws
    assert told.oracle.picture.excused["I15 false human proof"] == 1


def test_a_state_that_is_reset_without_a_word_of_its_class_breaks_i15() -> None:
    reset = do.ResetState(S1, C1, 1, 1)

    assert story().evacuating().moving(at.Planned(1.0)).read(C1).acted(reset).laws == {"I15"}


def test_a_class_that_asks_for_it_has_its_state_reset() -> None:
    told = story().evacuating().moving(at.Planned(1.0), promise=Promise(resets_state=True))

    assert told.read(C1).acted(do.ResetState(S1, C1, 1, 1)).laws == set()


def test_an_evacuation_before_the_reset_was_seen_to_end_breaks_i16() -> None:
    told = story().evacuating().moving(at.Planned(1.0), promise=Promise(resets_state=True))
    told = told.read(C1).acted(do.ResetState(S1, C1, 1, 1)).watched(seen())

    assert told.sent(attempt=2).laws == {"I16"}


def test_a_reset_seen_before_its_answer_has_ended_all_the_same() -> None:
    reset, in_error = do.ResetState(S1, C1, 1, 1), replace(seen(), vm_state=VmState.ERROR)
    told = story().evacuating().moving(at.Planned(1.0), promise=Promise(resets_state=True))
    told.read(C1).acted(reset).watched(in_error).replied(reset)

    assert told.sent(attempt=2).laws == set()


# I17.


def test_a_lower_tier_before_a_higher_breaks_i17() -> None:
    told = story().evacuating().moving(at.Planned(1.0), S1, promise=Promise(tier=10))
    told.moving(at.Planned(1.0), S2)

    assert told.moving(at.Choosing(2.0), S2).laws == {"I17"}


def test_a_higher_tier_that_waits_for_something_else_holds_nobody() -> None:
    told = story().evacuating()
    told.moving(at.Planned(1.0, wanting="record_open"), S1, promise=Promise(tier=10))
    told.moving(at.Planned(1.0), S2)

    assert told.moving(at.Choosing(2.0), S2).laws == set()


def test_a_place_that_a_higher_tier_waits_for_is_not_taken() -> None:
    told = story().evacuating()
    told.moving(at.Planned(2.0, wanting="room"), S1, promise=Promise(tier=10))
    told.moving(at.Planned(1.0), S2)

    assert told.moving(at.Choosing(2.0), S2).laws == {"I17"}


def test_a_server_before_the_one_on_which_it_depends_breaks_i17() -> None:
    database, shop = grouped(0), grouped(1)
    told = story().evacuating().moving(at.Verifying(1.0, C2), S1, seen=database)
    told.moving(at.Planned(1.0), S2, seen=shop)

    assert told.moving(at.Choosing(2.0), S2, seen=shop).laws == {"I17"}


def grouped(order: int) -> ServerSeen:
    return replace(seen(S1 if order == 0 else S2), group="shop", order=order)


# I18.


def test_a_target_that_nobody_allowed_breaks_i18() -> None:
    assert story().evacuating().read(C1).acted(FIRST).laws == {"I18"}


def test_a_target_that_is_not_well_breaks_i18() -> None:
    assert story().evacuating().suspected(C2).sent().laws == {"I18"}


def test_a_target_that_is_disabled_breaks_i18() -> None:
    nova = on.NovaSeen(C2, True, True, forced_down=False, disabled=True, is_ours=False)

    assert story().evacuating().decided(nova).sent().laws == {"I18"}


def test_two_that_are_to_be_kept_apart_break_i18() -> None:
    apart = {"s1": C1, "s2": C2}
    known = {name: ServerFacts(home, (CEPH,), keeps_apart="web") for name, home in apart.items()}

    assert story(facts(**known)).evacuating().sent().laws == {"I18"}


def test_a_pet_sent_where_its_disk_is_not_seen_breaks_i18() -> None:
    asked, blind = do.AskTargets(S1, 1), Candidate(C2, 5, sees_disk=False)
    told = story().evacuating().decided(on.TargetsSeen(asked, (blind,))).read(C1)
    told.moving(at.Planned(1.0), seen=replace(seen(), is_image_backed=True))

    assert told.acted(FIRST).laws == {"I18"}


def test_a_pet_built_anew_breaks_i18() -> None:
    told = story().evacuating().truly(so.DomainStarted(S1, C2, is_rebuilt=True))

    assert told.laws == {"I18"}


def test_cattle_may_be_built_anew() -> None:
    told = story(facts(s1=ServerFacts(C1, (CEPH,), is_pet=False))).evacuating()

    assert told.truly(so.DomainStarted(S1, C2, is_rebuilt=True)).laws == set()


# I19.


@pytest.mark.parametrize(
    "policy",
    [
        replace(BALANCED, target_moves_max=2),
        replace(BALANCED, backend_moves_max=2),
        replace(BALANCED, project_moves_max=2),
        replace(BALANCED, moves_max=2),
    ],
)
def test_one_move_above_a_limit_breaks_i19(policy: Policy) -> None:
    told = story(policy=policy).evacuating()

    assert told.sent(S1).sent(S2).laws == set()
    assert told.sent(S3).laws == {"I19"}


def test_a_move_that_ended_frees_its_place() -> None:
    told = story(policy=replace(BALANCED, moves_max=1)).evacuating().sent().arrived()

    assert told.sent(S2, HostId("c3")).laws == set()
