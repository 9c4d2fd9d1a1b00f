"""Two MariaDB servers on loopback that are one Galera cluster, for one test run."""

import shutil
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .store_servers import Server, end, folder_of, mariadb_in, program

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
# How soon a silent node counts as gone: seconds instead of Galera's five and fifteen.
IMPATIENT = (
    "evs.keepalive_period=PT0.3S;evs.suspect_timeout=PT1S;"
    "evs.inactive_timeout=PT2S;evs.inactive_check_period=PT0.3S"
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One database on two nodes."""

    first: Server
    second: Server

    def new_database(self) -> tuple[str, str]:
        return self.first.new_database(), self.second.url("ninelives")


@contextmanager
def cluster() -> Generator[Cluster]:
    serves = program("mariadbd", "mariadb-server")
    if not PROVIDER.exists():
        pytest.skip(f"no {PROVIDER} on this machine: apt-get install galera-4")
    port, other = _free_port(), _free_port()
    with folder_of("mysql") as here, folder_of("mysql") as there:
        first = mariadb_in(here, serves, *_options(port, "gcomm://"))
        second = mariadb_in(there, serves, *_options(other, f"gcomm://127.0.0.1:{port}"))
        try:
            first.make()
            first.start()
            # The second begins as a copy of the first at rest, so that no state is transferred.
            end(first.process, signal.SIGTERM)
            shutil.copytree(here / "db", there / "db", dirs_exist_ok=True)
            _give(there / "db", here / "db")
            first.start()
            second.start()
            yield Cluster(first, second)
        finally:
            first.kill()
            second.kill()


def _options(port: int, address: str) -> tuple[str, ...]:
    provider = f"gmcast.listen_addr=tcp://127.0.0.1:{port};base_port={port};{IMPATIENT}"
    return (
        "--skip-networking",
        "--wsrep-on=ON",
        f"--wsrep-provider={PROVIDER}",
        f"--wsrep-cluster-address={address}",
        "--wsrep-node-address=127.0.0.1",
        f"--wsrep-provider-options={provider}",
        "--wsrep-sst-method=rsync",
        "--binlog-format=ROW",
        "--innodb-autoinc-lock-mode=2",
    )


def _give(copy: Path, original: Path) -> None:
    """Let a copy belong to whom its original belongs."""
    owner = original.stat()
    for path in (copy, *copy.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
