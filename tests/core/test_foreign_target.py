"""A record of somebody else that names no target: it leaves no writer, and is waited for."""

from dataclasses import replace

from tests.core.arrangements import C1, fresh
from tests.core.small_cloud import CEPH, SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import Candidate, HostId, MoveRecord, ServerId, ServerSeen, VmState
from ninelives.core.move import fail
from ninelives.core.plan import plan


def test_a_target_that_was_never_named_writes_nothing() -> None:
    draft = fresh()
    records = (MoveRecord(7, "evacuation", C1, None, "accepted"),)
    seen = ServerSeen(
        ServerId("web"), C1, VmState.ERROR, None, is_running=None, records=records, disks=(CEPH,)
    )
    move = plan(draft, C1, seen)
    assert isinstance(move.state, at.Verifying)

    fail(draft, move, "record_error", move.state.target)

    failed = draft.move(ServerId("web"))
    assert failed is not None
    assert HostId("") not in failed.writers


def test_whom_its_user_migrates_while_targets_are_asked_for_waits_for_that() -> None:
    """World 106 of seed ci: the record came between the question and its answer."""

    def migrated(cloud: SmallCloud, action: do.Action) -> list[on.Event]:
        assert isinstance(action, do.AskTargets)
        move = cloud.move("web")
        record = MoveRecord(9, "live-migration", C1, None, "accepted")
        seen = replace(move.seen, task_state="migrating", records=(record,))
        cloud.servers[move.server] = seen
        looked = on.Watched(do.Watch(C1, move.epoch, (move.server,)), (seen,))
        return [looked, on.TargetsSeen(action, (Candidate(HostId("c3"), 9, sees_disk=True),))]

    cloud = SmallCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.AskTargets] = migrated
    cloud.kill("c1")
    cloud.run(60.0)

    assert cloud.all_of(do.AskTargets)
    assert not cloud.all_of(do.Evacuate)
