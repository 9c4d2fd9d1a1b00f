"""Measure durable decisions per second: Node, `decide`, codec, journal, SQLite FULL, group commit.

Run: `python bench/journal.py [events] [directory]`. A fleet of healthy hosts; its witnesses report
changes, its devices are read, its services change, now and then a host falls silent and returns:
what a busy leader folds. Printed besides: what each document costs to write and to read.
"""

import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from ninelives.adapters.sql import open_store
from ninelives.core import actions, events, states
from ninelives.core.cluster import Entry
from ninelives.core.decide import decide
from ninelives.core.model import (
    EVERYTHING,
    BackendId,
    BootId,
    HostId,
    Method,
    MoveRecord,
    Plane,
    Power,
    Proof,
    RoadId,
    ServerId,
    ServerSeen,
    Sign,
    VmState,
    WitnessId,
)
from ninelives.core.policy import BALANCED
from ninelives.core.protection import Promise
from ninelives.core.setting import Setting
from ninelives.core.site import HostSite, Road, Site
from ninelives.engine import codec
from ninelives.engine.journal import batch_of, restored
from ninelives.engine.node import Node
from ninelives.engine.ports import Committed
from ninelives.engine.writer import Report, Writer

HOSTS, WITNESSES, RUNS, CALLS = 100, 3, 5, 2_000
IN_FLIGHT = 1_000  # decided ahead of the disk at most


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    root = Path(sys.argv[2]) if len(sys.argv) > 2 else Path.cwd()
    print(
        f"{count} events, {HOSTS} hosts; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f},"
        f" Python {platform.python_version()}"
    )
    for name, form, value in DOCUMENTS:
        document = codec.encode(form, value)
        write_us = cost_us(partial(codec.encode, form, value))
        read_us = cost_us(partial(codec.decode, form, document))
        size = len(document)
        print(f"{name:14} {size:5} bytes  write {write_us:5.1f} µs  read {read_us:5.1f} µs")
    runs = [measure(count, root, seed) for seed in range(RUNS)]
    for rate, cpu_us, puts, commits in runs:
        print(f"{rate:7,.0f} events/s  {cpu_us:5.1f} µs CPU each  {puts} puts  {commits} commits")
    print(f"median of {RUNS}: {statistics.median(run[0] for run in runs):,.0f}/s")


def cost_us(call: Callable[[], object]) -> float:
    """The best of RUNS means, in microseconds: what the call costs when nobody disturbs it."""
    best = float("inf")
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(CALLS):
            call()
        best = min(best, (time.perf_counter() - began) / CALLS)
    return best * 1e6


def measure(count: int, root: Path, seed: int) -> tuple[float, float, int, int]:
    """Events a second until all is durable, µs of CPU an event, records written, commits."""
    happenings = list(islice(busy(Random(seed)), count))  # noqa: S311 - a load, not a secret
    with tempfile.TemporaryDirectory(dir=root) as directory:
        store = open_store(f"sqlite:///{directory}/store.db")
        assert store.take(store.lease(), "bench")
        room, commits = threading.Semaphore(IN_FLIGHT), list[Committed]()
        writer = Writer(store, counting(room, commits))
        node = Node(restored({}, Setting(SITE, BALANCED)), decide, 0)
        began, cpu, written = time.monotonic(), time.process_time(), 0
        for number, event in enumerate(happenings):
            room.acquire()
            batch = batch_of(node.offer(event, 1000.0 + number / 5_000), 0.0)
            written += len(batch.puts)
            assert writer.offer(batch)
        assert writer.close(timeout_s=300.0)
        took, cpu_took = time.monotonic() - began, time.process_time() - cpu
        assert store.identity().revision == count
        store.close()
    return count / took, cpu_took / count * 1e6, written, len(commits)


def counting(room: threading.Semaphore, commits: list[Committed]) -> Callable[[Report], None]:
    def report(answer: Report) -> None:
        if isinstance(answer, Committed):
            room.release(answer.revision - (commits[-1].revision if commits else 0))
            commits.append(answer)

    return report


# ------------------------------------------------------------------------- what a leader hears


def host_id(number: int) -> HostId:
    return HostId(f"compute-{number % HOSTS:03}")


def witnesses_of(number: int) -> tuple[WitnessId, ...]:
    return tuple(WitnessId(host_id(number + step)) for step in range(1, WITNESSES + 1))


SITE = Site(
    {
        host_id(number): HostSite(
            host_id(number),
            rack=f"rack-{number // 20}",
            roads=(Road(RoadId(f"bmc-{number}")),),
            witnesses=witnesses_of(number),
        )
        for number in range(HOSTS)
    },
    controllers=(WitnessId("ctl-a"),),
)


def busy(chance: Random) -> Iterator[events.Event]:
    """Yield what happens: first everybody is seen, then one thing after the other."""
    yield events.TermBegan(1, WitnessId("ctl-a"))
    for number in range(HOSTS):
        for witness in witnesses_of(number):
            yield sighted(witness, number, Sign.STRONG)
    while True:
        yield from happening(chance, chance.randrange(HOSTS))


def happening(chance: Random, number: int) -> Iterator[events.Event]:
    host, witness = host_id(number), chance.choice(witnesses_of(number))
    match chance.randrange(5):
        case 0:
            yield sighted(witness, number, Sign.SILENT)
            yield sighted(witness, number, Sign.STRONG)
        case 1:
            for each in witnesses_of(number):
                yield sighted(each, number, Sign.SILENT)
            yield events.PowerRead(host, RoadId(f"bmc-{number}"), Power.ON)
            for each in witnesses_of(number):
                yield sighted(each, number, Sign.STRONG)
            yield events.Woke(f"host/{host}")
        case 2:
            yield events.Renewed(host, boot_of(number), watchdog_armed=True)
        case 3:
            yield events.AgentSaid(host, boot_of(number), is_slow=chance.random() < 0.1)
        case _:
            yield events.NovaSeen(host, True, True, False, False, False)


def boot_of(number: int) -> BootId:
    return BootId(f"boot-of-{number}")


def sighted(witness: WitnessId, number: int, sign: Sign) -> events.Sighted:
    boot = boot_of(number) if sign is Sign.STRONG else None
    return events.Sighted(
        witness, tuple(events.Change(host_id(number), plane, sign, boot) for plane in Plane)
    )


# ------------------------------------------------------------------------- typical documents

C1, C2, S1, CEPH = host_id(1), host_id(2), ServerId("b2f1"), BackendId("ceph")
SEND = actions.Evacuate(S1, C1, C2, epoch=3, attempt=1)
RECORD = MoveRecord(17, "evacuation", C1, C2, "accepted")
SEEN = ServerSeen(
    S1, C1, VmState.ACTIVE, None, True, (RECORD,), disks=(CEPH,), name="web-1", project="shop",
    zone="z1", aggregates=("ssd",), flavor="m1", image="deb", tags={"tier": "gold"},
)  # fmt: skip
MOVE = states.Move(
    S1, C1, 3, states.Verifying(1000.5, C2), SEEN, Promise(), True, states.Will.RUNNING,
    attempt=1, named=(C2,), writers=frozenset({C1}),
)  # fmt: skip
PROOF = Proof(Method.POWER_OFF, C1, 3, 7, 1000.5, boot_of(1), EVERYTHING, "read off twice")
HOST = states.Host(
    C1, 3, states.Fenced(1000.5), boot_of(1), (PROOF,), (states.Shot(RoadId("bmc-1")),)
)
DOCUMENTS: tuple[tuple[str, codec.Form[Any], object], ...] = (
    ("event Replied", codec.EVENT, events.Replied(SEND, events.Outcome.DONE)),
    ("event Sighted", codec.EVENT, sighted(WitnessId("c2"), 1, Sign.SILENT)),
    ("record Host", codec.HOST, HOST),
    ("record Move", codec.MOVE, MOVE),
    ("record outbox", codec.OUTBOX, Entry(SEND, 7, 1000.5, 1030.5)),
)


if __name__ == "__main__":
    main()
