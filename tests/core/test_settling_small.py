"""Settling in the smallest cloud: nobody waits for the word of the host that is judged."""

from tests.core.small_cloud import K1, small_site

from ninelives.core.brakes import is_settled
from ninelives.core.cluster import Control, Views
from ninelives.core.draft import Draft, restored
from ninelives.core.model import HostId, WitnessId
from ninelives.core.policy import BALANCED

C1, C2 = HostId("c1"), HostId("c2")


def heard_by_a_new_leader(*witnesses: str) -> Draft:
    cluster = restored(small_site("c1 c2"), BALANCED, Control(), (), (), ())
    cluster.views = Views(2, K1, 0.0, witnesses=frozenset(map(WitnessId, witnesses)))
    return Draft(cluster, 1.0)


def test_a_new_leader_does_not_wait_for_the_dead_host_to_speak() -> None:
    draft = heard_by_a_new_leader("k1", "c2")

    assert is_settled(draft, C1)


def test_it_waits_for_everybody_else() -> None:
    draft = heard_by_a_new_leader("k1")

    assert not is_settled(draft, C1)
    assert not is_settled(draft, C2)
