"""`domain_killed`: a guest is restarted where it was, on its process and its lock seen gone."""

from dataclasses import replace

import pytest
from tests.core.small_cloud import CEPH, SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.lastcheck import objection
from ninelives.core.model import (
    BootId,
    GuestEnd,
    Health,
    HostId,
    Method,
    MoveRecord,
    Proof,
    Refusal,
    ServerId,
)
from ninelives.core.policy import BALANCED
from ninelives.core.proofs import covers_disks, domain_killed, is_sufficient, permits_restart
from ninelives.core.protection import Promise, Remedy

C1, C2, WEB = HostId("c1"), HostId("c2"), ServerId("web")
BOOT = BootId("c1-boot1")
ENDED = GuestEnd(BOOT, has_exited=True, is_unlocked=True)


def started() -> SmallCloud:
    cloud = SmallCloud().started()
    cloud.add("web", "c1")
    return cloud


def crash(cloud: SmallCloud, end: GuestEnd | None = ENDED) -> on.GuestSeen:
    return on.GuestSeen(cloud.servers[WEB], C1, Health.DOWN, end)


def judged(end: GuestEnd | None) -> Proof | Refusal:
    cloud = started()
    return domain_killed(Draft(cloud.cluster, cloud.now), crash(cloud, end))


def test_a_process_and_a_lock_seen_gone_prove_the_end_of_that_server_in_that_boot() -> None:
    proof = judged(ENDED)

    assert isinstance(proof, Proof)
    assert (proof.method, proof.host, proof.boot) == (Method.DOMAIN_KILLED, C1, BOOT)
    assert proof.covers.servers == {WEB}


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (None, "not_seen_to_exit"),
        (replace(ENDED, has_exited=False), "not_seen_to_exit"),
        (replace(ENDED, is_unlocked=False), "disk_locked"),
        (replace(ENDED, is_unlocked=None), "lock_unknown"),
        (replace(ENDED, boot=BootId("c1-boot2")), "other_boot"),
    ],
)
def test_anything_less_proves_nothing(end: GuestEnd | None, reason: str) -> None:
    refusal = judged(end)

    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason


def test_it_covers_no_disk_and_no_host_so_nothing_starts_elsewhere_on_it() -> None:
    cloud = started()
    proof = judged(ENDED)
    assert isinstance(proof, Proof)
    draft = Draft(cloud.cluster, cloud.now)
    draft.put_host(replace(draft.host(C1), proofs=(proof,)))

    assert not covers_disks(draft.host(C1), (CEPH,))
    assert not is_sufficient(draft, C1)


def test_it_permits_that_server_there_in_that_boot_and_episode_alone() -> None:
    cloud = started()
    draft, proof = Draft(cloud.cluster, cloud.now), judged(ENDED)
    assert isinstance(proof, Proof)

    assert permits_restart(draft, proof, WEB, C1)
    assert not permits_restart(draft, proof, ServerId("db"), C1)
    assert not permits_restart(draft, proof, WEB, C2)
    assert not permits_restart(draft, replace(proof, epoch=7), WEB, C1)
    draft.put_sights(draft.sights(C1)._replace(strong_boot=BootId("c1-boot2")))
    assert not permits_restart(draft, proof, WEB, C1)


def test_a_crashed_guest_is_restarted_on_its_proof() -> None:
    cloud = started()

    cloud.tell(crash(cloud))

    assert isinstance(cloud.move("web").state, at.Mending)
    assert cloud.move("web").killed is not None
    assert len(cloud.all_of(do.HardReboot)) == 1


def test_one_whose_disk_is_held_is_not_restarted_and_a_person_is_told() -> None:
    cloud = started()

    cloud.tell(crash(cloud, replace(ENDED, is_unlocked=False)))
    cloud.run(60.0)

    assert not cloud.all_of(do.HardReboot)
    assert cloud.was_told("guest_held:disk_locked")


ORPHAN = MoveRecord(1, "evacuation", HostId("c2"), C1, "pre-migrating")


def test_a_guest_of_which_a_record_is_open_is_not_reset_and_a_person_is_told() -> None:
    cloud = started()
    seen = replace(cloud.servers[WEB], records=(ORPHAN,))
    cloud.tell(on.GuestSeen(seen, C1, Health.DOWN, ENDED))

    assert not cloud.all_of(do.HardReboot)
    assert cloud.was_told("guest_held:record_open")


def test_a_reset_does_not_leave_once_nova_works_on_its_server() -> None:
    cloud = started()
    cloud.tell(crash(cloud))
    (reboot,) = cloud.all_of(do.HardReboot)

    seen = replace(cloud.servers[WEB], records=(ORPHAN,))

    assert objection(cloud.cluster, reboot, cloud.now, seen) == "record_open"


def test_a_restart_does_not_leave_when_another_boot_is_heard_meanwhile() -> None:
    cloud = started()
    cloud.tell(crash(cloud))
    reboot = cloud.all_of(do.HardReboot)[0]
    seen = cloud.servers[WEB]
    assert objection(cloud.cluster, reboot, cloud.now, seen) == ""

    sights = cloud.cluster.sights[C1]._replace(strong_boot=BootId("c1-boot2"))
    cloud.cluster.sights[C1] = sights

    assert objection(cloud.cluster, reboot, cloud.now, seen) == "end_not_proved"


def test_a_guest_that_hangs_is_reset_without_a_proof_for_the_reset_itself_kills_it() -> None:
    promise = Promise(guest_hangs=Remedy.RESTART)
    cloud = SmallCloud(policy=replace(BALANCED, default=promise)).started()
    cloud.add("web", "c1")

    cloud.tell(on.GuestSeen(cloud.servers[WEB], C1, Health.HUNG))

    assert cloud.move("web").killed is None
    assert len(cloud.all_of(do.HardReboot)) == 1
