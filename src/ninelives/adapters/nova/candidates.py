"""What a server needs, and who could give it: Placement's answer under Nova's rules. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ninelives.core.model import Candidate, HostId

from .fields import Fields, inner, rows, text, text_or_none, whole, words
from .reasons import is_reserve
from .views import ServiceRow, image_of

MB_PER_GB: Final = 1024
# Nova's own request filter (nova/scheduler/request_filter.py, `compute_status_filter`).
NOT_DISABLED: Final = "!COMPUTE_STATUS_DISABLED"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a flavor asks of Placement."""

    resources: Mapping[str, int]
    required: tuple[str, ...] = (NOT_DISABLED,)  # traits; with "!" before it, one that must not be

    def query(self, limit: int) -> dict[str, str]:
        """Write it as `GET /allocation_candidates` wants it."""
        resources = ",".join(f"{name}:{many}" for name, many in sorted(self.resources.items()))
        required = {"required": ",".join(self.required)} if self.required else {}
        return {"resources": resources, **required, "limit": str(limit)}

    @property
    def also_of_the_disabled(self) -> "Needs":
        """The same of hosts out of service, too: what they would have room for."""
        return Needs(self.resources, tuple(each for each in self.required if each != NOT_DISABLED))


def needs_of(server: Fields) -> Needs:
    """Read what a server needs from the flavor that it was made with (from 2.47)."""
    flavor = inner(server, "flavor")
    extras = extras_of(server)
    # A root disk on a volume takes no room on the host (nova/scheduler/utils.py).
    root_gb = whole(flavor, "disk", 0) if image_of(server) else 0
    swap_gb = -(-whole(flavor, "swap", 0) // MB_PER_GB)
    resources = {
        "VCPU": whole(flavor, "vcpus"),
        "MEMORY_MB": whole(flavor, "ram"),
        "DISK_GB": root_gb + whole(flavor, "ephemeral", 0) + swap_gb,
    }
    if extras.get("hw:cpu_policy") == "dedicated":
        resources["PCPU"] = resources.pop("VCPU")
    resources.update(_overrides(extras))
    wanted = {name: many for name, many in resources.items() if many > 0}
    return Needs(wanted, (*_traits(extras), NOT_DISABLED))


def extras_of(server: Fields) -> dict[str, str]:
    """Return the extra specs of a server's flavor."""
    found = inner(inner(server, "flavor"), "extra_specs")
    return {name: str(value) for name, value in found.items()}


def _overrides(extras: Mapping[str, str]) -> dict[str, int]:
    """Read `resources:CLASS=N`: it adds a class, or replaces what the flavor says of one."""
    prefix = "resources:"
    return {
        name.removeprefix(prefix): int(value)
        for name, value in extras.items()
        if name.startswith(prefix) and value.isdecimal()
    }


def _traits(extras: Mapping[str, str]) -> Iterable[str]:
    for name, value in sorted(extras.items()):
        if name.startswith("trait:"):
            trait = name.removeprefix("trait:")
            if value in ("required", "forbidden"):
                yield trait if value == "required" else f"!{trait}"


Taken = Mapping[str, Mapping[str, int]]  # by tree and class: what others would hold there, too


def rooms(answer: Fields, needs: Needs, taken: Taken | None = None) -> dict[str, int]:
    """Return how many such servers each provider tree has room for, in Placement's order.

    The keys are the roots of the trees: each is a compute node.
    """
    taken = taken or {}
    summaries = inner(answer, "provider_summaries")
    roots = {name: _root(name, inner(summaries, name)) for name in summaries}
    found: dict[str, int] = {}
    for request in rows(answer, "allocation_requests"):
        providers = list(inner(request, "allocations"))
        trees = {roots.get(provider, provider) for provider in providers}
        shares = [
            _room(inner(summaries, each), needs, taken.get(roots.get(each, each), {}))
            for each in providers
        ]
        for tree in trees if len(trees) == 1 else ():  # one that shares is no compute node
            found[tree] = max(found.get(tree, 0), min(shares, default=0))
    return found


def _root(name: str, summary: Fields) -> str:
    return text_or_none(summary, "root_provider_uuid") or name


def _room(summary: Fields, needs: Needs, taken: Mapping[str, int]) -> int:
    resources = inner(summary, "resources")

    def free(kind: str) -> int:
        offered = inner(resources, kind)
        return whole(offered, "capacity") - whole(offered, "used") - taken.get(kind, 0)

    left = [free(kind) // many for kind, many in needs.resources.items() if kind in resources]
    return max(0, min(left, default=0))


# Nova's hard rules.


@dataclass(frozen=True, slots=True)
class Group:
    """A server group, and on which of Nova's hosts the others of it are."""

    policy: str
    others_on: frozenset[str] = frozenset()

    def allows(self, host: str) -> bool:
        match self.policy:
            case "anti-affinity":
                return host not in self.others_on
            case "affinity":
                return not self.others_on or host in self.others_on
            case _:
                return True  # the soft ones only order

    def prefers(self, host: str) -> bool:
        match self.policy:
            case "soft-anti-affinity":
                return host not in self.others_on
            case "soft-affinity":
                return host in self.others_on
            case _:
                return True


@dataclass(frozen=True, slots=True)
class Rules:
    """What Nova's filters would let pass for one server."""

    source: str | None
    zone: str | None = None  # None: any
    groups: tuple[Group, ...] = ()
    flavor_extras: Mapping[str, str] = field(default_factory=dict[str, str])
    aggregates: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict[str, Mapping[str, str]]
    )
    lent: frozenset[str] = frozenset()  # reserved hosts, counted as if they were in service

    def allow(self, service: ServiceRow) -> bool:
        """Say whether a host is in service, in the right zone, and free of its group."""
        is_lent = service.host in self.lent and is_reserve(service.reason)
        is_enabled = is_lent or not service.is_disabled
        in_service = service.is_up and is_enabled and not service.is_forced_down
        in_zone = self.zone is None or service.zone == self.zone
        return (
            in_service
            and in_zone
            and service.host != self.source
            and all(group.allows(service.host) for group in self.groups)
            and self._fits_aggregates(service.host)
        )

    def _fits_aggregates(self, host: str) -> bool:
        """Ask as AggregateInstanceExtraSpecsFilter does: only what the flavor names counts."""
        prefix = "aggregate_instance_extra_specs:"
        have = self.aggregates.get(host, {})
        wanted = {
            name.removeprefix(prefix): value
            for name, value in self.flavor_extras.items()
            if name.startswith(prefix)
        }
        return all(have.get(name) == value for name, value in wanted.items())


def zone_of(server: Fields) -> str | None:
    """Return the zone that a server may not leave; None: any will do.

    From 2.96 Nova says which zone its user asked for. Before, it only says where it is: there it
    may certainly be again.
    """
    if "pinned_availability_zone" in server:
        return text_or_none(server, "pinned_availability_zone")
    return text_or_none(server, "OS-EXT-AZ:availability_zone")


def group_of(fields: Fields, but: str, host_of: Callable[[str], str | None]) -> Group:
    """Read a server group; before 2.64 its policies were a list of one."""
    policy = text_or_none(fields, "policy") or next(iter(words(fields, "policies")), "")
    others = (member for member in words(fields, "members") if member != but)
    hosts = (host_of(member) for member in others)
    return Group(policy, frozenset(host for host in hosts if host))


def ranked(
    rooms_by_host: Mapping[str, int],
    rules: Rules,
    services: Iterable[ServiceRow],
    named: Callable[[str], HostId],
    sees_disk: Callable[[HostId], bool],
) -> tuple[Candidate, ...]:
    """Put the hosts that remain in order: a soft group's wish first, then the most room."""
    allowed = [row.host for row in services if rooms_by_host.get(row.host) and rules.allow(row)]

    def burden(host: str) -> tuple[int, int, str]:
        unloved = sum(1 for group in rules.groups if not group.prefers(host))
        return unloved, -rooms_by_host[host], host

    return tuple(
        Candidate(named(host), rooms_by_host[host], sees_disk(named(host)))
        for host in sorted(allowed, key=burden)
    )


def aggregates_of(
    found: Iterable[Fields],
) -> tuple[dict[str, tuple[str, ...]], dict[str, Mapping[str, str]]]:
    """Read `GET /os-aggregates`: the names, and all metadata together, of each host's."""
    names: dict[str, tuple[str, ...]] = {}
    metadata: dict[str, Mapping[str, str]] = {}
    for fields in found:
        told = {name: str(value) for name, value in inner(fields, "metadata").items()}
        for host in words(fields, "hosts"):
            names[host] = (*names.get(host, ()), text(fields, "name"))
            metadata[host] = {**metadata.get(host, {}), **told}
    return names, metadata
