"""The agent under the real pacemaker-fenced, as the second device of a level."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.pacemaker.cluster_file import AGENT, EXAMPLE, ClusterFile

FENCED = Path("/usr/lib/pacemaker/pacemaker-fenced")
SCRIPT = Path(__file__).with_name("fenced.sh")
UNSHARED = ("unshare", "--mount", "--net", "--ipc", "--uts")
GATE = "ninelives-gate"
# A power device: it writes down what it was told, and does as it is told by a file.
POWER = """\
#!/bin/sh
lines=$(cat)
action=$(echo "$lines" | sed -n 's/^action=//p')
[ "$1" = -o ] && action=$2
case "$action" in
    metadata) sed 's/ automatic="1"//' {folder}/dummy.xml ;;
    *) echo "$action" >> {folder}/power; [ ! -e {folder}/power-is-broken ] ;;
esac
"""
OURS = (
    "stonith_admin --register ours --agent fence_ninelives --option pcmk_host_check=dynamic-list "
    "--option hint_socket={folder}/none --option spool={folder}/spool && "
)
DEVICES = f"stonith_admin --register power --agent fence_power --option pcmk_host_list=c1 && {OURS}"
LEVEL = "stonith_admin --register-level c1 --index 1 --device power --device ours && "
OFF, REBOOT = "stonith_admin --fence c1 --timeout 20", "stonith_admin --reboot c1 --timeout 20"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not FENCED.exists() or shutil.which("unshare") is None,
    reason="needs root, and the real fencer: apt-get install pacemaker",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    agents = tmp_path / "agents"
    agents.mkdir()
    (agents / "fence_ninelives").symlink_to(AGENT)
    power = agents / "fence_power"
    power.write_text(POWER.format(folder=tmp_path))
    power.chmod(0o755)
    metadata = subprocess.run(
        ["/usr/sbin/fence_dummy", "-o", "metadata"], capture_output=True, check=True
    )
    (tmp_path / "dummy.xml").write_bytes(metadata.stdout)
    shutil.copy(EXAMPLE, tmp_path / "cib.xml")
    return tmp_path


def fenced(folder: Path, todo: str) -> subprocess.CompletedProcess[str]:
    """Let the real fencer do something, in a world of its own."""
    said = subprocess.run(
        [*UNSHARED, str(SCRIPT), str(folder), todo.format(folder=folder)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    if said.returncode == 69:
        pytest.skip(f"no namespaces, or no overlay, here: {said.stderr}")
    return said


def test_its_metadata_is_read(folder: Path) -> None:
    said = fenced(folder, "stonith_admin --metadata --agent fence_ninelives")

    assert said.returncode == 0, said.stderr
    assert 'name="fence_ninelives"' in said.stdout


def test_a_fence_is_recorded_once_the_power_is_cut(folder: Path) -> None:
    said = fenced(folder, DEVICES + LEVEL + OFF)

    assert said.returncode == 0, said.stdout + said.stderr
    assert (folder / "power").read_text().split()[-1] == "off"
    assert ClusterFile(folder / "cib.xml").attributes("c1")[GATE].startswith("off@")


def test_a_power_device_that_fails_leaves_no_record(folder: Path) -> None:
    (folder / "power-is-broken").touch()

    said = fenced(folder, DEVICES + LEVEL + OFF)

    assert said.returncode != 0
    assert GATE not in ClusterFile(folder / "cib.xml").attributes("c1")


def test_a_reboot_of_the_level_is_off_and_on(folder: Path) -> None:
    said = fenced(folder, DEVICES + LEVEL + REBOOT)

    assert said.returncode == 0, said.stdout + said.stderr
    assert (folder / "power").read_text().split()[-2:] == ["off", "on"]
    assert ClusterFile(folder / "cib.xml").attributes("c1")[GATE].startswith("off@")


def test_alone_it_is_never_used(folder: Path) -> None:
    """Without a level whose power device stands before it, nobody may take its word for off."""
    cib = folder / "cib.xml"
    text = cib.read_text().replace('devices="power-c1,fence-ninelives"', 'devices="power-c1"')
    cib.write_text(text)

    said = fenced(folder, OURS + OFF)

    assert said.returncode != 0
    assert GATE not in ClusterFile(cib).attributes("c1")


def test_a_first_device_that_nobody_answers_lets_pass(folder: Path) -> None:
    brake = (
        "stonith_admin --register brake --agent fence_ninelives --option mode=brake "
        "--option socket={folder}/none --option pcmk_host_list=c1 && "
        "stonith_admin --register-level c1 --index 1 --device brake --device power --device ours &&"
    )

    said = fenced(folder, DEVICES + brake + OFF)

    assert said.returncode == 0, said.stdout + said.stderr
    assert GATE in ClusterFile(folder / "cib.xml").attributes("c1")
