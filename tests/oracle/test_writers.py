"""I1 to I4: for each law a history that makes it alone fire."""

from dataclasses import replace

import pytest
from tests.oracle.history import (
    C1,
    C2,
    C3,
    CEPH,
    LEADER,
    NEW,
    OLD,
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
from ninelives.core.model import BackendId, Covers, HostId, Method, Plane, Sign, Validity, WitnessId
from ninelives.core.policy import BALANCED
from ninelives.sim import happenings as so

STRICT = replace(BALANCED, starts_without_network_proof=False)
CEPH_ONLY = Covers(backends=frozenset({CEPH}))
FORCED = do.Tell(C1, "zombie_risk", 1)


def started(told: History, host: HostId = C2, cause: str = "nova") -> History:
    return told.truly(so.DomainStarted(S1, host, is_rebuilt=False, cause=cause))


def revoked(told: History) -> History:
    """A frozen host, shut out by its one backend."""
    told.truly(so.HostChanged(C1, "frozen", OLD)).fencing()
    told.truly(so.WritesCut(C1, CEPH, is_cut=True))
    return told.proved(C1, Method.STORAGE_REVOKED, CEPH_ONLY).host(C1, at.Evacuating(told.now))


# I1.


@pytest.mark.parametrize("condition", ["running", "frozen", "hung"])
def test_two_that_can_write_break_i1(condition: str) -> None:
    told = story().truly(so.HostChanged(C1, condition, OLD))

    assert started(told).laws == {"I1"}


@pytest.mark.parametrize("condition", ["off", "panicked", "booting"])
def test_a_copy_on_a_dead_host_does_not_exist(condition: str) -> None:
    told = story().truly(so.HostChanged(C1, condition, None))

    assert started(told).laws == set()


def test_a_host_that_its_backend_shuts_out_cannot_write() -> None:
    assert started(story().truly(so.WritesCut(C1, CEPH, is_cut=True))).laws == set()


def test_letting_it_in_again_breaks_i1() -> None:
    told = started(story().truly(so.WritesCut(C1, CEPH, is_cut=True)))

    told.truly(so.WritesCut(C1, CEPH, is_cut=False))

    assert told.laws == {"I1"}


@pytest.mark.parametrize(
    ("asleep", "laws"),
    [
        ((LEADER, STANDBY), set[str]()),  # nobody is awake to renew the revocation
        ((LEADER,), {"I1"}),
    ],
)
def test_who_is_awake_must_renew_what_shuts_a_host_out(
    asleep: tuple[WitnessId, ...], laws: set[str]
) -> None:
    told = started(story().truly(so.WritesCut(C1, CEPH, is_cut=True)))
    told.truly(*(so.ControllerPaused(name, is_machine=True) for name in asleep))

    told.truly(so.WritesCut(C1, CEPH, is_cut=False))

    assert told.laws == laws


@pytest.mark.parametrize(("later_s", "laws"), [(0.5, set[str]()), (30.0, {"I1"})])
def test_what_a_machine_sends_as_it_wakes_rests_on_what_it_read_before(
    later_s: float, laws: set[str]
) -> None:
    told = revoked(story())
    told.truly(so.ControllerPaused(LEADER, is_machine=True))
    told.truly(so.WritesCut(C1, CEPH, is_cut=False))
    told.after(300.0).truly(so.ControllerResumed(LEADER, gap_s=0.0))
    told.after(later_s).sent()

    assert started(told).laws & {"I1"} == laws


def test_a_copy_that_libvirt_started_behind_our_back_is_counted_and_no_more() -> None:
    told = started(story(), cause="autostart")

    assert told.laws == set()
    assert told.oracle.picture.excused["I1 autostart"] == 1


def test_a_false_word_of_a_person_is_counted_and_no_more() -> None:
    told = story().truly(so.HostChanged(C1, "frozen", OLD)).fencing().proved(C1, Method.HUMAN)

    assert started(told).laws == set()
    assert told.oracle.picture.excused["I1 false human proof"] == 1


def test_it_is_a_persons_word_also_beside_a_proof_about_another_backend() -> None:
    told = story().truly(so.HostChanged(C1, "frozen", OLD)).fencing().proved(C1, Method.HUMAN)
    nfs_only = Covers(backends=frozenset({BackendId("nfs")}))
    told.truly(so.WritesCut(C1, BackendId("nfs"), is_cut=True))
    told.proved(C1, Method.STORAGE_REVOKED, nfs_only)

    assert started(told).laws == set()


@pytest.mark.parametrize("cause", ["autostart", "foreign"])
def test_a_strangers_copy_excuses_no_third_one_that_we_start(cause: str) -> None:
    told = started(story().truly(so.HostChanged(C1, "frozen", OLD)), C2, cause)
    assert told.laws == set()

    assert started(told.after(60.0), C3).laws == {"I1"}


def test_a_false_word_about_one_host_excuses_no_third_copy() -> None:
    told = story().truly(so.HostChanged(C1, "frozen", OLD)).fencing().proved(C1, Method.HUMAN)
    assert started(told).laws == set()

    assert started(told.after(60.0), C3).laws == {"I1"}


@pytest.mark.parametrize(("is_first", "laws"), [(True, set[str]()), (False, {"I1"})])
def test_what_we_start_after_its_old_host_runs_it_of_itself_is_ours(
    is_first: bool, laws: set[str]
) -> None:
    """A boot whose gate does not hold: nobody knew of it before, but after it everybody can."""
    told = story().evacuating()
    if is_first:
        told.sent()
    told.after(60.0).truly(so.HostChanged(C1, "booting", NEW), so.HostChanged(C1, "running", NEW))
    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause="autostart"))
    if not is_first:
        told.after(1.0).sent()

    assert started(told.after(1.0)).laws & {"I1"} == laws


def reset_by_its_lease(told: History) -> History:
    """Lose a host that resets itself, and runs its guests anew behind a gate that does not hold."""
    told.died().fencing().proved(C1, Method.LEASE_EXPIRED).host(C1, at.Evacuating(told.now))
    told.truly(so.HostChanged(C1, "booting", NEW), so.HostChanged(C1, "running", NEW))
    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause="autostart"))
    return told.truly(so.ComputeStarted(C1, is_gated=False))


def test_a_boot_that_nobody_can_hear_is_what_remains_of_a_lease() -> None:
    told = started(reset_by_its_lease(story()).after(60.0).sent())

    assert told.laws & {"I1", "I3"} == set()
    assert told.oracle.picture.excused["I1 ungated"] == 1


def test_a_start_on_a_lease_while_another_boot_is_heard_breaks_i3() -> None:
    told = reset_by_its_lease(story()).sighted(C1, Sign.STRONG, NEW)

    assert told.after(60.0).sent().laws & {"I1", "I3"} == {"I3"}


# I2.


def test_a_start_without_a_proof_breaks_i2() -> None:
    told = story().died().fencing()

    assert told.host(C1, at.Evacuating(told.now)).sent().laws == {"I2"}


def test_a_proof_of_an_older_episode_is_none() -> None:
    told = story().fenced()
    old = told.hosts[C1].proofs
    told.host(C1, at.Fencing(told.now, at.Class.DEAD_OR_FROZEN), epoch=2)
    told.host(C1, at.Evacuating(told.now), proofs=old)

    told.allowed(S1, C2).read(C1)
    told.acted(do.Evacuate(S1, C1, C2, 2, 1))

    assert told.laws == {"I2"}


def test_a_proof_about_one_backend_of_two_breaks_i2() -> None:
    setup = facts()
    disks = (CEPH, BackendId("nfs"))
    known = {**setup.servers, S1: replace(setup.servers[S1], disks=disks)}
    told = story(replace(setup, servers=known))

    assert revoked(told).sent().laws == {"I2"}


def test_a_target_that_was_named_once_is_a_writer_until_seen_absent() -> None:
    told = story().evacuating().sent(target=C2)
    told.replied(do.Evacuate(S1, C1, C2, 1, 1), on.Outcome.REFUSED)

    told.sent(target=C3, attempt=2)

    assert told.laws == {"I2"}


def test_a_target_named_in_an_episode_that_is_over_is_no_writer() -> None:
    reset = do.HardReboot(S1, C1, 1, 2)
    told = story().evacuating().sent(S1, C2).arrived()
    told.watched(seen(S1, C1)).host(C1, at.Healthy(told.now), proofs=())  # moved home since

    guest = told.moving(at.Mending(told.now, is_migration=False, is_sent=True), attempt=2)

    assert "I2" not in guest.acted(reset).laws


def test_a_target_seen_absent_is_no_writer() -> None:
    told = story().evacuating().sent(target=C2)
    told.replied(do.Evacuate(S1, C1, C2, 1, 1), on.Outcome.REFUSED)
    told.decided(on.DomainsSeen(do.LookForDomain(S1, (C2,), 1), ((C2, False),)))

    assert told.sent(target=C3, attempt=2).laws == set()


def test_who_was_seen_absent_and_came_up_since_is_a_writer_again() -> None:
    """Its user started it at its home, after it was seen to be gone there."""
    told = story().evacuating().sent(target=C2)
    told.replied(do.Evacuate(S1, C1, C2, 1, 1), on.Outcome.REFUSED)
    told.decided(on.DomainsSeen(do.LookForDomain(S1, (C2,), 1), ((C2, False),)))
    told.after(1.0).truly(so.DomainStarted(S1, C2, is_rebuilt=False, cause="user"))
    told.truly(so.DomainStopped(S1, C2))

    assert told.sent(target=C3, attempt=2).laws == {"I2"}


# I3.


def test_a_start_on_a_void_proof_breaks_i3() -> None:
    told = story().evacuating().decided(tells=(FORCED,))
    (proof,) = told.hosts[C1].proofs
    told.host(C1, at.Evacuating(told.now), proofs=(replace(proof, validity=Validity.VOID),))

    assert told.sent().laws == {"I3"}


def test_a_start_on_a_proof_that_evidence_contradicts_breaks_i3() -> None:
    told = story().evacuating().decided(tells=(FORCED,)).sighted(C1, Sign.STRONG, OLD).after(10)

    assert told.sent().laws == {"I3"}


def test_a_new_word_of_a_person_after_a_contradiction_is_a_new_proof() -> None:
    told = story().died().fencing().proved(C1, Method.HUMAN).decided(tells=(FORCED,))
    told.after(5).sighted(C1, Sign.STRONG, OLD).after(5).sighted(C1, Sign.SILENT)
    (old,) = told.hosts[C1].proofs
    told.host(C1, at.Fenced(told.now), proofs=(replace(old, validity=Validity.VOID),))

    told.after(40).proved(C1, Method.HUMAN).host(C1, at.Evacuating(told.now))

    assert told.sent().laws == set()


def test_a_proof_under_a_new_instant_is_as_contradicted_as_it_was() -> None:
    told = story().evacuating().decided(tells=(FORCED,)).sighted(C1, Sign.STRONG, OLD).after(10)
    (old,) = told.hosts[C1].proofs
    told.host(C1, at.Evacuating(told.now), proofs=(replace(old, at=told.now),))

    assert told.sent().laws == {"I3"}


def test_a_new_proof_stays_one_when_a_new_leader_gives_both_the_same_instant() -> None:
    """Found by the swarm (world 11 of seed hamc)."""
    told = story().died().fencing().proved(C1, Method.HUMAN).decided(tells=(FORCED,))
    told.after(5).sighted(C1, Sign.STRONG, OLD).after(5).sighted(C1, Sign.SILENT)
    (old,) = told.hosts[C1].proofs
    void = replace(old, validity=Validity.VOID)
    told.host(C1, at.Fenced(told.now), proofs=(void,)).after(40).proved(C1, Method.HUMAN)

    both = tuple(replace(proof, at=told.now + 9) for proof in told.hosts[C1].proofs)
    told.after(9).host(C1, at.Evacuating(told.now), proofs=both)

    assert told.sent().laws == set()


def test_a_start_on_power_that_was_read_too_long_ago_breaks_i3() -> None:
    told = story().evacuating().allowed(S1, C2).after(60)

    assert told.acted(do.Evacuate(S1, C1, C2, 1, 1)).laws == {"I3"}


@pytest.mark.parametrize(("awake_s", "laws"), [(0.5, set[str]()), (30.0, {"I3"})])
def test_a_reading_as_old_as_the_pause_of_the_only_machine_is_counted(
    awake_s: float, laws: set[str]
) -> None:
    told = story().evacuating().read(C1).allowed(S1, C2).after(60)
    told.truly(so.ControllerResumed(told.leader, 0.0)).after(awake_s)

    told.acted(do.Evacuate(S1, C1, C2, 1, 1))

    assert told.laws == laws
    assert told.oracle.picture.excused["I3 paused machine"] == (not laws)


def test_life_of_the_old_boot_of_which_nobody_is_told_breaks_i3() -> None:
    told = story().evacuating().sighted(C1, Sign.STRONG, OLD)

    assert told.after(1.5).decided().laws == {"I3"}


def test_life_of_the_old_boot_that_is_told_in_time_keeps_i3() -> None:
    told = story().evacuating().sighted(C1, Sign.STRONG, OLD).after(0.9)

    assert told.decided(tells=(FORCED,)).after(5).decided().laws == set()


def test_life_of_a_new_boot_contradicts_nothing() -> None:
    told = story().evacuating().sighted(C1, Sign.STRONG, NEW)

    assert told.after(5).decided().laws == set()


def test_a_weak_sign_contradicts_nothing() -> None:
    assert story().evacuating().sighted(C1, Sign.WEAK).after(5).decided().laws == set()


def test_a_heartbeat_does_not_contradict_a_storage_proof() -> None:
    told = revoked(story()).sighted(C1, Sign.STRONG, OLD)

    assert told.after(5).sent().laws == set()


def test_a_watcher_contradicts_a_storage_proof() -> None:
    told = revoked(story())
    told.decided(on.StorageSeen(C1, CEPH, watched=True, revoked=True))

    assert told.after(5).decided().laws == {"I3"}


def test_a_new_leader_has_its_full_second_to_tell() -> None:
    told = story().evacuating().sighted(C1, Sign.STRONG, OLD).after(30)
    told.term = 2
    told.truly(so.TermTaken(told.leader, 2)).decided(on.TermBegan(2, told.leader))

    assert told.after(0.5).decided(tells=(FORCED,)).after(9).decided().laws == set()


# I4.


def answering(told: History) -> History:
    """Somebody still gets an answer from it on the tenant network."""
    change = on.Change(C1, Plane.TENANT, Sign.WEAK)
    return told.decided(on.Sighted(WitnessId("c2"), (change,)))


def test_a_start_while_the_old_copy_keeps_its_addresses_breaks_i4() -> None:
    assert answering(revoked(story(policy=STRICT))).sent().laws == {"I4"}


def test_a_host_that_is_dark_on_the_tenant_network_keeps_i4() -> None:
    assert revoked(story(policy=STRICT)).sent().laws == set()


def test_a_policy_may_allow_doubled_addresses() -> None:
    assert answering(revoked(story())).sent().laws == set()


def test_a_start_in_place_needs_no_proof_about_its_own_host() -> None:
    told = story().evacuating().moving(at.WaitingForHost(1.0, "no target"))
    told.host(C1, at.Returning(told.now, at.Stage.RESTARTING, told.now, NEW))
    told.watched(seen())

    assert told.acted(do.HardReboot(S1, C1, 1, 1)).laws == set()
