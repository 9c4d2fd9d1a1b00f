"""Which Nova the rows of the table are held against: the stand-in, and a real one if named."""

import pytest
from tests.cloud.cloud_client import Cloud

from .nova_under_test import StandInMachines, UnderTest
from .real_machines import LAB, real_machines

PACE = 0.1  # an evacuation takes a fifth of a second
BOTH = ["stand-in", "real"] if LAB else ["stand-in"]


@pytest.fixture(params=BOTH)
def under_test(request: pytest.FixtureRequest) -> UnderTest:
    """Five hosts and no servers."""
    if request.param == "real":
        machines = real_machines()
        machines.clean()
        return UnderTest(machines)
    cloud: Cloud = request.getfixturevalue("cloud")
    cloud.reset(hosts=5, servers=0, pace=PACE)
    return UnderTest(StandInMachines(cloud, cloud.login()))
