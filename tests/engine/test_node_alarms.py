"""The wakes that decisions ask for come back in their order, however often they were put off."""

from hypothesis import given
from hypothesis import strategies as st
from tests.core.small_cloud import small_site

from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.engine.node import Node

ASKED = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers(0, 9).map(float)), max_size=9
)


@given(ASKED)
def test_the_first_alarm_is_always_the_earliest_that_still_stands(
    asked: list[dict[str, float | None]],
) -> None:
    turns = iter(asked)

    def scripted(cluster: Cluster, event: on.Event, now: float) -> Decision:
        return decide(cluster, on.Woke(""), now)._replace(wakes=next(turns))

    node = Node(Cluster(small_site()), scripted, 0)
    for _ in asked:
        node.offer(on.Woke(""), 0.0)
        wakes, other = node.cluster.wakes, node.fork()

        assert node.wake_at() == other.wake_at() == min(wakes.values(), default=None)
        subject = node.due(9.0)
        assert (subject is None) == (not wakes)
        assert subject is None or wakes[subject] == min(wakes.values())
        assert node.due(-1.0) is None


def test_alarms_of_a_cluster_that_was_going_already_are_known() -> None:
    cluster = Cluster(small_site())
    cluster.wakes.update({"host/c1": 5.0, "outbox": 3.0})

    assert Node(cluster, decide, 0).due(4.0) == "outbox"
