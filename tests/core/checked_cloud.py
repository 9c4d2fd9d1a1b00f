"""A small cloud in which every decision is held against the live laws before it is adopted."""

from dataclasses import dataclass

from tests.core.small_cloud import SmallCloud

from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.core.draft import Draft
from ninelives.core.evidence import plane_seen
from ninelives.core.invariants import check
from ninelives.engine.node import Node


def lawful(cluster: Cluster, event: on.Event, now: float) -> Decision:
    for host, planes in cluster.planes.items():
        anew = {plane: plane_seen(Draft(cluster, now), host, plane) for plane in planes}
        assert planes == anew, f"{host} is remembered otherwise than it looks, before {event}"
    decision = decide(cluster, event, now)
    broken = check(cluster, event, decision, now)
    assert not broken, f"{broken} by {event} at {now:g}"
    return decision


@dataclass
class CheckedCloud(SmallCloud):
    def take_over(self) -> None:
        self.node = Node(self.cluster, lawful, self.node.revision)
        super().take_over()
