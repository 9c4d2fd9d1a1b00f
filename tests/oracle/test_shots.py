"""I5 to I8, I12 and I23: for each law a history that makes it alone fire."""

from dataclasses import replace

import pytest
from tests.oracle.history import (
    C1,
    C2,
    C3,
    C4,
    CEPH,
    LEADER,
    OLD,
    ROAD,
    STANDBY,
    History,
    story,
)

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Control, Maintenance
from ninelives.core.model import (
    DomainId,
    HostId,
    Method,
    Mode,
    Plane,
    ServerId,
    Service,
    Sign,
    WitnessId,
)
from ninelives.core.policy import BALANCED
from ninelives.sim import happenings as so


def alive(told: History) -> History:
    """Its agent is heard on one plane, and its guests do I/O."""
    told.decided(on.AgentSaid(C1, OLD))
    change = on.Change(C1, Plane.STORAGE, Sign.STRONG, OLD)
    return told.decided(on.Sighted(WitnessId("c2"), (change,)))


def test_a_shot_with_a_class_and_witnesses_keeps_the_law() -> None:
    assert story().fencing().shot().laws == set()


@pytest.mark.parametrize(
    "cls", [at.Class.MANAGEMENT_ONLY, at.Class.AGENT_ONLY, at.Class.UNKNOWN, at.Class.BACKEND]
)
def test_a_shot_without_a_class_that_fences_breaks_i5(cls: at.Class) -> None:
    assert story().fencing(cls=cls).shot().laws == {"I5"}


def test_a_policy_may_forbid_a_class() -> None:
    told = story(policy=replace(BALANCED, isolated_fences=False))

    assert told.fencing(cls=at.Class.ISOLATED).shot().laws == {"I5"}


def test_a_shot_for_another_episode_breaks_i5() -> None:
    assert story().fencing().acted(do.PowerOff(C1, ROAD, 7, 1)).laws == {"I5"}


def test_a_shot_at_a_host_that_lives_breaks_i6() -> None:
    assert alive(story().fencing()).shot().laws == {"I6"}


@pytest.mark.parametrize(("for_s", "laws"), [(20.0, set[str]()), (40.0, {"I6"})])
def test_a_shot_at_a_host_that_was_truly_well_for_long_breaks_i6(
    for_s: float, laws: set[str]
) -> None:
    """Every witness may have misled the leader: it is shot all the same, and innocent."""
    told = story().truly(so.WellChanged(C1, is_well=True)).after(for_s)

    assert told.fencing().shot().laws == laws


def test_who_was_not_well_a_moment_ago_may_be_shot() -> None:
    told = story().truly(so.WellChanged(C1, is_well=True)).after(40.0)

    assert told.truly(so.WellChanged(C1, is_well=False)).fencing().shot().laws == set()


def test_a_host_without_storage_is_shot_though_it_lives() -> None:
    assert alive(story().fencing(cls=at.Class.STORAGE_LOST)).shot().laws == set()


def test_a_person_may_have_a_living_host_shot() -> None:
    told = story().decided(on.FenceOrdered("ann", C1, "c1"))

    assert alive(told.fencing(cls=at.Class.ORDERED)).shot().laws == set()


@pytest.mark.parametrize(("ordered", "laws"), [(C1, set[str]()), (C2, {"I5"})])
def test_a_person_may_have_it_shot_anew_where_no_state_names_a_class(
    ordered: HostId, laws: set[str]
) -> None:
    told = story().suspected(cls=at.Class.MANAGEMENT_ONLY).host(C1, at.Fenced(0.0))
    again = replace(told.hosts[C1], zombie_risk="it lives")

    told.decided(on.FenceOrdered("ann", ordered, ordered), hosts=(again,))

    assert told.shot().laws == laws


# I7: four hosts, so one shot within the window.


def test_a_second_host_shot_within_the_window_breaks_i7() -> None:
    told = story().fencing(C1).shot(C1).fencing(C2)

    assert told.after(300).shot(C2).laws == {"I7"}


def test_another_shot_at_the_same_host_hurts_nobody_else() -> None:
    assert story().fencing(C1).shot(C1).after(30).shot(C1, attempt=2).laws == set()


def test_the_cap_is_per_window() -> None:
    told = story().fencing(C1).shot(C1).after(BALANCED.storm_window_s + 1)

    assert told.fencing(C2).shot(C2).laws == set()


def test_a_named_allowance_is_used_up() -> None:
    told = story().fencing(C1).shot(C1)
    for domain in ("rack:a", "segment:s", "all"):
        told.decided(on.StormAllowed("ann", DomainId(domain), 1))

    assert told.fencing(C2).shot(C2).laws == set()
    assert set(told.oracle.picture.told.allowances.values()) == {0}


def lost(told: History) -> at.Fencing:
    return at.Fencing(told.now, at.Class.DEAD_OR_FROZEN)


def silent(host: HostId) -> tuple[on.Change, ...]:
    return tuple(on.Change(host, plane, Sign.SILENT) for plane in Plane)


def test_an_off_to_a_host_that_reads_off_shoots_nobody() -> None:
    told = story().fencing(C1).shot(C1).fencing(C2).read(C2).after(2).read(C2)

    assert told.shot(C2).laws == set()


def test_an_off_to_a_host_that_is_proved_dead_shoots_nobody() -> None:
    told = story().fencing(C1).shot(C1).fencing(C2).proved(C2, Method.PACEMAKER)

    assert told.shot(C2).laws == set()


# I8.


def test_a_shot_while_a_canary_is_bad_breaks_i8() -> None:
    told = story().fencing().decided(on.CanarySeen("database", is_ok=False))

    assert told.shot().laws == {"I8"}


def test_a_canary_that_is_well_again_holds_nothing() -> None:
    told = story().fencing().decided(on.CanarySeen("nova", is_ok=False))

    assert told.decided(on.CanarySeen("nova", is_ok=True)).shot().laws == set()


def test_a_shot_on_the_word_of_two_witnesses_breaks_i8() -> None:
    told = story()
    for name in ("c2", "c3"):
        told.decided(on.Sighted(WitnessId(name), (on.Change(C1, Plane.TENANT, Sign.SILENT),)))

    told.suspected().host(C1, lost(told)).shot()

    assert told.laws == {"I8"}


@pytest.mark.parametrize("cls", [at.Class.HUNG, at.Class.DEAD_OR_FROZEN])
def test_weak_signs_bear_witness_of_a_hung_kernel_alone(cls: at.Class) -> None:
    told = story().sighted(C1, Sign.WEAK).suspected(C1, cls).host(C1, at.Fencing(2.0, cls))

    assert told.shot().laws == (set() if cls is at.Class.HUNG else {"I8"})


def test_the_leader_that_shoots_its_own_host_breaks_i8() -> None:
    assert story().fencing(C3).decided(on.Sighted(STANDBY, silent(C3))).shot(C3).laws == {"I8"}


def test_a_shot_that_takes_a_quorum_breaks_i8() -> None:
    assert story().fencing(C4).decided(on.Sighted(STANDBY, silent(C4))).shot(C4).laws == {"I8"}


# I12.


def test_switching_on_a_host_that_is_not_empty_breaks_i12() -> None:
    told = story().evacuating().after(100)

    assert told.acted(do.PowerOn(C1, 1, 1)).laws == {"I12"}


def test_switching_on_before_the_last_off_can_have_come_late_breaks_i12() -> None:
    told = story().evacuating()
    for server in ("s1", "s2", "s3"):
        told.recorded(ServerId(server), C2)

    told.host(C1, at.Vacated(told.now)).after(30).acted(do.PowerOn(C1, 1, 1))

    assert told.laws == {"I12"}


def test_an_operator_may_switch_a_host_on() -> None:
    told = story().evacuating().after(100).decided(on.PowerOnOrdered("ann", C1))

    assert told.acted(do.PowerOn(C1, 1, 1)).laws == set()


def test_a_cut_that_nobody_ordered_breaks_i12() -> None:
    assert story().truly(so.PowerCut(C2, C1, LEADER)).laws == {"I12"}


def test_a_cut_by_others_is_not_ours() -> None:
    assert story().truly(so.PowerCut(C2, C2, "")).laws == set()


# I23.


def test_a_shot_in_maintenance_breaks_i23() -> None:
    work = Maintenance(C1, "ann", "fans", is_power_job=False)

    assert story().decided(control=Control(maintenance=(work,))).fencing().shot().laws == {"I23"}


def test_a_repair_in_maintenance_breaks_i23() -> None:
    work = Maintenance(C1, "ann", "fans", is_power_job=False)
    told = story().decided(control=Control(maintenance=(work,)))

    assert told.acted(do.Restart(C1, 0, Service.LIBVIRT, 1)).laws == {"I23"}


@pytest.mark.parametrize(
    "control", [Control(is_armed=False, cause="bug"), Control(mode=Mode.OBSERVE)]
)
def test_any_effect_while_disarmed_or_observing_breaks_i23(control: Control) -> None:
    assert story().decided(control=control).acted(do.Disable(C1, 0)).laws == {"I23"}


def test_reads_words_and_renewals_go_on_while_disarmed() -> None:
    told = story().evacuating().decided(control=Control(is_armed=False))
    told.host(C1, at.Evacuating(told.now), revocations=(at.Revocation(CEPH, in_force=True),))

    told.acted(do.Revoke(C1, CEPH, 1)).acted(do.Tell(C1, "disarmed", 1))

    assert told.issued(do.ReadPower(C1, 1)).laws == set()
