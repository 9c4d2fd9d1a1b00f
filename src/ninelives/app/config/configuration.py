"""What a controller is configured with: frozen, whole, and without a secret that could be shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy import make_url

from ninelives.core.model import BackendId, HostId, Mode, Plane, RoadId, SegmentId, WitnessId
from ninelives.core.setting import Setting


@dataclass(frozen=True, slots=True)
class Secret:
    """A password. It has no words of its own: whoever needs it asks for it by name."""

    password: str = field(repr=False, default="")

    def __bool__(self) -> bool:
        return bool(self.password)


@dataclass(frozen=True, slots=True)
class Roles:
    """Who has which role: names of users, and of groups with an "@" before them."""

    operators: frozenset[str] = frozenset()
    viewers: frozenset[str] | None = None  # None: everybody whom the socket lets in


@dataclass(frozen=True, slots=True)
class StoreAt:
    """Where the store is, and how long a lease in it lasts."""

    url: str
    password: Secret
    lease_s: float
    margin_s: float
    journal_days: float

    @property
    def whole_url(self) -> str:
        """The URL with the password where the driver wants it: to be shown to nobody."""
        if not self.password:
            return self.url
        return make_url(self.url).set(password=self.password.password).render_as_string(False)


@dataclass(frozen=True, slots=True)
class CloudAt:
    """Which cloud of clouds.yaml, or that of the environment."""

    name: str | None
    clouds_file: Path | None
    region: str | None
    volumes: BackendId


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """How hosts are looked at from here."""

    every_s: float
    timeout_s: float
    kind: str  # "auto", "icmp", "tcp"
    tcp_port: int
    refused_is_life: bool
    power_sweep_s: float
    kdump_address: str
    references: Mapping[Plane, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Device:
    """How one power device is spoken to."""

    road: RoadId
    host: HostId
    kind: str
    address: str
    user: str
    password: Secret
    system: str
    ca_file: Path | None
    fingerprint: str
    is_insecure: bool
    options: Mapping[str, str]
    cluster_device: str = ""  # what Pacemaker calls it; "" where it has none


@dataclass(frozen=True, slots=True)
class Names:
    """What everything else calls a host, and where it is reached."""

    nova: str
    hypervisor: str
    cluster_node: str
    addresses: Mapping[Plane, str]
    storage_addresses: tuple[str, ...]
    instances: BackendId


@dataclass(frozen=True, slots=True)
class Modes:
    """How much is allowed: everywhere, and where a segment differs."""

    default: Mode
    segments: Mapping[SegmentId, Mode]


@dataclass(frozen=True, slots=True)
class Told:
    """One who is told."""

    name: str
    kind: Literal["webhook", "command", "smtp", "alertmanager"]
    url: str
    command: tuple[str, ...]
    server: str
    user: str
    password: Secret
    sender: str
    to: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Configuration:
    """All of it."""

    me: WitnessId
    state: Path
    socket: Path
    socket_group: str | None
    roles: Roles
    log: str  # "auto", "json", "journal", "plain"
    listen: tuple[str, int]
    store: StoreAt
    cloud: CloudAt
    probes: ProbePlan
    pacemaker_every_s: float | None  # how often Pacemaker is looked at; None: never
    modes: Modes
    setting: Setting
    names: Mapping[HostId, Names]
    devices: Mapping[RoadId, Device]
    shared: frozenset[BackendId]
    told: tuple[Told, ...]
