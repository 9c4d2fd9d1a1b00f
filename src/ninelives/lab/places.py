"""Where a lab keeps its files and listens: one folder, its ports and networks, one cache.

A lab that root started has four networks of its own, and its hosts live on them; any other has
none, and everything of it is on loopback (`slot` is None).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from ninelives.core.model import Plane
from ninelives.engine.errors import ConfigError

LOOPBACK = "127.0.0.1"
FIRST_PORT = 15_000
PORTS = (
    *("keystone", "placement", "glance", "nova", "network"),
    *("database", "messages", "epmd", "erlang", "probed", "chassis"),
)
# What nobody but the control plane itself asks stays on loopback, also in a lab with networks.
PRIVATE = {"database", "epmd", "erlang"}


class Network(StrEnum):
    """A plane on which hosts are seen, or that of the BMCs, on which no host is."""

    MANAGEMENT = "management"
    STORAGE = "storage"
    TENANT = "tenant"
    OOB = "oob"

    @property
    def short(self) -> str:
        """Short enough for the name of an interface, of 15 letters with all that is around it."""
        return self.value[:4]


OF_HOSTS = tuple(Network(plane.value) for plane in Plane)
SLOTS = 128  # of four networks each
FIRST_HOST = 10  # the number on each network after which hosts are counted
FIRST_CONTROLLER, FIRST_UPLINK = 60, 70  # and after which the members of a Pacemaker cluster are
US, CHASSIS = 1, 2
OPENSTACK, PACEMAKER = "openstack", "pacemaker"


@dataclass(frozen=True, slots=True)
class Places:
    """One lab. `folder` is all that it writes; what it installs is shared, in `cache`."""

    folder: Path
    hosts: tuple[str, ...]
    first_port: int = FIRST_PORT
    slot: int | None = None  # which four of the 512 networks; None: loopback alone
    controllers: tuple[str, ...] = ()  # the full members of a Pacemaker cluster
    parts: tuple[str, ...] = (OPENSTACK,)

    @property
    def machines(self) -> tuple[str, ...]:
        """Everything that has power: hosts first, for they were numbered before there were others.

        A lab without Pacemaker has no others.
        """
        return (*self.hosts, *self.controllers)

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

    @property
    def address(self) -> str:
        """Where the control plane listens: on the management network, or on loopback."""
        return self.at(Network.MANAGEMENT, US)

    def address_of(self, part: str) -> str:
        return LOOPBACK if part in PRIVATE else self.address

    def at(self, network: Network, number: int) -> str:
        """Return an address of a network. Without networks all of them are loopback.

        198.18.0.0/15 is kept for measuring (RFC 2544, C.2.2): nobody lives there.
        """
        if self.slot is None:
            return LOOPBACK
        third = self.slot * len(Network) + list(Network).index(network)
        return f"198.{18 + third // 256}.{third % 256}.{number}"

    def host_at(self, network: Network, host: str) -> str:
        """Return where a host is on a plane; on `oob`, where its BMC is."""
        if host in self.controllers:
            return self.at(network, FIRST_CONTROLLER + 1 + self.controllers.index(host))
        return self.at(network, FIRST_HOST + 1 + self.hosts.index(host))

    def uplink_at(self, controller: str) -> str:
        """Return where a controller itself is on `oob`, from which its fence agents ask BMCs."""
        return self.at(Network.OOB, FIRST_UPLINK + 1 + self.controllers.index(controller))

    @property
    def chassis_address(self) -> str:
        return self.at(Network.OOB, CHASSIS)

    def url(self, part: str) -> str:
        return f"http://{self.address_of(part)}:{self.port(part)}"

    def bmc_port(self, host: str) -> int:
        return self.first_port + len(PORTS) + self.machines.index(host)

    def bmc_url(self, host: str) -> str:
        return f"http://{self.host_at(Network.OOB, host)}:{self.bmc_port(host)}"

    @property
    def certificate(self) -> Path:
        """Of the chassis manager: with its key, and signed by itself."""
        return self.kept / "chassis.pem"

    def probed(self, host: str) -> Mapping[Plane, tuple[str, int]]:
        """Where a host is probed on each plane: at addresses of its own."""
        last, port = self.hosts.index(host) + 1, self.port("probed")
        if self.slot is not None:
            return {Plane(each.value): (self.host_at(each, host), port) for each in OF_HOSTS}
        planes = enumerate(Plane, start=1)
        return {plane: (f"127.77.{number}.{last}", port) for number, plane in planes}

    def prepare(self) -> None:
        """Make the folders, and remember what this lab is for the commands that come later."""
        for folder in (self.run, self.log, self.etc, self.kept, self.guests):
            folder.mkdir(parents=True, exist_ok=True)
        told = asdict(self)
        del told["folder"]
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
    return Places(
        folder,
        tuple(told["hosts"]),
        int(told["first_port"]),
        told.get("slot"),
        tuple(told.get("controllers", ())),
        tuple(told.get("parts", (OPENSTACK,))),
    )
