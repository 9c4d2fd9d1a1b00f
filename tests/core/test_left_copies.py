"""A copy that an ended episode left somewhere is remembered by the plans that come after it."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, fresh, record
from tests.core.small_cloud import CEPH

from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.episode import begin, end
from ninelives.core.model import (
    EVERYTHING,
    HostId,
    Method,
    MoveRecord,
    Proof,
    ServerId,
    ServerSeen,
    VmState,
)
from ninelives.core.plan import plan
from ninelives.core.states import Class
from ninelives.core.targets import unproved_writers

C2, WEB = HostId("c2"), ServerId("web")
FAILED = MoveRecord(1, "evacuation", C1, C2, "failed")
SEEN = ServerSeen(WEB, C1, VmState.ERROR, None, True, (FAILED,), disks=(CEPH,))


def signed_off(**changes: object) -> Draft:
    """Nova failed the rebuild on c2 after its domain came up; a person signed the server off."""
    draft = fresh()
    record(state=at.Returning(NOW, at.Stage.SOAKING, NOW), epoch=1)(draft)
    move = plan(draft, C1, SEEN)
    move = replace(move, state=at.Skipped(NOW, "signed_off"), named=(C2,), attempt=1)
    draft.put_move(replace(move, writers=frozenset({C1, C2}), **changes))  # type: ignore[arg-type]  # fields of Move by name
    return draft


def planned_again(draft: Draft) -> at.Move:
    end(draft, C1, "soaked")
    begin(draft, C1, Class.DEAD_POWER, "R5")
    return plan(draft, C1, SEEN)


def test_who_may_hold_a_copy_is_a_writer_in_the_next_episode() -> None:
    """World 76 of seed ci: the copy on h7 was forgotten, and the server started on h4 as well."""
    move = planned_again(draft := signed_off())

    assert C2 in unproved_writers(draft, move, HostId("c3"))
    assert (move.attempt, move.named) == (1, ())


def test_it_is_remembered_through_an_episode_that_never_listed_it() -> None:
    draft = signed_off()
    planned_again(draft)
    record(state=at.Suspect(NOW, Class.DEAD_POWER, NOW))(draft)

    assert C2 in planned_again(draft).writers


def test_it_is_remembered_where_its_server_went_since() -> None:
    draft = signed_off()
    end(draft, C1, "soaked")

    assert C2 in plan(draft, HostId("c3"), replace(SEEN, host=HostId("c3"))).writers


def test_where_it_was_seen_absent_or_is_proved_dead_nothing_is_left() -> None:
    seen_absent = signed_off(absent_on=frozenset({C2}))
    proof = Proof(Method.POWER_OFF, C2, 1, 1, NOW, None, EVERYTHING, "off twice")
    record("c2", epoch=1, state=at.Vacated(NOW), proofs=(proof,))(proved := signed_off())

    for draft in (seen_absent, proved):
        assert planned_again(draft).writers == {C1}


@pytest.mark.parametrize(
    "changes",
    [{"state": at.Done(NOW, C2)}, {"seen": replace(SEEN, user_action="delete")}],
    ids=["arrived", "deleted"],
)
def test_who_arrived_or_is_deleted_is_forgotten(changes: dict[str, object]) -> None:
    draft = signed_off(**changes)

    end(draft, C1, "soaked")

    assert draft.move(WEB) is None
