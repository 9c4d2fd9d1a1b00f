"""Attacks by a change of leader, by disarming in the middle, and by answers that never come."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.lastcheck import objection
from ninelives.core.model import BackendId, HostId

C1 = HostId("c1")
ON_THE_WAY = (
    at.Suspect,
    at.Fencing,
    at.Fenced,
    at.Evacuating,
    at.Vacated,
    at.Returning,
)


@pytest.mark.parametrize("state", ON_THE_WAY)
def test_a_new_leader_in_any_state_ends_what_the_old_one_began(state: type) -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.kill("c1")
    cloud.after(150, lambda: back(cloud))
    cloud.until(lambda: cloud.is_in("c1", state), 400)

    cloud.successor()
    cloud.after(150, lambda: back(cloud))
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 3600)

    sends = cloud.all_of(do.Evacuate, do.StartServer)
    assert len(sends) == len(set(sends))
    assert cloud.servers[cloud.add("other", "c2")].host == "c2"


def back(cloud: SmallCloud) -> Iterable[on.Event]:
    if C1 not in cloud.alive:
        cloud.wake_up("c1", "new")
    return []


@pytest.mark.parametrize("kind", [do.LiftRevocation, do.StartCompute, do.ForceUp, do.OpenGate])
def test_a_lost_answer_on_the_way_back_costs_time_and_nothing_else(kind: type) -> None:
    cloud = CheckedCloud().started()
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)
    cloud.answers[kind] = lost_twice

    cloud.run(120)
    back(cloud)
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 900)

    assert not cloud.host("c1").forced_down_by_us


def lost_twice(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    if cloud.done.count(action) >= 2:
        del cloud.answers[type(action)]
    return [on.Replied(action, on.Outcome.UNKNOWN, "timeout")]


def test_disarmed_on_the_way_back_it_waits_and_armed_it_goes_on() -> None:
    cloud = CheckedCloud().started()
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)
    cloud.run(120)
    back(cloud)
    cloud.until(lambda: cloud.is_in("c1", at.Returning), 60)

    cloud.tell(on.Armed("ann", is_armed=False, cause="test"))
    cloud.run(300)

    assert cloud.is_in("c1", at.Returning)
    assert not cloud.all_of(do.ForceUp, do.OpenGate)

    cloud.tell(on.Armed("ann", is_armed=True))
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 900)


def test_a_request_of_an_episode_long_over_does_not_leave_any_more() -> None:
    cloud = CheckedCloud().started()
    revoke = do.Revoke(C1, BackendId("ceph"), epoch=0)

    assert objection(cloud.cluster, revoke, cloud.now, None) == "other_state"
    assert objection(cloud.cluster, replace(revoke, epoch=7), cloud.now, None) == "other_epoch"


def test_an_operators_disable_is_never_taken_for_ours() -> None:
    cloud = CheckedCloud().started()
    theirs = on.NovaSeen(
        C1, is_up=True, has_advanced=False, forced_down=False, disabled=True, is_ours=False
    )
    cloud.tell(theirs)
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)
    cloud.run(120)
    back(cloud)
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 900)

    assert not cloud.all_of(do.Disable, do.Enable)
