"""The programs of a cluster: Debian's, and the remote's daemon out of a package that is unpacked.

Debian's `pacemaker-remote` cannot be installed beside `pacemaker`: each removes the other.
"""

import shutil
import subprocess
from pathlib import Path

from ninelives.lab.openstack.install import PartMissing
from ninelives.lab.places import cache

FETCH_S = 120.0
NEEDED = {  # program: the package that has it
    "/usr/sbin/corosync": "corosync",
    "/usr/sbin/pacemakerd": "pacemaker",
    "/usr/sbin/crm_mon": "pacemaker-cli-utils",
    "/usr/sbin/fence_ipmilan": "fence-agents",
    "/usr/sbin/fence_redfish": "fence-agents",
    "/usr/bin/ipmitool": "ipmitool",
    "/usr/bin/openssl": "openssl",
}
INSTALLED = Path("/usr/sbin/pacemaker-remoted")


def demand() -> None:
    """Complain where a program of the system is missing, with the command that installs it."""
    missing = sorted({package for program, package in NEEDED.items() if not Path(program).exists()})
    if missing:
        raise PartMissing(
            f"a Pacemaker cluster needs {' and '.join(missing)}",
            f"apt-get install --no-install-recommends {' '.join(missing)}",
        )


def remoted(log: Path) -> Path:
    """Return the daemon of a remote, of the very version of `pacemaker`; unpack it once."""
    if INSTALLED.exists():
        return INSTALLED
    version = _said(["dpkg-query", "--show", "--showformat=${Version}", "pacemaker"])
    place = cache() / f"pacemaker-remote-{version}"
    if not place.exists():
        _unpack(version, place, log)
    return place / "usr/sbin/pacemaker-remoted"


def _unpack(version: str, place: Path, log: Path) -> None:
    """Half of it is never taken for the whole: it gets its name at the end."""
    fresh = place.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    with log.open("ab") as out:
        fetch = ["apt-get", "--quiet", "download", f"pacemaker-remote={version}"]
        ended = subprocess.run(  # noqa: S603 - our own words
            fetch, cwd=fresh, stdout=out, stderr=out, check=False, timeout=FETCH_S
        )
    package = next(fresh.glob("*.deb"), None)
    if ended.returncode or package is None:
        raise PartMissing(
            f"apt-get could not fetch pacemaker-remote {version}", f"apt-get update; see {log}"
        )
    _said(["dpkg-deb", "--extract", str(package), str(fresh)])
    fresh.chmod(0o755)
    fresh.replace(place)


def _said(words: list[str]) -> str:
    ended = subprocess.run(  # noqa: S603 - our own words
        words, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise PartMissing(
            f"{words[0]}: {ended.stderr.strip()}", "the cluster is made of Debian's packages"
        )
    return ended.stdout
