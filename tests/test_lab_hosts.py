"""What may be done to a host of a lab and to its BMC, without a cloud around them."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from ninelives.adapters.fence_agent import FenceAgent
from ninelives.adapters.redfish import Redfish, RedfishAt
from ninelives.adapters.redfish_wire import Trust
from ninelives.core.events import Outcome
from ninelives.core.model import Power
from ninelives.engine.errors import PortError
from ninelives.engine.ports import Answer
from ninelives.lab import ipmi, planes
from ninelives.lab.bmcs import SLOW_S, SYSTEMS, USER
from ninelives.lab.hosts import BmcMode, Hosts
from ninelives.lab.openstack.control import start_bmcs
from ninelives.lab.openstack.files import PASSWORD
from ninelives.lab.places import Network, Places
from ninelives.lab.processes import Processes, seen, until

SLEEPER = "import time; time.sleep(600)"
STOPPED = "T"  # proc_pid_stat(5)
PORTS_EACH = 20
SOON_S = 1.0  # what a dead device is given
FENCE_IPMILAN = Path("/usr/sbin/fence_ipmilan")
PATIENCE_S = 30.0  # of a machine with other work

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosts]:
    """Two hosts with their BMCs, and no nova-compute."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    places = Places(tmp_path_factory.mktemp("lab"), ("c1", "c2"), 18_000 + PORTS_EACH * worker)
    places.prepare()
    processes = Processes(places)
    try:
        start_bmcs(processes)
        yield Hosts(processes)
    finally:
        processes.end(["c1", "bmcs"])
    assert processes.strays() == []


@pytest.fixture
def host(hosts: Hosts) -> Generator[Hosts]:
    """c1, with a process of its own that stands for nova-compute, and its power on."""
    hosts.processes.start("c1", [sys.executable, "-c", SLEEPER])
    yield hosts
    hosts.set_bmc("c1", BmcMode.MENDED)
    hosts.power_off("c1")
    (hosts.places.run / "c1.off").unlink()


def bmc(hosts: Hosts, read_s: float = PATIENCE_S) -> RedfishAt:
    at = hosts.places.bmc_url("c1")
    return RedfishAt(at, f"{SYSTEMS}/c1", USER, PASSWORD, read_s=read_s, order_s=read_s)


def chassis(hosts: Hosts, host: str) -> RedfishAt:
    at, trust = f"https://127.0.0.1:{hosts.places.port('chassis')}", hosts.places.certificate
    return RedfishAt(at, f"{SYSTEMS}/{host}", USER, PASSWORD, Trust(trust))


def read(at: RedfishAt) -> Power:
    async def asked() -> Power:
        device = Redfish(at)
        try:
            return (await device.look()).power
        finally:
            await device.close()

    return asyncio.run(asked())


def switch_off(at: RedfishAt) -> Answer:
    async def asked() -> Answer:
        device = Redfish(at)
        try:
            return await device.switch_off()
        finally:
            await device.close()

    return asyncio.run(asked())


class TestAFrozenHost:
    def test_stands_still_with_its_power_on_until_it_is_thawed(self, host: Hosts) -> None:
        pid = host.processes.pid("c1")
        assert pid is not None

        host.freeze("c1")

        until(lambda: is_stopped(pid), "it was not stopped", PATIENCE_S)
        assert host.is_on("c1")
        assert not host.answers("c1")
        host.thaw("c1")
        until(lambda: not is_stopped(pid), "it does not go on", PATIENCE_S)
        assert host.answers("c1")

    def test_is_killed_when_its_power_goes_and_has_nothing_to_wake_up_to(self, host: Hosts) -> None:
        host.freeze("c1")

        host.power_off("c1")

        assert host.processes.pid("c1") is None
        assert not host.is_frozen("c1")
        host.thaw("c1")
        assert not host.answers("c1")

    def test_answers_no_probe(self, host: Hosts) -> None:
        until(lambda: is_probed(host), "nobody answers", PATIENCE_S)

        host.freeze("c1")

        until(lambda: not is_probed(host), "it still answers", PATIENCE_S)


class TestABmc:
    def test_reads_and_switches_its_own_host_alone(self, host: Hosts) -> None:
        assert read(bmc(host)) is Power.ON

        assert switch_off(bmc(host)).outcome is Outcome.DONE

        assert not host.is_on("c1")
        assert host.is_on("c2")
        assert read(bmc(host)) is Power.OFF

    def test_that_is_dead_never_answers_and_does_nothing_of_it_when_it_is_mended(
        self, host: Hosts
    ) -> None:
        host.set_bmc("c1", BmcMode.DEAD)

        with pytest.raises(PortError):
            switch_off(bmc(host, SOON_S))

        host.set_bmc("c1", BmcMode.MENDED)
        assert read(bmc(host)) is Power.ON

    def test_that_is_stuck_acknowledges_and_reads_what_is(self, host: Hosts) -> None:
        host.set_bmc("c1", BmcMode.STUCK)

        assert switch_off(bmc(host)).outcome is Outcome.DONE

        assert read(bmc(host)) is Power.ON
        assert host.is_on("c1")

    def test_that_lies_reads_off_of_a_host_that_runs_on(self, host: Hosts) -> None:
        host.set_bmc("c1", BmcMode.LYING)
        assert read(bmc(host)) is Power.ON

        assert switch_off(bmc(host)).outcome is Outcome.DONE

        assert read(bmc(host)) is Power.OFF
        assert host.is_on("c1")

    def test_that_is_slow_answers_late(self, host: Hosts) -> None:
        host.set_bmc("c1", BmcMode.SLOW)
        began = time.monotonic()

        assert read(bmc(host)) is Power.ON

        assert time.monotonic() - began >= SLOW_S


def test_the_chassis_switches_a_host_whose_bmc_is_dead(host: Hosts) -> None:
    host.set_bmc("c1", BmcMode.DEAD)

    assert switch_off(chassis(host, "c1")).outcome is Outcome.DONE

    assert not host.is_on("c1")
    assert read(chassis(host, "c2")) is Power.ON


@pytest.mark.skipif(
    not FENCE_IPMILAN.exists() or planes.where("ipmi_sim") is None,
    reason="no IPMI: apt-get install fence-agents ipmitool openipmi",
)
def test_the_same_bmc_obeys_the_stock_agent_of_ipmi(host: Hosts) -> None:
    options = {
        "ip": host.places.host_at(Network.OOB, "c1"),
        "ipport": str(ipmi.port_of(host.places, "c1")),
        "username": ipmi.USER,
        "lanplus": "1",
        "cipher": "3",
        "power_wait": "0",
    }
    agent = FenceAgent(FENCE_IPMILAN, options, {"password": PASSWORD}, None, PATIENCE_S, PATIENCE_S)

    assert asyncio.run(agent.switch_off()).outcome is Outcome.DONE

    assert not host.is_on("c1")
    assert host.is_on("c2")
    assert asyncio.run(agent.look()).power is Power.OFF


def test_the_commands_say_how_a_host_is(host: Hosts) -> None:
    assert lab(host.places.folder, "bmc", "c1", "slow").returncode == 0
    assert lab(host.places.folder, "host", "c1", "freeze").returncode == 0

    told = lab(host.places.folder, "status").stdout

    assert "c1     on  frozen bmc:slow 0 guests run" in told
    killed = lab(host.places.folder, "host", "c1", "kill", "nova-compute")
    assert killed.returncode == 0
    assert host.processes.pid("c1") is None
    assert lab(host.places.folder, "host", "c1", "kill").returncode == 64
    assert lab(host.places.folder, "bmc", "c9", "dead").returncode == 64


def lab(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    program = str(Path(sys.executable).with_name("ninelives"))
    all_words = [program, "lab", *words, "--folder", str(folder)]
    return subprocess.run(all_words, capture_output=True, text=True, timeout=60)


def is_stopped(pid: int) -> bool:
    shown = seen(pid)
    return shown is not None and shown.state == STOPPED


def is_probed(hosts: Hosts) -> bool:
    async def asked(address: str, port: int) -> bool:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            return False
        writer.transport.abort()
        return True

    addresses = hosts.places.probed("c1").values()
    return all(asyncio.run(asked(*address)) for address in addresses)
