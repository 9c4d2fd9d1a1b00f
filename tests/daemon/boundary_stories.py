"""What befalls c1 while controllers die at the boundaries of their journal, and how it must end."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.cloud.cloud_client import Cloud
from tests.daemon.boundaries import POINTS
from tests.daemon.controllers import Controller

from ninelives.app.client import asked
from ninelives.app.exits import Complaint

AT_REST = ("TermBegan decided", "TermBegan committed")  # crossed before anything befalls c1
BY_ITSELF = "power_on_after_vacated = true"
AT_HOME = '\n[[rule]]\nname = "home"\nhost_dies = "restart"\n'
RESET = '\n[[rule]]\nname = "any"\nresets_state = true\n'

Person = Callable[[Cloud, Controller, list[str]], None]


def all_of(*orders: str) -> tuple[str, ...]:
    """Name the four boundaries of each."""
    return tuple(f"{order} {point}" for order in orders for point in POINTS)


def nobody(cloud: Cloud, leader: Controller, servers: list[str]) -> None:
    """Leave it to the controllers."""
    del cloud, leader, servers


def switches_on(cloud: Cloud, leader: Controller, servers: list[str]) -> None:
    """Order c1's return until it is on. A refusal is none of ours: it is not empty yet."""
    del servers
    if cloud.machine("c1")["power"] != "on":
        with suppress(Complaint):
            asked(leader.config.with_suffix(".sock"), "/v1/orders", SWITCH_ON)


SWITCH_ON = {"order": "power_on", "host": "c1", "reason": "it was repaired"}


def migrates_the_lost(cloud: Cloud, leader: Controller, servers: list[str]) -> None:
    """Migrate who is told of as failed: its migration was decided, and never sent."""
    for server in failed(leader) & set(servers) & set(cloud.guests("c1")):
        if "live-migration" not in actions_of(cloud, server):
            cloud.login().act(server, "os-migrateLive", {"host": None, "block_migration": "auto"})


def failed(leader: Controller) -> set[str]:
    return {line["why"].removeprefix("server_failed:") for line in leader.said("told")}


def actions_of(cloud: Cloud, server: str) -> list[str]:
    """Name everything that was ever asked of it, as Nova shows it."""
    shown = cloud.login()("GET", f"/servers/{server}/os-instance-actions").body
    return [each["action"] for each in shown["instanceActions"]]


def is_off(cloud: Cloud) -> object:
    return cloud.drive("c1", "off")


def is_cut(cloud: Cloud) -> object:
    return cloud.drive("c1", "cut", plane="tenant")


def has_a_reserve(cloud: Cloud) -> object:
    """Leave no room on c2, and put c3 aside."""
    cloud.drive("c2", "room", vcpus=1, ram_mb=64)
    return cloud.login().set_service("c3", status="disabled", disabled_reason="ninelives:reserve")


def run_elsewhere(cloud: Cloud, servers: list[str]) -> bool:
    """A rebuild has its guest run for a moment, before it is stopped to be started by us."""
    are_there = set(servers) <= {*cloud.guests("c2"), *cloud.guests("c3")}
    return are_there and shown_elsewhere(cloud, servers, "ACTIVE")


def are_rescued(cloud: Cloud, servers: list[str]) -> bool:
    """They run elsewhere, and of the host that died Nova was told both things."""
    service = cloud.login().service("c1")
    is_shut_out = (service["status"], service["forced_down"]) == ("disabled", True)
    return is_shut_out and run_elsewhere(cloud, servers)


def rest_elsewhere(cloud: Cloud, servers: list[str]) -> bool:
    return shown_elsewhere(cloud, servers, "SHUTOFF")


def shown_elsewhere(cloud: Cloud, servers: list[str], status: str) -> bool:
    shown = {each["id"]: each for each in cloud.login().servers()}
    return all(
        shown[each]["OS-EXT-SRV-ATTR:host"] != "c1"
        and (shown[each]["status"], shown[each]["OS-EXT-STS:task_state"]) == (status, None)
        for each in servers
    )


def run_at_home(cloud: Cloud, servers: list[str]) -> bool:
    service = cloud.login().service("c1")
    is_let_in = (service["status"], service["forced_down"]) == ("enabled", False)
    return is_let_in and set(servers) <= set(cloud.guests("c1"))


@dataclass(frozen=True)
class Story:
    """One outage of c1, and the boundaries at which controllers die over it, whichever is first."""

    boundaries: Sequence[str]
    servers: int
    once: Sequence[str]  # actions that Nova shows once for each of c1's servers
    before: Callable[[Cloud], object] = Cloud.truth
    begins: Callable[[Cloud], object] = is_off
    is_over: Callable[[Cloud, list[str]], bool] = run_elsewhere
    person: Person = nobody
    policy: str = ""
    vm_state: str = "active"
    reserve: str = ""  # a host that is one
    has_witness: bool = False  # a plane is down only where three agree


# Two in a row go to one worker of four, and each pair takes about as long as any other.
STORIES = {
    "power_lost": Story(
        (*AT_REST, *all_of("Tell", "PowerOff")),
        servers=2,
        once=("evacuate", "start"),
        is_over=are_rescued,
    ),
    "sent_elsewhere": Story(
        all_of("Evacuate", "StartServer"),
        servers=4,
        once=("evacuate", "start"),
        is_over=are_rescued,
    ),
    # A machine that is on is not switched on, and who was rebooted is not rebooted: hence two.
    "led_back": Story(
        (
            *("PowerOn decided", "PowerOn committed", "PowerOn answered"),
            *("HardReboot decided", "HardReboot committed", "HardReboot answered"),
        ),
        servers=2,
        once=("reboot",),
        is_over=run_at_home,
        policy=f"{BY_ITSELF}{AT_HOME}",
    ),
    "tenant_network_lost": Story(
        all_of("LiveMigrate"),
        servers=4,
        once=("live-migration",),
        begins=is_cut,
        person=migrates_the_lost,
        has_witness=True,
    ),
    "led_back_answered": Story(
        ("PowerOn closed", *all_of("ForceUp"), "HardReboot closed", *all_of("Enable")),
        servers=2,
        once=("reboot",),
        is_over=run_at_home,
        person=switches_on,
        policy=AT_HOME,
    ),
    "capacity_gone": Story(
        all_of("Reserve"),
        servers=2,
        once=("evacuate",),
        before=has_a_reserve,
        reserve="c3",
    ),
    "paused": Story(
        all_of("ResetState", "StopServer"),
        servers=4,
        once=("evacuate",),
        is_over=rest_elsewhere,
        policy=RESET,
        vm_state="paused",
    ),
    "shut_out": Story(
        all_of("ForceDown", "Disable"),
        servers=2,
        once=("evacuate", "start"),
        is_over=are_rescued,
    ),
}
