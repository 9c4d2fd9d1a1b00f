"""I20 to I22: for each law a history that makes it alone fire."""

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
from ninelives.core.model import EVERYTHING, BootId, Covers, HostId, Method, Validity, WitnessId
from ninelives.core.policy import BALANCED
from ninelives.sim import happenings as so
from ninelives.sim.oracle import ServerFacts, queues

CEPH_ONLY = Covers(backends=frozenset({CEPH}))
SAFE_S = BALANCED.safe_s


def coming_back(stage: at.Stage) -> History:
    told = story().evacuating().truly(so.HostChanged(C1, "running", NEW))
    return told.host(C1, at.Returning(told.now, stage, told.now, NEW))


# I20.


def test_a_guest_behind_the_gate_breaks_i20() -> None:
    told = coming_back(at.Stage.COMPUTE).truly(so.DomainStarted(S1, C1, is_rebuilt=False))

    assert told.laws == {"I20"}


@pytest.mark.parametrize(
    ("home", "state", "laws"),
    [
        (C1, at.WaitingForHost(1.0, "no_target"), set[str]()),
        (C1, at.Planned(1.0), {"I20"}),
        (C2, at.WaitingForHost(1.0, "no_target"), {"I20"}),
    ],
)
def test_a_reboot_that_nova_resumes_by_itself_is_counted_and_no_more(
    home: HostId, state: at.MoveState, laws: set[str]
) -> None:
    told = coming_back(at.Stage.FORCING_UP).moving(state)
    told.watched(replace(seen(S1, home), task_state="rebooting_hard"))

    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False))

    assert told.laws == laws
    assert told.oracle.picture.excused["I20 resumed"] == (not laws)


def test_a_guest_in_its_own_stage_keeps_i20() -> None:
    told = coming_back(at.Stage.RESTARTING).truly(so.DomainStarted(S1, C1, is_rebuilt=False))

    assert told.laws == set()


def test_an_unprotected_guest_is_no_matter_of_i20() -> None:
    told = story(facts(s1=ServerFacts(C1, (CEPH,), is_protected=False))).evacuating()

    assert told.truly(so.DomainStarted(S1, C1, is_rebuilt=False)).laws == set()


def test_a_guest_that_a_broken_gate_let_start_is_counted_and_no_more() -> None:
    told = coming_back(at.Stage.ATTESTING)

    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause="autostart"))

    assert told.laws == set()
    assert told.oracle.picture.excused["I20 autostart"] == 1


def bare() -> History:
    """A story in which c1 has no agent, and so no gate."""
    plain = facts()
    hosts = {**plain.site.hosts, C1: replace(plain.site.hosts[C1], has_agent=False)}
    return story(replace(plain, site=replace(plain.site, hosts=hosts)))


@pytest.mark.parametrize(
    ("asked_while", "laws"),
    [("never", set[str]()), ("well", set[str]()), ("out", {"I20"})],
)
def test_what_waits_for_a_host_without_a_gate_since_it_was_well_is_counted_and_no_more(
    asked_while: str, laws: set[str]
) -> None:
    told = bare().host(C1, at.Healthy(1.0))
    if asked_while == "well":
        queues.asked(told.oracle.picture, told.now, do.Evacuate(S1, C2, C1, 1, 1))
    told.after(1).evacuating()
    if asked_while == "out":
        queues.asked(told.oracle.picture, told.now, do.Evacuate(S1, C2, C1, 1, 1))

    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False))

    assert told.laws == laws
    assert told.oracle.picture.excused["I20 ungated"] == (not laws)


@pytest.mark.parametrize(
    ("asks_late", "by_us", "has_agent", "laws"),
    [
        (False, False, False, set[str]()),
        (True, False, False, {"I1"}),
        (False, True, False, {"I1"}),
        (False, False, True, {"I1"}),
    ],
    ids=["its button was pressed", "asked after its boot", "we switched it on", "it has a gate"],
)
def test_a_start_that_waited_for_the_boot_of_a_host_without_a_gate_is_its_button_s(
    asks_late: bool, by_us: bool, has_agent: bool, laws: set[str]
) -> None:
    told = story() if has_agent else bare()
    told.evacuating().truly(so.HostChanged(C1, "off", None), so.UserActed(S1, "start"))
    told.after(60).truly(so.DomainStarted(S1, C2, is_rebuilt=False))
    if by_us:
        queues.asked(told.oracle.picture, told.now, do.PowerOn(C1, 1, 1))
    told.after(5).truly(so.HostChanged(C1, "booting", None))
    told.after(60).truly(so.HostChanged(C1, "running", NEW)).after(1)
    if asks_late:
        told.truly(so.UserActed(S1, "start"))

    told.after(1).truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause="user"))

    assert told.laws & {"I1"} == laws


@pytest.mark.parametrize(("is_bare", "laws"), [(True, set[str]()), (False, {"I1"})])
def test_whoever_starts_a_server_where_it_lives_joins_what_its_old_queue_had_started(
    is_bare: bool, laws: set[str]
) -> None:
    """World 268 of seed ci: it had arrived stopped, so that the stale copy ran alone at first."""
    told = bare() if is_bare else story()
    told.evacuating().truly(so.HostChanged(C1, "off", None), so.UserActed(S1, "start"))
    told.after(5).truly(so.HostChanged(C1, "booting", None))
    told.recorded(S1, C2).after(60).truly(so.HostChanged(C1, "running", NEW))
    told.after(1).truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause="user"))

    told.after(5).truly(so.DomainStarted(S1, C2, is_rebuilt=False, cause="user"))

    assert told.laws & {"I1"} == laws


def boots_as_target(*, asked: str, is_gated: bool) -> History:
    """Tell of a host with an agent that died with our rebuild in its queue, and booted again."""
    told = story().host(C1, at.Healthy(1.0))
    rebuild = do.Evacuate(S1, C2, C1, 1, 1)
    if asked == "well":
        queues.asked(told.oracle.picture, told.now, rebuild)
    told.after(1).evacuating().truly(so.HostChanged(C1, "off", None))
    if asked == "out":
        queues.asked(told.oracle.picture, told.now, rebuild)
    told.after(60).truly(so.HostChanged(C1, "booting", None))
    told.after(60).truly(so.HostChanged(C1, "running", NEW))
    told.truly(so.ComputeStarted(C1, is_gated=is_gated)).after(1)
    if asked == "since":
        told.host(C1, at.Healthy(told.now), epoch=2)
        queues.asked(told.oracle.picture, told.now, rebuild)
        told.host(C1, at.Fenced(told.now), epoch=3)
    return told


@pytest.mark.parametrize(
    ("asked", "is_gated", "laws"),
    [
        ("well", False, set[str]()),
        ("well", True, {"I20"}),
        ("out", False, {"I20"}),
        ("since", False, {"I20"}),
    ],
    ids=["its gate did not hold", "its gate held", "asked in its episode", "asked after its boot"],
)
def test_what_waited_for_a_boot_whose_gate_does_not_hold_is_counted_and_no_more(
    asked: str, is_gated: bool, laws: set[str]
) -> None:
    told = boots_as_target(asked=asked, is_gated=is_gated)

    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False))

    assert told.laws & {"I20"} == laws
    assert told.oracle.picture.excused["I20 ungated"] == (not laws)


def test_a_nova_compute_that_starts_again_says_nothing_of_the_gate_of_its_boot() -> None:
    told = boots_as_target(asked="well", is_gated=True).truly(so.ComputeStarted(C1, is_gated=False))

    assert told.truly(so.DomainStarted(S1, C1, is_rebuilt=False)).laws & {"I20"} == {"I20"}


def test_a_boot_without_a_gate_says_nothing_of_the_next_one() -> None:
    told = boots_as_target(asked="well", is_gated=False).truly(so.HostChanged(C1, "booting", None))
    told.after(60).truly(so.HostChanged(C1, "running", BootId("next")), so.ComputeStarted(C1))

    assert told.truly(so.DomainStarted(S1, C1, is_rebuilt=False)).laws & {"I20"} == {"I20"}


@pytest.mark.parametrize(
    ("asks_late", "is_gated", "laws"),
    [(False, False, set[str]()), (True, False, {"I1"}), (False, True, {"I1"})],
    ids=["it waited", "asked when it had started", "a gate was closed"],
)
def test_a_start_that_waited_for_a_gate_that_fails_or_that_a_person_opens_is_not_ours(
    asks_late: bool, is_gated: bool, laws: set[str]
) -> None:
    told = story().evacuating().truly(so.HostChanged(C1, "off", None))
    told.after(60).truly(so.DomainStarted(S1, C2, is_rebuilt=False))
    queues.asked(told.oracle.picture, told.now, do.PowerOn(C1, 1, 1))
    told.after(5).truly(so.HostChanged(C1, "booting", None))
    told.after(60).truly(so.HostChanged(C1, "running", NEW)).after(1)
    if not asks_late:
        told.truly(so.UserActed(S1, "start"))
    told.after(600).truly(so.ComputeStarted(C1, is_gated=is_gated)).after(1)
    if asks_late:
        told.truly(so.UserActed(S1, "start"))

    told.after(1).truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause="user"))


@pytest.mark.parametrize("by_us", [False, True])
@pytest.mark.parametrize(
    ("asked_of", "is_answered", "laws"),
    [(C1, False, set[str]()), (C1, True, {"I1"}), (C2, False, {"I1"})],
    ids=["it waits", "it was carried out", "it waits elsewhere"],
)
def test_a_start_waits_for_the_host_that_was_asked_until_it_happens(
    asked_of: HostId, is_answered: bool, laws: set[str], by_us: bool
) -> None:
    told = bare().recorded(S1, asked_of)
    if by_us:
        queues.asked(told.oracle.picture, told.now, do.StartServer(S1, asked_of, 1, 1))
    else:
        told.truly(so.UserActed(S1, "start"))
    if is_answered:
        told.after(1).truly(so.DomainStarted(S1, asked_of, is_rebuilt=False))
    told.evacuating().recorded(S1, C3).truly(so.DomainStarted(S1, C3, is_rebuilt=False))
    told.after(5).truly(so.HostChanged(C1, "booting", None))
    told.after(60).truly(so.HostChanged(C1, "running", NEW))

    told.after(1).truly(so.DomainStarted(S1, C1, is_rebuilt=False))

    assert told.laws & {"I1"} == laws


def test_a_guest_behind_a_gate_that_we_opened_is_ours() -> None:
    told = coming_back(at.Stage.COMPUTE).acted(do.OpenGate(C1, 1, NEW))

    told.truly(so.DomainStarted(S1, C1, is_rebuilt=False, cause="autostart"))

    assert told.laws == {"I20"}


@pytest.mark.parametrize(
    ("stage", "action"),
    [
        (at.Stage.SOAKING, do.Enable(C1, 1)),
        (at.Stage.LIFTING, do.ForceUp(C1, 1, 1)),
        (at.Stage.ATTESTING, do.OpenGate(C1, 1, NEW)),
        (at.Stage.ATTESTING, do.StartCompute(C1, 1, NEW, 1)),
    ],
)
def test_a_step_of_the_way_back_before_its_stage_breaks_i20(
    stage: at.Stage, action: do.Action
) -> None:
    assert coming_back(stage).acted(action).laws == {"I20"}


# I21.


def revoked(*, is_cut: bool = True) -> History:
    told = story().truly(so.HostChanged(C1, "frozen", OLD)).fencing()
    told.truly(so.WritesCut(C1, CEPH, is_cut=is_cut))
    return told.proved(C1, Method.STORAGE_REVOKED, CEPH_ONLY)


def test_a_proof_of_a_revocation_that_is_not_in_force_breaks_i21() -> None:
    assert revoked(is_cut=False).laws == {"I21"}


def test_letting_a_host_in_before_its_return_breaks_i21() -> None:
    assert revoked().truly(so.WritesCut(C1, CEPH, is_cut=False)).laws == {"I21"}


def test_an_order_to_let_it_in_before_its_return_breaks_i21() -> None:
    assert revoked().acted(do.LiftRevocation(C1, CEPH, 1)).laws == {"I21"}


@pytest.mark.parametrize("shut_out", [(), (at.Revocation(CEPH),)])
def test_what_a_person_undid_is_let_in_however_late_but_not_who_is_shut_out_anew(
    shut_out: tuple[at.Revocation, ...],
) -> None:
    told = revoked().host(C1, at.Held(1.0, "half_fenced", at.Class.DEAD_OR_FROZEN), proofs=())
    told.decided(on.HalfFencedSettled("ann", C1, 1, finish=False)).suspected()
    told.host(C1, at.Healthy(told.now)).suspected()
    told.host(C1, at.Suspect(told.now, at.Class.VANTAGE, told.now), revocations=shut_out)

    told.acted(do.LiftRevocation(C1, CEPH, 1))

    assert told.laws == ({"I21"} if shut_out else set())


def test_a_revocation_that_expires_by_a_fault_is_not_ours() -> None:
    told = revoked().truly(so.FaultBegan(42, "the entry is gone"))

    assert told.truly(so.WritesCut(C1, CEPH, is_cut=False)).laws == set()


def test_a_revocation_is_lifted_on_the_way_back() -> None:
    told = revoked().host(C1, at.Returning(9.0, at.Stage.LIFTING, 9.0, NEW))

    told.acted(do.LiftRevocation(C1, CEPH, 1)).truly(so.WritesCut(C1, CEPH, is_cut=False))

    assert told.laws == set()


# I22.


def leased(*, is_armed: bool = True, promises: int = 3) -> History:
    """A host that renewed at 1 s, its watchdog armed, and froze then."""
    told = story().truly(so.LeaseChanged(C1, OLD, is_renewing=False, is_armed=is_armed))
    told.decided(on.Renewed(C1, OLD, watchdog_armed=True)).fencing()
    for name in (LEADER, STANDBY, WitnessId("c2"))[:promises]:
        told.decided(on.Promised(name, C1, 1))
    return told


def expired(told: History) -> History:
    return told.proved(C1, Method.LEASE_EXPIRED, EVERYTHING)


def test_a_lease_that_ran_out_in_full_keeps_i22() -> None:
    assert expired(leased().after(SAFE_S)).laws == set()


def test_a_lease_called_expired_too_early_breaks_i22() -> None:
    assert expired(leased().after(SAFE_S - 1)).laws == {"I22"}


def test_a_take_over_counts_as_a_receipt() -> None:
    told = leased().after(SAFE_S - 1).decided(on.TermBegan(1, LEADER))

    assert expired(told.after(10)).laws == {"I22"}


def test_a_watchdog_that_cannot_fire_breaks_i22() -> None:
    assert expired(leased(is_armed=False).after(SAFE_S)).laws == {"I22"}


@pytest.mark.parametrize(("boot", "laws"), [(OLD, {"I22"}), (NEW, set[str]())])
def test_a_lease_that_truly_lives_breaks_i22(boot: BootId, laws: set[str]) -> None:
    told = leased().after(SAFE_S).truly(so.LeaseChanged(C1, boot, is_renewing=True, is_armed=True))

    assert expired(told).laws == laws


def test_a_lease_without_a_majority_of_promises_breaks_i22() -> None:
    assert expired(leased(promises=2).after(SAFE_S)).laws == {"I22"}


def test_a_lease_whose_watchdog_nobody_attested_breaks_i22() -> None:
    told = leased().decided(on.Renewed(C1, OLD, watchdog_armed=False))

    assert expired(told.after(SAFE_S)).laws == {"I22"}


def test_a_proof_that_is_void_under_its_new_number_allows_nothing_and_is_not_judged() -> None:
    told = expired(leased().after(SAFE_S))
    (proof,) = told.hosts[C1].proofs
    void = replace(proof, epoch=21, validity=Validity.VOID, contradicted_by="store_adopted")

    told.host(C1, at.Fenced(told.now), epoch=21, proofs=(void,))

    assert told.laws == set()
