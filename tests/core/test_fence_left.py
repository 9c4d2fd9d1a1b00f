"""A fence that nothing automatic can end any more is ended by a person's order."""

from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import EVERYTHING, HostId, Method, Proof, Validity

C1 = HostId("c1")


def expired() -> SmallCloud:
    """C1 lives and works: somebody took it for dead, and that word was not used in time."""
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    boot = cloud.boots[C1]
    proof = Proof(
        Method.HUMAN, C1, 1, 1, cloud.now, boot, EVERYTHING, "ann: dark", validity=Validity.VOID
    )
    draft = Draft(cloud.cluster, cloud.now)
    draft.put_host(at.Host(C1, 1, at.Fenced(cloud.now), boot, proofs=(proof,)))
    cloud.cluster.apply(draft.decision())
    cloud.tell(on.AgentSaid(C1, boot, guests_progress=True))
    return cloud


def test_a_host_whose_confirmed_death_expired_is_fenced_by_name() -> None:
    cloud = expired()
    cloud.run(60)
    assert not cloud.all_of(do.PowerOff)

    cloud.tell(on.FenceOrdered("ann", C1, "c1"))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)

    assert len(cloud.all_of(do.PowerOff)) == 1
    assert not cloud.cluster.control.fence_ordered


def test_a_host_whose_death_is_proved_is_fenced_by_nobody_twice() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 60)

    cloud.tell(on.FenceOrdered("ann", C1, "c1"))

    assert not cloud.cluster.control.fence_ordered
    assert cloud.notes[-1][1].why == "not_now"
