"""One real control plane for the whole run: the one that is named, or one of its own."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.contracts.compute_site import Site3
from tests.contracts.nova_under_test import UnderTest
from tests.lab import namespaced
from tests.lab.crew import TWO, Crew, Setup, crew_of
from tests.lab.machines import LabCloud, LabMachines, machines_of, runs

from ninelives.lab.hosts import BmcMode, Hosts
from ninelives.lab.openstack import control
from ninelives.lab.openstack.install import PartMissing, demand_system_parts
from ninelives.lab.places import Places, found
from ninelives.lab.planes import remains
from ninelives.lab.processes import Processes

NAMES = ("c1", "c2", "c3", "c4", "c5")
OWN_PORT = 16_000  # beside a lab that somebody else uses

NOT_RUN = {  # and why not: said before anything is set up for it
    "test_shows_active_without_a_task_while_it_is_still_on_the_source": (
        "it lasts from one write of the database to the next"
    ),
    "test_shows_who_moves_there": "a live migration of the lab is over at once",
    "test_raises_where_nova_does_not_answer": "a real API cannot be told to be ill",
    "test_raises_where_placement_does_not_answer": "a real API cannot be told to be ill",
    "test_says_what_is_known_when_nova_is_ill": "a real API cannot be told to be ill",
    "test_who_is_full_is_none": "a host of the lab cannot be told its room",
    "test_room_says_how_many_more_fit": "a host of the lab cannot be told its room",
    "test_another_zone_is_none_where_nova_does_not_tell_who_asked_for_one": (
        "the lab has one zone"
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        reason = NOT_RUN.get(item.name.partition("[")[0])
        if item.path.parent == Path(__file__).parent and reason is not None:
            item.add_marker(pytest.mark.skip(f"not run: {reason}"))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosts]:
    """Five hosts. `NINELIVES_LAB_FOLDER` names a lab that runs, which is left as it is."""
    named = os.environ.get("NINELIVES_LAB_FOLDER")
    if named:
        hosts = Hosts(Processes(found(Path(named).resolve())))
        assert runs(hosts), f"the lab in {named} does not answer: ninelives lab up --hosts 5"
        yield hosts
        return
    try:
        demand_system_parts()
        places = control.begun(Places(tmp_path_factory.mktemp("lab"), NAMES, OWN_PORT))
    except PartMissing as error:
        pytest.skip(f"no real Nova was held against this: {error}")
    processes = Processes(places)
    try:
        control.up(processes, print)
        yield Hosts(processes)
    finally:
        control.down(processes)
    assert processes.strays() == []
    assert remains(places) == []


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosts]:
    with namespaced.hosts_in(tmp_path_factory.mktemp("lab")) as hosts:
        yield hosts


@pytest.fixture
def hosts(both: Hosts) -> Hosts:
    """Two hosts in namespaces without a cloud; both have power, and nothing is cut."""
    for name in namespaced.NAMES:
        both.set_bmc(name, BmcMode.MENDED)
        for network in both.cuts(name):
            both.mend(name, network)
        (both.places.run / f"{name}.off").unlink(missing_ok=True)
        namespaced.space(both).begin(name)
    return both


@pytest.fixture
def machines(lab: Hosts) -> LabMachines:
    found = machines_of(lab)
    found.reset()
    return found


@pytest.fixture
def under_test(machines: LabMachines) -> UnderTest:
    """Five hosts and no servers."""
    return UnderTest(machines)


@pytest.fixture
def site(lab: Hosts, tmp_path: Path) -> Generator[Site3]:
    """Three of the hosts with two servers on each."""
    cloud = LabCloud(machines_of(lab))
    cloud.reset()
    yield Site3(cloud, tmp_path)
    assert cloud.ran_twice() == {}


@pytest.fixture
def crew(
    site: Site3, lab: Hosts, tmp_path: Path, request: pytest.FixtureRequest
) -> Generator[Crew]:
    """Two controllers, or those named, one of which leads and sees every host do well."""
    setup: Setup = getattr(request, "param", TWO)
    with crew_of(site, lab, tmp_path, setup) as found:
        yield found
