"""A cluster's configuration in a file: the cluster's tools work on it as on a running cluster."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

AGENT = Path(sys.executable).parent / "fence_ninelives"
SCHEMA = Path("/usr/share/cluster/relaxng/metadata.rng")  # of fence-agents, which is GPL: not ours
DEPLOY = Path(__file__).parents[2] / "deploy"
EXAMPLE = DEPLOY / "pacemaker.xml"

needs_tools = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("crm_attribute", "cibadmin", "crm_verify")),
    reason="the cluster's tools are not here: apt-get install pacemaker-cli-utils pacemaker",
)
needs_schema = pytest.mark.skipif(
    not SCHEMA.exists() or shutil.which("xmllint") is None,
    reason="no schema, or no xmllint: apt-get install fence-agents libxml2-utils",
)


@dataclass(frozen=True)
class ClusterFile:
    """One configuration, to be changed by the real tools."""

    path: Path

    @property
    def surroundings(self) -> dict[str, str]:
        return {"CIB_file": str(self.path), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, capture_output=True, text=True, env=self.surroundings, timeout=60
        )

    def attributes(self, node: str) -> dict[str, str]:
        root = ElementTree.parse(self.path).getroot()
        pairs = root.iterfind(f"configuration/nodes/node[@uname='{node}']//nvpair")
        return {pair.get("name", ""): pair.get("value", "") for pair in pairs}


def agent(
    lines: str, *arguments: str, surroundings: dict[str, str] | None = None, name: Path = AGENT
) -> subprocess.CompletedProcess[str]:
    """Call the agent as Pacemaker does: no argument, options on stdin."""
    return subprocess.run(
        [name, *arguments],
        input=lines,
        capture_output=True,
        text=True,
        env=surroundings if surroundings is not None else {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        timeout=60,
    )


def away(folder: Path) -> str:
    """Name places in `folder` for everything that the agent writes beside the CIB."""
    return f"spool={folder}/spool\nhint_socket={folder}/api.fence\nsocket={folder}/api.sock\n"
