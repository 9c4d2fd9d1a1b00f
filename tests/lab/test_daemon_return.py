"""Real controllers and a real Nova: a host loses its power, is emptied, and is led back."""

import pytest
from tests.contracts.compute_site import C1
from tests.daemon.controllers import until

from ninelives.lab.hosts import Hosts

from .crew import PATIENCE_S, Crew

pytestmark = pytest.mark.timeout(600)
STAGES = ["compute", "forcing_up", "restarting", "soaking", "enabling"]


def test_a_host_that_lost_its_power_is_emptied_and_led_back_in_the_only_order_nova_accepts(
    crew: Crew, lab: Hosts
) -> None:
    servers = crew.site.servers_on(C1)

    lab.power_off("c1")
    until(lambda: crew.is_running(servers, "c2", "c3"), PATIENCE_S)
    crew.becomes("c1", "vacated")
    lab.power_on("c1")

    until(lambda: not crew.site.nova.service("c1")["forced_down"], PATIENCE_S)
    records = crew.site.nova("GET", "/os-migrations?migration_type=evacuation").body["migrations"]
    ours = [it["status"] for it in records if it["instance_uuid"] in servers]
    assert ours == ["completed"] * len(servers), "Nova forces nobody up before"
    until(lambda: crew.site.nova.service("c1")["status"] == "enabled", PATIENCE_S)
    crew.becomes("c1", "healthy")
    assert crew.is_running(servers, "c2", "c3")
    told = [str(line["why"]) for line in crew.leader.said("host.stage") if line["about"] == "c1"]
    assert list(dict.fromkeys(told)) == STAGES
    crew.judge(moved=servers, runs=servers)
