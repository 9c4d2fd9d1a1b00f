"""The declarations of a scenario: its hosts, servers, devices, storage, policy and protection.

Everything has a default, so that a story names only what it is about: each host has three planes,
one BMC of its own and the shared backend `ceph`, and is watched by all controllers and four peers.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from ninelives.core.model import (
    BackendId,
    HostId,
    Plane,
    RoadId,
    SegmentId,
    ServerId,
    ServerSeen,
    VmState,
    WitnessId,
)
from ninelives.core.policy import BALANCED, Policy
from ninelives.core.protection import Keep, Key, Promise, Remedy, Rule
from ninelives.core.site import HostSite, QuorumSet, Road, Site

from .scenario_words import (
    Option,
    Word,
    is_yes,
    names_and_options,
    number,
    one_of,
    parts_of,
    split_at_colon,
    suggestion,
    whole,
)
from .setup import Knobs, Room, Setup

PEERS = 4  # hosts that look at a host, beside the controllers
CEPH = BackendId("ceph")


@dataclass(slots=True)
class Declarations:
    """What was declared so far."""

    hosts: dict[str, HostSite] = field(default_factory=dict[str, HostSite])
    servers: dict[str, ServerSeen] = field(default_factory=dict[str, ServerSeen])
    controllers: tuple[str, ...] = ("n1",)
    controller_hosts: tuple[str, ...] = ()
    policy: Policy = BALANCED
    segment_policies: dict[SegmentId, Policy] = field(default_factory=dict[SegmentId, Policy])
    rules: list[Rule] = field(default_factory=list[Rule])
    own_rules: list[Rule] = field(default_factory=list[Rule])
    quorum_sets: dict[str, QuorumSet] = field(default_factory=dict[str, QuorumSet])
    rooms: dict[HostId, Room] = field(default_factory=dict[HostId, Room])
    dark: set[HostId] = field(default_factory=set[HostId])
    knobs: Knobs = field(default_factory=Knobs)
    with_own_bmc: set[str] = field(default_factory=set[str])
    with_own_witnesses: set[str] = field(default_factory=set[str])

    def host(self, word: Word) -> HostSite:
        """Return a declared host."""
        return self.hosts[one_of(word, self.hosts, "host")]


def setup_of(declared: Declarations) -> Setup:
    """Finish the declarations: add what nobody spelled out."""
    return Setup(
        site_of(declared),
        policy_of(declared, declared.policy),
        {name: policy_of(declared, each) for name, each in declared.segment_policies.items()},
        tuple(declared.servers.values()),
        declared.rooms,
        declared.knobs,
        frozenset(declared.dark),
    )


def site_of(declared: Declarations) -> Site:
    """Build the inventory: add to each host the witnesses and the BMC that nobody spelled out."""
    controllers = tuple(map(WitnessId, declared.controllers))
    names = list(declared.hosts)
    blind = without_agent(declared.hosts.values())
    found = dict[HostId, HostSite]()
    for name, host in declared.hosts.items():
        witnesses = (*controllers, *peers_of(name, names, blind))
        sets = tuple(s.name for s in declared.quorum_sets.values() if host.id in s.members)
        found[host.id] = replace(
            host,
            quorum_sets=sets,
            witnesses=host.witnesses if name in declared.with_own_witnesses else witnesses,
            roads=host.roads if name in declared.with_own_bmc else (own_bmc(name),),
        )
    seats = zip(controllers, declared.controller_hosts, strict=False)
    return Site(found, controllers, declared.quorum_sets, {c: HostId(h) for c, h in seats})


def peers_of(
    host: str, hosts: Sequence[str], blind: Container[str] = frozenset()
) -> tuple[WitnessId, ...]:
    """Name the hosts that look at a host: the next ones in the order of their declaration.

    Who has no agent (`blind`) looks at nobody, and is no witness.
    """
    index = hosts.index(host)
    others = (*hosts[index + 1 :], *hosts[:index])
    return tuple(WitnessId(other) for other in others if other not in blind)[:PEERS]


def without_agent(hosts: Iterable[HostSite]) -> frozenset[str]:
    """Name the hosts that have no agent."""
    return frozenset(host.id for host in hosts if not host.has_agent)


def own_bmc(host: str) -> Road:
    """Build the one power road that a host has unless its story says otherwise."""
    return Road(RoadId(f"{host}-bmc"), address=f"bmc-{host}")


def policy_of(declared: Declarations, numbers: Policy) -> Policy:
    """Return a policy with all protection rules in it, the servers' own ones first."""
    return replace(numbers, rules=(*declared.own_rules, *declared.rules))


# Declarations, one function each.


def hosts(declared: Declarations, first: Word, words: list[Word]) -> None:
    names, options = names_and_options(words)
    for name in at_least_one(first, names, "hosts c1 c2 c3 rack=a"):
        if name.text in declared.hosts:
            raise name.wrong(f"the host '{name.text}' is declared twice")
        host = HostSite(HostId(name.text), serial=f"serial-{name.text}", backends=(CEPH,))
        for option in options:
            host = host_with(declared, host, option)
        declared.hosts[name.text] = host


def host_with(declared: Declarations, host: HostSite, option: Option) -> HostSite:
    value = option.value
    match option.key.text:
        case "rack":
            return replace(host, rack=value.text)
        case "zone":
            return replace(host, zone=value.text)
        case "segment":
            return replace(host, segment=SegmentId(value.text))
        case "serial":
            return replace(host, serial=value.text)
        case "planes":
            return replace(host, planes=planes_of(value))
        case "fate":
            return replace(host, shared_fate=(*host.shared_fate, frozenset(planes_of(value, "+"))))
        case "backends":
            return replace(host, backends=tuple(BackendId(w.text) for w in parts_of(value)))
        case "witnesses":
            declared.with_own_witnesses.add(host.id)
            return replace(host, witnesses=tuple(WitnessId(w.text) for w in parts_of(value)))
        case "agent":
            return replace(host, has_agent=is_yes(value))
        case "watchdog":
            return replace(host, has_watchdog=is_yes(value))
        case "reserved":
            return replace(host, is_reserved=is_yes(value))
        case "power":
            if one_of(value, ("on", "off"), "power") == "off":
                declared.dark.add(host.id)
            return host
        case "vcpus":
            declared.rooms[host.id] = replace(room_of(declared, host), vcpus=whole(value, "vcpus"))
            return host
        case "ram_mb":
            room = replace(room_of(declared, host), ram_mb=whole(value, "ram_mb"))
            declared.rooms[host.id] = room
            return host
        case unknown:
            known = "rack zone segment planes fate backends witnesses agent watchdog reserved"
            known += " serial power vcpus ram_mb"
            raise option.key.wrong(f"unknown option '{unknown}' of hosts", hint(unknown, known))


def room_of(declared: Declarations, host: HostSite) -> Room:
    return declared.rooms.get(host.id, Room())


def planes_of(word: Word, separator: str = ",") -> tuple[Plane, ...]:
    names = [plane.value for plane in Plane]
    return tuple(Plane(one_of(part, names, "plane")) for part in parts_of(word, separator))


def bmc(declared: Declarations, first: Word, words: list[Word]) -> None:
    """Declare power roads. The first line about a host replaces its default, others add to it."""
    names, options = names_and_options(words)
    is_none = bool(names) and names[-1].text == "none"
    for name in at_least_one(first, names[:-1] if is_none else names, "bmc c1 level=2 kind=pdu"):
        host = declared.host(name)
        before = host.roads if name.text in declared.with_own_bmc else ()
        declared.with_own_bmc.add(name.text)
        road = own_bmc(name.text)
        if before:
            road = replace(road, id=RoadId(f"{name.text}-bmc{len(before) + 1}"))
        for option in options:
            road = road_with(road, option)
        roads = () if is_none else (*before, road)
        declared.hosts[name.text] = replace(host, roads=roads)


def road_with(road: Road, option: Option) -> Road:
    value = option.value
    match option.key.text:
        case "id":
            return replace(road, id=RoadId(value.text))
        case "level":
            return replace(road, level=whole(value, "a level"))
        case "address":
            return replace(road, address=value.text)
        case "kind":
            return replace(road, kind=value.text)
        case "verified":
            return replace(road, is_verified=is_yes(value))
        case unknown:
            known = "id level address kind verified"
            raise option.key.wrong(f"unknown option '{unknown}' of bmc", hint(unknown, known))


def storage(declared: Declarations, first: Word, words: list[Word]) -> None:
    """Declare a backend: which hosts use it (default: all so far), and whether it can revoke."""
    names, options = names_and_options(words)
    if len(names) != 1:
        raise first.wrong("storage takes one name", "storage ceph revocable=yes hosts=c1,c2")
    backend = BackendId(names[0].text)
    users = list(declared.hosts)
    is_revocable = False
    for option in options:
        match option.key.text:
            case "revocable":
                is_revocable = is_yes(option.value)
            case "hosts":
                users = [declared.host(word).id for word in parts_of(option.value)]
            case unknown:
                known = "revocable hosts"
                raise option.key.wrong(
                    f"unknown option '{unknown}' of storage", hint(unknown, known)
                )
    for name in users:
        host = declared.hosts[name]
        backends = tuple(dict.fromkeys((*host.backends, backend)))
        revocable = host.revocable | {backend} if is_revocable else host.revocable - {backend}
        declared.hosts[name] = replace(host, backends=backends, revocable=revocable)


def servers(declared: Declarations, first: Word, words: list[Word]) -> None:
    usage = "servers c1: web db tier=10 data=disposable"
    head, tail = split_at_colon(first, words, usage)
    if len(head) != 1:
        raise first.wrong("servers stand on one host", usage)
    host = declared.host(head[0])
    names, options = names_and_options(tail)
    for name in at_least_one(first, names, usage):
        if name.text in declared.servers or name.text in declared.hosts:
            raise name.wrong(f"the name '{name.text}' is taken")
        seen = ServerSeen(
            ServerId(name.text), host.id, VmState.ACTIVE, None, True, disks=(CEPH,), name=name.text
        )
        promise = Promise(name.text)
        for option in options:
            if option.key.text in PROMISE_FIELDS:
                promise = promise_with(promise, option)
            else:
                seen = server_with(seen, option)
        declared.servers[name.text] = seen
        if promise != Promise(name.text):
            declared.own_rules.append(Rule(promise, ((Key.ID, name.text),)))


def server_with(seen: ServerSeen, option: Option) -> ServerSeen:
    value = option.value
    match option.key.text:
        case "project" | "zone" | "flavor" | "image" | "group" | "blocked" as name:
            return TEXT_FIELDS[name](seen, value.text)
        case "aggregates":
            return replace(seen, aggregates=tuple(word.text for word in parts_of(value)))
        case "disks":
            return replace(seen, disks=tuple(BackendId(word.text) for word in parts_of(value)))
        case "order":
            return replace(seen, order=whole(value, "an order"))
        case "locked":
            return replace(seen, is_locked=is_yes(value))
        case "image_backed":
            return replace(seen, is_image_backed=is_yes(value))
        case "tag":
            tag, _, text = value.text.partition(":")
            return replace(seen, tags={**(seen.tags or {}), tag: text})
        case "state":
            state = VmState(one_of(value, [s.value for s in VmState], "server state"))
            return replace(seen, vm_state=state, is_running=state in RUNNING)
        case unknown:
            known = f"{' '.join(TEXT_FIELDS)} {' '.join(PROMISE_FIELDS)} aggregates disks order"
            known += " locked image_backed tag state"
            raise option.key.wrong(f"unknown option '{unknown}' of servers", hint(unknown, known))


RUNNING = {VmState.ACTIVE, VmState.PAUSED, VmState.RESCUED}
TEXT_FIELDS: Mapping[str, Callable[[ServerSeen, str], ServerSeen]] = {
    "project": lambda seen, text: replace(seen, project=text),
    "zone": lambda seen, text: replace(seen, zone=text),
    "flavor": lambda seen, text: replace(seen, flavor=text),
    "image": lambda seen, text: replace(seen, image=text),
    "group": lambda seen, text: replace(seen, group=text),
    "blocked": lambda seen, text: replace(seen, blocked=text),
}
PROMISE_FIELDS = tuple(each.name for each in fields(Promise) if each.name != "name")


def promise_with(promise: Promise, option: Option) -> Promise:
    """Set one field of a promise, by its own name."""
    value, remedies = option.value, [remedy.value for remedy in Remedy]
    match option.key.text:
        case "tier":
            return replace(promise, tier=whole(value, "a tier"))
        case "data":
            return replace(promise, data=Keep(one_of(value, [k.value for k in Keep], "promise")))
        case "attempts_max":
            return replace(promise, attempts_max=whole(value, "attempts_max"))
        case "deadline_s":
            return replace(promise, deadline_s=number(value, "a deadline"))
        case "resets_state":
            return replace(promise, resets_state=is_yes(value))
        case name if name in REMEDIES:
            return REMEDIES[name](promise, Remedy(one_of(value, remedies, "remedy")))
        case unknown:
            known = " ".join(PROMISE_FIELDS)
            raise option.key.wrong(f"unknown option '{unknown}' of a promise", hint(unknown, known))


REMEDIES: Mapping[str, Callable[[Promise, Remedy], Promise]] = {
    "host_dies": lambda promise, remedy: replace(promise, host_dies=remedy),
    "compute_fails": lambda promise, remedy: replace(promise, compute_fails=remedy),
    "libvirt_hangs": lambda promise, remedy: replace(promise, libvirt_hangs=remedy),
    "server_crashes": lambda promise, remedy: replace(promise, server_crashes=remedy),
    "guest_hangs": lambda promise, remedy: replace(promise, guest_hangs=remedy),
}


def rule(declared: Declarations, first: Word, words: list[Word]) -> None:
    """Declare a protection class. Keys choose servers; without a key the rule is for all."""
    head, tail = split_at_colon(first, words, "rule gold zone=az1 tag=class:gold: tier=10")
    names, keys = names_and_options(head)
    if len(names) != 1:
        raise first.wrong("a rule has one name", "rule gold tag=class:gold: tier=10")
    promise = Promise(names[0].text)
    for option in names_and_options(tail)[1]:
        promise = promise_with(promise, option)
    chosen: list[tuple[Key, str]] = []
    for option in keys:
        key = Key(one_of(option.key, [each.value for each in Key], "key of a rule"))
        text = option.value.text
        chosen.append((key, text.replace(":", "=", 1) if key is Key.TAG else text))
    declared.rules.append(Rule(promise, tuple(chosen)))


def hint(unknown: str, known: str) -> str:
    return suggestion(unknown, known.split())


def at_least_one(first: Word, names: list[Word], usage: str) -> Iterable[Word]:
    if not names:
        raise first.wrong(f"'{first.text}' names nobody", usage)
    return names
