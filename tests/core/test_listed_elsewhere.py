"""A list names who has another home by now: a record that nobody ever closes ties it here."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, fresh, record
from tests.core.small_cloud import CEPH

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import moves
from ninelives.core import states as at
from ninelives.core.decide import decide
from ninelives.core.draft import Draft
from ninelives.core.invariants import check
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
from ninelives.core.move import settle_send
from ninelives.core.plan import plan

C2, C3, C4, WEB = HostId("c2"), HostId("c3"), HostId("c4"), ServerId("web")


def evacuation(number: int, source: HostId, target: HostId, status: str) -> MoveRecord:
    return MoveRecord(number, "evacuation", source, target, status)


CUT_SHORT = evacuation(1, C1, C3, "pre-migrating")


def web(host: HostId, *records: MoveRecord) -> ServerSeen:
    return ServerSeen(WEB, host, VmState.ACTIVE, None, True, records, disks=(CEPH,))


def in_care(state: at.HostState) -> Draft:
    """c1 is evacuating in its first episode, c2 is in this state of its own."""
    draft = fresh()
    record("c1", epoch=1, state=at.Evacuating(draft.now))(draft)
    record("c2", epoch=1, state=state)(draft)
    return draft


def test_a_record_that_a_later_evacuation_left_behind_is_no_rescue_under_way() -> None:
    moved = web(C2, CUT_SHORT, evacuation(2, C1, C2, "completed"))

    assert plan(in_care(at.Healthy(0.0)), C1, moved).state == at.Skipped(1000.0, "lives_elsewhere")


def test_a_record_younger_than_the_last_evacuation_is_a_rescue_under_way() -> None:
    moved = web(C2, evacuation(1, C1, C2, "completed"), replace(CUT_SHORT, id=2))

    assert isinstance(plan(in_care(at.Healthy(0.0)), C1, moved).state, at.Verifying)


def test_a_record_that_was_overtaken_is_no_rescue_wherever_its_server_went_since() -> None:
    overtaken = (CUT_SHORT, evacuation(2, C1, C2, "completed"))
    further = web(C4, *overtaken, evacuation(3, C2, C4, "completed"))
    back = web(C1, *overtaken, evacuation(3, C2, C1, "completed"))

    assert plan(in_care(at.Healthy(0.0)), C1, further).state == at.Skipped(
        1000.0, "lives_elsewhere"
    )
    assert isinstance(plan(in_care(at.Healthy(0.0)), C1, back).state, at.Planned)


def test_who_arrived_at_a_target_that_died_is_left_to_its_episode_though_a_record_is_open() -> None:
    draft = in_care(at.Evacuating(0.0))
    proof = Proof(Method.POWER_OFF, C2, 1, 1, 900.0, None, EVERYTHING, "forged")
    record("c2", proofs=(proof,))(draft)
    entry = evacuation(1, C1, C2, "pre-migrating")
    sent = replace(plan(draft, C1, web(C1)), state=at.Verifying(0.0, C2), named=(C2,))
    stopped = replace(web(C2, entry), vm_state=VmState.STOPPED, is_running=False)
    draft.put_move(replace(sent, seen=stopped, attempt=1))

    settle_send(draft, draft.moves_of(C1)[0], is_fresh=True)

    assert draft.moves_of(C1)[0].state == at.Skipped(1000.0, "target_died")


def test_what_was_signed_off_in_an_earlier_episode_is_brought_back_in_this_one() -> None:
    draft = in_care(at.Healthy(0.0))
    draft.put_control(replace(draft.control, signed_off=(WEB,)))

    moves.listed(draft, on.Listed(do.ListServers(C1, 1, 1), (web(C1),), is_complete=True))

    assert draft.control.signed_off == ()


def test_who_waits_for_its_own_host_is_not_taken_from_it() -> None:
    draft = in_care(at.Vacated(0.0))
    seen = web(C2, evacuation(1, C2, C1, "accepted"))
    waits = at.WaitingForHost(0.0, "failed:no_target")
    draft.put_move(replace(plan(draft, C2, seen), state=waits))

    moves.listed(draft, on.Listed(do.ListServers(C1, 1, 1), (seen,), is_complete=True))

    kept = draft.move(WEB)
    assert kept is not None
    assert (kept.host, kept.state) == (C2, waits)


def test_who_waited_for_a_host_that_is_long_back_is_planned_here() -> None:
    draft = in_care(at.Healthy(0.0))
    seen = web(C2, evacuation(1, C2, C1, "accepted"))
    draft.put_move(replace(plan(draft, C2, seen), state=at.WaitingForHost(0.0, "paused")))

    moves.listed(draft, on.Listed(do.ListServers(C1, 1, 1), (seen,), is_complete=True))

    planned = draft.move(WEB)
    assert planned is not None
    assert planned.host == C1


@pytest.mark.parametrize(
    "state", [at.Mending(0.0, is_migration=True), at.Failed(0.0, "not_migrated")]
)
def test_who_was_moved_off_alive_before_the_fence_is_planned_like_everybody(
    state: at.MoveState,
) -> None:
    draft = in_care(at.Healthy(0.0))
    drained = replace(plan(draft, C1, web(C1)), state=state, attempt=1, began=10.0)
    draft.put_move(drained)
    record("c1", state=at.Fenced(draft.now), forced_down_by_us=True)(draft)
    before = draft.cluster
    before.apply(draft.decision())
    listed = on.Listed(do.ListServers(C1, 1, 0), (web(C1),), is_complete=True)

    decision = decide(before, listed, draft.now)

    planned = decision.moves[WEB]
    assert planned is not None
    assert (planned.state, planned.attempt) == (at.Planned(1000.0), 1)
    assert "arrows" not in {law for law, *_ in check(before, listed, decision, draft.now)}
