"""A database that fails over forgets who arrived: Nova names the old host of a server again."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, fresh, record

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import returning
from ninelives.core import states as at
from ninelives.core.arrival import verify_will
from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.core.plan import plan
from ninelives.core.policy import BALANCED

C2, WEB = HostId("c2"), ServerId("web")


def stage_after(shown_on: HostId) -> at.Stage:
    """List a host that is led back: `web` was seen to arrive on c2, Nova shows no record of it."""
    draft = fresh()
    record(state=at.Returning(NOW - 1, at.Stage.LIFTING, NOW - 1))(draft)
    seen = ServerSeen(WEB, shown_on, VmState.ACTIVE, None, is_running=True)
    draft.put_move(replace(plan(draft, C1, seen), state=at.Done(NOW - 60, C2)))
    request = do.ListServers(C1, draft.host(C1).epoch, 0)

    returning.records_seen(draft, on.Listed(request, (seen,), is_complete=True))

    state = draft.host(C1).state
    assert isinstance(state, at.Returning)
    return state.stage


@pytest.mark.parametrize(
    ("shown_on", "stage"), [(C2, at.Stage.COMPUTE), (C1, at.Stage.LIFTING)], ids=["there", "here"]
)
def test_no_nova_compute_starts_where_it_would_start_a_second_copy(
    shown_on: HostId, stage: at.Stage
) -> None:
    assert stage_after(shown_on) is stage


STARTING = at.Starting(NOW - 1, C2)


@pytest.mark.parametrize(
    ("shown_on", "after_s", "is_over"),
    [(C1, 0, False), (C1, BALANCED.nova_settle_s, True), (C2, 0, True)],
    ids=["late", "for good", "there"],
)
def test_a_look_at_its_old_host_that_comes_late_does_not_end_a_move(
    shown_on: HostId, after_s: float, is_over: bool
) -> None:
    draft = fresh()
    draft.now += after_s
    record(state=at.Evacuating(NOW - 9))(draft)
    seen = ServerSeen(WEB, shown_on, VmState.ERROR, None, is_running=False)

    verify_will(draft, replace(plan(draft, C1, seen), will=at.Will.STOPPED), STARTING)

    after = draft.move(WEB)
    assert (after is not None) == is_over
