"""Attacks on proofs: contradicted, expired, claimed by two machines, or made on a forged beacon."""

from dataclasses import replace

from tests.core.arrangements import ROAD
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_answers import answer_well
from tests.core.small_cloud import CEPH, K1, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import BootId, Health, HostId, Method, Power, Sign, Validity
from ninelives.core.policy import BALANCED
from ninelives.core.protection import Promise, Remedy

C1 = HostId("c1")


def one_server_and_no_target(cloud: SmallCloud) -> SmallCloud:
    cloud.add("web", "c1")
    cloud.answers[do.AskTargets] = lambda cloud, action: (
        [on.TargetsSeen(action, ())] if isinstance(action, do.AskTargets) else []
    )
    return cloud


def contradicted() -> SmallCloud:
    """c1 was proved off by its BMC, and its old boot is heard: the BMC is not its own."""
    cloud = one_server_and_no_target(CheckedCloud().started())
    cloud.freeze("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 60)
    cloud.wake_up("c1")
    cloud.power[C1] = Power.OFF
    cloud.run(20)
    return cloud


def test_attack_14_a_host_that_lives_on_after_our_off_disarms_everything() -> None:
    cloud = contradicted()

    assert not cloud.cluster.control.is_armed
    assert cloud.host("c1").zombie_risk
    assert cloud.was_told("zombie_risk")
    assert not cloud.all_of(do.Evacuate)


def test_a_contradicted_proof_is_answered_by_an_ordered_shot_and_a_new_proof() -> None:
    cloud = contradicted()
    shots = len(cloud.all_of(do.PowerOff))
    del cloud.answers[do.AskTargets]
    cloud.power[C1] = Power.ON
    cloud.tell(on.Armed("ann", is_armed=True))
    cloud.tell(on.RoadSigned("ann", C1, ROAD, is_verified=True))

    cloud.tell(on.FenceOrdered("ann", C1, "c1"))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)

    assert len(cloud.all_of(do.PowerOff)) == shots + 1
    assert not cloud.cluster.control.fence_ordered
    assert isinstance(cloud.move("web").state, at.Done)


def test_a_road_whose_shot_was_contradicted_shoots_no_more_until_a_person_has_signed_it() -> None:
    """World 314 of seed day8: the wrong machine was dark by then, and contradicted nothing more."""
    cloud = contradicted()
    shots = len(cloud.all_of(do.PowerOff))
    cloud.tell(on.Armed("ann", is_armed=True))

    cloud.tell(on.FenceOrdered("ann", C1, "c1"))
    cloud.run(60)

    assert len(cloud.all_of(do.PowerOff)) == shots
    assert not cloud.all_of(do.Evacuate)


def test_attack_12_two_boots_that_answer_in_turns_under_one_name_prove_nothing() -> None:
    cloud = CheckedCloud().started()
    cloud.answers[do.AskAttestation] = lambda cloud, action: []
    for boot in ("other", "c1-boot1", "other"):
        cloud.run(10)
        cloud.boots[C1] = BootId(boot)
        cloud.tell(cloud.view(K1, C1))

    cloud.run(60)

    assert cloud.host("c1").zombie_risk
    assert not cloud.all_of(do.PowerOff)
    assert not cloud.all_of(do.ForceDown)


def human(cloud: SmallCloud) -> None:
    epoch = cloud.host("c1").epoch
    cloud.tell(on.ConfirmedDead("ann", C1, "c1", epoch, "the rack is dark"))


def test_attack_11_a_persons_word_that_nobody_acted_on_expires() -> None:
    cloud = one_server_and_no_target(CheckedCloud(site=small_site(roads=())).started())
    cloud.answers[do.ForceDown] = lambda cloud, action: [
        on.Replied(action, on.Outcome.UNKNOWN, "timeout")
    ]
    cloud.freeze("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Held), 60)
    human(cloud)

    cloud.run(cloud.policy.human_valid_s + 10)

    assert all(proof.validity is Validity.VOID for proof in cloud.host("c1").proofs)
    assert cloud.was_told("human_word_expired")
    assert not cloud.host("c1").zombie_risk


def test_a_word_that_is_void_when_targets_answer_carries_no_send() -> None:
    cloud = CheckedCloud(site=small_site(roads=())).started()
    cloud.add("web", "c1")

    def heard_first(cloud: SmallCloud, action: do.Action) -> list[on.Event]:
        cloud.alive.add(C1)
        return [cloud.view(K1, C1), *answer_well(cloud, action)]

    cloud.answers[do.AskTargets] = heard_first
    cloud.freeze("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Held), 60)
    human(cloud)

    cloud.until(lambda: bool(cloud.host("c1").zombie_risk), 60)
    cloud.run(1)

    assert cloud.cluster.control.is_armed
    assert isinstance(cloud.move("web").state, at.Planned)
    assert not cloud.all_of(do.Evacuate)


def test_attack_11_starts_on_a_persons_word_wait_for_the_storage_road_for_a_while() -> None:
    site = small_site(roads=(), revocable=frozenset({CEPH}))
    cloud = CheckedCloud(site=site).started()
    cloud.add("web", "c1")
    cloud.answers[do.Revoke] = lambda cloud, action: [on.Replied(action, on.Outcome.UNKNOWN)]
    cloud.freeze("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Fencing, at.Held), 60)
    human(cloud)
    said_at = cloud.now

    cloud.until(lambda: bool(cloud.all_of(do.Evacuate)), 300)

    assert cloud.now >= said_at + cloud.policy.human_revoke_wait_s
    assert {proof.method for proof in cloud.host("c1").proofs} == {Method.HUMAN}


def test_a_forged_kdump_beacon_fences_nobody() -> None:
    cloud = CheckedCloud().started()
    cloud.tell(on.Sighted(K1, tuple(change for change in silent_agent(cloud))))
    cloud.tell(on.KdumpSeen(C1))

    cloud.run(30)

    assert not cloud.all_of(do.PowerOff)


def silent_agent(cloud: SmallCloud) -> list[on.Change]:
    changes = cloud.view(K1, C1).changes
    return [replace(change, sign=Sign.WEAK, boot=None) for change in changes]


def test_a_dump_delays_the_off_but_not_the_storage_road() -> None:
    policy = replace(BALANCED, kdump_wait_s=60.0)
    cloud = CheckedCloud(site=small_site(revocable=frozenset({CEPH})), policy=policy).started()
    cloud.freeze("c1")
    for _ in range(4):
        cloud.run(5)
        cloud.tell(on.KdumpSeen(C1))

    assert cloud.all_of(do.Revoke)
    assert not cloud.all_of(do.PowerOff)

    cloud.run(60)

    assert cloud.all_of(do.PowerOff)


def test_r3_a_whole_rack_whose_storage_is_quiet_is_rescued_by_revocation_before_any_shot() -> None:
    names = "c1 c2 c3 c4 c5 c6 c7 c8"
    cloud = CheckedCloud(site=small_site(names, revocable=frozenset({CEPH}))).started()
    cloud.add("web", "c1")

    cloud.freeze("c1", "c2", "c3", "c4")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)

    sent = next(when for when, note in cloud.notes if note.what == "move.sent")
    shots = [when for when, note in cloud.notes if note.what == "shot.fired"]
    assert isinstance(cloud.move("web").state, at.Done)
    assert all(when > sent for when in shots)
    assert len(shots) <= 2


def test_r3_a_rack_that_still_writes_is_held_and_nobody_is_shot() -> None:
    names = "c1 c2 c3 c4 c5 c6 c7 c8"
    cloud = CheckedCloud(site=small_site(names, revocable=frozenset({CEPH}))).started()

    cloud.isolate("c1", "c2", "c3", "c4")
    cloud.run(300)

    assert not cloud.all_of(do.PowerOff, do.Revoke)
    assert cloud.is_in("c1", at.Held)


def test_r14_a_class_may_ask_for_a_fence_where_restarting_libvirt_did_not_help() -> None:
    promise = Promise(libvirt_hangs=Remedy.FENCE)
    cloud = CheckedCloud(policy=replace(BALANCED, default=promise)).started()
    cloud.add("web", "c1")
    cloud.tell(on.AgentSaid(C1, cloud.boots[C1], libvirt=Health.HUNG))

    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 900)

    assert cloud.all_of(do.Restart)
    assert isinstance(cloud.move("web").state, at.Done)


def test_two_planes_down_and_one_up_is_a_class_and_no_return_to_life() -> None:
    cloud = CheckedCloud().started()
    for witness in cloud.witnesses():
        if HostId(witness) != C1:
            two = [c for c in cloud.view(witness, C1).changes if c.plane != "tenant"]
            silent = tuple(replace(c, sign=Sign.SILENT, boot=None) for c in two)
            cloud.tell(on.Sighted(witness, silent))

    cloud.run(60)

    assert len(cloud.notes) < 200
