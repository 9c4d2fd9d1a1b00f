"""Real controllers and a real Nova: cables are cut while the host lives, and nothing runs twice."""

import pytest
from tests.contracts.compute_site import C1
from tests.daemon.controllers import until

from ninelives.lab.hosts import Hosts
from ninelives.lab.places import OF_HOSTS, Network

from .crew import PATIENCE_S, THREE, THREE_AND_IPMI, Crew, stays
from .namespaced import LOST

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(LOST), reason=f"NO CABLE WAS CUT: no {LOST}"),
]
STILL_S = 8.0  # longer than what would make silence a death


class TestAHostWhoseManagementPlaneIsCut:
    @pytest.mark.parametrize("crew", [THREE], indirect=True, ids=["three"])
    def test_is_told_as_such_and_keeps_its_servers(self, crew: Crew, lab: Hosts) -> None:
        servers = crew.site.servers_on(C1)

        lab.cut("c1", Network.MANAGEMENT)

        until(lambda: crew.said("told", "c1", "held:management_only"), PATIENCE_S)
        stays(lambda: not crew.said("shot.fired"), STILL_S)
        assert crew.is_running(servers, "c1")
        lab.mend("c1", Network.MANAGEMENT)
        crew.becomes("c1", "healthy")
        crew.judge(moved=[], runs=servers)


class TestAHostWhoseStoragePlaneIsCut:
    @pytest.mark.parametrize("crew", [THREE], indirect=True, ids=["three"])
    def test_is_left_alone_where_it_is_mended_within_the_window_for_repairs(
        self, crew: Crew, lab: Hosts
    ) -> None:
        servers = crew.site.servers_on(C1)

        lab.cut("c1", Network.STORAGE)

        until(lambda: crew.said("host.moved", "c1", "storage_lost"), PATIENCE_S)
        stays(lambda: not crew.said("shot.fired"), STILL_S)
        assert crew.is_running(servers, "c1")
        lab.mend("c1", Network.STORAGE)
        crew.becomes("c1", "healthy")
        crew.judge(moved=[], runs=servers)

    @pytest.mark.parametrize("crew", [THREE], indirect=True, ids=["three"])
    def test_is_shot_where_nobody_mends_it(self, crew: Crew, lab: Hosts) -> None:
        servers = crew.site.servers_on(C1)

        lab.cut("c1", Network.STORAGE)

        until(lambda: crew.said("proof.made", "c1"), PATIENCE_S)
        until(lambda: crew.is_running(servers, "c2", "c3"), PATIENCE_S)
        crew.becomes("c1", "vacated")
        crew.judge(moved=servers, runs=servers)


class TestAHostThatIsCutOffAltogether:
    @pytest.mark.parametrize(
        "crew", [THREE, THREE_AND_IPMI], indirect=True, ids=["redfish", "ipmi"]
    )
    def test_runs_on_until_it_is_shot_and_only_then_do_its_servers_move(
        self, crew: Crew, lab: Hosts
    ) -> None:
        """Its guests live, and write, while every network but that of its BMC is gone."""
        servers = crew.site.servers_on(C1)

        for network in OF_HOSTS:
            lab.cut("c1", network)

        until(lambda: crew.said("proof.made", "c1"), PATIENCE_S)
        assert not lab.is_on("c1")
        until(lambda: crew.is_running(servers, "c2", "c3"), PATIENCE_S)
        crew.becomes("c1", "vacated")
        assert crew.said("shot.fired", "c1")
        crew.judge(moved=servers, runs=servers)
