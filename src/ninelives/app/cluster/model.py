"""What a cluster is to be: every key of the YAML file, its type and its limits.

Unknown keys are refused. What is left out is what ninelives recommends; `unset` in a table takes a
recommended entry away, so that whatever a running cluster has can be said.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid")
UNSET = "unset"
RECOMMENDED: Mapping[str, str] = {
    "cluster-recheck-interval": "60s",  # a host that is back is looked for at least so often
    "concurrent-fencing": "true",
    "no-quorum-policy": "stop",
    "startup-fencing": "true",
    "stonith-action": "off",
    "stonith-enabled": "true",
    "stonith-timeout": "120s",
}
DEFAULTS: Mapping[str, str] = {"resource-stickiness": "100"}
# What others write: Pacemaker itself, people for a while, and ninelives as it goes.
PROPERTIES_OF_OTHERS = frozenset(
    {
        *("cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog"),
        *("last-lrm-refresh", "maintenance-mode"),
    }
)
ATTRIBUTES_OF_OTHERS = frozenset({"evacuate", "maintenance", "standby", "terminate"})
OURS = "ninelives-"  # how the attributes begin that ninelives sets and clears
GATE = "ninelives-gate"  # a returning host waits as long as its node has this attribute

Name = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]
Word = Annotated[str, Field(max_length=255, pattern=r"^\S+$")]
Line = Annotated[str, Field(max_length=4096, pattern=r"^[^\x00-\x1f]*$")]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
Agent = Annotated[str, Field(pattern=r"^(ocf:[\w.-]+:|systemd:|service:|lsb:)[\w.@-]+$")]
RoleAttribute: TypeAlias = Literal["osprole", "OpenStack-role"]
ROLE_ATTRIBUTES: tuple[RoleAttribute, ...] = ("osprole", "OpenStack-role")
Options: TypeAlias = Mapping[Word, Line]


def _of_nobody_else(attributes: Options) -> Options:
    for name in attributes:
        if name in ATTRIBUTES_OF_OTHERS or name.startswith(OURS):
            raise ValueError(f"{name} is set and cleared while the cluster runs, not declared")
    return attributes


def _declared(properties: Options) -> Options:
    for name in properties:
        if name in PROPERTIES_OF_OTHERS or name.startswith(OURS):
            raise ValueError(f"{name} is written by the cluster, not declared here")
    return properties


Attributes = Annotated[Options, AfterValidator(_of_nobody_else)]
Properties = Annotated[Options, AfterValidator(_declared)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Device:
    """One way to cut a node's power, or its access to the disks."""

    mode: Literal["ipmi", "redfish", "sbd", "libvirt", "agent"]
    agent: Annotated[str, Field(pattern=r"^([a-z][\w./-]*)?$")] = ""  # of the mode `agent`
    name: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_.-]*)?$")] = ""
    address: Line = ""
    user: Line = ""
    password_file: Line = ""  # on every member, for root alone
    password_script: Line = ""
    system: Line = ""  # of a Redfish service with several: /redfish/v1/Systems/…
    plug: Line = ""  # how the device calls the node, where it is not the node's name
    level: Annotated[int, Field(ge=0, le=9)] | None = None  # its position unless given; 0: in none
    off_timeout_s: Seconds = 20
    monitor_interval_s: Seconds = 60
    monitor_timeout_s: Seconds = 20
    options: Options = Field(default_factory=dict[str, str])
    meta: Options = Field(default_factory=dict[str, str])
    kept: tuple[Word, ...] = ()  # secrets that stand in the cluster, and are left there


@dataclass(frozen=True, slots=True, config=STRICT)
class Member:
    """A controller: it runs corosync, votes and fences."""

    id: Annotated[int, Field(ge=1, le=4_294_967_295)] | None = None  # its nodeid in corosync.conf
    role: Line = ""
    attributes: Attributes = Field(default_factory=dict[str, str])
    stonith: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class Remote:
    """A compute host, which Pacemaker watches through pacemaker_remote."""

    server: Word | Literal[""] = (
        ""  # where pacemaker_remote is reached; the node's name unless given
    )
    nova: Word | Literal[""] = ""  # its host at Nova; the node's name unless given
    role: Line = ""
    recover: bool = True  # ninelives is the last device of each of its levels
    monitor_interval_s: Seconds = 5
    monitor_timeout_s: Seconds = 10
    start_timeout_s: Seconds = 15
    stop_timeout_s: Seconds = 60
    reconnect_interval_s: Seconds = 60
    attributes: Attributes = Field(default_factory=dict[str, str])
    stonith: tuple[Device, ...] = ()
    options: Options = Field(default_factory=dict[str, str])
    meta: Options = Field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, config=STRICT)
class Resource:
    """One service that Pacemaker starts, watches and stops."""

    name: Name
    agent: Agent
    options: Options = Field(default_factory=dict[str, str])
    meta: Options = Field(default_factory=dict[str, str])
    start_timeout_s: Seconds = 100
    stop_timeout_s: Seconds = 100
    stop_failure: Literal["block", "fence"] = "block"
    monitor_interval_s: Seconds = 10
    monitor_timeout_s: Seconds = 20
    tries: Annotated[int, Field(ge=0, le=1_000_000)] = 3  # 0: for ever
    forget_s: Seconds = 600  # failures older than this are forgotten; 0: never


@dataclass(frozen=True, slots=True, config=STRICT)
class Service:
    """What runs on every node of a role, in this order; stopped in the other."""

    resources: Annotated[tuple[Resource, ...], Field(min_length=1)]
    role: Line = ""
    gated: bool = False  # a returning host runs it only once ninelives has opened its gate


@dataclass(frozen=True, slots=True, config=STRICT)
class Order:
    """What starts after what, named as the cluster names it."""

    first: Name
    then: Name
    kind: Literal["Optional", "Mandatory", "Serialize"] = "Optional"
    symmetrical: bool = False


@dataclass(frozen=True, slots=True, config=STRICT)
class Alert:
    """A program that is told of events."""

    path: Word
    recipients: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class Corosync:
    """What corosync and systemd are set to; they keep it in files of their own."""

    wait_for_all: bool = False
    autostart: bool = True


@dataclass(frozen=True, slots=True, config=STRICT)
class Fencing:
    """Our fence agent, the last device of each level of a remote."""

    name: Name = "fence-ninelives"
    agent: Annotated[str, Field(pattern=r"^fence_[\w-]+$")] = "fence_ninelives"
    off_timeout_s: Seconds = 20
    monitor_interval_s: Seconds = 600
    monitor_timeout_s: Seconds = 20
    options: Options = Field(default_factory=dict[str, str])
    meta: Options = Field(default_factory=dict[str, str])
    kept: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class Ninelives:
    """Our own part in the cluster."""

    enabled: bool = True  # the controller runs under Pacemaker
    controller: Resource = Resource(
        name="ninelives-controller",
        agent="ocf:ninelives:controller",
        start_timeout_s=20,
        stop_timeout_s=20,
        tries=0,
        forget_s=60,
    )
    role: Line = "controller"
    brake: Name | None = None  # the same agent as the first device, which fails while a storm holds
    fencing: Fencing = Fencing()


@dataclass(frozen=True, slots=True, config=STRICT)
class Cluster:
    """The whole file."""

    members: Annotated[Mapping[Name, Member], Field(min_length=1, max_length=32)]
    remotes: Mapping[Name, Remote] = Field(default_factory=dict[str, Remote])
    role_attribute: RoleAttribute = "osprole"
    corosync: Corosync | None = None
    properties: Properties = Field(default_factory=dict[str, str])
    defaults: Options = Field(default_factory=dict[str, str])
    services: Mapping[Name, Service] = Field(default_factory=dict[str, Service])
    orders: tuple[Order, ...] = ()
    alerts: Mapping[Name, Alert] = Field(default_factory=dict[str, Alert])
    ninelives: Ninelives = Ninelives()
