"""Real controllers and a real Nova: servers in every state, and the people who work on them."""

import pytest
from tests.contracts.compute_site import C1, C2, C3
from tests.daemon.controllers import until

from ninelives.lab.hosts import Hosts

from .crew import PATIENCE_S, TWO, Crew, stays
from .machines import LabCloud, machines_of

pytestmark = pytest.mark.timeout(600)
STILL_S = 8.0
TIERS = {"bronze": 90, "silver": 50, "gold": 10}
CLASSED = TWO._replace(tiers=TIERS)


def test_each_server_is_treated_as_its_state_and_its_user_say(crew: Crew, lab: Hosts) -> None:
    add, nova = crew.site.cloud.add_server, crew.site.nova
    running = crew.site.servers_on(C1)
    paused, suspended = add("p", "c1", vm_state="paused"), add("s", "c1", vm_state="suspended")
    stopped, locked, broken = add("o", "c1"), add("l", "c1"), add("e", "c1")
    deleted = add("d", "c1")
    stop(crew, stopped)
    assert nova.act(locked, "lock", {"locked_reason": "backup"}).status == 202
    assert nova.act(broken, "os-resetState", {"state": "error"}).status == 202

    lab.power_off("c1")
    assert nova("DELETE", f"/servers/{deleted}").status == 204

    runs = [*running, locked, broken]
    until(lambda: crew.is_running(runs, "c2", "c3"), PATIENCE_S)
    crew.becomes("c1", "vacated")
    places = {each["id"]: each for each in nova.servers()}
    assert places[stopped]["status"] == "SHUTOFF"
    assert places[stopped]["OS-EXT-SRV-ATTR:host"] in ("c2", "c3")
    assert (places[locked]["locked"], places[locked]["locked_reason"]) == (True, "backup")
    assert {places[each]["OS-EXT-SRV-ATTR:host"] for each in (paused, suspended)} == {"c1"}
    assert crew.said("told", "c1", "servers_left"), "who waits for its host is named to somebody"
    assert crew.evacuations()[deleted] == 0
    assert deleted not in lab.running()
    crew.judge(moved=[*runs, stopped], runs=runs)


def stop(crew: Crew, server: str) -> None:
    assert crew.site.nova.act(server, "os-stop").status == 202
    until(lambda: crew.site.nova.server(server)["status"] == "SHUTOFF", PATIENCE_S)


def test_what_an_operator_disabled_or_forced_down_is_left_so(crew: Crew, lab: Hosts) -> None:
    """c1 is disabled and dies: its servers are recovered. c3 is forced down and lives: nothing."""
    nova, servers = crew.site.nova, crew.site.servers_on(C1)
    others = [*crew.site.servers_on(C2), *crew.site.servers_on(C3)]
    nova.set_service("c1", status="disabled", disabled_reason="disk is failing")
    nova.set_service("c3", forced_down=True)

    lab.power_off("c1")

    until(lambda: crew.is_running(servers, "c2"), PATIENCE_S)
    crew.becomes("c1", "vacated")
    stays(lambda: not crew.said("shot.fired", "c3"), STILL_S)
    assert nova.service("c1")["disabled_reason"] == "disk is failing"
    assert nova.service("c3")["forced_down"]
    assert nova.service("c3")["status"] == "enabled"
    assert crew.is_running(crew.site.servers_on(C3), "c3")
    crew.judge(moved=servers, runs=[*servers, *others])


@pytest.mark.parametrize("crew", [CLASSED], indirect=True, ids=["classed"])
def test_forty_servers_come_back_once_each_in_the_order_of_their_tiers(
    crew: Crew, lab: Hosts
) -> None:
    tier_of = dict.fromkeys(map(str, crew.site.servers_on(C1)), 50)
    cloud = LabCloud(machines_of(lab))
    for kind, count in (("bronze", 13), ("silver", 12), ("gold", 13)):
        tier_of |= dict.fromkeys(cloud.add_many("c1", count, kind), TIERS[kind])
    assert len(tier_of) == 40

    lab.power_off("c1")

    until(lambda: crew.is_running(tier_of, "c2", "c3"), 2 * PATIENCE_S)
    crew.becomes("c1", "vacated")
    sent = [tier_of[str(line["about"])] for line in crew.leader.said("move.sent")]
    assert sent == sorted(tier_of.values())
    crew.judge(moved=tier_of, runs=tier_of)
