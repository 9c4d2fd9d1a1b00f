"""The same cluster for a user who is not root: in one user namespace, which ends with it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.lab.clustered import NEEDED

from ninelives.lab import planes
from ninelives.lab.pacemaker import install
from ninelives.lab.processes import until

NOBODY = 65_534
SETPRIV = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
SOURCES = Path(__file__).parents[2] / "src"
PROGRAM = Path(sys.executable).with_name("ninelives")
SYSTEM = Path("/usr/bin/python3")  # where root's own interpreter is nobody else's to run
UP_S = 90.0
FENCED_S = 30.0
pytestmark = NEEDED


@dataclass(frozen=True, slots=True)
class User:
    """Somebody without any privilege, and where he keeps his things."""

    home: Path
    python: Path

    def says(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*who(), str(self.python), str(PROGRAM), "lab", *words],
            capture_output=True,
            text=True,
            timeout=UP_S,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.home),
                "PYTHONPATH": os.pathsep.join([str(SOURCES), *sys.path]),
            },
        )


def who() -> list[str]:
    return SETPRIV if planes.is_root() else []


def python() -> Path | None:
    """Find an interpreter that this user may run, and that knows our packages."""
    right = ["-c", f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"]
    for each in (Path(sys.executable).resolve(), SYSTEM):
        line = [*who(), "/usr/bin/env", str(each), *right]
        if not subprocess.run(line, stderr=subprocess.DEVNULL).returncode:
            return each
    return None


@pytest.fixture
def user() -> Generator[User]:
    own = python()
    if own is None:
        pytest.skip("NO CLUSTER WAS STARTED WITHOUT ROOT: no Python that nobody may run")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # pytest's own is root's alone
        home = Path(folder)
        unpacked = install.remoted(home / "log").parents[2]
        if unpacked != Path("/"):
            there = home / ".cache/ninelives" / unpacked.name
            shutil.copytree(unpacked, there)
        if planes.is_root():
            for place in (home, *home.rglob("*")):
                os.chown(place, NOBODY, NOBODY)
        yield User(home, own)


def test_a_cluster_without_root_fences_by_real_agents_and_leaves_nothing(user: User) -> None:
    up = user.says("up", "--with", "pacemaker", "--hosts", "2", "--controllers", "2")
    if up.returncode and "may not make namespaces" in up.stderr:
        pytest.skip(f"NO CLUSTER WAS STARTED WITHOUT ROOT: {up.stderr}")
    assert up.returncode == 0, up.stderr
    try:
        assert "c1:up c2:up" in user.says("status").stdout

        assert user.says("host", "c1", "kill", "pacemaker-remoted").returncode == 0

        until(lambda: "c1     off" in user.says("status").stdout, "it has power", FENCED_S)
        told = user.says("host", "ctl1", "exec", "--", "stonith_admin", "--history", "c1")
        assert "turning off of c1 successful" in told.stdout
        assert "c2     on" in user.says("status").stdout
    finally:
        down = user.says("down")
    assert down.returncode == 0, down.stderr
    assert held_by(user.home) == []


def test_both_parts_together_are_refused_without_root(user: User) -> None:
    told = user.says("up", "--with", "openstack,pacemaker")

    assert told.returncode == 69
    assert "both parts together need root" in told.stderr


def held_by(home: Path) -> list[str]:
    """List what still runs and names this folder."""
    words = ["pgrep", "--full", "--list-full", str(home)]
    return subprocess.run(words, capture_output=True, text=True).stdout.splitlines()
