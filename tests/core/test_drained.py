"""Whose records say that a started nova-compute has cleaned up, and which list may say so."""

import pytest
from tests.core.small_cloud import SmallCloud

from ninelives.core import actions as do
from ninelives.core import drained
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import HostId, MoveRecord, ServerId, ServerSeen, VmState

C1, C2, WEB = HostId("c1"), HostId("c2"), ServerId("web")


def listed(*records: MoveRecord, start: int = 1, is_complete: bool = True) -> on.Listed:
    web = ServerSeen(WEB, C2, VmState.ACTIVE, None, True, records)
    return on.Listed(do.ListServers(C1, 0, start), (web,), is_complete=is_complete)


def evacuated(status: str, source: HostId = C1, kind: str = "evacuation") -> MoveRecord:
    return MoveRecord(7, kind, source, C2, status)


@pytest.mark.parametrize(
    ("record", "is_clean"),
    [
        (evacuated("completed"), True),
        (evacuated("done"), False),
        (evacuated("done", source=C2), True),
        (evacuated("failed"), True),
        (evacuated("done", kind="live-migration"), True),
    ],
)
def test_a_record_that_stands_as_done_waits_for_its_nova_compute(
    record: MoveRecord, is_clean: bool
) -> None:
    assert drained.has_cleaned_up(listed(evacuated("completed"), record)) == is_clean


@pytest.mark.parametrize(
    ("stage", "after_s", "event", "is_told"),
    [
        (at.Stage.FORCING_UP, 6.0, listed(), True),
        (at.Stage.FORCING_UP, 1.0, listed(), False),
        (at.Stage.FORCING_UP, 6.0, listed(start=0), False),
        (at.Stage.FORCING_UP, 6.0, listed(is_complete=False), False),
        (at.Stage.COMPUTE, 6.0, listed(), False),
    ],
    ids=["in time", "too early", "of another start", "a cell is down", "not started"],
)
def test_only_a_complete_list_made_after_this_start_is_believed(
    stage: at.Stage, after_s: float, event: on.Listed, is_told: bool
) -> None:
    cloud = SmallCloud().started()
    draft = Draft(cloud.cluster, cloud.now + 60)
    returning = at.Returning(draft.now - after_s, stage, draft.now - after_s)
    draft.put_host(at.Host(C1, state=returning))

    assert drained.is_told_by(draft, event) == is_told
