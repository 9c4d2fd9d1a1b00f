"""The example that is shipped, as a cluster that the tools work on."""

import shutil
from pathlib import Path

import pytest
from tests.pacemaker.cluster_file import EXAMPLE, ClusterFile


@pytest.fixture
def cluster(tmp_path: Path) -> ClusterFile:
    return ClusterFile(Path(shutil.copy(EXAMPLE, tmp_path / "cib.xml")))
