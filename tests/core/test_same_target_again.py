"""A retry that must name the same target waits for a place there (world 432 of seed land)."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, fresh
from tests.core.small_cloud import CEPH

from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import Candidate, HostId, ServerId, ServerSeen, VmState
from ninelives.core.plan import plan
from ninelives.core.targets import choose

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
