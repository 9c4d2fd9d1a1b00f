"""The `cloud` fixture: one stand-in for the whole run, a new cloud for each test."""

from collections.abc import Generator

import pytest

from ninelives.sim.cloud.catalogue import Plan
from ninelives.sim.cloud.serve import Served, served

from .cloud_client import Cloud

HOSTS_MAX = 12  # as many BMCs listen; a reset may ask for fewer hosts


@pytest.fixture(scope="session")
def served_cloud() -> Generator[Served]:
    with served(Plan(hosts=HOSTS_MAX)) as where:
        yield where


@pytest.fixture
def cloud(served_cloud: Served) -> Cloud:
    found = Cloud(served_cloud)
    found.reset()
    return found
