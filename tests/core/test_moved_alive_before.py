"""A server that was being moved away alive when its host died: it got away, or it is planned."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, fresh, record
from tests.core.small_cloud import CEPH

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import moves
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import ServerId, ServerSeen, VmState
from ninelives.core.plan import plan

WEB = ServerId("web")
HERE = ServerSeen(WEB, C1, VmState.ACTIVE, None, True, disks=(CEPH,))


def listed(state: at.HostState, *servers: ServerSeen, is_complete: bool = True) -> Draft:
    """c1 died while web was being moved away alive in the same episode; then a list came."""
    draft = fresh()
    record(epoch=1, state=state, forced_down_by_us=True)(draft)
    mending = at.Mending(NOW - 60, is_migration=True, is_unknown=True)
    draft.put_move(replace(plan(draft, C1, HERE), state=mending, attempt=1))
    moves.listed(draft, on.Listed(do.ListServers(C1, 1, 1), servers, is_complete=is_complete))
    return draft


OUT = [at.Fenced(NOW - 10), at.Evacuating(NOW - 10)]


@pytest.mark.parametrize("state", OUT)
def test_nobody_waits_for_whom_it_let_go_before(state: at.HostState) -> None:
    assert listed(state).move(WEB) is None


@pytest.mark.parametrize("state", OUT)
def test_whom_only_a_part_of_the_list_misses_may_still_be_there(state: at.HostState) -> None:
    assert listed(state, is_complete=False).move(WEB) is not None


@pytest.mark.parametrize("state", OUT)
def test_who_is_still_there_is_planned_also_by_a_later_list(state: at.HostState) -> None:
    move = listed(state, HERE).move(WEB)

    assert move is not None
    assert isinstance(move.state, at.Planned | at.Choosing)
