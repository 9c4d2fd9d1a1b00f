"""Calls of the fence agent, as the controller of that machine takes them, with real tools."""

import asyncio
from pathlib import Path

import pytest
from tests.pacemaker.cluster_file import ClusterFile, agent, away, needs_tools
from tests.pacemaker.test_example import CONTROLLERS, connections, played

from ninelives.adapters.pacemaker.calls import Spool, bound, call_in, listening

GATE = "ninelives-gate"


def spooled(folder: Path, node: str) -> Path:
    """Let the agent leave a call in the spool; return the folder."""
    said = agent(f"action=off\nport={node}\n{away(folder)}")
    assert said.returncode == 0, said.stderr
    return folder / "spool"


def left(spool: Path) -> list[str]:
    return sorted(path.suffix for path in spool.iterdir())


@pytest.fixture
def running(cluster: ClusterFile) -> ClusterFile:
    """A cluster with a leader, in which c1 and c2 are up."""
    text = cluster.path.read_text()
    cluster.path.write_text(text.replace('have-quorum="1"', 'have-quorum="1" dc-uuid="1"'))
    played(cluster, *(f"--node-up={name}" for name in CONTROLLERS))
    return cluster


def forwarded(spool: Path, cluster: ClusterFile) -> None:
    asyncio.run(Spool(spool, cluster.surroundings).forward())


@needs_tools
def test_what_waited_is_set_once_the_cluster_answers(running: ClusterFile, tmp_path: Path) -> None:
    spool = spooled(tmp_path, "c1")
    where = connections(running.path)["c1"]
    played(running, f"--op-inject=c1_monitor_3000@{where}=1")  # it is lost, and fenced

    forwarded(spool, running)

    assert running.attributes("c1")[GATE].startswith("off@")
    assert left(spool) == []


@needs_tools
def test_the_gate_of_a_host_that_is_back_is_not_closed(
    running: ClusterFile, tmp_path: Path
) -> None:
    spool = spooled(tmp_path, "c1")

    forwarded(spool, running)

    assert GATE not in running.attributes("c1")
    assert left(spool) == [".late"]


def test_without_a_cluster_everything_waits(tmp_path: Path) -> None:
    spool = spooled(tmp_path, "c1")

    forwarded(spool, ClusterFile(tmp_path / "nowhere.xml"))

    assert left(spool) == [".call"]


@needs_tools
def test_a_node_that_is_not_known_waits(running: ClusterFile, tmp_path: Path) -> None:
    spool = spooled(tmp_path, "nobody")

    forwarded(spool, running)

    assert left(spool) == [".call"]


def test_what_is_no_call_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "1.call").write_text("nonsense\n")

    forwarded(tmp_path, ClusterFile(tmp_path / "nowhere.xml"))

    assert left(tmp_path) == [".unreadable"]


def test_a_spool_that_nobody_made_is_empty(tmp_path: Path) -> None:
    forwarded(tmp_path / "spool", ClusterFile(tmp_path / "nowhere.xml"))


async def heard(folder: Path) -> str:
    async with listening(folder / "api.fence") as ear:
        await asyncio.to_thread(spooled, folder, "c1")
        async with asyncio.timeout(10.0):
            return (await ear.heard.get()).node


def test_a_call_is_heard_where_another_one_was_killed(tmp_path: Path) -> None:
    bound(tmp_path / "api.fence").close()

    assert asyncio.run(heard(tmp_path)) == "c1"
    assert call_in(next((tmp_path / "spool").iterdir())) is not None
