"""The gate's attribute, set and taken away with the cluster's real tools."""

import asyncio

from tests.pacemaker.cluster_file import ClusterFile, agent, needs_tools

from ninelives.adapters.pacemaker.gate import ATTRIBUTE, Gate

pytestmark = needs_tools


def test_it_is_closed_and_opened_whoever_closed_it(cluster: ClusterFile) -> None:
    gate = Gate(cluster.surroundings)

    assert asyncio.run(gate.close("c1"))
    assert cluster.attributes("c1")[ATTRIBUTE] == "closed"
    agent("action=off\nport=c1\n", surroundings=cluster.surroundings)
    assert asyncio.run(gate.open("c1"))
    assert asyncio.run(gate.open("c1"))
    assert ATTRIBUTE not in cluster.attributes("c1")
    assert cluster.attributes("c1")["role"] == "compute"


def test_a_node_that_is_not_in_the_cluster_has_none(cluster: ClusterFile) -> None:
    assert asyncio.run(Gate(cluster.surroundings).close("nobody"))


def test_without_a_cluster_nothing_is_taken() -> None:
    assert not asyncio.run(Gate().close("c1"))
