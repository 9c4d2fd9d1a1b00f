"""What a fresh clone needs before any of our code runs: sound scripts, a lock for everybody."""

import os
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[1]
PUBLIC = {"pypi.org", "files.pythonhosted.org"}
SCRIPTS = ("run", "check", ".ci/run")


def test_the_lock_file_names_only_the_public_index() -> None:
    lock = (ROOT / "uv.lock").read_text()
    hosts = {urlsplit(word.strip('"')).hostname for word in lock.split() if "://" in word}

    assert hosts == PUBLIC


def test_what_runs_is_locked() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = {
        package["name"] for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    }

    assert {requirement.partition(">")[0] for requirement in wanted} <= locked


@pytest.mark.parametrize("script", [*SCRIPTS, "tools/bootstrap.sh"])
def test_a_script_can_be_read_by_bash(script: str) -> None:
    assert subprocess.run(["bash", "-n", ROOT / script]).returncode == 0
    assert script not in SCRIPTS or os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("script", ["run", "check"])
def test_a_machine_without_python_is_told_what_to_install(script: str, tmp_path: Path) -> None:
    for program in ("bash", "dirname", "sort", "head"):
        (tmp_path / program).symlink_to(f"/usr/bin/{program}")

    answer = subprocess.run(
        ["/usr/bin/bash", ROOT / script],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 69
    assert "python3-venv" in answer.stderr
