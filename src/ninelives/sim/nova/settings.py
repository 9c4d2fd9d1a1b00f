"""How long each step of Nova takes, and what is wrong with the control plane right now."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds. Measured: an evacuation took 1.8–2.0 s where a spawn takes no time (`LAB_TIMINGS`),
    a POST 0.23 s, the clean-up of a source about 1 s, 1.35 evacuations a second in all. How a whole
    splits into steps is assumed.
    """

    report_interval_s: float = 10.0
    service_down_time_s: float = 60.0
    rpc_timeout_s: float = 60.0
    resource_view_s: float = (
        60.0  # how old the scheduler's picture of loads may be: this makes the pile-up
    )
    post_s: float = 0.23
    get_s: float = 0.05
    refused_s: float = 0.01  # a request that finds nobody there
    client_timeout_s: float = 60.0
    backlog_s: float = (
        90.0  # a request stuck in the API's backlog is served after this, its client long gone
    )
    cast_s: float = 0.05
    schedule_s: float = 0.3
    evacuation_gap_s: float = 0.74  # the control plane is one processor long: 1 / (1.35 a second)
    claim_s: float = 0.2
    prepare_s: float = 0.2
    map_disks_s: float = 0.2
    spawn_s: float = 5.0
    settle_s: float = 0.2  # ACTIVE without a task, and still on the source: this long
    power_off_s: float = 0.3
    finish_s: float = 0.1
    action_s: float = 1.0  # start, stop, reboot, pause and their like
    delete_s: float = 1.0
    shelve_s: float = 10.0
    resize_s: float = 10.0
    live_prepare_s: float = 2.0
    live_finish_s: float = 2.0  # switched over, and Nova still says the source: this long
    startup_s: float = 1.0
    startup_per_server_s: float = 0.2  # for each server that was evacuated: 22 s for 100 of them
    power_sync_s: float = 600.0


LAB_TIMINGS = Timings(spawn_s=0.2)


class ApiFault(StrEnum):
    UNREACHABLE = "unreachable"  # nothing was taken
    REPLY_LOST = "reply_lost"  # taken, and the reply never came
    BACKLOG = "backlog"  # taken much later, the client gave up meanwhile
    ERROR_500 = "error_500"  # refused
    UNAVAILABLE_503 = "unavailable_503"  # refused by the proxy
    TIMEOUT_504 = "timeout_504"  # taken, and the proxy says that it timed out


@dataclass(frozen=True, slots=True)
class Faults:
    """Switches, all off. Chance is the caller's."""

    api: ApiFault | None = None
    api_delay_s: float = 0.0  # longer than it takes anyway
    is_api_read: bool = False  # reads pass all the same: only requests that change something fail
    is_scheduler_down: bool = False
    is_conductor_down: bool = False  # its messages wait, the reports of computes are lost
    is_bus_down: bool = False  # casts wait, reports are lost
    is_database_down: bool = False  # every request is a 500, reports are lost
    is_placement_refusing: bool = False  # nothing fits: quota, inventory, or Placement itself
    is_image_service_down: bool = False
    is_service_list_stale: bool = False  # ListServices answers what it was when this was set
    conductor_delay_s: float = 0.0
    spawn_errors: tuple[tuple[str, str], ...] = ()  # (host, the driver's message)

    def spawn_error(self, host: str) -> str | None:
        return next((error for name, error in self.spawn_errors if name == host), None)
