"""What a simulated world is made of before anything happens in it. Frozen and shared by forks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ninelives.core.model import HostId, SegmentId, ServerSeen
from ninelives.core.policy import BALANCED, Policy
from ninelives.core.setting import Setting
from ninelives.core.site import Site

ServerSpec = ServerSeen  # a server is declared as Nova shows it at the beginning


@dataclass(frozen=True, slots=True)
class Room:
    """What a host offers to Placement, the allocation ratios included."""

    vcpus: int = 64
    ram_mb: int = 262_144


@dataclass(frozen=True, slots=True)
class Knobs:
    """How long the things of this world take, in seconds."""

    boot_s: float = 60.0  # from power on to a running agent
    dump_reboot_s: float = 10.0  # a panicked kernel restarts this long after its dump
    heartbeat_s: float = 1.0  # agents beat, witnesses look
    stale_s: float = 6.0  # a witness not heard by the leader for this long knows nothing
    report_s: float = 1.0  # an agent's look inside its host
    bmc_s: float = 0.8  # one question to a power device
    off_s: float = 2.0  # a power device cuts, and acknowledges
    storage_s: float = 1.0  # one question to a backend
    watch_lapse_s: float = 30.0  # a backend forgets a client that says nothing
    nova_poll_s: float = 5.0
    canary_s: float = 5.0
    commit_s: float = 0.004
    send_s: float = 0.03  # from a committed decision to perform's last check
    reply_s: float = 0.1
    restart_service_s: float = 5.0
    restart_controller_s: float = 20.0  # systemd starts a controller that ended
    spawn_s: float = 5.0
    lease_s: float = 10.0
    lease_margin_s: float = 2.0
    send_age_max_s: float = 1.0  # a renewal older than this permits no send
    froze_s: float = 3.0  # a gap in its own clock that a controller calls a freeze
    fresh_window_s: float = 6.0  # after a freeze the next strong look ends the fault
    clock_spread_s: float = 100_000.0  # controllers' monotonic clocks start anywhere up to here


@dataclass(frozen=True, slots=True)
class Setup:
    """The inventory, what operators configured, the servers, and the pace of the world."""

    site: Site
    policy: Policy = BALANCED
    segment_policies: Mapping[SegmentId, Policy] = field(default_factory=dict[SegmentId, Policy])
    servers: tuple[ServerSpec, ...] = ()
    rooms: Mapping[HostId, Room] = field(default_factory=dict[HostId, Room])
    knobs: Knobs = field(default_factory=Knobs)
    dark: frozenset[HostId] = frozenset()  # switched off before the story begins: never seen alive

    @property
    def setting(self) -> Setting:
        """The configuration of every controller."""
        return Setting(self.site, self.policy, self.segment_policies)
