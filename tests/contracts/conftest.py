"""Which Nova the table is held against, stand-in or real, and which databases the store's laws."""

from collections.abc import Generator

import pytest
from tests.cloud.cloud_client import Cloud

from . import store_servers
from .nova_under_test import StandInMachines, UnderTest
from .real_machines import LAB, real_machines
from .store_servers import Server

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


@pytest.fixture(scope="session")
def postgresql() -> Generator[Server]:
    """One PostgreSQL for the whole run."""
    with store_servers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Generator[Server]:
    """One MariaDB for the whole run."""
    with store_servers.mariadb() as server:
        yield server
