"""Hosts in namespaces, without a cloud around them: what tests do to them, and see of them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ninelives.adapters.fence_agent import FenceAgent
from ninelives.adapters.redfish import Redfish, RedfishAt
from ninelives.core.events import Outcome
from ninelives.core.model import Power
from ninelives.engine.device import Device
from ninelives.lab import ipmi, planes
from ninelives.lab.bmcs import SYSTEMS, USER
from ninelives.lab.hosts import Hosts
from ninelives.lab.namespaces import Namespaces
from ninelives.lab.openstack import control
from ninelives.lab.openstack.files import PASSWORD
from ninelives.lab.places import Network, Places
from ninelives.lab.processes import Processes, is_open

NAMES = ("c1", "c2")
PORT, OTHER_PORT = 17_000, 17_100  # beside whoever else has a lab here
PATIENCE_S = 30.0
SHORT_S = 1.5  # what must not happen has this long to happen
FENCE_IPMILAN = Path("/usr/sbin/fence_ipmilan")
LOST = planes.missing() or ([] if planes.is_root() else ["root"])
NEEDED = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(bool(LOST), reason=f"NO HOST WAS PUT INTO NAMESPACES: no {LOST}"),
]


@contextmanager
def hosts_in(folder: Path, port: int = PORT) -> Generator[Hosts]:
    """Two hosts and their BMCs; nothing of them is left at the end."""
    places = control.begun(Places(folder, NAMES, port))
    hosts = Hosts(Processes(places))
    try:
        for name in NAMES:
            space(hosts).begin(name)
        control.start_bmcs(hosts.processes)
        yield hosts
    finally:
        control.down(hosts.processes)
    assert planes.remains(places) == []
    assert hosts.processes.strays() == []


def space(hosts: Hosts) -> Namespaces:
    return Namespaces(hosts.processes)


def said_in(hosts: Hosts, host: str, *words: str) -> str:
    """Run a command inside a host; return what it said."""
    line = [*space(hosts).entering(host), *words]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()


def daemon_in(hosts: Hosts, host: str) -> int:
    """Start what left its session and knows nothing of any lab; return its number."""
    begin = "setsid --fork sleep 4711 >/dev/null 2>&1"
    said_in(hosts, host, "env", "-i", "/bin/sh", "-c", begin)
    pids = [pid for pid in space(hosts).members(host) if b"4711" in words_of(pid)]
    return pids[-1]


def words_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def is_heard(hosts: Hosts, host: str, network: Network) -> bool:
    """Say whether a host answers on a plane to who stands where controllers do."""
    return is_open(hosts.places.port("probed"), hosts.places.host_at(network, host))


def has_link(hosts: Hosts, host: str, network: Network) -> bool:
    return said_in(hosts, host, "cat", f"/sys/class/net/{network.value}/operstate") == "up"


def redfish(hosts: Hosts, host: str, patience_s: float = PATIENCE_S) -> Device:
    at, system = hosts.places.bmc_url(host), f"{SYSTEMS}/{host}"
    return Redfish(RedfishAt(at, system, USER, PASSWORD, read_s=patience_s, order_s=patience_s))


def fence_ipmilan(hosts: Hosts, host: str, patience_s: float = PATIENCE_S) -> Device:
    options = {
        "ip": hosts.places.host_at(Network.OOB, host),
        "ipport": str(ipmi.port_of(hosts.places, host)),
        "username": ipmi.USER,
        "lanplus": "1",
        "cipher": "3",
        "power_wait": "0",
    }
    secrets = {"password": PASSWORD}
    return FenceAgent(FENCE_IPMILAN, options, secrets, None, patience_s, patience_s)


def power_by(device: Device) -> Power:
    async def asked() -> Power:
        try:
            return (await device.look()).power
        finally:
            await device.close()

    return asyncio.run(asked())


def off_by(device: Device) -> Outcome:
    async def asked() -> Outcome:
        try:
            return (await device.switch_off()).outcome
        finally:
            await device.close()

    return asyncio.run(asked())


def lab(*words: str, before: list[str] | None = None) -> "subprocess.CompletedProcess[str]":
    program = [*(before or []), str(Path(sys.executable).with_name("ninelives")), "lab", *words]
    return subprocess.run(program, capture_output=True, text=True, timeout=120, env={**os.environ})
