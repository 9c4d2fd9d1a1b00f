"""The Nova that the table is held against here, and the databases for the store's laws."""

from collections.abc import Generator

import pytest
from tests.cloud.cloud_client import Cloud

from . import store_servers
from .nova_under_test import StandInMachines, UnderTest
from .store_servers import Server

PACE = 0.1  # an evacuation takes a fifth of a second


@pytest.fixture
def under_test(cloud: Cloud) -> UnderTest:
    """Five hosts of the stand-in and no servers: tests/lab has those of a real Nova."""
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
