"""The fence agent as a program: spoken to as Pacemaker does, with the cluster's real tools."""

import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from tests.pacemaker.cluster_file import (
    AGENT,
    SCHEMA,
    ClusterFile,
    agent,
    away,
    needs_schema,
    needs_tools,
)

from ninelives.fence.record import call_from

GATE = "ninelives-gate"
NO_CLOUD = "auth_url=https://127.0.0.1:1/v3\nusername=u\npassword=hush\ntenant_name=admin\n"


# ------------------------------------------------------------------------------- metadata


@needs_schema
@pytest.mark.parametrize("name", ["fence_ninelives", "fence_compute"])
def test_metadata_keeps_the_schema_of_fence_agents(name: str, tmp_path: Path) -> None:
    called = tmp_path / name
    called.symlink_to(AGENT)

    document = agent("action=metadata\n", name=called).stdout

    assert f'<resource-agent name="{name}"' in document
    judged = subprocess.run(
        ["xmllint", "--noout", "--relaxng", SCHEMA, "-"],
        input=document,
        capture_output=True,
        text=True,
    )
    assert judged.returncode == 0, judged.stderr


@needs_schema
def test_the_schema_refuses_what_is_no_metadata() -> None:
    document = agent("action=metadata\n").stdout.replace("<getopt", "<getopts")

    judged = subprocess.run(
        ["xmllint", "--noout", "--relaxng", SCHEMA, "-"],
        input=document.encode(),
        capture_output=True,
    )
    assert judged.returncode != 0


def test_metadata_needs_nothing_else(tmp_path: Path) -> None:
    asked = [agent("action=metadata\n", surroundings={}), agent("", "-o", "meta-data")]

    assert [each.returncode for each in asked] == [0, 0]
    assert len({each.stdout for each in asked}) == 1


# ------------------------------------------------------------------------------------ off


@needs_tools
@pytest.mark.parametrize("named", ["port=c1", "plug=c1", "nodename=c1", "nodename=c1\nport=x"])
def test_off_is_recorded_in_the_configuration_for_good(cluster: ClusterFile, named: str) -> None:
    said = agent(f"action=off\n{named}\n", surroundings=cluster.surroundings)

    assert said.returncode == 0, said.stderr
    assert cluster.attributes("c1")[GATE].startswith("off@")
    assert GATE not in cluster.attributes("c2")


@needs_tools
def test_a_cloud_that_is_down_is_not_even_asked(cluster: ClusterFile, tmp_path: Path) -> None:
    lines = f"action=off\nport=c1\nmode=fence_compute\n{NO_CLOUD}{away(tmp_path)}"

    said = agent(lines, surroundings=cluster.surroundings)

    assert said.returncode == 0
    assert GATE in cluster.attributes("c1")
    assert "hush" not in said.stdout + said.stderr


def test_off_that_the_cluster_does_not_take_waits_in_the_spool(tmp_path: Path) -> None:
    said = agent(f"action=off\nnodename=remote-c1\nport=c1\n{away(tmp_path)}")

    assert said.returncode == 0, said.stderr
    (waiting,) = (tmp_path / "spool").iterdir()
    call = call_from(waiting.read_bytes())
    assert call is not None
    assert (call.node, call.host, call.action) == ("remote-c1", "c1", "off")


def test_a_cluster_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    hanging = standing_in(tmp_path, "crm_attribute", "exec sleep 60")

    began = time.monotonic()
    said = agent(f"action=off\nport=c1\n{away(tmp_path)}", surroundings=hanging)

    assert said.returncode == 0, said.stderr
    assert (
        time.monotonic() - began < 10.0
    )  # what a level gives a device, docs/reference/pacemaker.md
    assert len(list((tmp_path / "spool").iterdir())) == 1


def test_off_that_can_be_recorded_nowhere_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    said = agent(f"action=off\nport=c1\nspool={tmp_path}/file/spool\n")

    assert said.returncode == 1
    assert "recorded nowhere" in said.stderr


@needs_tools
def test_a_node_that_the_cluster_does_not_know_waits_in_the_spool(
    cluster: ClusterFile, tmp_path: Path
) -> None:
    lines = f"action=off\nport=nobody\n{away(tmp_path)}"

    assert agent(lines, surroundings=cluster.surroundings).returncode == 0
    assert len(list((tmp_path / "spool").iterdir())) == 1


@needs_tools
def test_the_controller_of_this_machine_is_told(cluster: ClusterFile, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "api.fence"))
        ear.settimeout(5.0)

        lines = f"action=off\nport=c1\n{away(tmp_path)}"
        said = agent(lines, surroundings=cluster.surroundings)

        call = call_from(ear.recv(65_536))
    assert (said.returncode, said.stderr) == (0, "")
    assert call is not None
    assert (call.node, call.is_in_cib) == ("c1", True)


def test_a_controller_that_is_stuck_keeps_nobody_waiting(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "api.fence"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others:
            fill(others, tmp_path / "api.fence")

        said = agent(f"action=off\nport=c1\n{away(tmp_path)}")

    assert said.returncode == 0
    assert "not told" in said.stderr


def fill(others: socket.socket, path: Path) -> None:
    """Send until nothing more fits."""
    others.setblocking(False)
    others.connect(str(path))
    with suppress(BlockingIOError):
        while True:
            others.send(b"x" * 1000)


def test_nobody_named_is_nobody_recorded(tmp_path: Path) -> None:
    said = agent(f"action=off\n{away(tmp_path)}")

    assert said.returncode == 1
    assert not (tmp_path / "spool").exists()


def test_a_log_of_its_own_has_no_secret(tmp_path: Path) -> None:
    lines = f"action=off\nport=c1\ndebug_file={tmp_path}/log\n{NO_CLOUD}{away(tmp_path)}"

    agent(lines)

    assert "node=c1 " in (tmp_path / "log").read_text()
    assert "hush" not in (tmp_path / "log").read_text()


# -------------------------------------------------------------------------- fence_compute mode


@pytest.fixture
def flagged(tmp_path: Path) -> dict[str, str]:
    """Surroundings in which a stand-in writes down how attrd_updater was called."""
    return standing_in(tmp_path, "attrd_updater", f'echo "$@" >> {tmp_path}/flags')


def standing_in(folder: Path, name: str, does: str) -> dict[str, str]:
    """Put a tool before the real one."""
    tool = folder / "bin" / name
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{does}\n")
    tool.chmod(0o755)
    return {"PATH": f"{tool.parent}:/usr/bin:/bin"}


FLAG = "-p -n evacuate -Q -N c1.example.com -U yes\n"


@pytest.mark.parametrize("mode", ["", "mode=fence_compute\n"])
def test_old_tools_find_the_flag_where_they_look(
    mode: str, flagged: dict[str, str], tmp_path: Path
) -> None:
    name = tmp_path / "fence_compute"
    name.symlink_to(AGENT)
    lines = f"action=off\nport=c1\ndomain=example.com\n{mode}{away(tmp_path)}"

    said = agent(lines, surroundings=flagged, name=name if not mode else AGENT)

    assert said.returncode == 0, said.stderr
    assert (tmp_path / "flags").read_text() == FLAG


@pytest.mark.parametrize("value", ["2", "Disabled", "disabled"])
def test_the_flag_can_be_switched_off_and_the_record_cannot(
    value: str, flagged: dict[str, str], tmp_path: Path
) -> None:
    lines = f"action=off\nport=c1\nmode=fence_compute\nrecord_only={value}\n{away(tmp_path)}"

    said = agent(lines, surroundings=flagged)

    assert said.returncode == 0
    assert not (tmp_path / "flags").exists()
    assert len(list((tmp_path / "spool").iterdir())) == 1


def test_a_flag_that_cannot_be_set_fails_nothing(tmp_path: Path) -> None:
    said = agent(f"action=off\nport=c1\nmode=fence_compute\n{away(tmp_path)}")

    assert said.returncode == 0
    assert "evacuate of c1 not set" in said.stderr


# ---------------------------------------------------------------------------------- as brake


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (b'HTTP/1.1 200 OK\r\n\r\n{"held": "rack:a: 4 of at most 3"}', 1),
        (b'HTTP/1.1 200 OK\r\n\r\n{"held": ""}', 0),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 0),
    ],
)
def test_a_storm_fails_the_level_at_once(reply: bytes, code: int, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening, ThreadPoolExecutor(1) as threads:
        listening.bind(str(tmp_path / "api.sock"))
        listening.listen(1)
        asked = threads.submit(answered, listening, reply)

        said = agent(f"action=off\nport=c1\nmode=brake\n{away(tmp_path)}")

    assert said.returncode == code
    assert asked.result().startswith(b"GET /v1/brakes/storm/c1 ")
    assert not (tmp_path / "spool").exists()  # it records nothing: no power was cut yet


def answered(listening: socket.socket, reply: bytes) -> bytes:
    channel, _ = listening.accept()
    with channel:
        asked = channel.recv(4096)
        channel.sendall(reply)
    return asked


# ----------------------------------------------------------------------------- other actions


@needs_tools
def test_status_is_what_is_recorded(cluster: ClusterFile) -> None:
    def status() -> int:
        return agent("action=status\nport=c1\n", surroundings=cluster.surroundings).returncode

    before = status()
    agent("action=reboot\nport=c1\n", surroundings=cluster.surroundings)

    assert (before, status()) == (0, 2)
    assert agent("action=status\nport=c1\n").returncode == 1  # nobody knows: no cluster here


@needs_tools
def test_the_list_names_hosts_with_a_power_device_alone(cluster: ClusterFile) -> None:
    agent("action=off\nport=c2\n", surroundings=cluster.surroundings)

    said = agent("action=list\n", surroundings=cluster.surroundings)
    with_status = agent("action=list-status\n", surroundings=cluster.surroundings)

    assert said.stdout == "c1,\nc2,\n"
    assert with_status.stdout == "c1,,ON\nc2,,OFF\n"
    assert agent("action=list\n").returncode == 1


def test_on_never_waits_and_never_fails() -> None:
    assert agent("action=on\nport=c1\n").returncode == 0


def test_monitor_fails_where_nothing_could_be_recorded(tmp_path: Path) -> None:
    without_tools = standing_in(tmp_path, "crm_attribute", "exit 1")

    well = agent(f"action=monitor\nspool={tmp_path}/spool\n", surroundings=without_tools)
    ill = agent("action=monitor\nspool=/nowhere/else/spool\n", surroundings=without_tools)

    assert (well.returncode, ill.returncode) == (0, 1)
    assert not (tmp_path / "spool").exists()


@pytest.mark.parametrize(
    ("lines", "code"),
    [("port=c1\n", 0), ("mode=both\n", 1), ("port=-U\n", 1), ("typo=1\n", 0)],
)
def test_options_can_be_judged_alone(lines: str, code: int) -> None:
    assert agent(f"action=validate-all\n{lines}").returncode == code


def test_an_action_that_nobody_knows_fails() -> None:
    assert agent("action=explode\nport=c1\n").returncode == 1
