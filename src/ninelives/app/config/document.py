"""The shape of the configuration file: every key, its type, its limits. Unknown keys are refused.

The numbers of the policy and the fields of a promise are those of the dataclasses inside; they are
taken from there, so that the two descriptions cannot drift apart.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from ninelives.core.model import Mode, Plane
from ninelives.core.policy import BALANCED, PRESETS, Policy
from ninelives.core.protection import Key, Promise

Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^\S+$")]
Seconds = Annotated[float, Field(gt=0)]

STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

# What no operator may turn below (`ge`) or above (`le`), because a proof rests on it (SAFETY 3, 7).
LIMITS: Mapping[str, Mapping[str, float]] = {
    "off_confirm_gap_s": {"ge": 2.0},
    "proof_fresh_s": {"gt": 0.0, "le": 5.0},
    "mapping_watch_s": {"ge": 60.0},
    "off_late_s": {"ge": 60.0},
    "human_valid_s": {"gt": 0.0, "le": 900.0},
    "lease_margin_s": {"ge": 1.0},
    "witnesses_min": {"ge": 1},
    "storm_share": {"ge": 0.0, "le": 1.0},
    "group_share": {"gt": 0.0, "le": 1.0},
    "qualified_share": {"ge": 0.5, "le": 1.0},
    "settled_share": {"gt": 0.0, "le": 1.0},
    "clock_drift": {"ge": 0.0001, "le": 0.1},
}
NUMBERS = tuple(each.name for each in fields(Policy) if each.name not in {"rules", "default"})


if TYPE_CHECKING:

    class PolicyNumbers(BaseModel):
        """Every number of the policy, and the preset that the others are of."""

        preset: str | None = None

    class PromiseFields(BaseModel):
        """Every field of a promise but its name."""

else:

    def _number(name):
        default = getattr(BALANCED, name)
        limits = {} if isinstance(default, bool) else LIMITS.get(name, {"ge": 0})
        return Field(default=default, **limits)

    HINTS = {**get_type_hints(Policy), **get_type_hints(Promise)}
    PolicyNumbers = create_model(
        "PolicyNumbers",
        __config__=STRICT,
        preset=(Literal[tuple(PRESETS)] | None, None),
        **{name: (HINTS[name], _number(name)) for name in NUMBERS},
    )
    PromiseFields = create_model(
        "PromiseFields",
        __config__=STRICT,
        **{
            each.name: (get_type_hints(Promise)[each.name], each.default)
            for each in fields(Promise)
            if each.name != "name"
        },
    )


class SecretSource(BaseModel):
    """Where a secret is: never in this file itself."""

    model_config = STRICT

    password_file: Path | None = None
    password_env: Name | None = None


class Store(SecretSource):
    """The durable memory of all controllers."""

    url: str = "sqlite:////var/lib/ninelives/store.db"
    lease_s: Annotated[float, Field(ge=3.0, le=120.0)] = 15.0
    journal_days: Annotated[float, Field(ge=1.0)] = 90.0  # how long decisions are kept
    margin_s: Annotated[float, Field(ge=0.5, le=30.0)] = 1.0


class Cloud(BaseModel):
    """How Nova, Placement and Keystone are reached: an entry of clouds.yaml, or OS_* variables."""

    model_config = STRICT

    name: Name | None = None
    clouds_file: Path | None = None
    region: Name | None = None
    volumes: Name = "volumes"  # the backend that holds volumes, as hosts name it


class Http(BaseModel):
    """Metrics and health, for this machine only unless somebody says otherwise."""

    model_config = STRICT

    address: Name = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9109


class Probes(BaseModel):
    """How hosts are looked at from here."""

    model_config = STRICT

    every_s: Annotated[float, Field(ge=0.1, le=10.0)] = 1.0
    timeout_s: Annotated[float, Field(gt=0, le=10.0)] = 1.0
    kind: Literal["auto", "icmp", "tcp"] = "auto"
    tcp_port: Annotated[int, Field(ge=1, le=65535)] = 22
    refused_is_life: bool = True  # a kernel that refuses a connection lives; a proxy refuses, too
    power_sweep_s: Annotated[float, Field(ge=10.0)] = 600.0
    kdump_address: Name = "0.0.0.0"  # noqa: S104 - where dumps are heard of, if `kdump_wait_s` > 0
    references: dict[Plane, list[Name]] = Field(default_factory=dict)


class PowerDevice(SecretSource):
    """One way to cut a host's power."""

    kind: Name = "redfish"  # or the name of a ClusterLabs fence agent
    address: Name = ""
    user: Name | None = None
    level: Annotated[int, Field(ge=1, le=9)] = 1
    system: str = ""  # of a device with several: /redfish/v1/Systems/…, a plug, an outlet
    verified: bool = False  # you signed that this device cuts this very host
    ca_file: Path | None = None
    fingerprint: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{64})?$")] = ""  # SHA-256, in hex
    insecure: bool = False
    cluster_device: Name | None = None  # the id of this device as a resource of Pacemaker
    options: dict[Name, str | int | bool] = Field(default_factory=dict)


class Host(BaseModel):
    """One compute host, under every name that anything else gives it."""

    model_config = STRICT

    name: Name  # the host of its nova-compute service
    hypervisor: Name | None = None  # its hypervisor_hostname; the same as `name` unless given
    cluster_node: Name | None = None
    segment: Name = "default"
    rack: str = ""
    zone: str = ""
    serial: str = ""
    address: dict[Plane, Name] = Field(default_factory=dict)
    storage_addresses: list[Name] = Field(default_factory=list)
    shared_fate: list[list[Plane]] = Field(default_factory=list)
    backends: list[Name] = Field(default_factory=list)
    instances: Name = "local"  # which of them holds the disks of servers without a volume
    revocable: list[Name] = Field(default_factory=list)
    agent: bool = False
    watchdog: bool = False
    reserved: bool = False
    bmc: list[PowerDevice] = Field(default_factory=list)


class Pacemaker(BaseModel):
    """The cluster of the controllers, whose remotes the hosts are."""

    model_config = STRICT

    watch: bool = False  # its fencings are proofs, and whom it loses is a corroboration
    every_s: Annotated[float, Field(ge=0.5, le=30.0)] = 1.0


class Storage(BaseModel):
    """One backend that several hosts use."""

    model_config = STRICT

    shared: bool = False  # you say that every host which uses it sees the same disks there


class Quorum(BaseModel):
    """Members of which so many must live."""

    model_config = STRICT

    members: Annotated[list[Name], Field(min_length=1)]
    needed: Annotated[int, Field(ge=1)] | None = None


class Rule(PromiseFields):
    """What the servers that match are promised. The first rule that matches counts."""

    name: Name
    match: dict[Key, str] = Field(default_factory=dict)


class Segment(BaseModel):
    """What is different in one failover domain."""

    model_config = STRICT

    mode: Mode | None = None
    policy: PolicyNumbers = Field(default_factory=PolicyNumbers)


class Notify(SecretSource):
    """Somebody who is told."""

    name: Name
    kind: Literal["webhook", "command", "smtp", "alertmanager"]
    url: str = ""
    command: list[str] = Field(default_factory=list)
    server: str = ""
    user: Name | None = None
    sender: str = ""
    to: list[str] = Field(default_factory=list)
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0


class File(BaseModel):
    """The whole configuration of one controller."""

    model_config = STRICT

    name: Name | None = None  # which of `controllers` this one is; the machine's name unless given
    controllers: Annotated[list[Name], Field(min_length=1, max_length=9)]
    controller_hosts: dict[Name, Name] = Field(default_factory=dict)
    state: Path = Path("/var/lib/ninelives")
    socket: Path = Path("/run/ninelives/api.sock")
    socket_group: Name | None = "ninelives"
    operators: list[Name] = Field(default_factory=list)  # who may order, beside root; "@" a group
    viewers: list[Name] | None = None  # who may look; whom the socket lets in unless given
    log: Literal["auto", "json", "journal", "plain"] = "auto"
    mode: Mode = Mode.OBSERVE
    store: Store = Field(default_factory=Store)
    cloud: Cloud = Field(default_factory=Cloud)
    http: Http = Field(default_factory=Http)
    probes: Probes = Field(default_factory=Probes)
    pacemaker: Pacemaker = Field(default_factory=Pacemaker)
    policy: PolicyNumbers = Field(default_factory=PolicyNumbers)
    promise: PromiseFields = Field(default_factory=PromiseFields)
    rule: list[Rule] = Field(default_factory=list)
    segment: dict[Name, Segment] = Field(default_factory=dict)
    defaults: dict[str, object] = Field(default_factory=dict)  # of each host that says nothing else
    host: Annotated[list[Host], Field(min_length=1)]
    storage: dict[Name, Storage] = Field(default_factory=dict)
    quorum: dict[Name, Quorum] = Field(default_factory=dict)
    notify: list[Notify] = Field(default_factory=list)
