"""Worlds drawn by chance: small clouds in every shape that a site may have, and one dense one.

Small clouds in many shapes find nearly everything: most failures need no more than three nodes.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from ninelives.core.model import (
    LOCAL,
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
from ninelives.core.policy import BALANCED, PRESETS, Policy
from ninelives.core.protection import Keep, Key, Promise, Remedy, Rule
from ninelives.core.site import HostSite, QuorumSet, Road, Site

from .scenario_site import CEPH, own_bmc, peers_of, without_agent
from .setup import Knobs, Room, Setup

HOSTS_MIN, HOSTS_MAX = 3, 12
NFS = BackendId("nfs")

GOLD = Rule(Promise("gold", tier=10), ((Key.TAG, "class=gold"),))
CATTLE = Rule(
    Promise(
        *("cattle", 70, Keep.DISPOSABLE),
        guest_hangs=Remedy.RESTART,
        attempts_max=3,
        resets_state=True,
    ),
    ((Key.TAG, "class=cattle"),),
)
LEFT_ALONE = Rule(
    Promise("left-alone", host_dies=Remedy.LEAVE, server_crashes=Remedy.LEAVE),
    ((Key.TAG, "class=left-alone"),),
)
MIGRATED = Rule(
    Promise("migrated", tier=30, compute_fails=Remedy.MIGRATE, libvirt_hangs=Remedy.FENCE),
    ((Key.TAG, "class=migrated"),),
)
RULES = (GOLD, CATTLE, LEFT_ALONE, MIGRATED)
AGENTS = (1.0, 1.0, 0.9, 0.5, 0.0)  # which share of a site's hosts has one: each as likely
CLASSES = ("", "", "gold", "cattle", "left-alone", "migrated")


def drawn_setup(rng: Random) -> Setup:
    """Draw a whole world. The same state of `rng` gives the same one."""
    names = [f"h{number}" for number in range(1, rng.randint(HOSTS_MIN, HOSTS_MAX) + 1)]
    policy = drawn_policy(rng)
    segments = drawn_segments(rng, len(names))
    controllers = tuple(WitnessId(f"n{n}") for n in range(1, rng.choice((1, 2, 3, 3)) + 1))
    shape = drawn_shape(rng)
    agents = rng.choice(AGENTS)
    drawn = [
        drawn_host(rng, name, segment, shape, agents)
        for name, segment in zip(names, segments, strict=True)
    ]
    blind = without_agent(drawn)
    hosts = {
        host.id: replace(host, witnesses=(*controllers, *peers_of(host.id, names, blind)))
        for host in drawn
    }
    hosts, sets = with_quorum(rng, hosts)
    seats = dict(zip(controllers, hosts, strict=False)) if rng.random() < 0.2 else {}
    own = {each: drawn_policy(rng) for each in sorted(set(segments)) if rng.random() < 0.2}
    servers = drawn_servers(rng, tuple(hosts.values()))
    return Setup(
        Site(hosts, controllers, sets, seats),
        policy,
        {segment: replace(each, rules=RULES) for segment, each in own.items()},
        tuple(servers),
        drawn_rooms(rng, tuple(hosts.values()), servers),
        Knobs(boot_s=rng.choice((30.0, 60.0, 120.0)), spawn_s=rng.choice((1.0, 5.0, 20.0))),
    )


def drawn_shape(rng: Random) -> HostSite:
    """Draw what all hosts of a site have in common: planes, and how much is built in."""
    kind, shape = rng.random(), HostSite(HostId("any"))
    if kind < 0.1:
        return replace(shape, planes=(Plane.MANAGEMENT,))
    if kind < 0.3:
        return replace(shape, shared_fate=(frozenset({Plane.MANAGEMENT, Plane.TENANT}),))
    return shape


def drawn_policy(rng: Random) -> Policy:
    policy = replace(PRESETS[rng.choice(tuple(PRESETS))], rules=RULES)
    if rng.random() < 0.5:
        policy = replace(policy, power_on_after_vacated=True)
    if rng.random() < 0.2:
        policy = replace(policy, witnesses_min=1)
    if rng.random() < 0.2:
        policy = replace(policy, kdump_wait_s=60.0)
    if rng.random() < 0.2:
        policy = replace(policy, target_moves_max=1, moves_max=3)
    if rng.random() < 0.15:
        policy = replace(policy, maintenance_recovers=False)
    if rng.random() < 0.15:
        policy = replace(policy, storage_lock_wait_s=30.0)
    return policy


def drawn_segments(rng: Random, count: int) -> list[SegmentId]:
    """Put the hosts into one segment, or the two halves into one each."""
    if count < 6 or rng.random() < 0.7:
        return [SegmentId("default")] * count
    return [SegmentId("left" if index < count // 2 else "right") for index in range(count)]


def drawn_host(
    rng: Random, name: str, segment: SegmentId, shape: HostSite, agents: float
) -> HostSite:
    has_agent = rng.random() < agents
    backends = (CEPH, NFS) if rng.random() < 0.3 else (CEPH,)
    return replace(
        shape,
        id=HostId(name),
        segment=segment,
        rack=f"r{rng.randint(1, 3)}",
        zone="az1" if segment != "right" else "az2",
        serial=f"serial-{name}",
        roads=drawn_roads(rng, name),
        backends=backends,
        revocable=frozenset(each for each in backends if rng.random() < 0.5),
        has_agent=has_agent,
        has_watchdog=has_agent and rng.random() < 0.4,
        is_reserved=rng.random() < 0.05,
    )


def drawn_roads(rng: Random, name: str) -> tuple[Road, ...]:
    bmc = own_bmc(name)
    kind = rng.random()
    if kind < 0.65:
        return (bmc,)
    if kind < 0.8:
        return (bmc, Road(RoadId(f"{name}-pdu"), level=2, address=f"pdu-{name}", kind="pdu"))
    if kind < 0.88:
        return (bmc, Road(RoadId(f"{name}-psu"), address=f"psu-{name}", kind="pdu"))
    if kind < 0.95:
        return (replace(bmc, is_verified=False),)
    return ()


def with_quorum(
    rng: Random, hosts: dict[HostId, HostSite]
) -> tuple[dict[HostId, HostSite], dict[str, QuorumSet]]:
    """Let three hosts carry the members of a database, sometimes."""
    if rng.random() >= 0.3:
        return hosts, {}
    members = frozenset(rng.sample(sorted(hosts), 3))
    marked = {
        name: replace(host, quorum_sets=("galera",)) if name in members else host
        for name, host in hosts.items()
    }
    return marked, {"galera": QuorumSet("galera", members, 2)}


def drawn_rooms(
    rng: Random, hosts: Sequence[HostSite], servers: Sequence[ServerSeen]
) -> dict[HostId, Room]:
    """Draw how much room there is. Where hosts are kept in reserve the others are full, mostly."""
    is_wide = rng.random() < 0.75
    if any(host.is_reserved for host in hosts) and rng.random() < 0.7:
        return {host.id: Room(vcpus=drawn_need(rng, host, servers)) for host in hosts}
    return {} if is_wide else {host.id: Room(vcpus=rng.randint(4, 16)) for host in hosts}


def drawn_need(rng: Random, host: HostSite, servers: Sequence[ServerSeen]) -> int:
    """Draw room for who is there and perhaps one more; in the reserve for some."""
    if host.is_reserved:
        return rng.randint(1, 6)
    return sum(server.host == host.id for server in servers) + rng.randint(0, 1)


# Servers.

STATES = (VmState.ACTIVE,) * 8 + (
    VmState.STOPPED,
    VmState.PAUSED,
    VmState.SUSPENDED,
    VmState.ERROR,
    VmState.RESCUED,
    VmState.SHELVED_OFFLOADED,
)
RUN = frozenset({VmState.ACTIVE, VmState.PAUSED, VmState.RESCUED})


def drawn_servers(rng: Random, hosts: Sequence[HostSite]) -> list[ServerSeen]:
    per_host = rng.choice((1, 2, 3, 4))
    return [
        drawn_server(rng, ServerId(f"s{index}-{host.id}"), host)
        for host in hosts
        if not host.is_reserved
        for index in range(1, per_host + 1)
    ]


def drawn_server(rng: Random, name: ServerId, host: HostSite) -> ServerSeen:
    kind, disk = rng.choice(CLASSES), rng.choice((*host.backends, *host.backends, CEPH))
    state = rng.choice(STATES)
    if state is VmState.SHELVED_OFFLOADED:
        state = VmState.ACTIVE
    is_local = rng.random() < 0.1
    return ServerSeen(
        name,
        host.id,
        state,
        None,
        state in RUN,
        disks=(LOCAL,) if is_local else (disk,),
        is_image_backed=is_local or rng.random() < 0.15,
        blocked="vtpm" if rng.random() < 0.03 else "",
        is_locked=rng.random() < 0.05,
        name=name,
        project=f"p{rng.randint(1, 3)}",
        tags={"class": kind} if kind else None,
        group=rng.choice(("", "", "shop", "bank")),
        order=rng.randint(0, 2),
    )


# The world of the figures.


def dense_setup(hosts: int = 10, servers: int = 6, controllers: int = 3) -> Setup:
    """Build the world of the figures: always the same, everything in it protected."""
    names = [f"h{number}" for number in range(1, hosts + 1)]
    leaders = tuple(WitnessId(f"n{number}") for number in range(1, controllers + 1))
    found = {
        HostId(name): HostSite(
            HostId(name),
            rack=f"r{index % 3 + 1}",
            zone="az1",
            serial=f"serial-{name}",
            roads=(own_bmc(name),),
            backends=(CEPH,),
            revocable=frozenset({CEPH}),
            witnesses=(*leaders, *peers_of(name, names)),
            has_watchdog=index % 2 == 0,
        )
        for index, name in enumerate(names)
    }
    policy = replace(BALANCED, power_on_after_vacated=True, rules=RULES)
    guests = tuple(
        ServerSeen(
            ServerId(f"s{index}-{name}"),
            HostId(name),
            VmState.ACTIVE,
            None,
            is_running=True,
            disks=(CEPH,),
            name=f"s{index}-{name}",
            tags={"class": "gold"} if index == 1 else None,
        )
        for name in names
        for index in range(1, servers + 1)
    )
    return Setup(Site(found, leaders), policy, servers=guests)
