"""The real tools: crmsh, pcs and cibadmin make one cluster; Pacemaker's schema takes it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.cluster.clouds import EMPTY, GOOD, cluster

from ninelives.adapters.pacemaker.cib.pieces import Pieces, pieces_of
from ninelives.adapters.pacemaker.cib.tree import parsed
from ninelives.app.cluster.declared import pieces_from
from ninelives.app.cluster.outputs import output

SYSTEM = f"/usr/sbin:/usr/bin:{os.defpath}"
SCHEMA = Path("/usr/share/pacemaker/pacemaker-3.9.rng")
EXTRA = """\
defaults: {migration-threshold: 7}
properties: {batch-limit: 5, stonith-timeout: 2min}
corosync: {wait_for_all: true, autostart: false}
ninelives: {brake: fence-brake, controller: {name: ninelives-controller, agent: "ocf:ninelives:controller", options: {config: "/etc/a b's.toml"}}}
"""  # noqa: E501 - as an operator writes it


def program(name: str, package: str) -> str:
    found = shutil.which(name, path=SYSTEM)
    if found is None:
        pytest.skip(f"no {name} on this machine: apt-get install {package}")
    return found


def made(cib: Path, *words: str) -> Pieces:
    cib.write_text(EMPTY)
    environment = {**os.environ, "CIB_file": str(cib), "PATH": SYSTEM, "HOME": str(cib.parent)}
    ended = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return pieces_of(parsed(cib.read_text()))


def test_crmsh_makes_the_same_cluster(tmp_path: Path) -> None:
    crm = program("crm", "crmsh")
    wanted = pieces_from(cluster(GOOD + EXTRA))
    script = tmp_path / "cloud.crm"
    script.write_text(output(wanted, "crmsh"))

    words = (crm, "--force", "configure", "load", "update", str(script))

    assert made(tmp_path / "cib.xml", *words) == wanted


def test_pcs_makes_the_same_cluster(tmp_path: Path) -> None:
    program("pcs", "pcs")
    program("cibadmin", "pacemaker-cli-utils")
    wanted = pieces_from(cluster(GOOD + EXTRA))
    script = tmp_path / "cloud.sh"
    script.write_text(output(wanted, "pcs"))

    assert made(tmp_path / "cib.xml", "/bin/sh", str(script)) == wanted


def test_cibadmin_makes_the_same_cluster(tmp_path: Path) -> None:
    cibadmin = program("cibadmin", "pacemaker-cli-utils")
    wanted = pieces_from(cluster(GOOD + EXTRA))
    file = tmp_path / "cloud.xml"
    file.write_text(output(wanted, "xml"))

    found = made(tmp_path / "cib.xml", cibadmin, "--replace", f"--xml-file={file}")

    assert found == wanted


def test_the_schema_of_pacemaker_takes_it(tmp_path: Path) -> None:
    xmllint = program("xmllint", "libxml2-utils")
    if not SCHEMA.exists():
        pytest.skip(f"no {SCHEMA}: apt-get install pacemaker-common")
    file = tmp_path / "cloud.xml"
    file.write_text(output(pieces_from(cluster(GOOD + EXTRA)), "xml"))

    words = (xmllint, "--noout", "--relaxng", str(SCHEMA), str(file))
    ended = subprocess.run(words, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr
