"""Real controllers and a real Nova: hosts die, freeze and lie, and nothing ever runs twice."""

import pytest
from tests.contracts.compute_site import C1, C2, C3
from tests.daemon.controllers import until

from ninelives.lab.hosts import BmcMode, Hosts
from ninelives.lab.openstack import services

from .crew import PATIENCE_S, THREE, THREE_AND_CHASSIS, THREE_AND_REFERENCES, Crew, stays

pytestmark = pytest.mark.timeout(600)
STILL_S = 8.0  # longer than what would make a host's pings alone suspicious, and a silence a death


class TestAHostThatFroze:
    @pytest.mark.parametrize("crew", [THREE], indirect=True, ids=["three"])
    def test_is_shot_by_its_bmc_and_wakes_up_to_nothing(self, crew: Crew, lab: Hosts) -> None:
        servers = crew.site.servers_on(C1)

        lab.freeze("c1")

        until(lambda: crew.is_running(servers, "c2", "c3"), PATIENCE_S)
        crew.becomes("c1", "vacated")
        lab.thaw("c1")
        assert crew.said("shot.fired", "c1")
        assert not lab.answers("c1")
        crew.judge(moved=servers, runs=servers)

    @pytest.mark.parametrize("crew", [THREE_AND_CHASSIS], indirect=True, ids=["three"])
    def test_is_shot_by_the_second_level_where_its_bmc_is_silent(
        self, crew: Crew, lab: Hosts
    ) -> None:
        """The second level is the stock fence_redfish, at the manager of the chassis."""
        servers = crew.site.servers_on(C1)
        lab.set_bmc("c1", BmcMode.DEAD)

        lab.freeze("c1")

        until(lambda: crew.is_running(servers, "c2", "c3"), PATIENCE_S)
        crew.becomes("c1", "vacated")
        assert crew.said("proof.made", "c1", "fence_redfish")
        crew.judge(moved=servers, runs=servers)


class TestNovaComputeKilledAlone:
    def test_leads_to_no_shot_and_no_server_is_touched(self, crew: Crew, lab: Hosts) -> None:
        servers = crew.site.servers_on(C1)

        lab.kill_compute("c1")

        until(lambda: crew.said("told", "c1", "nova_compute"), PATIENCE_S)
        stays(lambda: not crew.said("shot.fired"), STILL_S)
        shown = crew.site.nova.service("c1")
        assert (shown["status"], shown["forced_down"]) == ("enabled", False)
        assert crew.is_running(servers, "c1")
        lab.power_on("c1")
        crew.becomes("c1", "healthy")
        crew.judge(moved=[], runs=servers)


class TestNovaApiDownInTheMiddle:
    def test_delays_the_recovery_and_nothing_is_sent_twice(self, crew: Crew, lab: Hosts) -> None:
        servers = crew.site.servers_on(C1)

        lab.power_off("c1")
        until(lambda: crew.said("move.sent"), PATIENCE_S)
        lab.processes.kill("nova-api")
        stays(lambda: lab.processes.pid("nova-api") is None, STILL_S)
        services.start_nova_api(lab.processes)
        lab.processes.listens("nova-api", "nova")

        until(lambda: crew.is_running(servers, "c2", "c3"), PATIENCE_S)
        crew.becomes("c1", "vacated")
        crew.judge(moved=servers, runs=servers)


class TestTheLeaderKilled:
    @pytest.mark.parametrize("boundary", ["proof.made", "service.forced_down", "move.sent"])
    def test_at_a_boundary_of_the_journal_another_goes_on(
        self, crew: Crew, lab: Hosts, boundary: str
    ) -> None:
        servers, leader = crew.site.servers_on(C1), crew.leader

        lab.power_off("c1")
        until(lambda: leader.said(boundary), PATIENCE_S)
        leader.kill()

        until(lambda: crew.is_running(servers, "c2", "c3"), PATIENCE_S)
        crew.becomes("c1", "vacated")
        assert crew.leader is not leader
        crew.judge(moved=servers, runs=servers)


class TestCapacityGoneAndBack:
    def test_servers_wait_and_are_sent_once_there_is_room(self, crew: Crew, lab: Hosts) -> None:
        servers = crew.site.servers_on(C1)
        for host in ("c2", "c3"):
            crew.site.nova.set_service(host, status="disabled", disabled_reason="full")

        lab.power_off("c1")
        until(lambda: crew.said("move.waits") or crew.said("move.retry"), PATIENCE_S)
        assert sum(crew.evacuations()[server] for server in servers) == 0
        crew.site.nova.set_service("c3", status="enabled")

        until(lambda: crew.is_running(servers, "c3"), PATIENCE_S)
        crew.becomes("c1", "vacated")
        assert crew.site.nova.service("c2")["disabled_reason"] == "full"
        crew.judge(moved=servers, runs=servers)


class TestATargetThatDiesInTheMove:
    def test_is_proved_off_too_before_anybody_goes_on_to_a_third(
        self, crew: Crew, lab: Hosts
    ) -> None:
        first, second = crew.site.servers_on(C1), crew.site.servers_on(C2)
        third = crew.site.servers_on(C3)
        lab.set_spawns("c2", takes_s=PATIENCE_S)
        crew.site.nova.set_service("c3", status="disabled", disabled_reason="not yet")

        lab.power_off("c1")
        until(lambda: all(crew.evacuations()[server] for server in first), PATIENCE_S)
        crew.site.nova.set_service("c3", status="enabled")
        lab.power_off("c2")

        until(lambda: crew.is_running([*first, *second], "c3"), PATIENCE_S)
        crew.becomes("c1", "vacated")
        assert crew.watch.ever == {}
        assert crew.said("proof.made", "c2")
        assert all(crew.evacuations()[server] == 2 for server in first), "one send to each target"
        assert all(crew.evacuations()[server] == 1 for server in second)
        assert crew.is_running(third, "c3")


class TestAMassOutage:
    @pytest.mark.parametrize("crew", [THREE_AND_REFERENCES], indirect=True, ids=["three"])
    def test_is_held_by_the_brake_and_nobody_is_shot(self, crew: Crew, lab: Hosts) -> None:
        """Two of three hosts in need of a shot are more than a third of them."""
        servers = [*crew.site.servers_on(C1), *crew.site.servers_on(C2)]

        lab.freeze("c1")
        lab.freeze("c2")

        until(lambda: crew.said("told", "c1", "held:storm"), PATIENCE_S)
        until(lambda: crew.said("told", "c2", "held:storm"), PATIENCE_S)
        stays(lambda: not crew.said("shot.fired"), STILL_S)
        lab.thaw("c1")
        lab.thaw("c2")
        crew.becomes("c1", "healthy")
        crew.becomes("c2", "healthy")
        assert crew.is_running(servers, "c1", "c2")
        crew.judge(moved=[], runs=servers)
