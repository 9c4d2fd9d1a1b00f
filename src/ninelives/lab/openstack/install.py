"""The programs of the control plane: Debian's for what it stands on, PyPI's for OpenStack.

What is installed lies in the cache and is shared by every lab; a change of the list makes it anew.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from ninelives.engine.errors import ConfigError
from ninelives.lab.places import cache

INSTALL_S = 1200.0
SYSTEM = {  # program: the package that has it
    "/usr/lib/rabbitmq/bin/rabbitmq-server": "rabbitmq-server",
    "/usr/bin/epmd": "rabbitmq-server",
    "/usr/sbin/mariadbd": "mariadb-server",
    "/usr/bin/mariadb-install-db": "mariadb-server",
    "/usr/bin/openssl": "openssl",
}
WANTED = ("nova", "keystone", "openstack-placement", "glance", "fixtures", "pymysql", "waitress")


class PartMissing(ConfigError):  # noqa: N818 - as all of ours: it says what happened
    """A program that the lab needs is not on this machine."""


def demand_system_parts() -> None:
    """Complain where a program of the system is missing, with the command that installs it."""
    missing = sorted(set(missing_packages()))
    if missing:
        raise PartMissing(
            f"the lab needs {' and '.join(missing)}",
            f"apt-get install --no-install-recommends {' '.join(missing)}",
        )


def missing_packages() -> Iterator[str]:
    return (package for program, package in SYSTEM.items() if not Path(program).exists())


def environment() -> Path:
    """Where this version of the control plane is installed, or will be."""
    return cache() / f"openstack-{hashlib.sha256(constraints()).hexdigest()[:12]}"


def constraints() -> bytes:
    """Every package of the control plane with its exact version."""
    return files("ninelives.lab.openstack").joinpath("constraints.txt").read_bytes()


def is_installed() -> bool:
    return (environment() / "complete").exists()


def install(log: Path) -> None:
    """Install what is not installed yet. Half an installation is never taken for a whole one."""
    if is_installed():
        return
    place = environment()
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    pins = log.with_suffix(".constraints")
    pins.write_bytes(constraints())
    _run([sys.executable, "-m", "venv", str(place)], log)
    _run([str(place / "bin/pip"), "install", "--constraint", str(pins), *WANTED], log)
    (place / "complete").touch()


def _run(words: list[str], log: Path) -> None:
    with log.open("ab") as out:
        ended = subprocess.run(  # noqa: S603 - pip and venv, with words of our own
            words, stdout=out, stderr=out, check=False, timeout=INSTALL_S
        )
    if ended.returncode:
        raise PartMissing(
            f"{' '.join(words[:3])} ended with {ended.returncode}",
            f"see {log}; the first start needs the Python package index",
        )
