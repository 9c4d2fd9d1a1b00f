"""A host that is led back is let at its storage, whenever a revocation of ours comes into force."""

from collections.abc import Iterable

import pytest
from tests.core.arrangements import NOW, both, fresh, record, sees, storage
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_answers import answer_well
from tests.core.small_cloud import CEPH, Answer, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import StorageView
from ninelives.core.draft import Draft
from ninelives.core.fencing import undo
from ninelives.core.model import HostId, Proof
from ninelives.core.proofs import storage_revoked
from ninelives.core.revoking import revoke
from ninelives.core.rules import may_fence

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


def undone() -> Draft:
    """C1 was half fenced and its storage took it for lost; a person lets it live."""
    draft = fresh(revocable=frozenset({CEPH}))
    held = at.Held(NOW, "half_fenced", at.Class.DEAD_OR_FROZEN)
    record(state=held, revocations=(at.Revocation(CEPH, in_force=True),))(draft)
    both(sees(storage_lost_since=NOW - 300), storage(watched=False, revoked=True))(draft)
    assert undo(draft, C1) is None
    return draft


def test_what_our_own_revocation_took_away_is_no_storage_lost_once_it_is_undone() -> None:
    draft = undone()

    assert not may_fence(draft, C1, at.Class.STORAGE_LOST)
    draft.now += draft.policy(C1).storage_repair_s
    assert may_fence(draft, C1, at.Class.STORAGE_LOST)


def test_nobody_is_shut_out_while_a_lift_is_under_way() -> None:
    draft = undone()

    revoke(draft, C1)
    assert not draft.host(C1).revocations
    draft.now += draft.policy(C1).request_timeout_s
    revoke(draft, C1)

    assert [entry.backend for entry in draft.host(C1).revocations] == [CEPH]


@pytest.mark.parametrize(("seen_s_later", "proves"), [(-1.0, False), (0.0, False), (0.5, True)])
def test_a_revocation_seen_before_it_was_asked_for_proves_nothing(
    seen_s_later: float, proves: bool
) -> None:
    draft = fresh(revocable=frozenset({CEPH}))
    record(revocations=(at.Revocation(CEPH, asked_at=NOW),))(draft)

    sees(storage={CEPH: StorageView(False, True, NOW + seen_s_later)})(draft)

    assert isinstance(storage_revoked(draft, C1, CEPH), Proof) is proves


def test_a_new_leader_renews_what_only_the_last_one_knows_to_have_renewed() -> None:
    cloud = CheckedCloud(site=small_site(revocable=frozenset({CEPH}))).started()
    cloud.run(5000.0)
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)
    asked = len(cloud.all_of(do.Revoke))

    cloud.now = 1.0  # another machine's clock
    cloud.successor().run(30.0)

    assert len(cloud.all_of(do.Revoke)) > asked
