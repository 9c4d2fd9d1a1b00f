"""Real controllers and a real Nova: a host loses its power, and its servers come back once each."""

from collections import Counter
from pathlib import Path

import pytest
from tests.contracts.compute_site import C1, Site3
from tests.daemon.controllers import Controller, until

from ninelives.app.demo_site import CONTROLLERS, written
from ninelives.lab.hosts import Hosts
from ninelives.lab.openstack.files import clouds_file
from ninelives.sim.cloud.serve import Served

pytestmark = pytest.mark.timeout(600)
PATIENCE_S = 180.0
NAMES = ("c1", "c2", "c3")


def site_of(lab: Hosts) -> Served:
    """Say where the lab listens, in the words of the stand-in."""
    places = lab.places
    addresses = {
        host: {plane.value: f"{at}:{port}" for plane, (at, port) in places.probed(host).items()}
        for host in NAMES
    }
    bmcs = {host: places.bmc_url(host) for host in NAMES}
    return Served(places.url("keystone"), places.url("nova"), bmcs, addresses)


def configured(folder: Path, name: str, lab: Hosts) -> Path:
    path = written(folder, name, site_of(lab))
    clouds = clouds_file(lab.places).read_text().replace("  lab:", "  stand-in:")
    (folder / "clouds.yaml").write_text(clouds)
    return path


def test_a_host_that_lost_its_power_is_proved_off_and_its_servers_come_back(
    site: Site3, lab: Hosts, tmp_path: Path
) -> None:
    servers = set(site.servers_on(C1))
    first, second = (Controller(name, configured(tmp_path, name, lab)) for name in CONTROLLERS)
    with first, second:
        until(lambda: any(each.leads() for each in (first, second)), PATIENCE_S)
        leader = first if first.leads() else second
        until(leader.sees_all_well, PATIENCE_S)

        lab.power_off("c1")

        until(lambda: servers <= set(lab.running()), PATIENCE_S)
        until(
            lambda: 'ninelives_hosts{state="vacated"} 1.0' in leader.get("/metrics")[1], PATIENCE_S
        )
        assert [first.end(), second.end()] == [0, 0]

    records = site.nova("GET", "/os-migrations?migration_type=evacuation").body["migrations"]
    sent = Counter(it["instance_uuid"] for it in records if it["instance_uuid"] in servers)
    assert sent == dict.fromkeys(servers, 1)
    assert all(lab.running()[server] <= {"c2", "c3"} for server in servers)
    assert lab.twice() == {}
