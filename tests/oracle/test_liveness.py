"""I24, I25, L1 and L2: for each law a history that makes it alone fire."""

from dataclasses import replace

import pytest
from tests.oracle.history import (
    C1,
    C2,
    LEADER,
    S1,
    S2,
    S3,
    History,
    decision_of,
    facts,
    site,
    story,
)

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Control, Decision, Note
from ninelives.core.model import DomainId, HostId, ServerId
from ninelives.sim import happenings as so
from ninelives.sim.oracle import replay_matches

ASKED = do.Tell(C1, "unfenceable", 1)
HELD = at.Held(2.0, "storm", at.Class.DEAD_OR_FROZEN)


# L1.


def test_a_hold_of_which_nobody_is_told_breaks_l1() -> None:
    assert story().suspected().host(C1, HELD).after(11).decided().laws == {"L1"}


def test_a_hold_that_is_told_keeps_l1() -> None:
    told = story().suspected().host(C1, HELD).decided(tells=(do.Tell(C1, "storm", 1),))

    assert told.after(11).decided().laws == set()


def test_a_hold_that_is_told_of_its_whole_rack_keeps_l1() -> None:
    told = story().suspected().host(C1, HELD)
    told.decided(tells=(do.Tell(DomainId("rack:a"), "storm", 0),))

    assert told.after(11).decided().laws == set()


def test_a_hold_of_a_moment_needs_no_word() -> None:
    told = story().suspected().host(C1, HELD).host(C1, at.Healthy(3.0))

    assert told.after(11).decided().laws == set()


def test_where_nobody_leads_nobody_can_tell() -> None:
    told = story().suspected().host(C1, HELD).after(300)
    told.term = 2
    told.truly(so.TermTaken(LEADER, 2)).decided(on.TermBegan(2, LEADER))

    assert told.after(5).decided(tells=(do.Tell(C1, "storm", 1),)).laws == set()


@pytest.mark.parametrize("healed", [True, False])
def test_an_episode_without_an_end_breaks_l1_once_all_is_healed(healed: bool) -> None:
    told = story().fencing().after(2000)

    told.finished(healed=healed)

    assert told.laws == ({"L1"} if healed else set())


@pytest.mark.parametrize(("ago_s", "laws"), [(500, set[str]()), (1500, {"L1"})])
def test_an_outage_that_a_person_ordered_has_its_time_from_the_order(
    ago_s: float, laws: set[str]
) -> None:
    told = story().host(C1, at.Healthy(1.0)).after(2000)
    shot = replace(told.hosts[C1], epoch=1, state=at.Fencing(told.now, at.Class.ORDERED))
    told.decided(on.FenceOrdered("ann", C1, "c1"), hosts=(shot,))

    told.after(ago_s).finished()

    assert told.laws == laws


def test_an_episode_has_its_time_after_the_last_fault() -> None:
    told = story().fencing().after(2000).truly(so.FaultBegan(1, ""), so.FaultEnded(1, ""))

    told.after(500).finished()

    assert told.laws == set()


def test_a_move_without_an_end_breaks_l1() -> None:
    told = story().evacuating()
    for server in ("s1", "s2", "s3"):
        told.moving(at.Skipped(1.0, "locked"), ServerId(server))
    told.host(C1, at.Vacated(told.now)).moving(at.Retry(1.0, "conflict")).after(2000)

    told.finished()

    assert told.laws == {"L1"}


@pytest.mark.parametrize(("after_s", "laws"), [(3000, set[str]()), (3700, {"L1"})])
def test_a_guests_resets_are_counted_for_a_window_and_then_forgotten(
    after_s: float, laws: set[str]
) -> None:
    told = story().host(C1, at.Healthy(1.0))
    told.moving(at.Mending(told.now, is_migration=False, is_well=True)).after(after_s)

    told.finished()

    assert told.laws == laws


def test_a_live_migration_without_an_end_breaks_l1() -> None:
    told = story().host(C1, at.Healthy(1.0))
    told.moving(at.Mending(told.now, is_migration=True)).after(2000)

    told.finished()

    assert told.laws == {"L1"}


def test_a_brake_of_a_person_is_no_fault_of_liveness() -> None:
    told = story().fencing().decided(control=Control(is_armed=False)).after(2000)

    told.finished()

    assert told.laws == set()


def without_power_devices() -> History:
    sites = {name: replace(host, roads=()) for name, host in site().hosts.items()}
    return story(replace(facts(), site=replace(site(), hosts=sites)))


def test_a_fence_that_only_a_person_can_end_has_to_be_told() -> None:
    told = without_power_devices().fencing().after(2000)
    told.finished()

    assert told.laws == {"L1"}


def test_a_fence_that_only_a_person_can_end_waits_for_who_was_told() -> None:
    told = without_power_devices().fencing().decided(tells=(ASKED,)).decided(ended=(ASKED,))
    told.after(2000).finished()

    assert told.laws == set()


def test_a_fence_with_a_road_ends_though_somebody_was_told() -> None:
    told = story().fencing().decided(tells=(ASKED,)).decided(ended=(ASKED,))
    told.after(2000).finished()

    assert told.laws == {"L1"}


# L2.


def flapping(times: int, told: History) -> History:
    for _ in range(times):
        told.after(60).suspected().host(C1, at.Healthy(told.now))
    return told


def test_a_host_that_flaps_unnoticed_breaks_l2() -> None:
    assert flapping(7, story()).laws == set()
    assert flapping(8, story()).laws == {"L2"}


def test_a_host_that_flaps_and_is_told_keeps_l2() -> None:
    told = flapping(6, story()).decided(tells=(do.Tell(C1, "held:flapping", 6),))

    assert flapping(4, told).laws == set()


# I25.


def test_a_server_that_moves_while_its_host_is_only_suspected_breaks_i25() -> None:
    told = story().died().suspected()

    assert told.moving(at.Verifying(1.0, C2)).laws == {"I25"}


def test_a_move_that_another_host_answers_for_overlaps_with_nothing_here() -> None:
    told = story().died().suspected()

    assert told.moving(at.Verifying(1.0, C1), host=C2).laws == set()


def test_an_outage_that_everybody_forgets_breaks_i25() -> None:
    told = story().died().fencing()

    assert told.host(C1, at.Healthy(told.now)).laws == {"I25"}


@pytest.mark.parametrize(("home", "missed"), [(C2, {S2, S3}), (C1, {S1, S2, S3})])
def test_the_end_of_a_copy_that_a_stranger_left_behind_is_no_outage(
    home: HostId, missed: set[ServerId]
) -> None:
    """Somebody evacuated s1 away from a host that lived, as in the swarm's world s4b/28."""
    told = story().truly(so.DomainStarted(S1, C2, is_rebuilt=False, cause="foreign"))
    told.recorded(S1, home).truly(so.DomainStopped(S1, C2)).died().fencing()

    told.host(C1, at.Healthy(told.now))

    assert {broken.about for broken in told.oracle.violations} == missed


def test_the_end_of_a_copy_that_was_shut_out_of_its_storage_is_no_outage() -> None:
    """Its host was frozen while its server moved, and woke up (the swarm's world day10/251)."""
    told = story().truly(so.HostChanged(C1, "frozen", None))
    told.truly(so.DomainStarted(S1, C2, is_rebuilt=False, cause="nova")).recorded(S1, C2)
    told.truly(so.HostChanged(C1, "running", None)).died().fencing()

    told.host(C1, at.Healthy(told.now))

    missed = {broken.about for broken in told.oracle.violations if broken.law == "I25"}
    assert missed == {S2, S3}


def test_a_stale_copy_that_libvirt_starts_hides_no_outage_of_the_server_beside_it() -> None:
    told = story().truly(so.DomainStarted(S1, C2, is_rebuilt=False, cause="autostart"))
    told.died().fencing()

    told.host(C1, at.Healthy(told.now))

    assert {broken.about for broken in told.oracle.violations} == {S1, S2, S3}


def test_a_host_that_wakes_ends_the_outage() -> None:
    told = story().truly(so.HostChanged(C1, "frozen", None)).suspected()

    told.truly(so.HostChanged(C1, "running", None)).host(C1, at.Healthy(told.now))

    assert told.laws == set()
    assert {outage.how for outage in told.oracle.outages.ended} == {"resumed"}


def returned(told: History) -> History:
    """Its guest runs again on the host that died, which is led back and not in service yet."""
    told.evacuating().moving(at.Done(told.now, C1), S1)
    for other in (S2, S3):
        told.moving(at.Skipped(told.now, "locked"), other)
    told.host(C1, at.Vacated(told.now))
    back = at.Returning(told.now, at.Stage.SOAKING, told.now)
    return told.truly(so.HostChanged(C1, "running", None)).host(C1, back)


def test_a_host_that_freezes_again_on_its_way_back_is_at_first_not_noticed() -> None:
    told = returned(story()).truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause="nova"))
    told.truly(so.HostChanged(C1, "frozen", None)).decided(moves={S1: None})

    assert told.host(C1, at.Healthy(told.now)).laws == set()


# I24.


def decide(cluster: Cluster, event: on.Event, now: float) -> Decision:
    """Say how many hosts there are, and when: enough to differ."""
    return decision_of(notes=(Note("all", "looked", f"{len(cluster.hosts)} at {now}"),))


def journal(*notes: str) -> list[so.Decided]:
    event = on.Woke("upkeep")
    decisions = [decision_of(notes=(Note("all", "looked", note),)) for note in notes]
    return [so.Decided(LEADER, 1, n, n, event, it) for n, it in enumerate(decisions)]


def test_a_journal_that_gives_the_same_decisions_keeps_i24() -> None:
    known = journal("0 at 0", "0 at 1")

    assert replay_matches(known, Cluster(site()), decide, lambda last: last) is None


def test_a_journal_that_gives_another_decision_breaks_i24() -> None:
    known = journal("0 at 0", "7 at 1")

    found = replay_matches(known, Cluster(site()), decide, lambda last: last)

    assert found is not None
    assert (found.law, found.what) == ("I24", "revision 1 differs in notes")


def test_a_new_term_starts_from_what_is_restored() -> None:
    began = so.Decided(LEADER, 2, 1, 0.0, on.TermBegan(2, LEADER), decision_of())
    restored = list[Cluster]()

    def restore(last: Cluster) -> Cluster:
        restored.append(last)
        return Cluster(site())

    replay_matches([began], Cluster(site()), decide, restore)

    assert len(restored) == 1


def test_an_outage_that_a_person_signed_off_is_no_gap() -> None:
    told = story().died().fencing()
    told.decided(control=Control(signed_off=(ServerId("s1"), ServerId("s2"), ServerId("s3"))))

    told.host(C1, at.Healthy(told.now))

    assert "I25" not in told.laws
