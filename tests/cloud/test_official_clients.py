"""The clients that operators use, against the stand-in: openstack, python-novaclient, openstacksdk.

They live in an environment of their own, for they bring eighty packages:

    python3 -m venv /tmp/clients
    /tmp/clients/bin/pip install python-openstackclient python-novaclient openstacksdk
    PATH=/tmp/clients/bin:$PATH ./check "official clients"
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ninelives.sim.cloud.catalogue import clouds_yaml

from .cloud_client import Cloud, until

OPENSTACK = shutil.which("openstack")
PYTHON = Path(OPENSTACK or "openstack").with_name("python3")
COMMAND_TIMEOUT_S = 60

pytestmark = pytest.mark.skipif(
    OPENSTACK is None,
    reason="NOT RUN: the official clients are not on the PATH; the top of this file installs them",
)

SDK = """
import json, sys, openstack
cloud = openstack.connect(cloud="stand-in", compute_api_version="2", app_name="test")
compute = cloud.compute
compute.default_microversion = "2.95"
servers = list(compute.servers(all_projects=True, limit=2))
services = list(compute.services(binary="nova-compute"))
[server] = [each for each in servers if each.name == "vm1"]
compute.evacuate_server(server, host="c3")
compute.wait_for_server(compute.get_server(server.id), status="SHUTOFF", wait=30, interval=0.1)
print(json.dumps({
    "servers": sorted(each.name for each in servers),
    "services": sorted(each.host for each in services),
    "hypervisors": sorted(each.name for each in compute.hypervisors(details=True)),
    "host": compute.get_server(server.id).compute_host,
    "migrations": [each.status for each in compute.migrations()],
    "providers": sorted(each.name for each in cloud.placement.resource_providers()),
    "flavors": sorted(each.name for each in compute.flavors()),
}))
"""

NOVACLIENT = """
import json, openstack
from novaclient import client
session = openstack.connect(cloud="stand-in").session
nova = client.Client("2.95", session=session)
servers = nova.servers.list(search_opts={"all_tenants": 1})
[server] = [each for each in servers if each.name == "vm1"]
service = nova.services.list(host="c1", binary="nova-compute")[0]
nova.services.force_down(service.id, True)
nova.servers.evacuate(server, host="c2")
print(json.dumps({
    "service": nova.services.list(host="c1", binary="nova-compute")[0].state,
    "actions": [each.action for each in nova.instance_action.list(server)],
    "migrations": [each.migration_type for each in nova.migrations.list(instance_uuid=server.id)],
    "zones": [each.zoneName for each in nova.availability_zones.list()],
}))
"""


class Clients:
    """What is typed at a terminal of the stand-in's admin."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"),
            "OS_CLOUD": "stand-in",
            "OS_COMPUTE_API_VERSION": "2.95",
        }
        (folder / "clouds.yaml").write_text(clouds_yaml(cloud.url))

    def openstack(self, line: str) -> Any:
        """Run one command; what it shows comes as JSON."""
        shows = {"list", "show", "create"} & set(line.split())
        form = ["-f", "json"] if shows else []
        output = self._run([str(OPENSTACK), *line.split(), *form])
        return json.loads(output) if shows else None

    def python(self, script: str) -> Any:
        return json.loads(self._run([str(PYTHON), "-c", script]))

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def clients(cloud: Cloud, tmp_path: Path) -> Clients:
    return Clients(cloud, tmp_path)


def test_openstack_lists_what_there_is(clients: Clients) -> None:
    services = clients.openstack("compute service list")
    servers = clients.openstack("server list --all-projects --long")
    hypervisors = clients.openstack("hypervisor list")

    binaries = [each["Binary"] for each in services]
    assert sorted(binaries) == ["nova-compute"] * 3 + ["nova-conductor", "nova-scheduler"]
    assert {each["Name"]: each["Host"] for each in servers}["vm1"] == "c1"
    assert {each["State"] for each in hypervisors} == {"up"}


def test_openstack_recovers_a_server_by_hand(cloud: Cloud, clients: Clients) -> None:
    [server, _] = cloud.guests("c1")
    cloud.drive("c1", "off")

    clients.openstack("compute service set --down c1 nova-compute")
    clients.openstack("compute service set --disable --disable-reason dead c1 nova-compute")
    clients.openstack(f"server evacuate {server} --host c2")
    until(lambda: cloud.login().server(server)["OS-EXT-SRV-ATTR:host"] == "c2")

    shown = clients.openstack(f"server show {server}")
    assert shown["status"] == "SHUTOFF"
    [migration] = clients.openstack("server migration list")
    assert (migration["Source Compute"], migration["Dest Compute"]) == ("c1", "c2")
    [event] = clients.openstack(f"server event list {server}")
    assert event["Action"] == "evacuate"


def test_openstack_makes_and_ends_a_server(cloud: Cloud, clients: Clients) -> None:
    made = clients.openstack("server create --flavor small --image cirros --nic none --wait fresh")
    clients.openstack(f"server stop {made['id']}")
    until(lambda: cloud.login().server(made["id"])["status"] == "SHUTOFF")
    clients.openstack("server delete --wait fresh")

    assert clients.openstack("server list") == []


def test_openstacksdk_evacuates(cloud: Cloud, clients: Clients) -> None:
    cloud.drive("c1", "off")
    cloud.login().set_service("c1", forced_down=True)

    found = clients.python(SDK)

    assert found == {
        "servers": [f"vm{number}" for number in range(1, 7)],
        "services": ["c1", "c2", "c3"],
        "hypervisors": ["c1", "c2", "c3"],
        "host": "c3",
        "migrations": ["done"],
        "providers": ["c1", "c2", "c3"],
        "flavors": ["large", "medium", "small"],
    }


def test_novaclient_forces_down_and_evacuates(cloud: Cloud, clients: Clients) -> None:
    cloud.drive("c1", "off")

    found = clients.python(NOVACLIENT)

    assert found == {
        "service": "down",
        "actions": ["evacuate"],
        "migrations": ["evacuation"],
        "zones": ["internal", "nova"],
    }
