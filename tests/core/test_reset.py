"""A state is reset once per attempt, by class only, and never while it could strike a move."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.core.arrangements import C1
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_answers import answer_well
from tests.core.small_cloud import Answer, SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.lastcheck import objection
from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.core.plan import plan
from ninelives.core.policy import BALANCED
from ninelives.core.protection import Promise

SETTLE_S = BALANCED.nova_settle_s
ODD = (VmState.PAUSED, VmState.SUSPENDED, VmState.RESCUED)


def dead_with(resets: bool = True, **server: object) -> CheckedCloud:
    """One server on a host that has just died, of a class that asks for a reset or not."""
    policy = replace(BALANCED, default=Promise(resets_state=resets))
    cloud = CheckedCloud(policy=policy)
    cloud.started()
    cloud.add("web", "c1", **server)
    cloud.kill("c1")
    return cloud


def vacated(cloud: SmallCloud, within_s: float = 900) -> SmallCloud:
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), within_s)
    return cloud


def sends(cloud: SmallCloud) -> list[tuple[str, int]]:
    kinds = (do.ResetState, do.Evacuate)
    return [(type(a).__name__, a.attempt) for a in cloud.done if isinstance(a, kinds)]


def unheard(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    """It is done, and the answer is lost."""
    answer_well(cloud, action)
    return [on.Replied(action, on.Outcome.UNKNOWN, "timeout")]


def lost(_cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    return [on.Replied(action, on.Outcome.UNKNOWN, "timeout")]


def refused(_cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    return [on.Replied(action, on.Outcome.REFUSED, "bad_state")]


@pytest.mark.parametrize("state", ODD)
def test_its_state_is_reset_and_then_it_is_evacuated(state: VmState) -> None:
    cloud = vacated(dead_with(vm_state=state, is_running=state is VmState.RESCUED))

    assert sends(cloud) == [("ResetState", 1), ("Evacuate", 2)]
    assert isinstance(cloud.move("web").state, at.Done)


@pytest.mark.parametrize("state", [*ODD, VmState.RESIZED])
def test_without_a_word_of_its_class_it_waits(state: VmState) -> None:
    cloud = vacated(dead_with(resets=False, vm_state=state))

    assert sends(cloud) == []
    assert isinstance(cloud.move("web").state, at.WaitingForHost)


def test_a_resized_one_is_left_to_its_user_whatever_its_class() -> None:
    cloud = vacated(dead_with(vm_state=VmState.RESIZED))

    assert sends(cloud) == []
    assert isinstance(cloud.move("web").state, at.WaitingForHost)


@pytest.mark.parametrize("action", ["", "pause", "suspend"])
def test_who_rested_rests_after_it_arrived_running(action: str) -> None:
    cloud = vacated(dead_with(vm_state=VmState.PAUSED, is_running=False, user_action=action))

    assert cloud.all_of(do.StopServer)
    assert not cloud.all_of(do.StartServer)
    assert cloud.servers[cloud.move("web").server].vm_state is VmState.STOPPED


def test_a_rescued_one_runs_on() -> None:
    cloud = vacated(dead_with(vm_state=VmState.RESCUED, user_action="rescue"))

    assert not cloud.all_of(do.StopServer)


def test_without_a_target_nobody_is_left_in_error() -> None:
    cloud = dead_with(vm_state=VmState.PAUSED)
    cloud.answers[do.AskTargets] = lambda _cloud, action: (
        [on.TargetsSeen(action, ())] if isinstance(action, do.AskTargets) else []
    )

    vacated(cloud)

    assert sends(cloud) == []
    assert isinstance(cloud.move("web").state, at.WaitingForHost)


def test_a_refusal_spends_the_attempts_and_it_waits_for_its_host() -> None:
    cloud = dead_with(vm_state=VmState.PAUSED)
    cloud.answers[do.ResetState] = refused

    vacated(cloud)

    assert sends(cloud) == [("ResetState", number) for number in range(1, 6)]
    assert isinstance(cloud.move("web").state, at.WaitingForHost)


@pytest.mark.parametrize(("answer", "next_is"), [(unheard, "Evacuate"), (lost, "ResetState")])
def test_a_lost_answer_is_looked_up_only_after_the_settle_time(
    answer: Answer, next_is: str
) -> None:
    """The request takes the task state away: late, it would strike an evacuation under way."""
    cloud = dead_with(vm_state=VmState.PAUSED)
    cloud.answers[do.ResetState] = answer
    cloud.until(lambda: sends(cloud) == [("ResetState", 1)])

    cloud.run(SETTLE_S - 10.0)
    assert sends(cloud) == [("ResetState", 1)]

    cloud.run(60.0)
    assert sends(cloud)[1] == (next_is, 2)


def test_a_new_leader_sends_it_no_second_time_and_waits_for_it_to_settle() -> None:
    cloud = dead_with(vm_state=VmState.PAUSED)
    cloud.until(lambda: sends(cloud) == [("ResetState", 1)])

    cloud.change("web", vm_state=VmState.ERROR)  # the answer dies with the leader
    cloud.successor()
    cloud.run(SETTLE_S - 60.0)
    assert sends(cloud) == [("ResetState", 1)]

    vacated(cloud)
    assert sends(cloud) == [("ResetState", 1), ("Evacuate", 2)]


def test_a_reset_under_way_holds_a_place_among_the_moves() -> None:
    """Else all of them are left in error while the first one is still on its way."""
    policy = replace(BALANCED, default=Promise(resets_state=True), moves_max=1)
    cloud = CheckedCloud(policy=policy)
    cloud.started()
    for name in ("app", "db", "web"):
        cloud.add(name, "c1", vm_state=VmState.PAUSED)
    cloud.answers[do.ResetState] = lost
    cloud.kill("c1")

    cloud.until(lambda: bool(sends(cloud)))
    cloud.run(30.0)

    assert sends(cloud) == [("ResetState", 1)]


def test_its_user_may_still_delete_it() -> None:
    cloud = dead_with(vm_state=VmState.PAUSED)
    cloud.answers[do.ResetState] = lost
    cloud.until(lambda: bool(sends(cloud)))

    cloud.change("web", vm_state=VmState.DELETED)
    vacated(cloud)

    assert isinstance(cloud.move("web").state, at.Cancelled)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ({"vm_state": VmState.ACTIVE}, "state_changed"),
        ({"vm_state": VmState.RESIZED}, "state_changed"),
        ({"host": HostId("c2")}, "host_changed"),
        ({"task_state": "deleting"}, "will_changed"),
    ],
)
def test_the_last_check_lets_it_strike_nobody_else(seen: dict[str, object], why: str) -> None:
    cloud = dead_with(vm_state=VmState.PAUSED)
    cloud.answers[do.ResetState] = lost
    cloud.until(lambda: bool(sends(cloud)))
    (sent,) = cloud.all_of(do.ResetState)
    server = cloud.servers[cloud.move("web").server]

    assert objection(cloud.cluster, sent, cloud.now, server) == ""
    changed = replace(server, **seen)  # type: ignore[arg-type]  # fields of ServerSeen by name
    assert objection(cloud.cluster, sent, cloud.now, changed) == why
    assert objection(cloud.cluster, sent, cloud.now + 60.0, server) == "proof_not_fresh"


def test_who_rested_before_the_reset_rests_in_the_next_outage_too() -> None:
    """Nova keeps no word of a suspend that is long ago, and "error" tells nothing of it."""
    draft = Draft(SmallCloud().started().cluster, 1000.0)
    rested = ServerSeen(ServerId("web"), C1, VmState.SUSPENDED, None, is_running=False)
    first = plan(draft, C1, rested)
    draft.put_move(replace(first, state=at.WaitingForHost(1000.0, "failed:no_target")))

    again = plan(draft, C1, replace(rested, vm_state=VmState.ERROR))
    started = plan(draft, C1, replace(rested, vm_state=VmState.ERROR, user_action="start"))

    assert (first.will, again.will) == (at.Will.STOPPED, at.Will.STOPPED)
    assert started.will is at.Will.RUNNING
