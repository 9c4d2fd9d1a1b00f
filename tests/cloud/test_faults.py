"""How the stand-in fails: Nova, the other APIs, and each BMC in its own way."""

import time
from http.client import RemoteDisconnected
from urllib.error import URLError

import pytest

from .cloud_client import Cloud, call, until

RESET = "/Systems/c1/Actions/ComputerSystem.Reset"
OFF = {"ResetType": "ForceOff"}


def power(cloud: Cloud) -> str:
    found: str = cloud.redfish("c1", "GET", "/Systems/c1").body["PowerState"]
    return found


def is_on(cloud: Cloud) -> bool:
    return bool(cloud.truth()["hosts"][0]["power"] == "on")


class TestNova:
    @pytest.mark.parametrize(
        ("fault", "status"), [("error_500", 500), ("unavailable_503", 503), ("timeout_504", 504)]
    )
    def test_says_that_it_fails(self, cloud: Cloud, fault: str, status: int) -> None:
        nova = cloud.login()

        cloud.set_faults(api=fault)

        assert nova("GET", "/servers").status == status

    def test_refuses_connections_while_it_is_unreachable(self, cloud: Cloud) -> None:
        nova = cloud.login()
        cloud.set_faults(api="unreachable")

        with pytest.raises(URLError) as refused:
            nova("GET", "/servers")

        assert isinstance(refused.value.reason, ConnectionRefusedError)
        cloud.set_faults()
        assert nova("GET", "/servers").status == 200

    def test_may_take_a_request_and_lose_the_reply(self, cloud: Cloud) -> None:
        nova = cloud.login()
        [server, _] = cloud.guests("c1")
        cloud.set_faults(api="reply_lost")

        with pytest.raises(RemoteDisconnected):
            nova.act(server, "os-stop", None)

        cloud.set_faults()
        until(lambda: nova.server(server)["status"] == "SHUTOFF")

    def test_may_fail_for_changes_alone(self, cloud: Cloud) -> None:
        nova = cloud.login()
        [server, _] = cloud.guests("c1")

        cloud.set_faults(api="error_500", is_api_read=True)

        assert nova("GET", "/servers").status == 200
        assert nova.act(server, "os-stop", None).status == 500

    def test_may_be_slow(self, cloud: Cloud) -> None:
        nova = cloud.login()
        cloud.set_faults(api_delay_s=0.3)

        began = time.monotonic()
        nova("GET", "/servers")

        assert time.monotonic() - began >= 0.3

    def test_without_a_bus_nobody_reports_and_nothing_moves(self, cloud: Cloud) -> None:
        nova = cloud.login()

        cloud.set_faults(is_bus_down=True)

        until(lambda: bool(nova.service("c2")["state"] == "down"))


class TestTheOtherApis:
    def test_keystone_can_be_down_alone(self, cloud: Cloud) -> None:
        nova = cloud.login()
        cloud.control("PUT", "/apis/identity", {"api": "unavailable_503"})

        with pytest.raises(AssertionError):
            cloud.login()

        assert nova("GET", "/servers").status == 200


class TestBmc:
    def test_needs_its_password(self, cloud: Cloud) -> None:
        url = f"{cloud.bmc_url('c1')}/redfish/v1"

        assert call("GET", url).status == 200
        assert call("GET", f"{url}/Systems").status == 401

    def test_of_a_wrong_password_says_so_and_does_nothing(self, cloud: Cloud) -> None:
        cloud.set_bmc("c1", is_locked=True)

        assert cloud.redfish("c1", "POST", RESET, OFF).status == 401
        assert is_on(cloud)

    def test_that_is_silent_takes_the_call_and_never_answers(self, cloud: Cloud) -> None:
        cloud.set_bmc("c1", is_silent=True)

        with pytest.raises(TimeoutError):
            call("GET", f"{cloud.bmc_url('c1')}/redfish/v1", patience_s=0.2)

    def test_that_lies_says_off_while_the_host_runs_on(self, cloud: Cloud) -> None:
        cloud.set_bmc("c1", lies=True)

        assert power(cloud) == "On"
        assert cloud.redfish("c1", "POST", RESET, OFF).status == 204
        assert power(cloud) == "Off"
        assert is_on(cloud)
        assert len(cloud.guests("c1")) == 2

    def test_that_is_stuck_acknowledges_and_stays_on(self, cloud: Cloud) -> None:
        cloud.set_bmc("c1", is_stuck=True)

        assert cloud.redfish("c1", "POST", RESET, OFF).status == 204
        assert power(cloud) == "On"
        assert is_on(cloud)

    def test_that_is_late_is_powering_off_until_it_is_off(self, cloud: Cloud) -> None:
        cloud.set_bmc("c1", late_s=0.3)

        assert cloud.redfish("c1", "POST", RESET, OFF).status == 204
        assert power(cloud) == "PoweringOff"
        assert is_on(cloud)
        until(lambda: power(cloud) == "Off")
        assert not is_on(cloud)

    @pytest.mark.parametrize("status", [400, 409])
    def test_may_refuse_to_switch_off_what_is_off(self, cloud: Cloud, status: int) -> None:
        cloud.set_bmc("c1", refuses=status)

        first = cloud.redfish("c1", "POST", RESET, OFF)
        second = cloud.redfish("c1", "POST", RESET, OFF)

        assert (first.status, second.status) == (204, status)

    def test_may_have_several_systems_and_its_own_is_the_last(self, cloud: Cloud) -> None:
        cloud.set_bmc("c1", systems=["c2"])

        listed = cloud.redfish("c1", "GET", "/Systems").body["Members"]
        cloud.redfish("c1", "POST", "/Systems/c2/Actions/ComputerSystem.Reset", OFF)

        assert [each["@odata.id"][-2:] for each in listed] == ["c2", "c1"]
        assert cloud.guests("c2") == []
        assert is_on(cloud)

    def test_may_be_wired_to_another_host(self, cloud: Cloud) -> None:
        cloud.set_bmc("c1", leads_to="c3")

        cloud.redfish("c1", "POST", RESET, OFF)

        assert cloud.guests("c3") == []
        assert len(cloud.guests("c1")) == 2

    def test_can_switch_a_host_on_and_its_compute_comes_with_it(self, cloud: Cloud) -> None:
        cloud.redfish("c1", "POST", RESET, OFF)
        cloud.redfish("c1", "POST", RESET, {"ResetType": "On"})

        until(lambda: bool(cloud.truth()["hosts"][0]["compute"] == "alive"))
        assert cloud.guests("c1") == []


class TestAFrozenHost:
    def test_keeps_its_guests_in_memory_and_wakes_with_them(self, cloud: Cloud) -> None:
        nova = cloud.login()
        [server, *_] = nova.servers("c1")
        cloud.drive("c1", "freeze")
        until(lambda: bool(nova.service("c1")["state"] == "down"))

        nova.act(server["id"], "evacuate", {}, "2.94")

        until(lambda: server["id"] in cloud.ran_twice())
