"""The smallest cloud that can go wrong: 2 hosts, 2 servers, 2 controllers, as they truly are.

Everything is frozen: a step makes a new truth. Instants are seconds of the one leader's clock; the
explorer makes them relative when it compares two states.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import (
    BackendId,
    BootId,
    HostId,
    MoveRecord,
    Plane,
    RoadId,
    ServerId,
    ServerSeen,
    VmState,
    WitnessId,
)
from ninelives.core.policy import BALANCED
from ninelives.core.site import HostSite, Road, Site

HOSTS = (HostId("h1"), HostId("h2"))
SERVERS = (ServerId("s1"), ServerId("s2"))
CONTROLLERS = (WitnessId("c1"), WitnessId("c2"))
PLANES = (Plane.MANAGEMENT, Plane.STORAGE)
REFERENCES = 2  # what every witness sees besides hosts on each plane, so that it is qualified
DISKS = (BackendId("ceph"),)
LOOKS_S = 2.0  # a witness tells of a silence at most this long after `silence_s`
TAKE_OVER_S = 20.0  # lease and margin: how long nobody leads after a leader died
PAUSE_S = 10.0  # longer than `proof_fresh_s`, shorter than the lease: the leader stays leader

# The waits of `balanced`, those of minutes cut down to what keeps their order: a request times out
# before a send settles, a late BMC before an unfenceable host. Shorter waits are fewer polls.
POLICY = replace(
    BALANCED,
    off_timeout_s=8.0,
    request_timeout_s=8.0,
    off_late_s=10.0,
    mapping_watch_s=10.0,
    unfenceable_after_s=30.0,
    nova_settle_s=20.0,
    verify_timeout_s=40.0,
    retry_max_s=20.0,
    soak_s=10.0,
    storm_window_s=30.0,
    settle_s=30.0,
)
LONGEST_S = 60.0  # no wait of POLICY that a path of a few minutes can reach is longer
FAR_S = 1e12


class Power(NamedTuple):
    """What a host's condition means: whether it has power, answers, and holds its guests."""

    is_on: bool
    is_heard: bool


CONDITIONS = {
    "running": Power(is_on=True, is_heard=True),
    "frozen": Power(is_on=True, is_heard=False),  # it may wake
    "off": Power(is_on=False, is_heard=False),
    "booting": Power(is_on=True, is_heard=False),
    "booted": Power(is_on=True, is_heard=True),  # a new boot behind its gate: no guest, no Nova
}


@dataclass(frozen=True, slots=True)
class Host:
    """One host in truth, and what the witnesses last said of it."""

    id: HostId
    condition: str = "running"
    boots: int = 1
    said_boot: int = 1  # the boot that the witnesses last told of; 0: silence
    unsaid_since: float | None = None  # since when the witnesses have something new to tell
    is_forced_down: bool = False
    is_disabled: bool = False
    cut_due: float | None = None  # its device accepted an off that it has not carried out yet
    lies_off: bool = False  # its device will say "off" once, whatever is true
    on_since: float = 0.0
    was_attested: bool = False
    alive_told: bool = True  # the leader was told of its life after its last darkness

    @property
    def boot(self) -> BootId:
        """Name the boot it is in, or was in last."""
        return BootId(f"{self.id}#{self.boots}")

    @property
    def power(self) -> Power:
        """Say what its condition means."""
        return CONDITIONS[self.condition]

    @property
    def true_boot(self) -> int:
        """Return what the witnesses would tell now: the boot, or 0 for silence."""
        return self.boots if self.power.is_heard else 0


@dataclass(frozen=True, slots=True)
class Server:
    """One server as Nova has it, and where its domain truly is."""

    id: ServerId
    host: HostId
    runs_on: frozenset[HostId]
    vm_state: VmState = VmState.ACTIVE
    task_state: str | None = None
    records: tuple[MoveRecord, ...] = ()
    user_action: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply on its way to the leader. It comes before `due`, or the request has timed out."""

    reply: on.Replied
    due: float
    is_again: bool = False  # delivered once already


@dataclass(frozen=True, slots=True)
class Late:
    """A request that its sender has given up, and that its receiver has yet to act upon."""

    action: do.Action
    due: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The whole cloud at one instant."""

    hosts: tuple[Host, ...]
    servers: tuple[Server, ...]
    leader: WitnessId = CONTROLLERS[0]
    term: int = 1
    in_hand: tuple[do.Action, ...] = ()  # decided and durable, before the last check
    answers: tuple[Answer, ...] = ()
    late: tuple[Late, ...] = ()
    faults: int = 0
    leader_changes: int = 0
    owes_fault: bool = False  # the leader stood still and has not noticed yet

    def host(self, name: HostId) -> Host:
        """Return one host."""
        return next(host for host in self.hosts if host.id == name)

    def server(self, name: ServerId) -> Server:
        """Return one server."""
        return next(server for server in self.servers if server.id == name)

    def with_host(self, host: Host) -> "Truth":
        """Return the truth with this host in place of its former self."""
        return replace(self, hosts=tuple(host if old.id == host.id else old for old in self.hosts))

    def with_server(self, server: Server) -> "Truth":
        """Return the truth with this server in place of its former self."""
        servers = tuple(server if old.id == server.id else old for old in self.servers)
        return replace(self, servers=servers)


def beginnings() -> tuple[tuple[str, Truth], ...]:
    """Return every way to begin, up to symmetry: servers together, or one on each host."""
    first, second = HOSTS
    return (
        ("both servers on h1", _beginning(first, first)),
        ("one server on each host", _beginning(first, second)),
    )


def _beginning(*homes: HostId) -> Truth:
    servers = tuple(
        Server(name, home, frozenset({home})) for name, home in zip(SERVERS, homes, strict=True)
    )
    return Truth(tuple(Host(name) for name in HOSTS), servers)


def site() -> Site:
    """Return the inventory: each host is watched by both controllers and by the other host."""
    first, second = HOSTS
    pairs = ((first, second), (second, first))
    hosts = {
        name: HostSite(
            name,
            serial=serial_of(name),
            planes=PLANES,
            roads=(Road(road_of(name), address=road_of(name)),),
            witnesses=(*CONTROLLERS, WitnessId(other)),
        )
        for name, other in pairs
    }
    return Site(hosts, CONTROLLERS)


def serial_of(host: HostId) -> str:
    """Return the system's serial number."""
    return f"serial-{host}"


def road_of(host: HostId) -> RoadId:
    """Name the one power device of a host."""
    return RoadId(f"bmc-{host}")


def shown(server: Server) -> ServerSeen:
    """Return the server as Nova's API shows it now."""
    return ServerSeen(
        server.id,
        server.host,
        server.vm_state,
        server.task_state,
        is_running=server.vm_state is VmState.ACTIVE,
        records=server.records,
        user_action=server.user_action,
        disks=DISKS,
    )
