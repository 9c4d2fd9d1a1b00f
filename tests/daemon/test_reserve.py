"""A real controller over true HTTP enables a reserved host when it must, and gives it back."""

from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud, Nova
from tests.daemon.controllers import Controller, until

from ninelives.app.demo_site import written

pytestmark = pytest.mark.timeout(180)
FULL = {"vcpus": 2, "ram_mb": 1_000_000}  # for who is there, and nobody else


def keeping_c3(folder: Path, cloud: Cloud) -> Path:
    path = written(folder, "n1", cloud.served)
    text = path.read_text()
    text = text.replace('name = "c3"', 'name = "c3"\nreserved = true')
    path.write_text(text.replace("[policy]\n", "[policy]\nreserve_look_s = 2\n"))
    return path


def service(nova: Nova, host: str) -> tuple[str, str | None]:
    found = nova.service(host)
    return found["status"], found["disabled_reason"]


def test_a_reserved_host_takes_whom_nobody_takes_and_is_given_back(
    cloud: Cloud, tmp_path: Path
) -> None:
    cloud.reset(spawn_s=50.0)  # a second each, at this pace
    nova = cloud.login()
    for server in cloud.guests("c3"):
        assert nova("DELETE", f"/servers/{server}").status == 204
    until(lambda: cloud.guests("c3") == [])
    for host in ("c1", "c2"):
        cloud.control("POST", f"/hosts/{host}/room", FULL)
    nova.set_service("c3", status="disabled", disabled_reason="reserved for failover")
    servers = cloud.guests("c1")
    with Controller("n1", keeping_c3(tmp_path, cloud)) as controller:
        until(lambda: controller.leads() and controller.sees_all_well())

        cloud.drive("c1", "off")
        until(lambda: set(servers) <= set(cloud.guests("c3")))
        lent = service(nova, "c3")
        until(lambda: 'ninelives_hosts{state="vacated"} 1.0' in controller.get("/metrics")[1])
        for server in servers:
            assert nova("DELETE", f"/servers/{server}").status == 204
        until(lambda: service(nova, "c3")[0] == "disabled")

        assert controller.end() == 0
    assert lent == ("enabled", None)
    assert service(nova, "c3") == ("disabled", "ninelives:reserve")
    assert cloud.ran_twice() == {}
