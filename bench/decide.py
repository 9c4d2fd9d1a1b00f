"""Measure what one decision costs, how that grows with the fleet, and what a fleet weighs.

Run: `python bench/decide.py [events]`. Everything goes through Node: decide, check the live laws,
apply, hand out, ask for the next wake. Loads, each in a random order of hosts:

    news       a fleet in health; one witness, agent, Nova record or reading at a time has changed
    episodes   hosts lose power one after another: all events from first silence to vacated, with
               20 servers each, every request answered at once
    outage     the same news while 5 % of the hosts are evacuating

Memory is what a process of its own adds for the cluster: a healthy fleet (of whose servers nothing
is kept), 5 % of the hosts in an episode, and all of them, with a record for each server.
"""

import gc
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ninelives.core import actions, events, states
from ninelives.core.cluster import Cluster, Control, Decision, Heard, Sights
from ninelives.core.decide import decide
from ninelives.core.draft import Draft, restored
from ninelives.core.invariants import check
from ninelives.core.model import (
    BackendId,
    BootId,
    Candidate,
    HostId,
    MoveRecord,
    Plane,
    Power,
    Refusal,
    RoadId,
    SegmentId,
    ServerId,
    ServerSeen,
    Sign,
    VmState,
    WitnessId,
)
from ninelives.core.plan import plan
from ninelives.core.policy import BALANCED
from ninelives.core.proofs import power_off
from ninelives.core.site import HostSite, Road, Site
from ninelives.engine.node import Node, lawless

SIZES = (10, 1_000, 10_000)
RACK, SEGMENT, SERVERS, PEERS, RUNS = 20, 200, 20, 5, 5
CEPH = BackendId("ceph")
CONTROLLERS = (WitnessId("k1"), WitnessId("k2"), WitnessId("k3"))
PLANES = (Plane.MANAGEMENT, Plane.STORAGE, Plane.TENANT)
MEMORY_CASES = {"healthy": 0.0, "5 % in an episode": 0.05, "all in an episode": 1.0}


def main() -> None:
    if sys.argv[1:2] == ["--memory"]:
        weigh(float(sys.argv[2]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print(
        f"{os.cpu_count()} cores, one used, load {os.getloadavg()[0]:.1f};"
        f" Python {platform.python_version()}; {count} events, medians of {RUNS}"
    )
    for load in (news_load, episodes_load, outage_load):
        costs = {size: load(size, count) for size in SIZES}
        name = load.__name__.removesuffix("_load")
        for size, cost_us in costs.items():
            rate = 1e6 / cost_us
            print(f"{name:9} {size:6,} hosts  {cost_us:6.1f} µs an event  {rate:8,.0f} events/s")
        first, last = costs[SIZES[0]], costs[SIZES[-1]]
        print(f"{name:9} the last is {last / first:.2f} × the first, {last - first:+.1f} µs")
    for name, share in MEMORY_CASES.items():
        command = [sys.executable, __file__, "--memory", str(share)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        print(f"memory    {SIZES[-1]:6,} hosts, {name}: {said.strip()}")


# ------------------------------------------------------------------------------------ loads


def lawful(cluster: Cluster, event: events.Event, now: float) -> Decision:
    decision = decide(cluster, event, now)
    assert not check(cluster, event, decision, now)
    return decision


def news_load(size: int, count: int) -> float:
    """Return the µs of an event when nothing is wrong anywhere."""
    return timed(lambda: healthy(size), list(news(size, count)))


def outage_load(size: int, count: int) -> float:
    """Return the µs of an event while one host in twenty (at least one) is evacuated."""
    return timed(lambda: in_episodes(size, 0.05), list(news(size, count)))


def timed(make: Callable[[], Cluster], batch: list[events.Event]) -> float:
    """Return what one event of `batch` costs in the median of some runs, in µs of CPU time."""
    costs: list[float] = []
    for _ in range(RUNS):
        node = Node(settled(make()), lawful, 0, lawless)
        now, began = node.cluster.now + 0.5, time.process_time()
        for event in batch:
            node.due(now)
            node.committed(node.offer(event, now).revision)
        costs.append((time.process_time() - began) / len(batch) * 1e6)
    return statistics.median(costs)


def settled(cluster: Cluster) -> Cluster:
    """Keep the garbage collector from walking the fleet again and again, as a leader does."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return cluster


def news(size: int, count: int) -> Iterator[events.Event]:
    """Yield changes as receivers hand them on: none of them makes anybody suspicious."""
    chance = random.Random(1)  # noqa: S311 - a seeded order, no secret
    sites = fleet(size).hosts
    names = tuple(sites)
    for number in range(count):
        host = sites[names[chance.randrange(size)]]
        boot = boot_of(host.id)
        match number % 5:
            case 0 | 1:
                sign = (Sign.STRONG, Sign.WEAK)[number % 2]
                change = events.Change(host.id, PLANES[number % 3], sign, boot)
                yield events.Sighted(host.witnesses[chance.randrange(3, 3 + PEERS)], (change,))
            case 2:
                yield events.AgentSaid(host.id, boot, guests_progress=number % 2 == 0)
            case 3:
                yield events.NovaSeen(host.id, True, True, False, False, is_ours=False)
            case _:
                yield events.Renewed(host.id, boot, watchdog_armed=True)


def episodes_load(size: int, count: int) -> float:
    """Return the µs of an event on the way of a host from its last sign to vacated."""
    node = Node(settled(healthy(size)), lawful, 0, lawless)
    return statistics.median(many_episodes(node, count // RUNS, run) for run in range(RUNS))


def many_episodes(node: Node, count: int, seed: int) -> float:
    chance = random.Random(seed)  # noqa: S311 - a seeded order, no secret
    names, spent, folded = tuple(node.cluster.site.hosts), 0.0, 0
    while folded < count:
        host = chance.choice(names)
        took, many = power_loss(node, host)
        spent, folded = spent + took, folded + many
        as_before(node.cluster, host)
    return spent / folded * 1e6


def power_loss(node: Node, host: HostId) -> tuple[float, int]:
    """Let one host die, answer all that is asked, and return the seconds spent and the events."""
    world = Answers(host)
    now, spent, folded = node.cluster.now + 1, 0.0, 0
    queue: list[events.Event] = list(silences(node.cluster.site.hosts[host]))
    while not isinstance(node.cluster.hosts[host].state, states.Vacated):
        began = time.process_time()
        subject = node.due(now)
        event = events.Woke(subject) if subject else (queue.pop(0) if queue else None)
        if event is not None:
            handed_out = node.committed(node.offer(event, now).revision)
            spent, folded = spent + time.process_time() - began, folded + 1
            queue += [answer for action in handed_out for answer in world.to(action)]
        else:
            due = node.wake_at()
            assert due is not None
            now = due
    return spent, folded


def as_before(cluster: Cluster, host: HostId) -> None:
    """Put a vacated host back among the healthy, without its way back."""
    draft = Draft(cluster, cluster.now)
    for move in draft.moves_of(host):
        draft.drop_move(move)
    draft.put_host(states.Host(host, state=states.Healthy(cluster.now), boot=boot_of(host)))
    draft.put_sights(sights_of(draft, host))
    draft.put_control(replace(draft.control, shots=()))
    for entry in cluster.outbox:
        draft.settle(entry)
    for subject in cluster.wakes:
        draft.woke(subject)
    cluster.apply(draft.decision())


# ------------------------------------------------------------------------------------ the world


class Answers:
    """The world around one dead host: everything works, at once."""

    def __init__(self, host: HostId) -> None:
        self.servers = {server.id: server for server in servers_of(host)}

    def to(self, action: actions.Action) -> Iterable[events.Event]:
        match action:
            case actions.ReadPower(host=host):
                return [events.PowerRead(host, RoadId(f"bmc-{host}"), Power.OFF)]
            case actions.ReadStorage(host=host):
                return [events.StorageSeen(host, CEPH, watched=False, revoked=False)]
            case actions.ListServers():
                return [events.Listed(action, tuple(self.servers.values()), is_complete=True)]
            case actions.Watch(servers=servers):
                return [events.Watched(action, tuple(self.servers[name] for name in servers))]
            case actions.AskTargets():
                neighbours = fleet_of(self.servers[action.server]).values()
                rooms = tuple(Candidate(each.id, 9, sees_disk=True) for each in neighbours)
                return [events.TargetsSeen(action, rooms)]
            case actions.Evacuate():
                self.arrive(action)
            case actions.StartServer(server=server):
                running = replace(self.servers[server], vm_state=VmState.ACTIVE, is_running=True)
                self.servers[server] = running
            case _:
                pass
        is_read = isinstance(action, actions.READS)
        return [] if is_read else [events.Replied(action, events.Outcome.DONE)]

    def arrive(self, action: actions.Evacuate) -> None:
        record = MoveRecord(action.attempt, "evacuation", action.source, action.target, "done")
        self.servers[action.server] = replace(
            self.servers[action.server],
            host=action.target,
            vm_state=VmState.STOPPED,
            is_running=False,
            records=(record,),
        )


def silences(site: HostSite) -> Iterator[events.Event]:
    changes = tuple(events.Change(site.id, plane, Sign.SILENT) for plane in PLANES)
    for witness in site.witnesses:
        yield events.Sighted(witness, changes)


def servers_of(host: HostId) -> Iterator[ServerSeen]:
    for number in range(SERVERS):
        name = ServerId(f"{host}-server{number}")
        yield ServerSeen(
            *(name, host, VmState.ACTIVE, None, True),
            disks=(CEPH,),
            name=name,
            project=f"project{number}",
            zone="nova",
            flavor="m1.small",
        )


# ------------------------------------------------------------------------------------ the fleet


def fleet(size: int) -> Site:
    """Racks of 20, segments of 200; each host is watched by five others and three controllers."""
    names = [name_of(number) for number in range(size)]
    hosts = {name: host_site(number, names) for number, name in enumerate(names)}
    return Site(hosts, CONTROLLERS)


def fleet_of(server: ServerSeen) -> dict[HostId, HostSite]:
    """Return ten hosts of the server's own segment, as Placement would propose."""
    assert server.host is not None
    number = int(server.host.removeprefix("host"))
    start = number // SEGMENT * SEGMENT
    near = [start + (number - start + step) % SEGMENT for step in range(10)]
    return {name_of(each): HostSite(name_of(each)) for each in near}


def name_of(number: int) -> HostId:
    return HostId(f"host{number:05}")


def boot_of(host: HostId) -> BootId:
    return BootId(f"{host}-boot")


def host_site(number: int, names: list[HostId]) -> HostSite:
    size = len(names)
    # Neighbours of other racks, so that a rack's end silences no one witness group of another.
    steps = range(1, min(size, PEERS + 1))
    others = tuple(WitnessId(names[(number + step * (RACK + 1)) % size]) for step in steps)
    return HostSite(
        names[number],
        SegmentId(f"s{number // SEGMENT}"),
        rack=f"r{number // RACK}" if size > RACK else f"r{number}",
        zone="nova",
        serial=f"serial{number}",
        planes=PLANES,
        roads=(Road(RoadId(f"bmc-{names[number]}"), address=f"bmc-{names[number]}"),),
        backends=(CEPH,),
        witnesses=(*CONTROLLERS, *others),
        has_watchdog=True,
    )


def healthy(size: int) -> Cluster:
    """A leader in the midst of its term: all is heard, all is well."""
    cluster = restored(fleet(size), BALANCED, Control(), (), (), ())
    cluster.apply(decide(cluster, events.TermBegan(1, CONTROLLERS[0]), 0.0))
    draft = Draft(cluster, 0.0)
    for host in cluster.site.hosts:
        draft.put_host(states.Host(host, state=states.Healthy(0.0), boot=boot_of(host)))
        draft.put_sights(sights_of(draft, host))
    heard = frozenset(name for site in cluster.site.hosts.values() for name in site.witnesses)
    reached = {(witness, plane): (2, 2) for witness in heard for plane in PLANES}
    draft.put_views(replace(draft.views, witnesses=heard, references=reached))
    cluster.apply(draft.decision())
    cluster.now = 1000.0
    assert all((cluster.site.members, cluster.site.watching, cluster.site.on_device))  # once
    return cluster


def sights_of(draft: Draft, host: HostId) -> Sights:
    witnesses, boot = draft.site(host).witnesses, boot_of(host)
    heard = {
        plane: {witness: Heard(Sign.STRONG, boot, 0.0) for witness in witnesses} for plane in PLANES
    }
    return Sights(host, heard, strong_at=0.0, strong_boot=boot)


def in_episodes(size: int, share: float) -> Cluster:
    """The same with a share of its hosts proved off, and each of their servers on the move."""
    cluster = healthy(size)
    for host in list(cluster.site.hosts)[: max(1, int(size * share)) if share else 0]:
        draft = Draft(cluster, cluster.now)
        open_episode(draft, host)
        cluster.apply(draft.decision())
    return cluster


def open_episode(draft: Draft, host: HostId) -> None:
    road, now = RoadId(f"bmc-{host}"), draft.now
    record = states.Host(
        host,
        epoch=1,
        state=states.Fencing(now, states.Class.DEAD_OR_FROZEN),
        boot=boot_of(host),
        shots=(states.Shot(road, 1, now, was_accepted=True),),
        off_reads=(states.OffReads(road, now - 9, now),),
        disabled_by_us=True,
        forced_down_by_us=True,
        last_off_at=now,
    )
    draft.put_host(record)
    proof = power_off(draft, host)
    assert not isinstance(proof, Refusal)
    draft.put_host(replace(record, state=states.Evacuating(now), proofs=(proof,)))
    for server in servers_of(host):
        draft.put_move(plan(draft, host, server))
    draft.wake_host(host, now + 1e6)


# ------------------------------------------------------------------------------------ weight


def weigh(share: float) -> None:
    """Print by how much this process grew for the whole fleet."""
    before = resident_mib()
    cluster = in_episodes(SIZES[-1], share)
    grown = resident_mib() - before
    print(
        f"{grown:.0f} MiB for {len(cluster.hosts):,} hosts, {len(cluster.moves):,} server records"
    )


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
