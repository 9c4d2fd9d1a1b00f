"""An evacuation of somebody else that ends before it names a target leaves no writer (s3/2)."""

from tests.core.arrangements import C1, fresh
from tests.core.small_cloud import CEPH

from ninelives.core import states as at
from ninelives.core.model import HostId, MoveRecord, ServerId, ServerSeen, VmState
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
