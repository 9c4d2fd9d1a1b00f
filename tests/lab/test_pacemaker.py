"""A real cluster fences by real agents: whom it must, by the next device too, and nobody else."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from tests.lab.clustered import AS_ROOT, HOSTS, NEEDED, PATIENCE_S, Cluster, cluster_in
from tests.lab.namespaced import lab, space

from ninelives.adapters.pacemaker.follow import Known, Ways, follow
from ninelives.adapters.pacemaker.tools import Tools
from ninelives.adapters.pacemaker.view import Standing, Unknown
from ninelives.core.events import Event, PacemakerFenced, PacemakerLost
from ninelives.core.model import HostId
from ninelives.lab.hosts import BmcMode
from ninelives.lab.processes import until

ROOT = Path(__file__).parents[2]
REMOTED = "pacemaker-remoted"
FENCED_S = 10.0  # measured: 1 s where nobody else works
pytestmark = [*NEEDED, AS_ROOT]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cluster]:
    with cluster_in(tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.fixture
def cluster(shared: Cluster) -> Cluster:
    """Every machine has power, every BMC is mended, and every remote is up."""
    for machine in shared.hosts.places.machines:
        shared.hosts.set_bmc(machine, BmcMode.MENDED)
        if not shared.hosts.is_on(machine):
            shared.bring_back(machine)
    until(shared.is_whole, "the cluster is not whole", PATIENCE_S)
    return shared


class TestARemoteWhoseDaemonIsKilled:
    def test_is_fenced_by_its_bmc_and_nobody_else_is(self, cluster: Cluster) -> None:
        before = cluster.view().fences

        cluster.hosts.kill("c1", REMOTED)
        until(lambda: not cluster.hosts.is_on("c1"), "it has power", FENCED_S)

        until(lambda: len(cluster.fences("c1")) == 1, "it is not told", FENCED_S)
        fence = cluster.fences("c1")[0]
        assert (fence.action, fence.client.partition(".")[0]) == ("off", "pacemaker-controld")
        assert fence.delegate in cluster.hosts.places.controllers
        assert space(cluster.hosts).members("c1") == []
        assert [each.target for each in cluster.view().fences if each not in before] == ["c1"]
        assert all(cluster.standing(host) is Standing.UP for host in ("c2", "c3"))

    def test_stays_off_until_somebody_gives_it_power_and_then_is_up(self, cluster: Cluster) -> None:
        cluster.hosts.kill("c2", REMOTED)
        until(lambda: cluster.standing("c2") is Standing.LOST, "it is up", FENCED_S)
        until(lambda: cluster.fences("c2"), "it is not fenced", FENCED_S)
        assert not cluster.hosts.is_on("c2")

        cluster.bring_back("c2")

        until(lambda: cluster.standing("c2") is Standing.UP, "it is not up", PATIENCE_S)
        assert cluster.hosts.is_on("c2")

    def test_is_fenced_by_the_chassis_where_its_bmc_is_silent(self, cluster: Cluster) -> None:
        cluster.hosts.set_bmc("c3", BmcMode.DEAD)
        fences = len(cluster.fences("c3"))

        cluster.hosts.kill("c3", REMOTED)

        until(lambda: not cluster.hosts.is_on("c3"), "it has power", PATIENCE_S)
        until(lambda: len(cluster.fences("c3")) == fences + 1, "it is not told", FENCED_S)


def test_a_host_that_loses_its_power_is_lost_by_silence_and_fenced(cluster: Cluster) -> None:
    """Its cable goes before its processes: no connection ends, as none does in a real loss."""
    fences, began = len(cluster.fences("c1")), time.monotonic()

    cluster.hosts.power_off("c1")

    until(lambda: len(cluster.fences("c1")) == fences + 1, "it is not fenced", PATIENCE_S)
    assert time.monotonic() - began > 2.0  # or somebody heard a connection end
    assert {host for host in HOSTS if not cluster.hosts.is_on(host)} == {"c1"}


def test_a_controller_that_loses_its_power_is_fenced_and_two_lead_on(cluster: Cluster) -> None:
    cluster.hosts.power_off("ctl3")

    until(lambda: cluster.fences("ctl3"), "it is not fenced", PATIENCE_S)
    assert cluster.view().dc in {"ctl1", "ctl2"}
    until(lambda: all(cluster.standing(host) is Standing.UP for host in HOSTS), "lost", PATIENCE_S)


class TestWhoFollowsTheCluster:
    def test_is_told_of_a_fencing_with_all_that_a_proof_takes(self, cluster: Cluster) -> None:
        def kill() -> None:
            cluster.hosts.kill("c2", REMOTED)

        lost, fenced = followed(cluster, "c2", kill)

        assert lost == PacemakerLost(HostId("c2"), is_lost=True)
        assert isinstance(fenced, PacemakerFenced)
        said = fenced.fence
        assert (said.action, said.device, said.by_confirmation) == ("off", "c2/bmc", False)
        assert said.after_life
        assert said.key.startswith("c2 ")

    def test_is_told_of_a_persons_word_that_it_is_one(self, cluster: Cluster) -> None:
        """Both devices are silent, and a person says that it is off."""

        def confirm() -> None:
            cluster.hosts.processes.send("bmcs", signal.SIGSTOP)
            cluster.hosts.kill("c3", REMOTED)
            until(lambda: cluster.standing("c3") is Standing.LOST, "it is up", FENCED_S)
            cluster.said("stonith_admin", "--confirm", "c3")
            cluster.hosts.processes.send("bmcs", signal.SIGCONT)

        _, fenced = followed(cluster, "c3", confirm)

        assert isinstance(fenced, PacemakerFenced)
        assert fenced.fence.by_confirmation
        assert fenced.fence.device == ""
        until(lambda: not cluster.is_fencing("c3"), "it goes on", PATIENCE_S)
        cluster.hosts.power_off("c3")  # where nobody did by now: its remote is dead

    def test_hears_nothing_where_no_cluster_runs(self, cluster: Cluster) -> None:
        spaces = tuple(space(cluster.hosts).entering("c1"))
        nowhere = Tools((*spaces, "/usr/bin/unshare", "--net", "--"))

        assert asyncio.run(nowhere.look()) == Unknown("not connected")
        assert asyncio.run(nowhere.levels()) is None
        assert asyncio.run(nowhere.is_fenced("c1")) is False


def test_what_pacemaker_has_fenced_is_evacuated_without_a_shot_of_ours(
    cluster: Cluster, tmp_path: Path
) -> None:
    """A controller on a member of the cluster. Servers and Nova stand in, all else is real."""
    program = [sys.executable, "-m", "tests.lab.story_of_a_fencing"]
    folder = cluster.hosts.places.folder
    line = [*space(cluster.hosts).entering("ctl1"), "/usr/bin/env", f"--chdir={ROOT}", *program]
    words = [*line, str(folder), str(tmp_path)]
    with Popen(words, stdin=PIPE, stdout=PIPE, text=True) as story:
        assert story.stdin is not None
        assert story.stdout is not None
        assert story.stdout.readline() == "ready\n"
        story.stdin.write("it dies\n")
        story.stdin.flush()
        assert story.stdout.readline() == "gone\n"

        cluster.hosts.kill("c1", REMOTED)

        told = json.loads(story.stdout.readline())
    said = [(line["event"], line.get("about"), line.get("why")) for line in told["said"]]
    assert len(told["servers"]) == 2
    assert told["twice"] == {}
    assert ("proof.made", "c1", "pacemaker") in said
    assert not [event for event, *_ in said if event in {"shot.fired", "bug.disarmed"}]


def followed(cluster: Cluster, host: str, fault: Callable[[], None]) -> list[Event]:
    """Follow the cluster from its first controller; return what is told of a fault, both events."""
    known = Known({host: HostId(host)}, {HostId(host): devices(host)})
    tools = Tools(tuple(space(cluster.hosts).entering("ctl1")))
    events, has_both = list[Event](), asyncio.Event()

    async def tell(event: Event) -> None:
        events.append(event)
        if len(events) == 2:
            has_both.set()

    async def play() -> None:
        ways = Ways(
            asyncio.get_running_loop().time, lambda _: None, lambda _: devices(host).values()
        )
        following = asyncio.Task(follow(tools, known, ways, 0.5, tell))
        await asyncio.sleep(2.0)  # two looks at a cluster that is well
        await asyncio.to_thread(fault)
        async with asyncio.timeout(PATIENCE_S):
            await has_both.wait()
        following.cancel()

    asyncio.run(play())
    return events


def devices(host: str) -> dict[str, str]:
    return {f"ipmi-{host}": f"{host}/bmc", f"chassis-{host}": f"{host}/chassis"}


def test_pacemaker_finds_nothing_wrong_in_its_configuration(cluster: Cluster) -> None:
    assert cluster.said("crm_verify", "--live-check", "--verbose") == ""


def test_every_machine_is_asked_and_told_of_by_the_command(cluster: Cluster) -> None:
    folder = ("--folder", str(cluster.hosts.places.folder))

    told = lab("status", *folder)

    assert told.returncode == 0, told.stdout
    assert "c1:up c2:up c3:up" in told.stdout
    assert "ctl3   on" in told.stdout
    for machine in ("ctl2", "c2"):
        asked = lab("host", machine, "exec", *folder, "--", "crm_mon", "-1")
        assert "RemoteOnline: [ c1 c2 c3 ]" in asked.stdout
