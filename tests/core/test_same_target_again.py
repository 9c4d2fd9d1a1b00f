"""A retry after a lost answer names the same target, while nothing proves that one dead.

It waits for a place there (world 432 of seed land), and waits for it again where it is seen to live
before anything was sent elsewhere (world 1361 of seed day5).
"""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, fresh
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import CEPH, SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import Candidate, HostId, ServerId, ServerSeen, VmState
from ninelives.core.plan import plan
from ninelives.core.targets import choose, is_dead

C2, C3 = HostId("c2"), HostId("c3")
ROOMS = (Candidate(C3, 9, sees_disk=True), Candidate(C2, 9, sees_disk=True))


def planned(draft: Draft, name: str) -> at.Move:
    seen = ServerSeen(
        ServerId(name), C1, VmState.ACTIVE, None, is_running=True, disks=(CEPH,), name=name
    )
    return plan(draft, C1, seen)


@pytest.mark.parametrize(("on_the_way", "chosen"), [(0, C2), (1, "limits")])
def test_a_target_that_is_named_again_is_kept_inside_its_limit(
    on_the_way: int, chosen: str
) -> None:
    draft = fresh()
    draft.cluster.policy = replace(draft.cluster.policy, target_moves_max=1)
    for number in range(on_the_way):
        other = planned(draft, f"other{number}")
        draft.put_move(replace(other, state=at.Verifying(NOW, C2)))

    assert choose(draft, replace(planned(draft, "web"), again=C2), ROOMS) == chosen


def nowhere(_: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.AskTargets)
    return [on.TargetsSeen(action, ())]


def lost(cloud: SmallCloud) -> HostId:
    """Lose the answer to web's evacuate, and its record; look twice. Return its target."""
    cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = lambda _, action: [on.Replied(action, on.Outcome.UNKNOWN)]
    cloud.kill("c1")
    cloud.until(lambda: bool(cloud.all_of(do.Evacuate)), 60)
    cloud.answers[do.AskTargets] = nowhere
    cloud.until(lambda: cloud.move("web").again is not None, 400)
    del cloud.answers[do.Evacuate]
    (first,) = cloud.all_of(do.Evacuate)
    assert isinstance(first, do.Evacuate)
    return first.target


def dies(cloud: SmallCloud, target: HostId) -> None:
    """Let the target die while there is no other one."""
    cloud.kill(target)
    cloud.until(lambda: is_dead(Draft(cloud.cluster, cloud.now), target, cloud.move("web")), 60)
    cloud.run(3.0)


def sent_anew(cloud: SmallCloud) -> HostId:
    del cloud.answers[do.AskTargets]
    cloud.until(lambda: len(cloud.all_of(do.Evacuate)) > 1, 900)
    _, second = cloud.all_of(do.Evacuate)
    assert isinstance(second, do.Evacuate)
    return second.target


def test_another_target_is_named_while_the_first_is_proved_dead() -> None:
    cloud = CheckedCloud().started()
    first = lost(cloud)
    dies(cloud, first)

    assert sent_anew(cloud) != first


def test_a_target_that_lives_after_all_before_another_was_named_is_named_again() -> None:
    cloud = CheckedCloud().started()
    first = lost(cloud)
    dies(cloud, first)
    cloud.wake_up(first)  # in its old boot: it was never off, and a late request finds it
    cloud.tell(on.Armed("ada", is_armed=True))
    del cloud.answers[do.AskTargets]
    cloud.run(300)

    assert len(cloud.all_of(do.Evacuate)) == 1
    assert cloud.was_told("move_held:web:needs_target")
