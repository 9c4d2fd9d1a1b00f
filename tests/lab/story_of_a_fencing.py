"""A controller on a member of a real cluster, beside a stand-in cloud: run inside, for a test.

    python story_of_a_fencing.py LAB FOLDER

Says "ready" when all hosts do well, and waits for a line. Then it switches the first of them off
in the stand-in, so that Nova hears no more of it, says "gone", waits until that host has lost its
power in the lab as well, and says what came of it.
"""

import json
import sys
import time
from pathlib import Path

from tests.cloud.cloud_client import Cloud
from tests.daemon.controllers import Controller, until
from tests.lab.crew import SECOND_LEVEL

from ninelives.adapters.nova.watch import POLL_S
from ninelives.app.demo_site import written
from ninelives.lab import ipmi
from ninelives.lab.hosts import Hosts
from ninelives.lab.places import Network, Places, found
from ninelives.lab.processes import Processes
from ninelives.sim.cloud.catalogue import Plan
from ninelives.sim.cloud.serve import Served, served

ME, DEAD, OTHERS = "ctl1", "c1", ("c2", "c3")
PATIENCE_S = 120.0
EVENTS = ("proof.made", "proof.refused", "shot.fired", "host.moved", "bug.disarmed")


def main(lab: Path, folder: Path) -> None:
    hosts = Hosts(Processes(found(lab)))
    with served(Plan(hosts=len(hosts.places.hosts))) as where:
        cloud = Cloud(where)
        cloud.reset(spawn_s=10.0)
        config = configured(folder, where, hosts.places)
        with Controller(ME, config) as controller:
            until(controller.sees_all_well, PATIENCE_S)
            servers = cloud.guests(DEAD)
            say("ready")
            sys.stdin.readline()
            cloud.drive(DEAD, "off")
            # A report that is seen after the fence speaks against it: its last one is read before.
            seen_at = time.monotonic() + POLL_S + 1.0
            until(lambda: time.monotonic() > seen_at)
            say("gone")
            until(lambda: not hosts.is_on(DEAD), PATIENCE_S)
            until(lambda: set(servers) <= running(cloud), PATIENCE_S)
            lines = [line for event in EVENTS for line in controller.said(event)]
            told = {"servers": servers, "twice": cloud.ran_twice(), "said": lines}
            say(json.dumps(told))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def running(cloud: Cloud) -> set[str]:
    return {guest for host in OTHERS for guest in cloud.guests(host)}


def configured(folder: Path, cloud: Served, places: Places) -> Path:
    """Take hosts and BMCs from the lab, and the cloud from the stand-in."""
    addresses = {
        host: {plane.value: f"{at}:{port}" for plane, (at, port) in places.probed(host).items()}
        for host in places.hosts
    }
    bmcs = {host: places.host_at(Network.OOB, host) for host in places.hosts}
    site = Served(cloud.url, cloud.compute_url, bmcs, addresses)
    path = written(folder, ME, site, controllers=(ME,))
    text = path.read_text().replace('kind = "redfish"', 'kind = "fence_ipmilan"')
    for host in places.hosts:
        options = f'{{ ipport = "{ipmi.PORT}", lanplus = "1", cipher = "3", power_wait = "0" }}'
        chassis = SECOND_LEVEL.format(
            host=host,
            address=places.chassis_address,
            certificate=places.certificate,
            port=places.port("chassis"),
        )
        text = text.replace(
            f'system = "/redfish/v1/Systems/{host}"\n',
            f'options = {options}\ncluster_device = "ipmi-{host}"\n'
            f'{chassis}cluster_device = "chassis-{host}"\n',
            1,
        )
    path.write_text(f"{text}\n[pacemaker]\nwatch = true\nevery_s = 0.5\n")
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
