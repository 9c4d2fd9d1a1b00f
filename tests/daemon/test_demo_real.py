"""The true demo ends well, says so, and leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)


def test_the_true_demo_ends_well_and_leaves_nothing_behind(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("ninelives"))

    told = subprocess.run(
        [program, "demo", "--real"], capture_output=True, text=True, env={"TMPDIR": str(tmp_path)}
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stderr == ""
    assert "2 servers were sent for once each; none ever ran twice" in told.stdout
    assert "is killed in the middle of it" in told.stdout
    assert list(tmp_path.iterdir()) == []
    assert (
        str(tmp_path)
        not in subprocess.run(["/bin/ps", "ax"], capture_output=True, text=True).stdout
    )
