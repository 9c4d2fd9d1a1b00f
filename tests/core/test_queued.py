"""A start in Nova's queue for a host without an agent: the host stays off, and a person is told."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, OLD, both, fresh, record
from tests.core.small_cloud import CEPH

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import moves, orders_judged, queued, returning
from ninelives.core import states as at
from ninelives.core.brakes import holding_power_on
from ninelives.core.draft import Draft
from ninelives.core.elsewhere import domains_seen
from ninelives.core.episode import begin, end
from ninelives.core.lastcheck import objection
from ninelives.core.model import (
    EVERYTHING,
    BackendId,
    HostId,
    Method,
    Proof,
    ServerId,
    ServerSeen,
    VmState,
)
from ninelives.core.plan import plan
from ninelives.core.states import Class
from ninelives.core.targets import unproved_writers

C2, WEB = HostId("c2"), ServerId("web")
ASKED = ServerSeen(
    WEB, C1, VmState.STOPPED, "powering-on", False, user_action="start", disks=(CEPH,)
)


def vacated(has_agent: bool = False) -> Draft:
    draft = fresh(has_agent=has_agent, revocable=frozenset({CEPH}))
    record(epoch=1, boot=OLD, state=at.Vacated(NOW - 300))(draft)
    return draft


def moved(draft: Draft, state: at.MoveState, host: HostId = C2) -> Draft:
    """Let web be moved, after its start had been seen to wait for c1."""
    queued.remember(draft, C1, [ASKED])
    move = plan(draft, C1, ASKED)
    draft.put_move(replace(move, state=state, seen=replace(ASKED, host=host, task_state=None)))
    return draft


@pytest.mark.parametrize(
    ("seen", "is_kept"),
    [
        (ASKED, True),
        (replace(ASKED, task_state="rebuilding"), True),
        (replace(ASKED, user_action=""), True),
        (replace(ASKED, host=C2), False),
        (replace(ASKED, user_action="stop", task_state=None), False),
        (replace(ASKED, vm_state=VmState.ACTIVE, task_state=None), False),
    ],
)
def test_a_start_waits_for_the_host_that_nova_names_until_it_is_carried_out(
    seen: ServerSeen, is_kept: bool
) -> None:
    draft = vacated()

    queued.remember(draft, C1, [seen])

    assert draft.host(C1).queued == ((WEB,) if is_kept else ())


@pytest.mark.parametrize(
    ("state", "task", "kept"),
    [
        (at.Verifying(NOW - 10, C2), "powering-on", (WEB,)),
        (at.Retry(NOW, "target_died"), "powering-on", (WEB,)),
        (at.Verifying(NOW - 10, C2), "powering-off", ()),
        (at.Starting(NOW - 10, C2, is_sent=True), "powering-on", ()),
        (at.Done(NOW - 10, C2), "powering-on", ()),
    ],
)
def test_a_start_that_arrives_with_its_server_may_lie_in_the_old_queue(
    state: at.MoveState, task: str, kept: tuple[ServerId, ...]
) -> None:
    draft = vacated()
    draft.put_move(replace(plan(draft, C1, replace(ASKED, task_state=None)), state=state))

    queued.remember(draft, C1, [replace(ASKED, host=C2, task_state=task)])

    assert draft.host(C1).queued == kept


def test_with_an_agent_the_gate_refuses_it_and_nothing_is_held() -> None:
    draft = moved(vacated(has_agent=True), at.Done(NOW - 100, C2))

    assert not draft.host(C1).queued
    assert not queued.holding(draft, C1)


@pytest.mark.parametrize(
    ("state", "host", "why"),
    [
        (at.Done(NOW - 100, C2), C2, "start_waits"),
        (at.Verifying(NOW - 100, C2), C1, "start_waits"),
        (at.Skipped(NOW - 100, "lives_elsewhere"), C2, "start_waits"),
        (at.WaitingForHost(NOW - 100, "policy"), C1, ""),
        (at.Failed(NOW - 100, "no_target"), C1, ""),
    ],
)
def test_the_host_stays_off_while_the_start_would_be_of_a_second_copy(
    state: at.MoveState, host: HostId, why: str
) -> None:
    draft = moved(vacated(), state, host)

    assert holding_power_on(draft, C1) == why


LEFT_BEHIND = [
    at.WaitingForHost(NOW - 100, "failed:error"),
    at.Failed(NOW - 100, "in_place_failed"),
    at.Skipped(NOW - 100, "data_would_be_lost"),
    at.Cancelled(NOW - 100, "by_user"),
]


def sent_before(state: at.MoveState) -> Draft:
    """Let web rest at home after a rebuild at c2 that may have left its copy there."""
    draft = moved(vacated(), state, C1)
    move = draft.moves_of(C1)[0]
    draft.put_move(replace(move, attempt=1, named=(C2,), writers=frozenset({C1, C2})))
    return draft


@pytest.mark.parametrize("state", LEFT_BEHIND)
def test_who_may_have_a_copy_where_it_was_sent_does_not_rest_at_home(state: at.MoveState) -> None:
    draft = sent_before(state)

    assert holding_power_on(draft, C1) == "start_waits"

    queued.tell(draft, C1)
    assert do.LookForDomain(WEB, (C2,), 1) in draft.actions


@pytest.mark.parametrize(
    ("present", "why"), [(False, ""), (True, "start_waits"), (None, "start_waits")]
)
@pytest.mark.parametrize("state", LEFT_BEHIND)
def test_the_host_stays_off_until_no_copy_was_seen_there(
    state: at.MoveState, present: bool | None, why: str
) -> None:
    draft = sent_before(state)

    domains_seen(draft, on.DomainsSeen(do.LookForDomain(WEB, (C2,), 1), ((C2, present),)))

    assert holding_power_on(draft, C1) == why


def test_a_copy_that_is_proved_dead_is_no_second_one() -> None:
    draft = sent_before(at.Failed(NOW - 100, "in_place_failed"))
    proof = Proof(Method.POWER_OFF, C2, 1, 1, NOW - 60, None, EVERYTHING, "bmc-c2 off twice")
    record("c2", epoch=1, state=at.Vacated(NOW - 30), proofs=(proof,))(draft)

    assert not holding_power_on(draft, C1)


def test_who_was_forgotten_meanwhile_may_live_anywhere() -> None:
    draft = vacated()
    queued.remember(draft, C1, [ASKED])

    assert holding_power_on(draft, C1) == "start_waits"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (at.Revocation(CEPH, in_force=True), ""),
        (at.Revocation(CEPH), "start_waits"),
        (at.Revocation(CEPH, in_force=True, lifted=True), "start_waits"),
        (at.Revocation(BackendId("nfs"), in_force=True), "start_waits"),
    ],
)
def test_a_host_that_is_shut_out_of_its_disks_starts_nothing(
    entry: at.Revocation, why: str
) -> None:
    draft = moved(vacated(), at.Done(NOW - 100, C2))
    record(revocations=(entry,))(draft)

    assert holding_power_on(draft, C1) == why


def test_a_person_is_told_and_an_order_to_switch_it_on_is_refused() -> None:
    draft = moved(vacated(), at.Done(NOW - 100, C2))

    returning.vacated(draft, C1)
    orders_judged.judge_order(draft, on.PowerOnOrdered("ann", C1))

    assert any(isinstance(a, do.Tell) and a.what == "start_waits" for a in draft.actions)
    assert not any(isinstance(a, do.PowerOn) for a in draft.actions)
    assert any("start_waits" in str(note) for note in draft.notes)


@pytest.mark.parametrize("risk", ["", "the old boot lives"])
def test_a_person_is_told_while_the_host_still_evacuates(risk: str) -> None:
    draft = moved(vacated(), at.Verifying(NOW - 100, C2))
    evacuating = at.Evacuating(NOW - 300)
    record(state=evacuating, zombie_risk=risk)(draft)

    moves.evacuating(draft, C1, evacuating)
    moves.evacuating(draft, C1, evacuating)

    told = [a for a in draft.actions if isinstance(a, do.Tell) and a.what == "start_waits"]
    assert len(told) == 1
    assert WEB in told[0].detail


def test_a_rebuild_that_may_wait_there_keeps_it_off_until_its_server_is_somewhere() -> None:
    draft = vacated()
    record("c2", epoch=1, state=at.Evacuating(NOW - 100))(draft)
    move = replace(plan(draft, C2, replace(ASKED, host=C2)), named=(C1, HostId("c3")))
    draft.put_move(replace(move, state=at.Verifying(NOW - 10, HostId("c3"))))
    assert holding_power_on(draft, C1) == "rebuild_waits"

    draft.put_move(replace(move, state=at.Done(NOW, HostId("c3"))))

    assert not holding_power_on(draft, C1)


@pytest.mark.parametrize(
    ("target", "seen", "is_sent", "why"),
    [
        (C1, ASKED, False, ""),
        (C1, ASKED, True, "rebuild_waits"),
        (C1, replace(ASKED, task_state="rebuild_spawning"), False, "rebuild_waits"),
        (C2, replace(ASKED, host=C2), False, "rebuild_waits"),
    ],
)
def test_a_rebuild_that_ended_here_does_not_wait_and_its_start_waits_for_the_host(
    target: HostId, seen: ServerSeen, is_sent: bool, why: str
) -> None:
    draft = vacated()
    record("c3", epoch=1, state=at.Evacuating(NOW - 100))(draft)
    calm = seen if seen.task_state == "rebuild_spawning" else replace(seen, task_state=None)
    move = replace(plan(draft, HostId("c3"), replace(calm, host=HostId("c3"))), named=(C1, C2))
    starting = at.Starting(NOW - 10, target, is_sent=is_sent)
    draft.put_move(replace(move, state=starting, seen=calm))

    assert holding_power_on(draft, C1) == why


def test_who_is_moved_on_may_have_been_started_where_its_start_waited() -> None:
    draft = vacated()
    queued.remember(draft, C1, [ASKED])

    moved_on = plan(draft, C2, replace(ASKED, host=C2, task_state=None))

    assert unproved_writers(draft, moved_on, HostId("c3")) == (C1, C2)


def test_it_is_remembered_through_a_new_episode_and_forgotten_with_health() -> None:
    draft = moved(vacated(), at.Done(NOW - 100, C2))
    record(state=at.Returning(NOW, at.Stage.SOAKING, NOW))(draft)
    begin(draft, C1, Class.DEAD_OR_FROZEN, "R8")
    assert draft.host(C1).queued == (WEB,)

    end(draft, C1, "recovered")

    assert not draft.host(C1).queued


def test_a_start_that_the_last_check_sees_first_is_remembered_before_its_server_goes() -> None:
    draft = fresh(has_agent=False)
    both(record(epoch=1, boot=OLD, state=at.Evacuating(NOW - 10)))(draft)
    calm = replace(ASKED, task_state=None, user_action="")
    move = replace(plan(draft, C1, calm), attempt=1, state=at.Sending(NOW, C2))
    draft.put_move(move)
    draft.cluster.apply(draft.decision())
    evacuate = do.Evacuate(WEB, C1, C2, 1, 1)

    assert objection(draft.cluster, evacuate, NOW, ASKED) == "start_unseen"
    assert objection(draft.cluster, evacuate, NOW, calm) != "start_unseen"
