"""Labs beside each other, killed half way, and where there is no root: nothing of them is left."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.lab.namespaced import (
    NAMES,
    NEEDED,
    OTHER_PORT,
    hosts_in,
    is_heard,
    lab,
    power_by,
    redfish,
)

from ninelives.core.model import Power
from ninelives.lab import planes
from ninelives.lab.hosts import Hosts
from ninelives.lab.places import OF_HOSTS, Network, Places, found
from ninelives.lab.processes import Processes

# `up`, killed when it has done so much.
KILLED = """\
import os, sys
from pathlib import Path
from ninelives.lab.namespaces import Namespaces
from ninelives.lab.openstack import control
from ninelives.lab.places import Places
from ninelives.lab.processes import Processes
places = control.begun(Places(Path(sys.argv[1]), ("c1", "c2"), {port}))
processes = Processes(places)
if {steps} > 0:
    Namespaces(processes).begin("c1")
if {steps} > 1:
    control.start_bmcs(processes)
os.kill(os.getpid(), 9)
"""

pytestmark = NEEDED


def test_a_lab_lives_beside_another_and_takes_nothing_of_it_along(
    hosts: Hosts, tmp_path: Path
) -> None:
    with hosts_in(tmp_path, OTHER_PORT) as others:
        assert others.places.slot != hosts.places.slot
        assert is_heard(others, "c1", Network.STORAGE)
        others.power_off("c1")
        assert is_heard(hosts, "c1", Network.STORAGE)

    assert is_heard(hosts, "c1", Network.STORAGE)
    assert power_by(redfish(hosts, "c1")) is Power.ON


def test_a_lab_leaves_a_network_that_is_somebody_elses(hosts: Hosts, tmp_path: Path) -> None:
    its = hosts.places
    shutil.copy(its.folder / "lab.json", tmp_path)  # as if both had once had this number

    places = planes.claimed(Places(tmp_path, NAMES, OTHER_PORT))
    planes.torn_down(places)

    assert places.slot != its.slot
    assert is_heard(hosts, "c1", Network.STORAGE)


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_lab_leaves_nothing_also_where_up_was_killed(tmp_path: Path, steps: int) -> None:
    program = KILLED.format(port=OTHER_PORT, steps=steps)
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)])
    assert ended.returncode == -signal.SIGKILL
    places = found(tmp_path)
    assert planes.remains(places) != []

    assert lab("down", "--folder", str(tmp_path)).returncode == 0

    assert planes.remains(places) == []
    assert Processes(places).strays() == []
    with hosts_in(tmp_path, OTHER_PORT) as again:
        assert is_heard(again, "c2", Network.MANAGEMENT)


def test_status_says_where_its_hosts_live_and_what_is_cut(hosts: Hosts) -> None:
    folder = ("--folder", str(hosts.places.folder))
    assert lab("host", "c2", "cut", "tenant", *folder).returncode == 0

    told = lab("status", *folder).stdout

    assert f"hosts are in namespaces: management {hosts.places.at(OF_HOSTS[0], 0)}/24" in told
    assert "c2     on  cut:tenant 0 guests run" in told
    assert lab("host", "c1", "exec", *folder, "--", "hostname").stdout == "c1\n"
    assert lab("host", "c1", "cut", "moon", *folder).returncode == 64


def test_up_without_root_or_its_programs_says_what_is_missing(tmp_path: Path) -> None:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    told = lab("up", "--namespaces", "--folder", str(tmp_path / "lab"), before=nobody)

    assert told.returncode == 69, told.stderr
    assert "hosts in namespaces need root" in told.stderr
