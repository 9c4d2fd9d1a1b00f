"""A real Pacemaker cluster over hosts in namespaces: what tests do to it, and see of it."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ninelives.adapters.pacemaker.view import Fence, FenceStatus, Standing, View
from ninelives.lab import planes
from ninelives.lab.hosts import Hosts
from ninelives.lab.openstack import control
from ninelives.lab.openstack.install import PartMissing
from ninelives.lab.pacemaker import control as cluster
from ninelives.lab.pacemaker import install, machines
from ninelives.lab.places import PACEMAKER, Places
from ninelives.lab.processes import LOOK_S, Processes

CONTROLLERS = ("ctl1", "ctl2", "ctl3")
HOSTS = ("c1", "c2", "c3")
PORT = 17_200  # beside whoever else has a lab here
PATIENCE_S = 60.0


def lost() -> str:
    """Say what is missing for a cluster; nothing where all of it is there."""
    try:
        install.demand()
    except PartMissing as error:
        return Exception.__str__(error)
    return " ".join(planes.missing())


NEEDED = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(lost()), reason=f"NO REAL CLUSTER WAS STARTED: {lost()}"),
]
AS_ROOT = pytest.mark.skipif(not planes.is_root(), reason="NO REAL CLUSTER WAS STARTED: not root")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A lab with a cluster, as a test looks at it."""

    hosts: Hosts

    @property
    def processes(self) -> Processes:
        return self.hosts.processes

    def view(self) -> View:
        """Look until there is something to be seen."""
        end = time.monotonic() + PATIENCE_S
        while not isinstance(view := cluster.seen(self.processes), View):
            assert time.monotonic() < end, view.reason
            time.sleep(LOOK_S)
        return view

    def standing(self, host: str) -> Standing:
        return self.view().standing(host)

    def fences(self, target: str) -> list[Fence]:
        """List who was fenced for good, the newest first."""
        done = FenceStatus.SUCCESS
        return [
            each for each in self.view().fences if each.target == target and each.status is done
        ]

    def is_fencing(self, target: str) -> bool:
        pending = FenceStatus.PENDING
        return any(each.target == target and each.status is pending for each in self.view().fences)

    def said(self, *words: str, on: str = "ctl1") -> str:
        told = machines.told(self.processes, on, *words)
        assert not told.returncode, told.stderr
        return told.stdout

    def is_whole(self) -> bool:
        return cluster.is_whole(cluster.seen(self.processes), CONTROLLERS, HOSTS)

    def bring_back(self, host: str) -> None:
        """Give a machine its power back, and have its connection tried again at once."""
        self.hosts.power_on(host)
        if host in HOSTS:
            self.said("crm_resource", "--cleanup", "--resource", host)


@contextmanager
def cluster_in(folder: Path) -> Generator[Cluster]:
    """Three controllers, three hosts; nothing of them is left at the end."""
    places = Places(folder, HOSTS, PORT, controllers=CONTROLLERS, parts=(PACEMAKER,))
    places = control.begun(places)
    processes = Processes(places)
    try:
        cluster.up(processes, print)
        yield Cluster(Hosts(processes))
    finally:
        control.down(processes)
    assert planes.remains(places) == []
    assert processes.strays() == []
