"""Hosts in namespaces, without a cloud around them: what the kernel must do, and what is left."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.lab.namespaced import (
    FENCE_IPMILAN,
    NAMES,
    NEEDED,
    PATIENCE_S,
    SHORT_S,
    daemon_in,
    fence_ipmilan,
    has_link,
    is_heard,
    off_by,
    power_by,
    redfish,
    said_in,
    space,
)

from ninelives.adapters.probes_icmp import open_echo
from ninelives.core.events import Outcome
from ninelives.core.model import Power
from ninelives.engine.errors import PortError
from ninelives.lab.hosts import BmcMode, Hosts
from ninelives.lab.places import OF_HOSTS, Network
from ninelives.lab.processes import is_open, seen, until

SPACES = ("pid", "mnt", "uts", "net", "ipc")
STOPPED = "T"  # proc_pid_stat(5)
# Somebody who holds a connection to us, and would end it properly if he were asked to end.
CALLER = "import socket, time; s = socket.create_connection(('{at}', {port})); time.sleep(600)"
pytestmark = NEEDED


class TestAHost:
    def test_has_namespaces_and_a_name_of_its_own_and_sees_nobody_else(self, hosts: Hosts) -> None:
        init = space(hosts).init("c1")

        for kind in SPACES:
            theirs = Path(f"/proc/{init}/ns/{kind}").readlink()
            assert theirs != Path(f"/proc/self/ns/{kind}").readlink()
        assert said_in(hosts, "c1", "hostname") == "c1"
        assert "host_init.py" in said_in(hosts, "c1", "cat", "/proc/1/cmdline")
        links = said_in(hosts, "c1", "ls", "/sys/class/net").split()
        assert set(links) == {"lo", *(network.value for network in OF_HOSTS)}

    def test_answers_pings_on_each_plane_where_the_controllers_are(self, hosts: Hosts) -> None:
        asked = {hosts.places.host_at(network, "c1") for network in OF_HOSTS}

        heard = asyncio.run(pinged(asked))

        assert heard == asked

    def test_reaches_the_control_plane_and_no_bmc(self, hosts: Hosts) -> None:
        with socket.create_server((hosts.places.address, 0)) as door:
            door.settimeout(PATIENCE_S)
            port: int = door.getsockname()[1]
            call = f"import socket; socket.create_connection(('{hosts.places.address}', {port}))"
            said_in(hosts, "c1", sys.executable, "-I", "-S", "-c", call)
            door.accept()[0].close()
        bmc = hosts.places.host_at(Network.OOB, "c2"), hosts.places.bmc_port("c2")
        assert is_open(bmc[1], bmc[0])
        call = f"import socket; socket.create_connection({bmc!r}, 5)"
        with pytest.raises(subprocess.CalledProcessError):
            said_in(hosts, "c1", sys.executable, "-I", "-S", "-c", call)

    def test_runs_a_command_and_tells_how_it_ended(self, hosts: Hosts) -> None:
        assert hosts.run("c1", ["sh", "-c", "exit 3"]) == 3

    def test_loses_a_process_by_its_name_alone(self, hosts: Hosts) -> None:
        one, other = daemon_in(hosts, "c1"), daemon_in(hosts, "c2")

        hosts.kill("c1", "sleep")

        until(lambda: seen(one) is None, "it lives", PATIENCE_S)
        assert seen(other) is not None


class TestPowerOff:
    def test_leaves_nothing_of_the_host_and_all_of_its_neighbour(self, hosts: Hosts) -> None:
        mine, neighbours = daemon_in(hosts, "c1"), daemon_in(hosts, "c2")

        hosts.power_off("c1")

        assert seen(mine) is None
        assert space(hosts).members("c1") == []
        assert not is_heard(hosts, "c1", Network.TENANT)
        assert seen(neighbours) is not None
        assert is_heard(hosts, "c2", Network.TENANT)

    def test_takes_the_link_first_so_that_nobody_hears_a_connection_end(self, hosts: Hosts) -> None:
        with socket.create_server((hosts.places.address, 0)) as door:
            door.settimeout(PATIENCE_S)
            program = CALLER.format(at=hosts.places.address, port=door.getsockname()[1])
            line = [*space(hosts).entering("c1"), sys.executable, "-I", "-S", "-c", program]
            with subprocess.Popen(line, stderr=subprocess.DEVNULL) as calling:
                peer, _ = door.accept()
                peer.settimeout(SHORT_S)

                hosts.power_off("c1")

                with peer, pytest.raises(TimeoutError):
                    peer.recv(1)
                calling.wait(PATIENCE_S)

    def test_ends_a_frozen_host_as_well(self, hosts: Hosts) -> None:
        mine = daemon_in(hosts, "c1")
        hosts.freeze("c1")

        hosts.power_off("c1")

        assert seen(mine) is None
        assert not hosts.is_frozen("c1")


class TestACutCable:
    def test_is_seen_at_both_ends_and_on_no_other_plane(self, hosts: Hosts) -> None:
        hosts.cut("c1", Network.STORAGE)

        until(lambda: not has_link(hosts, "c1", Network.STORAGE), "it has a link", PATIENCE_S)
        assert not is_heard(hosts, "c1", Network.STORAGE)
        assert is_heard(hosts, "c1", Network.MANAGEMENT)
        assert is_heard(hosts, "c2", Network.STORAGE)
        hosts.mend("c1", Network.STORAGE)
        until(lambda: is_heard(hosts, "c1", Network.STORAGE), "it is not mended", PATIENCE_S)

    def test_stays_cut_while_its_host_is_switched_off_and_on(self, hosts: Hosts) -> None:
        hosts.cut("c1", Network.TENANT)
        space(hosts).end("c1")

        space(hosts).begin("c1")

        assert hosts.cuts("c1") == [Network.TENANT]
        assert not is_heard(hosts, "c1", Network.TENANT)
        assert is_heard(hosts, "c1", Network.STORAGE)

    def test_of_a_bmc_leaves_the_host_alone(self, hosts: Hosts) -> None:
        hosts.cut("c1", Network.OOB)

        with pytest.raises(PortError):
            power_by(redfish(hosts, "c1", SHORT_S))

        assert is_heard(hosts, "c1", Network.MANAGEMENT)
        assert power_by(redfish(hosts, "c2")) is Power.ON
        hosts.mend("c1", Network.OOB)
        assert power_by(redfish(hosts, "c1")) is Power.ON


def test_a_frozen_host_stands_still_and_answers_nobody_though_its_links_stay(hosts: Hosts) -> None:
    daemon = daemon_in(hosts, "c1")

    hosts.freeze("c1")

    states = {shown.state for pid in space(hosts).members("c1") if (shown := seen(pid))}
    assert states == {STOPPED}
    assert not any(is_heard(hosts, "c1", network) for network in OF_HOSTS)
    assert all(has_link(hosts, "c1", network) for network in OF_HOSTS)
    assert hosts.is_on("c1")
    hosts.thaw("c1")
    until(lambda: is_heard(hosts, "c1", Network.MANAGEMENT), "it does not go on", PATIENCE_S)
    shown = seen(daemon)
    assert shown is not None
    assert shown.state != STOPPED


@pytest.mark.skipif(not FENCE_IPMILAN.exists(), reason="no fence_ipmilan: fence-agents, ipmitool")
class TestIpmi:
    def test_the_stock_agent_reads_and_switches_its_own_host_alone(self, hosts: Hosts) -> None:
        mine = daemon_in(hosts, "c1")
        assert power_by(fence_ipmilan(hosts, "c1")) is Power.ON

        assert off_by(fence_ipmilan(hosts, "c1")) is Outcome.DONE

        assert power_by(fence_ipmilan(hosts, "c1")) is Power.OFF
        assert seen(mine) is None
        assert power_by(fence_ipmilan(hosts, "c2")) is Power.ON
        assert power_by(redfish(hosts, "c1")) is Power.OFF

    def test_a_dead_bmc_is_silent_here_too_and_does_nothing_of_it_later(self, hosts: Hosts) -> None:
        assert power_by(fence_ipmilan(hosts, "c1")) is Power.ON
        hosts.set_bmc("c1", BmcMode.DEAD)

        with pytest.raises(PortError):
            off_by(fence_ipmilan(hosts, "c1", SHORT_S))

        hosts.set_bmc("c1", BmcMode.MENDED)
        until(lambda: is_on_by_ipmi(hosts, "c1"), "it is not mended", PATIENCE_S)

    def test_a_lie_is_told_here_too(self, hosts: Hosts) -> None:
        hosts.set_bmc("c1", BmcMode.LYING)

        off_by(fence_ipmilan(hosts, "c1"))

        assert power_by(fence_ipmilan(hosts, "c1")) is Power.OFF
        assert hosts.is_on("c1")


def is_on_by_ipmi(hosts: Hosts, host: str) -> bool:
    try:
        return power_by(fence_ipmilan(hosts, host)) is Power.ON
    except PortError:
        return False


def test_a_guest_is_a_process_of_its_host_and_is_seen_where_it_runs_twice(hosts: Hosts) -> None:
    guest = "a" * 36
    for host in NAMES:
        begin = f"NINELIVES_GUEST={guest} setsid --fork sleep 600 >/dev/null 2>&1"
        said_in(hosts, host, "sh", "-c", begin)
    until(lambda: hosts.twice() == {guest: set(NAMES)}, "it is not seen", PATIENCE_S)

    hosts.power_off("c2")

    assert hosts.twice() == {}
    assert hosts.running() == {guest: {"c1"}}
    hosts.forget("c1", guest)
    until(lambda: hosts.running() == {}, "it lives", PATIENCE_S)


async def pinged(addresses: set[str]) -> set[str]:
    """Ask all of them by ICMP until all answered, or for a while."""
    heard = set[str]()
    echo = open_echo(socket.AF_INET, heard.add)
    assert echo is not None
    end = time.monotonic() + PATIENCE_S
    while heard != addresses and time.monotonic() < end:
        echo.ask(addresses)
        await asyncio.sleep(0.1)
    echo.close()
    return heard
