"""Where a lab keeps its files and listens: one folder, ports on loopback, one cache."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ninelives.core.model import Plane
from ninelives.engine.errors import ConfigError

LOOPBACK = "127.0.0.1"
FIRST_PORT = 15_000
PORTS = (
    *("keystone", "placement", "glance", "nova", "network"),
    *("database", "messages", "epmd", "erlang", "probed", "chassis"),
)


@dataclass(frozen=True, slots=True)
class Places:
    """One lab. `folder` is all that it writes; what it installs is shared, in `cache`."""

    folder: Path
    hosts: tuple[str, ...]
    first_port: int = FIRST_PORT

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def kept(self) -> Path:
        """What outlives a `down`: databases, images, the identity of each host."""
        return self.folder / "kept"

    @property
    def guests(self) -> Path:
        """A folder per host, in it a file per guest that runs there."""
        return self.folder / "guests"

    def port(self, part: str) -> int:
        return self.first_port + PORTS.index(part)

    def url(self, part: str) -> str:
        return f"http://{LOOPBACK}:{self.port(part)}"

    def bmc_port(self, host: str) -> int:
        return self.first_port + len(PORTS) + self.hosts.index(host)

    def bmc_url(self, host: str) -> str:
        return f"http://{LOOPBACK}:{self.bmc_port(host)}"

    @property
    def certificate(self) -> Path:
        """Of the chassis manager: with its key, and signed by itself."""
        return self.kept / "chassis.pem"

    def probed(self, host: str) -> Mapping[Plane, tuple[str, int]]:
        """Where a host is probed on each plane: at addresses of its own, all of them loopback."""
        last, port = self.hosts.index(host) + 1, self.port("probed")
        planes = enumerate(Plane, start=1)
        return {plane: (f"127.77.{number}.{last}", port) for number, plane in planes}

    def prepare(self) -> None:
        """Make the folders, and remember what this lab is for the commands that come later."""
        for folder in (self.run, self.log, self.etc, self.kept, self.guests):
            folder.mkdir(parents=True, exist_ok=True)
        told = {"hosts": self.hosts, "first_port": self.first_port}
        (self.folder / "lab.json").write_text(json.dumps(told))


def cache() -> Path:
    """Where installed programs are kept between labs."""
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "ninelives"


def usual_folder() -> Path:
    return cache() / "lab"


def found(folder: Path) -> Places:
    """Return the lab that was begun in this folder."""
    try:
        told = json.loads((folder / "lab.json").read_text())
    except FileNotFoundError as error:
        raise ConfigError(f"there is no lab in {folder}", "ninelives lab up") from error
    return Places(folder, tuple(told["hosts"]), int(told["first_port"]))
