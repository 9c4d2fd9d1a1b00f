"""What the stand-in's cloud consists of before anything happens: hosts, servers, users, flavors."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from uuid import NAMESPACE_URL, uuid5

from ninelives.sim import nova


@dataclass(frozen=True, slots=True)
class Flavor:
    name: str
    vcpus: int = 1
    ram_mb: int = 512
    disk_gb: int = 1


@dataclass(frozen=True, slots=True)
class User:
    name: str
    project: str
    roles: tuple[str, ...]

    @property
    def caller(self) -> nova.Caller:
        return nova.Caller(self.name, is_admin="admin" in self.roles)


USERS = (
    User("admin", "admin", ("admin", "manager", "member", "reader")),
    User("demo", "demo", ("member", "reader")),
    User("reader", "admin", ("reader",)),
)
PROJECTS = ("admin", "demo")
FLAVORS = (Flavor("small"), Flavor("medium", 2, 2048, 10), Flavor("large", 8, 16_384, 40))
IMAGES = ("cirros",)
NAMES_KEPT = 65_536  # whose UUIDs are not computed again
PASSWORD = "nine-lives"  # noqa: S105 -- of a cloud that is not there


@dataclass(frozen=True, slots=True)
class Plan:
    """The cloud to begin with. Servers go round over the hosts."""

    hosts: int = 3
    servers: int = 6
    vcpus: int = 64
    ram_mb: int = 262_144
    spawn_s: float = 0.2
    boot_s: float = 3.0
    live_migration_s: float = 5.0
    pace: float = 1.0  # how long everything in Nova takes, as a share of what was measured
    report_interval_s: float = 10.0
    service_down_time_s: float = 60.0
    zones: Mapping[str, str] = field(default_factory=dict[str, str])  # host → availability zone
    aggregates: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    hypervisors: Mapping[str, str] = field(default_factory=dict[str, str])  # host → type


@lru_cache(NAMES_KEPT)
def uuid_of(*names: str) -> str:
    """Give a thing the same UUID in every run."""
    return str(uuid5(NAMESPACE_URL, "stand-in/" + "/".join(names)))


def hex_of(*names: str) -> str:
    """Give a thing the same id in every run, as Keystone writes them."""
    return uuid_of(*names).replace("-", "")


def hosts_of(plan: Plan) -> list[nova.Host]:
    names = [f"c{number}" for number in range(1, plan.hosts + 1)]
    return [
        nova.Host(
            name,
            plan.vcpus,
            plan.ram_mb,
            plan.zones.get(name, "nova"),
            frozenset(each for each, members in plan.aggregates.items() if name in members),
        )
        for name in names
    ]


def servers_of(plan: Plan, hosts: list[nova.Host]) -> list[nova.Server]:
    names = [f"vm{number}" for number in range(1, plan.servers + 1)]
    return [
        server_named(name, hosts[number % len(hosts)].name) for number, name in enumerate(names)
    ]


def server_named(name: str, host: str | None, project: str = "demo") -> nova.Server:
    flavor = FLAVORS[0]
    spec = nova.Spec(
        project=project,
        flavor=flavor.name,
        vcpus=flavor.vcpus,
        ram_mb=flavor.ram_mb,
        name=name,
    )
    return nova.Server(uuid_of("server", name), host, spec)


def timings_of(plan: Plan) -> nova.Timings:
    """Shorten everything but what decides when a service counts as down."""
    measured = nova.Timings(spawn_s=plan.spawn_s)
    kept = {
        "report_interval_s": plan.report_interval_s,
        "service_down_time_s": plan.service_down_time_s,
    }
    paced = {name: seconds * plan.pace for name, seconds in asdict(measured).items()}
    return nova.Timings(**{**paced, **kept})


def clouds_yaml(url: str, user: User = USERS[0]) -> str:
    """Write the entry that every OpenStack client reads."""
    return f"""clouds:
  stand-in:
    auth:
      auth_url: {url}/identity/v3
      username: {user.name}
      password: {PASSWORD}
      project_name: {user.project}
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    identity_api_version: "3"
"""
