"""What a host's nova-compute was at when the host died: its records stay open, nobody goes on."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NEW, OLD, both, dark, fresh, off_read, record
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import CEPH, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import lost_work
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.episode import begin, void_proofs
from ninelives.core.model import (
    EVERYTHING,
    Covers,
    HostId,
    Method,
    MoveRecord,
    Proof,
    ServerId,
    ServerSeen,
    VmState,
)
from ninelives.core.plan import plan
from ninelives.core.proofs import valid
from ninelives.core.states import Class
from ninelives.core.targets import open_records

C2, C3 = HostId("c2"), HostId("c3")
TAKEN_UP = MoveRecord(7, "evacuation", C2, C1, "pre-migrating")
DRIVEN = MoveRecord(8, "live-migration", C1, C3, "preparing")


def web(*records: MoveRecord) -> ServerSeen:
    return ServerSeen(ServerId("web"), C2, VmState.ACTIVE, None, True, records, disks=(CEPH,))


def dead(covers: Covers = EVERYTHING, method: Method = Method.POWER_OFF) -> Draft:
    """c1 was shot, and is read off right now."""
    draft = fresh()
    proof = Proof(method, C1, 1, 1, draft.now - 60, OLD, covers, "forged")
    both(dark, off_read(draft.now - 50, draft.now))(draft)
    record(epoch=1, boot=OLD, state=at.Evacuating(draft.now - 60), proofs=(proof,))(draft)
    return draft


def listed(draft: Draft, *records: MoveRecord, is_complete: bool = True) -> tuple[int, ...]:
    request = do.ListServers(C1, draft.host(C1).epoch, 1)
    lost_work.remember(draft, on.Listed(request, (web(*records),), is_complete=is_complete))
    return draft.host(C1).lost_work


@pytest.mark.parametrize("entry", [TAKEN_UP, DRIVEN])
def test_what_a_dead_host_was_at_is_lost(entry: MoveRecord) -> None:
    assert listed(dead(), entry) == (entry.id,)


@pytest.mark.parametrize(
    "entry",
    [
        replace(TAKEN_UP, status="accepted"),
        replace(TAKEN_UP, status="done"),
        replace(TAKEN_UP, source=C1, target=C2),
        replace(DRIVEN, status="accepted"),
        replace(DRIVEN, source=C2, target=C1),
        replace(DRIVEN, kind="resize"),
    ],
)
def test_what_waits_in_a_queue_or_is_others_work_is_not_lost(entry: MoveRecord) -> None:
    assert listed(dead(), entry) == ()


def test_a_host_that_is_only_shut_out_of_its_storage_still_works_on() -> None:
    shut_out = dead(Covers(backends=frozenset({CEPH})), Method.STORAGE_REVOKED)

    assert listed(shut_out, TAKEN_UP) == ()


def test_a_host_whose_power_was_not_read_off_just_now_may_be_at_it_again() -> None:
    draft = dead()
    off_read(draft.now - 50, draft.now - 20)(draft)

    assert listed(draft, TAKEN_UP) == ()


def test_it_is_remembered_beyond_the_episode_until_nova_ends_the_record() -> None:
    draft = dead()
    listed(draft, TAKEN_UP)
    record(state=at.Healthy(draft.now), proofs=(), boot=NEW)(draft)
    begin(draft, C1, Class.UNKNOWN, "R19")

    assert lost_work.is_lost(draft, TAKEN_UP)
    assert listed(draft, is_complete=False) == (7,)
    assert listed(draft, replace(TAKEN_UP, status="failed")) == ()


def test_a_contradicted_proof_takes_it_back() -> None:
    draft = dead()
    listed(draft, TAKEN_UP)
    void_proofs(draft, C1, valid(draft.host(C1)), "it lives")

    assert not lost_work.is_lost(draft, TAKEN_UP)


def test_a_lost_live_migration_is_settled_once_its_other_end_was_looked_at() -> None:
    draft = dead()
    record("c2", epoch=1, state=at.Evacuating(draft.now))(draft)
    move = plan(draft, C2, web(DRIVEN))
    listed(draft, DRIVEN)
    record(state=at.Healthy(draft.now), proofs=())(draft)

    assert open_records(draft, move)
    assert not open_records(draft, replace(move, absent_on=frozenset({C3})))


# The whole story.


def target_dies(status: str) -> SmallCloud:
    """c1 died, and so did the target of its server in the midst of the rebuild; it went on."""
    cloud = CheckedCloud(site=small_site("c1 c2 c3 c4 c5 c6 c7 c8")).started()
    cloud.add("web", "c1")

    def dies(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
        assert isinstance(action, do.Evacuate)
        del cloud.answers[do.Evacuate]
        entry = MoveRecord(1, "evacuation", C1, action.target, status)
        cloud.change(action.server, records=(entry,))
        cloud.kill(action.target)
        return [on.Replied(action, on.Outcome.DONE)]

    cloud.answers[do.Evacuate] = dies
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 900)
    return cloud


def falls_again(cloud: SmallCloud) -> list[do.Action]:
    """The first target is long back when the second one dies."""
    first, second = cloud.all_of(do.Evacuate)
    assert isinstance(first, do.Evacuate)
    assert isinstance(second, do.Evacuate)
    cloud.run(120)
    cloud.wake_up(first.target, f"{first.target}-boot2")
    cloud.until(lambda: cloud.is_in(first.target, at.Healthy), 900)
    cloud.kill(second.target)
    cloud.run(900)
    return cloud.all_of(do.Evacuate)[2:]


def test_a_rebuild_that_died_with_its_target_holds_nobody_in_a_later_outage() -> None:
    assert len(falls_again(target_dies("pre-migrating"))) == 1


def test_a_rebuild_that_may_wait_in_a_queue_holds_its_server_in_every_outage() -> None:
    assert not falls_again(target_dies("accepted"))
