"""A host that is led back is let at its storage, whenever a revocation of ours comes into force."""

from collections.abc import Iterable

import pytest
from tests.core.arrangements import NOW, fresh, record
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_answers import answer_well
from tests.core.small_cloud import CEPH, Answer, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.fencing import undo
from ninelives.core.model import HostId

C1 = HostId("c1")


def renewing(late_s: float) -> SmallCloud:
    """C1 is vacated, and a renewal of its revocation takes `late_s` to come into force."""
    cloud = CheckedCloud(site=small_site(revocable=frozenset({CEPH}))).started()
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)
    asked = len(cloud.all_of(do.Revoke))
    cloud.answers |= {do.Revoke: lands_after(late_s), do.LiftRevocation: let_in}
    cloud.until(lambda: len(cloud.all_of(do.Revoke)) > asked, 120)
    return cloud


def back(cloud: SmallCloud) -> None:
    """Let c1 boot anew. It is shut out: nothing of it is seen to write."""
    cloud.wake_up("c1", "c1-boot2")
    cloud.written.discard(C1)


def lands_after(late_s: float) -> Answer:
    def answer(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
        cloud.after(late_s, lambda: landed(cloud, action))
        return []

    return answer


def landed(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    answers = list(answer_well(cloud, action))
    return [on.AgentSaid(C1, cloud.boots[C1], storage_lost=True), *answers]


def let_in(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    answers = list(answer_well(cloud, action))
    return [on.AgentSaid(C1, cloud.boots[C1], storage_lost=False), *answers]


@pytest.mark.parametrize("late_s", [2.0, 40.0])
def test_a_renewal_that_lands_late_shuts_nobody_out_for_good(late_s: float) -> None:
    cloud = renewing(late_s)

    back(cloud)
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 900)

    assert (C1, CEPH) not in cloud.revoked


def test_nobody_is_let_in_while_a_revocation_is_under_way() -> None:
    cloud = renewing(2.0)

    back(cloud)
    cloud.run(1.0)
    assert not cloud.all_of(do.LiftRevocation)
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 900)

    assert len(cloud.all_of(do.LiftRevocation)) == 1


def test_a_fence_is_not_undone_while_a_revocation_is_under_way() -> None:
    draft = fresh(revocable=frozenset({CEPH}))
    held = at.Held(NOW, "half_fenced", at.Class.DEAD_OR_FROZEN)
    record(state=held, revocations=(at.Revocation(CEPH),))(draft)
    revoke = do.Revoke(C1, CEPH, draft.host(C1).epoch)
    draft.act(revoke, 30.0)

    refusal = undo(draft, C1)
    draft.settle(revoke)

    assert refusal is not None
    assert refusal.reason == "revocation_open"
    assert undo(draft, C1) is None
