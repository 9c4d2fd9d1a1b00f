"""The cluster that is shipped as an example, judged and played by the real scheduler."""

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.pacemaker.cluster_file import ClusterFile, agent, needs_tools

pytestmark = [
    needs_tools,
    pytest.mark.skipif(
        shutil.which("crm_simulate") is None, reason="apt-get install pacemaker-cli-utils"
    ),
]

CONTROLLERS = ("ctl1", "ctl2", "ctl3")
GATE = "ninelives-gate"


def played(cluster: ClusterFile, *happens: str) -> str:
    """Let the scheduler decide and its actions succeed; return what is where in the end."""
    after = cluster.path.with_suffix(".after")
    said = cluster.run(
        *("crm_simulate", "-x", str(cluster.path), "-S", "-O", str(after)), *happens
    ).stdout
    shutil.copy(after, cluster.path)
    return said


@pytest.fixture
def running(cluster: ClusterFile) -> ClusterFile:
    played(cluster, *(f"--node-up={name}" for name in CONTROLLERS))
    return cluster


def started(said: str, clone: str) -> str:
    _, _, end = said.partition("Revised Cluster Status")
    _, _, of_clone = end.partition(f"Clone Set: {clone} ")
    first = of_clone.partition("Started: [")[2].partition("]")[0]
    return first.strip()


def test_nothing_is_wrong_with_it(running: ClusterFile) -> None:
    judged = running.run("crm_verify", "-V", "-x", str(running.path))

    assert (judged.returncode, judged.stderr) == (0, "")


def test_the_verdict_can_be_bad(running: ClusterFile) -> None:
    running.path.write_text(running.path.read_text().replace('operation="defined"', ""))

    assert running.run("crm_verify", "-x", str(running.path)).returncode != 0


def test_controllers_run_on_controllers_and_compute_services_on_hosts(running: ClusterFile) -> None:
    said = played(running)

    assert started(said, "ninelives") == "ctl1 ctl2 ctl3"
    assert started(said, "nova-compute") == "c1 c2"


def test_a_closed_gate_keeps_the_service_off_that_host_alone(running: ClusterFile) -> None:
    agent("action=off\nport=c1\n", surroundings=running.surroundings)
    closed = played(running)
    running.run("crm_attribute", "--node=c1", f"--name={GATE}", "--lifetime=forever", "--delete")
    opened = played(running)

    assert started(closed, "nova-compute") == "c2"
    assert "Fence" not in closed
    assert started(opened, "nova-compute") == "c1 c2"


@pytest.mark.parametrize("lost", [["c1"], ["c1", "c2"]])
def test_lost_hosts_are_fenced_and_nobody_else(running: ClusterFile, lost: list[str]) -> None:
    where = connections(running.path)

    said = played(running, *(f"--op-inject={host}_monitor_3000@{where[host]}=1" for host in lost))

    shots = [line.split("Fencing ")[1] for line in said.splitlines() if "Fencing " in line]
    fenced = {shot.split()[0] for shot in shots}
    assert fenced == set(lost)
    assert started(said, "ninelives") == "ctl1 ctl2 ctl3"


def connections(path: Path) -> dict[str, str]:
    """Map each remote node to the controller that holds its connection."""
    root = ElementTree.parse(path).getroot()
    found = dict[str, str]()
    for state in root.iterfind("status/node_state"):
        for operation in state.iter("lrm_rsc_op"):
            if operation.get("operation_key", "").endswith("_monitor_3000"):
                found[operation.get("operation_key", "").split("_")[0]] = state.get("uname", "")
    return found
