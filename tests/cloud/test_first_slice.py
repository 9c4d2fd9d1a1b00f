"""The stand-in end to end: log in, look, cut the power, force down, evacuate, lead back."""

from .cloud_client import Cloud, until


def test_a_dead_host_is_fenced_and_its_servers_come_back_elsewhere(cloud: Cloud) -> None:
    nova = cloud.login()
    [first, second] = [server["id"] for server in nova.servers("c1")]

    system = cloud.redfish("c1", "GET", "/Systems/c1")
    off = cloud.redfish(
        "c1", "POST", "/Systems/c1/Actions/ComputerSystem.Reset", {"ResetType": "ForceOff"}
    )
    assert (system.body["PowerState"], off.status) == ("On", 204)
    assert cloud.redfish("c1", "GET", "/Systems/c1").body["PowerState"] == "Off"
    assert cloud.guests("c1") == []

    assert nova.act(first, "evacuate", {}).status == 400
    assert nova.set_service("c1", forced_down=True).status == 200
    assert nova.act(first, "evacuate", {}).status == 200
    assert nova.act(second, "evacuate", {"host": "c3"}, "2.94").status == 200
    until(lambda: nova.server(second)["OS-EXT-SRV-ATTR:host"] == "c3")
    until(lambda: nova.server(first)["OS-EXT-SRV-ATTR:host"] == "c2")

    assert nova.server(first)["status"] == "SHUTOFF"
    assert nova.server(second)["status"] == "ACTIVE"
    assert {each["status"] for each in nova("GET", "/os-migrations").body["migrations"]} == {"done"}
    assert cloud.ran_twice() == {}


def test_a_source_is_let_in_again_only_after_its_compute_restarted(cloud: Cloud) -> None:
    nova = cloud.login()
    [first, _] = [server["id"] for server in nova.servers("c1")]
    cloud.drive("c1", "hold-compute")
    cloud.drive("c1", "off")
    nova.set_service("c1", forced_down=True)
    nova.act(first, "evacuate", {})
    until(lambda: nova.server(first)["OS-EXT-SRV-ATTR:host"] != "c1")
    cloud.drive("c1", "on")
    until(lambda: cloud.truth()["hosts"][0]["is_up"])

    refused = nova.set_service("c1", forced_down=False)
    cloud.drive("c1", "start-compute")
    until(lambda: nova.set_service("c1", forced_down=False).status == 200)

    assert refused.status == 400
    assert "`done` evacuation migration records" in refused.body["badRequest"]["message"]
    until(lambda: nova.service("c1")["state"] == "up")


def test_evacuating_from_under_a_living_guest_is_seen_as_running_twice(cloud: Cloud) -> None:
    nova = cloud.login()
    [first, _] = [server["id"] for server in nova.servers("c1")]
    cloud.drive("c1", "kill-compute")
    nova.set_service("c1", forced_down=True)

    nova.act(first, "evacuate", {})
    until(lambda: nova.server(first)["OS-EXT-SRV-ATTR:host"] != "c1")

    assert set(cloud.ran_twice()[first]) == {"c1", nova.server(first)["OS-EXT-SRV-ATTR:host"]}
