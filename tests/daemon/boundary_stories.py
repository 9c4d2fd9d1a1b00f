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
AT_HOME = '\n[[rule]]\nname = "home"\nhost_dies = "restart"\n'
RESET = '\n[[rule]]\nname = "any"\nresets_state = true\n'

Person = Callable[[Cloud, Controller, list[str]], None]


def all_of(*orders: str) -> tuple[str, ...]:
    """Name the four boundaries of each, one order after the other."""
    return tuple(f"{order} {point}" for order in orders for point in POINTS)


def by_turns(*orders: str) -> tuple[str, ...]:
    """Name the same for orders that follow each other for one server after the other."""
    return tuple(f"{order} {point}" for point in POINTS for order in orders)


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


def reboots_the_lost(cloud: Cloud, leader: Controller, servers: list[str]) -> None:
    """Reboot who is told of as failed: the one reboot that it gets was decided, and never sent."""
    switches_on(cloud, leader, servers)
    for server in failed(leader) & set(servers) - set(cloud.guests("c1")):
        if "reboot" not in actions_of(cloud, server):
            cloud.login("demo").act(server, "reboot", {"type": "HARD"})


def migrates_the_lost(cloud: Cloud, leader: Controller, servers: list[str]) -> None:
    """Do the same for a live migration."""
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
    return set(servers) <= {*cloud.guests("c2"), *cloud.guests("c3")}


def rest_elsewhere(cloud: Cloud, servers: list[str]) -> bool:
    shown = {each["id"]: each for each in cloud.login().servers()}
    return all(
        (shown[each]["OS-EXT-SRV-ATTR:host"] != "c1", shown[each]["status"]) == (True, "SHUTOFF")
        for each in servers
    )


def run_at_home(cloud: Cloud, servers: list[str]) -> bool:
    service = cloud.login().service("c1")
    is_let_in = (service["status"], service["forced_down"]) == ("enabled", False)
    return is_let_in and set(servers) <= set(cloud.guests("c1"))


@dataclass(frozen=True)
class Story:
    """One outage of c1, and the boundaries at which controllers die over it, in their order."""

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


STORIES = {
    "power_lost": Story(
        (
            *AT_REST,
            *all_of("PowerOff", "Tell", "ForceDown", "Disable"),
            *by_turns("Evacuate", "StartServer"),
        ),
        servers=7,
        once=("evacuate", "start"),
    ),
    "paused": Story(
        by_turns("ResetState", "StopServer"),
        servers=12,
        once=("evacuate",),
        is_over=rest_elsewhere,
        policy=RESET,
        vm_state="paused",
    ),
    "capacity_gone": Story(
        all_of("Reserve"),
        servers=2,
        once=("evacuate",),
        before=has_a_reserve,
        reserve="c3",
    ),
    "tenant_network_lost": Story(
        all_of("LiveMigrate"),
        servers=6,
        once=("live-migration",),
        begins=is_cut,
        person=migrates_the_lost,
        has_witness=True,
    ),
    # A machine that is on is not switched on, and each server is rebooted once: hence three.
    "led_back": Story(
        (
            *("PowerOn decided", "PowerOn committed", "PowerOn answered"),
            *all_of("ForceUp"),
            *("HardReboot decided", "HardReboot answered"),
            *all_of("Enable"),
        ),
        servers=2,
        once=("reboot",),
        is_over=run_at_home,
        person=switches_on,
        policy=AT_HOME,
    ),
    "led_back_answered": Story(
        ("PowerOn closed", "HardReboot closed"),
        servers=2,
        once=("reboot",),
        is_over=run_at_home,
        person=switches_on,
        policy=AT_HOME,
    ),
    "led_back_lost": Story(
        ("HardReboot committed",),
        servers=2,
        once=("reboot",),
        is_over=run_at_home,
        person=reboots_the_lost,
        policy=f"verify_timeout_s = 8.0\n{AT_HOME}",
    ),
}
