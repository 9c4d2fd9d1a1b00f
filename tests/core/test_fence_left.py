"""A fence that nothing automatic can end any more is ended by a person's order."""

import pytest
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import EVERYTHING, HostId, Method, Proof, Validity
from ninelives.core.tallies import is_proved_dead

C1 = HostId("c1")


def expired() -> SmallCloud:
    """C1 lives and works: somebody took it for dead, and that word was not used in time."""
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    return believed_dead(cloud, at.Fenced(cloud.now))


def believed_dead(cloud: SmallCloud, state: at.HostState, risk: str = "") -> SmallCloud:
    boot = cloud.boots[C1]
    proof = Proof(
        Method.HUMAN, C1, 1, 1, cloud.now, boot, EVERYTHING, "ann: dark", validity=Validity.VOID
    )
    draft = Draft(cloud.cluster, cloud.now)
    draft.put_host(at.Host(C1, 1, state, boot, proofs=(proof,), zombie_risk=risk))
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


@pytest.mark.parametrize("state", [at.Fenced(0.0), at.Evacuating(0.0), at.Vacated(0.0)])
def test_a_host_that_lives_on_is_not_shot_for_a_word_that_expired(state: at.HostState) -> None:
    cloud = CheckedCloud().started()
    believed_dead(cloud, state)
    cloud.tell(on.AgentSaid(C1, cloud.boots[C1], guests_progress=False))  # nobody writes there

    cloud.run(130)

    assert not cloud.all_of(do.PowerOff)
    assert any("what='shot_held:no_class'" in str(tell) for tell in cloud.all_of(do.Tell))


def test_a_host_that_falls_silent_after_a_word_expired_is_shot_by_its_class() -> None:
    cloud = CheckedCloud().started()
    believed_dead(cloud, at.Fenced(cloud.now))

    cloud.kill("c1")
    cloud.run(60)

    assert cloud.all_of(do.PowerOff)


def test_a_host_whose_death_is_proved_is_fenced_by_nobody_twice() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 60)

    cloud.tell(on.FenceOrdered("ann", C1, "c1"))

    assert not cloud.cluster.control.fence_ordered
    assert cloud.notes[-1][1].why == "not_now"


def test_an_empty_host_that_lives_on_is_told_of_and_fenced_by_name() -> None:
    cloud = CheckedCloud().started()
    believed_dead(cloud, at.Vacated(cloud.now))
    cloud.run(130)
    assert any("what='unfenceable'" in str(tell) for tell in cloud.all_of(do.Tell))
    assert not cloud.all_of(do.PowerOff)

    cloud.tell(on.FenceOrdered("ann", C1, "c1"))
    cloud.until(lambda: is_proved_dead(cloud.cluster.hosts[C1]), 60)

    assert len(cloud.all_of(do.PowerOff)) == 1
    assert cloud.is_in("c1", at.Vacated)


def test_an_empty_host_that_lives_on_is_confirmed_dead_once_it_is_off() -> None:
    cloud = CheckedCloud().started()
    believed_dead(cloud, at.Vacated(cloud.now), "the old boot lives, against human")
    cloud.kill("c1")
    cloud.run(30)

    cloud.tell(on.ConfirmedDead("ann", C1, "c1", 1, "the LED is dark", "bob"))

    record = cloud.cluster.hosts[C1]
    assert is_proved_dead(record)
    assert not record.zombie_risk
