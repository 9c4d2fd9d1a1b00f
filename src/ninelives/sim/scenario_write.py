"""Write a setup as the declarations that make it: the inverse of reading them.

parse(written(setup)).setup == setup      for every setup that a story can declare
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields

from ninelives.core.model import ServerSeen, VmState
from ninelives.core.policy import BALANCED, Policy
from ninelives.core.protection import Promise, Rule
from ninelives.core.site import HostSite, Road

from .scenario_policy import NUMBERS
from .scenario_site import CEPH, TEXT_FIELDS, own_bmc, peers_of, without_agent
from .setup import Knobs, Room, Setup


def written(setup: Setup) -> str:
    """Return the declarations, one a line."""
    return "".join(f"{line}\n" for line in lines_of(setup))


def lines_of(setup: Setup) -> Iterator[str]:
    """Yield the declarations in the order in which they may refer to each other."""
    site = setup.site
    names, blind = list(site.hosts), without_agent(site.hosts.values())
    for host in site.hosts.values():
        default = (*site.controllers, *peers_of(host.id, names, blind))
        options = host_options(host, setup.rooms.get(host.id), default)
        yield line("hosts", host.id, *options, *(["power=off"] if host.id in setup.dark else []))
    for host in site.hosts.values():
        yield from bmc_lines(host)
    for backend in sorted({each for host in site.hosts.values() for each in host.revocable}):
        users = ",".join(h.id for h in site.hosts.values() if backend in h.revocable)
        yield line("storage", backend, "revocable=yes", f"hosts={users}")
    for name, members in site.quorum_sets.items():
        yield line("quorum", f"{name}:", *sorted(members.members), f"needed={members.needed}")
    if site.controllers != ("n1",) or site.controller_hosts:
        seats = ",".join(site.controller_hosts.values())
        yield line("controllers", *site.controllers, *([f"on={seats}"] if seats else []))
    if changed := list(numbers(setup.policy, BALANCED)):
        yield line("policy", *changed)
    for segment, policy in setup.segment_policies.items():
        hosts = [host.id for host in site.hosts.values() if host.segment == segment]
        yield line("segment", f"{segment}:", *hosts, *numbers(policy, setup.policy))
    if pace := list(knob_options(setup.knobs)):
        yield line("pace", *pace)
    for server in setup.servers:
        yield line("servers", f"{server.host}:", server.id, *server_options(server))
    yield from map(rule_line, (*setup.policy.rules, *last_rule(setup.policy)))


def line(keyword: str, *words: str) -> str:
    return " ".join((f"{keyword:<12}", *words))


def host_options(host: HostSite, room: Room | None, witnesses: tuple[str, ...]) -> Iterator[str]:
    planes = ",".join(host.planes)
    for name, value, default in (
        ("rack", host.rack, ""),
        ("zone", host.zone, ""),
        ("segment", host.segment, "default"),
        ("serial", host.serial, f"serial-{host.id}"),
        ("planes", planes, "management,storage,tenant"),
        ("backends", ",".join(host.backends), CEPH),
        ("witnesses", ",".join(host.witnesses), ",".join(witnesses)),
        ("agent", yes(host.has_agent), "yes"),
        ("watchdog", yes(host.has_watchdog), "no"),
        ("reserved", yes(host.is_reserved), "no"),
    ):
        if value != default:
            yield f"{name}={value}"
    for fate in host.shared_fate:
        yield f"fate={'+'.join(sorted(fate))}"
    if room is not None:
        yield f"vcpus={room.vcpus}"
        yield f"ram_mb={room.ram_mb}"


def yes(value: bool) -> str:
    return "yes" if value else "no"


def bmc_lines(host: HostSite) -> Iterator[str]:
    if host.roads == (own_bmc(host.id),):
        return
    if not host.roads:
        yield line("bmc", host.id, "none")
    for road in host.roads:
        yield line("bmc", host.id, *road_options(road))


def road_options(road: Road) -> Iterator[str]:
    yield f"id={road.id}"
    yield f"level={road.level}"
    yield f"address={road.address}"
    yield f"kind={road.kind}"
    yield f"verified={yes(road.is_verified)}"


def numbers(policy: Policy, before: Policy) -> Iterator[str]:
    """Yield every number of a policy that differs from `before`."""
    for name in NUMBERS:
        value: float | bool = getattr(policy, name)
        if value != getattr(before, name):
            yield f"{name}={yes(value) if isinstance(value, bool) else plain(value)}"


def knob_options(knobs: Knobs) -> Iterator[str]:
    for each in fields(Knobs):
        value: float = getattr(knobs, each.name)
        if value != getattr(Knobs(), each.name):
            yield f"{each.name}={plain(value)}"


def plain(value: float) -> str:
    """Write a number so that it is read back exactly, without a needless fraction."""
    return str(int(value)) if value == int(value) else repr(value)


def server_options(server: ServerSeen) -> Iterator[str]:
    for name in TEXT_FIELDS:
        if value := getattr(server, name):
            yield f"{name}={value}"
    if server.disks != (CEPH,):
        yield f"disks={','.join(server.disks)}"
    if server.aggregates:
        yield f"aggregates={','.join(server.aggregates)}"
    if server.order:
        yield f"order={server.order}"
    if server.is_locked:
        yield "locked=yes"
    if server.is_image_backed:
        yield "image_backed=yes"
    for tag, text in (server.tags or {}).items():
        yield f"tag={tag}:{text}"
    if server.vm_state is not VmState.ACTIVE:
        yield f"state={server.vm_state}"


def rule_line(rule: Rule) -> str:
    keys = [f"{key}={value.replace('=', ':', 1)}" for key, value in rule.keys]
    head = [rule.promise.name, *keys]
    return line("rule", *head[:-1], f"{head[-1]}:", *promise_options(rule.promise))


def promise_options(promise: Promise) -> Iterator[str]:
    for each in fields(Promise):
        value = getattr(promise, each.name)
        if each.name != "name" and value != getattr(Promise(), each.name):
            yield f"{each.name}={yes(value) if isinstance(value, bool) else value}"


def last_rule(policy: Policy) -> Iterable[Rule]:
    """A default promise of its own is a rule without keys, behind all others."""
    return () if policy.default == Promise() else (Rule(policy.default),)
