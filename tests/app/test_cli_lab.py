"""What `ninelives lab` says where there is no lab, or not what it needs."""

import subprocess
import sys
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("ninelives"))


def lab(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([PROGRAM, "lab", *words], capture_output=True, text=True, timeout=60)


def test_a_lab_that_was_never_begun_is_named_with_what_to_do(tmp_path: Path) -> None:
    for command in ("status", "down"):
        told = lab(command, "--folder", str(tmp_path))

        assert told.returncode == 78
        assert f"there is no lab in {tmp_path}" in told.stderr
        assert "hint: ninelives lab up" in told.stderr


def test_a_part_that_it_does_not_have_is_refused_before_anything_starts(tmp_path: Path) -> None:
    told = lab("up", "--with", "openstack,ceph", "--folder", str(tmp_path / "lab"))

    assert told.returncode == 64
    assert "no such part: ceph" in told.stderr
    assert not (tmp_path / "lab").exists()
