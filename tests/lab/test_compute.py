"""The laws of the port `Compute`, kept by our adapter against a real Nova: the same tests.

Three servers evacuated on real Nova through the adapter come first; what only a stand-in can be
told to do (an API that is ill, zones, room) is skipped with its reason.
"""

import pytest
from tests.cloud.cloud_client import until
from tests.contracts.compute_site import C1, C2, C3, Site3, arrived
from tests.contracts.test_compute import (
    TestActing,
    TestEvacuating,
    TestListing,
    TestServices,
    TestShowing,
    TestTargets,
)
from tests.lab.machines import PATIENCE_S

from ninelives.core.events import Outcome
from ninelives.core.model import ServerId, VmState
from ninelives.engine.ports import Compute
from ninelives.lab.hosts import Hosts

__all__ = [  # what the stand-in is held to is run here
    "TestActing",
    "TestEvacuating",
    "TestListing",
    "TestServices",
    "TestShowing",
    "TestTargets",
]

pytestmark = pytest.mark.timeout(600)


def test_three_servers_of_a_dead_host_run_elsewhere_and_nowhere_twice(
    site: Site3, lab: Hosts
) -> None:
    async def story(compute: Compute) -> list[Outcome]:
        assert (await compute.force_down(C1)).outcome is Outcome.DONE
        answers = [await compute.evacuate(server, host) for server, host in sent.items()]
        for server, host in sent.items():
            assert (await arrived(compute, server, host)).vm_state is VmState.STOPPED
            answers.append(await compute.start(server))
        return [answer.outcome for answer in answers]

    third = ServerId(site.cloud.add_server("third", "c1"))
    one, two = (each for each in site.servers_on(C1) if each != third)
    sent = {one: C2, two: C3, third: C2}
    site.cloud.drive("c1", "off")

    assert site.ask(story) == [Outcome.DONE] * 6
    until(lambda: set(sent) <= set(lab.running()), PATIENCE_S)
    assert {server: lab.running()[server] for server in sent} == {
        server: {host} for server, host in sent.items()
    }
