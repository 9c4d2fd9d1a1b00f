"""Leave to act that is not on disk yet is no leave: its commit may still fail."""

import pytest
from tests.core.small_cloud import small_site

from ninelives.core import events as on
from ninelives.core.cluster import Cluster
from ninelives.core.decide import decide
from ninelives.core.model import HostId, Mode
from ninelives.engine.node import Node

LEAVE = (
    on.Armed("ann", is_armed=True),
    on.ModeSet("ann", Mode.ACT),
    on.IncidentApproved("ann", HostId("c1"), 1, "its rack is dark"),
)


@pytest.mark.parametrize("order", LEAVE)
def test_nothing_is_sent_between_leave_to_act_and_its_commit(order: on.Event) -> None:
    node = Node(Cluster(small_site()), decide, 0)

    ready = node.offer(order, 0.0)
    node.offer(on.Woke("upkeep"), 0.0)

    assert node.unsettled() == "leave_not_durable"
    node.committed(ready.revision)
    assert node.unsettled() == ""


def test_other_news_waits_for_the_disk_without_holding_anybody_back() -> None:
    node = Node(Cluster(small_site()), decide, 0)

    node.offer(on.Woke("upkeep"), 0.0)

    assert node.unsettled() == ""
