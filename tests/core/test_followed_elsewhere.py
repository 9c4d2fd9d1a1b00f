"""Who left its host late, or was taken on by somebody else, runs there before the host is back.

Worlds 6 of seed hsh and 82 of seed day3z.
"""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NEW, NOW, fresh, record
from tests.core.small_cloud import CEPH

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.elsewhere import domains_seen
from ninelives.core.in_place import restart_in_place
from ninelives.core.model import HostId, MoveRecord, ServerId, ServerSeen, VmState
from ninelives.core.move import settle_send
from ninelives.core.moves import watched
from ninelives.core.plan import plan

C2, C3, WEB = HostId("c2"), HostId("c3"), ServerId("web")


def led_back() -> Draft:
    """C1 brings back who waited for it; web arrived on c2 after all, and is not started yet."""
    draft = fresh()
    record(epoch=1, state=at.Returning(NOW, at.Stage.RESTARTING, NOW, NEW))(draft)
    seen = ServerSeen(WEB, C2, VmState.STOPPED, None, is_running=False, disks=(CEPH,))
    move = plan(draft, C1, seen)
    draft.put_move(replace(move, state=at.Starting(NOW, C2), writers=frozenset({C1, C2})))
    return draft


def test_its_host_waits_until_it_is_started() -> None:
    draft = led_back()

    assert not restart_in_place(draft, C1)
    assert do.LookForDomain(WEB, (C1,), 0) in draft.actions


def test_that_no_copy_is_on_its_old_host_clears_the_way() -> None:
    draft = led_back()

    domains_seen(draft, on.DomainsSeen(do.LookForDomain(WEB, (C1,), 0), ((C1, False),)))

    move = draft.move(WEB)
    assert move is not None
    assert move.absent_on == {C1}


def taken_on(record_status: str, task: str | None) -> at.Move:
    """See web, which arrived on c2 and waits for its start, where somebody evacuates it on to."""
    draft = fresh()
    record(epoch=1, state=at.Evacuating(NOW))(draft)
    arrived = ServerSeen(WEB, C2, VmState.STOPPED, None, is_running=False, disks=(CEPH,))
    move = replace(plan(draft, C1, arrived), named=(C2,), attempt=1, absent_on=frozenset({C3}))
    draft.put_move(replace(move, state=at.Starting(NOW, C2), ran=True, will=at.Will.RUNNING))
    on_to = MoveRecord(7, "evacuation", C2, C3, record_status)
    seen = replace(arrived, host=C3, task_state=task, records=(on_to,))

    watched(draft, on.Watched(do.Watch(C1, 1, (WEB,)), (seen,)))

    after = draft.move(WEB)
    assert after is not None
    return after


def test_who_was_taken_on_to_a_third_host_is_started_there() -> None:
    after = taken_on("done", None)

    assert isinstance(after.state, at.Starting)
    assert after.state.target == C3
    assert C2 in after.writers
    assert C3 not in after.absent_on
    assert after.is_adopted


@pytest.mark.parametrize(("status", "task"), [("pre-migrating", None), ("done", "powering-off")])
def test_who_is_still_taken_on_is_not_followed_yet(status: str, task: str | None) -> None:
    after = taken_on(status, task)

    assert isinstance(after.state, at.Starting)
    assert after.state.target == C2


def test_who_was_taken_on_between_two_looks_is_started_where_it_is() -> None:
    draft = fresh()
    record(epoch=1, state=at.Evacuating(NOW))(draft)
    seen = ServerSeen(WEB, C3, VmState.STOPPED, None, is_running=False, disks=(CEPH,))
    move = replace(plan(draft, C1, seen), named=(C2,), attempt=1, ran=True, will=at.Will.RUNNING)

    settle_send(draft, replace(move, state=at.Verifying(NOW, C2)), is_fresh=True)

    after = draft.move(WEB)
    assert after is not None
    assert isinstance(after.state, at.Starting)
    assert after.state.target == C3
    assert after.is_adopted
