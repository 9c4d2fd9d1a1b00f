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


def test_a_rescued_server_waits_for_its_host_and_for_its_user_who_ends_the_rescue_there(
    crew: Crew, lab: Hosts
) -> None:
    """Nova neither evacuates nor reboots it: a person is told, and its host is not called well."""
    servers, nova = crew.site.servers_on(C1), crew.site.nova
    patient = crew.site.cloud.add_server("patient", "c1", vm_state="rescued")

    lab.power_off("c1")
    until(lambda: crew.is_running(servers, "c2", "c3"), PATIENCE_S)
    crew.becomes("c1", "vacated")
    assert crew.said("told", "c1", "servers_left")
    assert crew.evacuations()[patient] == 0
    lab.power_on("c1")

    until(lambda: crew.said("told", "c1", f"server_failed:{patient}"), PATIENCE_S)
    assert nova.service("c1")["status"] == "disabled"
    assert nova.act(patient, "unrescue").status == 202
    crew.becomes("c1", "healthy")
    assert crew.is_running([patient], "c1")
    assert nova.service("c1")["status"] == "enabled"
    crew.judge(moved=servers, runs=[*servers, patient])
