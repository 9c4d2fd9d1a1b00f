"""Which Nova the rows of the table are held against."""

import pytest
from tests.cloud.cloud_client import Cloud

from .nova_under_test import StandInMachines, UnderTest

PACE = 0.1  # an evacuation takes a fifth of a second


@pytest.fixture
def under_test(cloud: Cloud) -> UnderTest:
    """Five hosts and no servers."""
    cloud.reset(hosts=5, servers=0, pace=PACE)
    return UnderTest(StandInMachines(cloud, cloud.login()))
