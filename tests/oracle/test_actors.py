"""I9 to I11 and I13: for each law a history that makes it alone fire."""

from dataclasses import replace

from tests.oracle.history import (
    C1,
    C2,
    C3,
    LEADER,
    ROAD,
    S1,
    STANDBY,
    History,
    facts,
    seen,
    story,
)

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import EVERYTHING, Method, RoadId, SegmentId, Sign
from ninelives.sim import happenings as so

# I9.


def test_a_shot_right_after_a_gap_breaks_i9() -> None:
    told = story().fencing().truly(so.ControllerResumed(LEADER, 30.0))

    assert told.shot().laws == {"I9"}


def test_a_shot_within_the_fresh_window_breaks_i9() -> None:
    told = healed(story().fencing().truly(so.ControllerResumed(LEADER, 30.0)))

    assert told.after(3).shot().laws == {"I9"}


def test_a_shot_after_the_fresh_window_keeps_i9() -> None:
    told = healed(story().fencing().truly(so.ControllerResumed(LEADER, 30.0)))

    assert told.after(6).shot().laws == set()


def test_the_fresh_window_is_that_of_the_hosts_own_segment() -> None:
    quick = replace(facts().policy, silence_s=2.0)
    known = replace(facts(), segment_policies={SegmentId("s"): quick})

    told = healed(story(known).fencing().truly(so.ControllerResumed(LEADER, 30.0)))

    assert told.after(1.5).shot().laws == {"I9"}
    again = healed(story(known).fencing().truly(so.ControllerResumed(LEADER, 30.0)))
    assert again.after(2.5).shot().laws == set()


def test_a_gap_that_its_own_clock_does_not_show_is_no_matter_of_i9() -> None:
    assert story().fencing().truly(so.ControllerResumed(LEADER, 0.0)).shot().laws == set()


def test_a_send_with_lost_links_breaks_i9() -> None:
    told = story().evacuating().decided(on.OwnFault("links"))

    assert told.sent().laws == {"I9"}


def test_reads_and_words_are_free_after_a_gap() -> None:
    told = story().fencing().truly(so.ControllerResumed(LEADER, 30.0))

    assert told.acted(do.Tell(C1, "own_fault", 1)).issued(do.ReadPower(C1, 1)).laws == set()


def healed(told: History) -> History:
    return told.decided(on.OwnFault("froze")).decided(on.OwnFault("froze", ended=True))


# I10.


def test_a_term_that_does_not_grow_breaks_i10() -> None:
    assert story().truly(so.TermTaken(STANDBY, 1)).laws == {"I10"}


def test_an_effect_of_an_older_term_breaks_i10() -> None:
    action = do.Disable(C1, 0)
    told = story().decided(outbox=(action,)).truly(so.TermTaken(STANDBY, 2))

    assert told.issued(action).laws == {"I10"}


def test_an_effect_in_anothers_term_breaks_i10() -> None:
    action = do.Disable(C1, 0)

    assert story().decided(outbox=(action,)).issued(action, by=STANDBY).laws == {"I10"}


def test_a_commit_of_an_older_term_breaks_i10() -> None:
    assert story().truly(so.TermTaken(STANDBY, 2)).decided().laws == {"I10"}


def test_a_read_of_an_older_term_harms_nobody() -> None:
    told = story().truly(so.TermTaken(STANDBY, 2))

    assert told.issued(do.ReadPower(C1, 0)).laws == set()


# I11.


def test_an_effect_without_an_intent_breaks_i11() -> None:
    assert story().issued(do.Disable(C1, 0)).laws == {"I11"}


def test_a_send_that_leaves_twice_breaks_i11() -> None:
    told = story().evacuating().sent()

    assert told.issued(do.Evacuate(S1, C1, C2, 1, 1)).laws == {"I11"}


def test_an_absolute_action_may_leave_again() -> None:
    action = do.ForceDown(C1, 1)

    assert story().evacuating().acted(action).issued(action).laws == set()


def test_a_second_outcome_breaks_i11() -> None:
    action = do.Disable(C1, 0)

    assert story().acted(action).replied(action).replied(action).laws == {"I11"}


def test_an_intent_without_an_outcome_breaks_i11_at_the_end() -> None:
    told = story().acted(do.Disable(C1, 0)).after(2000)

    told.finished()

    assert told.laws == {"I11"}


# I13.


def test_an_epoch_that_goes_back_breaks_i13() -> None:
    assert story().suspected().host(C1, at.Healthy(2.0), epoch=0).laws == {"I13"}


def test_an_epoch_for_two_episodes_breaks_i13() -> None:
    told = story().suspected().host(C1, at.Healthy(2.0))

    assert told.host(C1, at.Suspect(3.0, at.Class.HUNG, 3.0)).laws == {"I13"}


def test_a_proof_for_an_episode_that_has_not_begun_breaks_i13() -> None:
    told = story().died().fencing()
    early = replace(told.proof(C1, Method.POWER_OFF, EVERYTHING), epoch=2)

    assert told.host(C1, at.Fenced(told.now), proofs=(early,)).laws == {"I13"}


def test_an_attempt_that_is_used_again_breaks_i13() -> None:
    told = story().evacuating().sent()
    told.replied(do.Evacuate(S1, C1, C2, 1, 1), on.Outcome.NOT_SENT)
    told.decided(on.DomainsSeen(do.LookForDomain(S1, (C2,), 1), ((C2, False),)))

    assert told.sent(target=C3, attempt=1).laws == {"I13"}


def test_a_start_in_another_hosts_episode_has_attempts_of_its_own() -> None:
    action = do.StartServer(S1, C3, 1, 1)
    told = story().evacuating().moving(at.Starting(1.0, C3)).read(C1).acted(action).replied(action)
    told.watched(seen(S1, C3)).died(C2).sighted(C2, Sign.SILENT).suspected(C2).proved(C2)

    told.moving(at.Starting(2.0, C3), host=C2).read(C2).acted(action)

    assert told.laws == set()


def test_roads_have_attempts_of_their_own() -> None:
    first, second = do.PowerOff(C1, ROAD, 1, 1), do.PowerOff(C1, RoadId("pdu"), 1, 1)

    assert story().fencing().acted(first).acted(second).laws == set()
