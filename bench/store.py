"""Measure durable events per second: writer thread, group commit, SQLite with synchronous=FULL.

Run: `python bench/store.py [events] [directory]`. Two loads, for group commit lives on what waits:

    saturated   the queue is never empty, so that groups are as large as they may be
    64 waiting  each event is offered when one of 64 before it became durable

The events are made beforehand: deciding and encoding are not in these figures. What a sync of this
disk costs is printed beside them, for a virtual disk may acknowledge sooner than a real one.
"""

import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ninelives.adapters.sql import open_store
from ninelives.engine.ports import Batch, Committed, Entry, Store
from ninelives.engine.writer import QUEUE_BATCHES_MAX, Report, Writer

EVENT_BYTES, NOTES_BYTES, BODY_BYTES = 300, 100, 400
RECORDS, RUNS, SYNCS = 1_000, 5, 200
LOADS = {"saturated": QUEUE_BATCHES_MAX, "64 waiting": 64}


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    root = Path(sys.argv[2]) if len(sys.argv) > 2 else Path.cwd()
    print(
        f"SQLite WAL FULL; {events} events of {EVENT_BYTES} bytes, 1-2 puts of {BODY_BYTES} bytes;"
        f" {os.cpu_count()} cores, Python {platform.python_version()};"
        f" fdatasync of 8 KiB here: {sync_ms(root):.2f} ms (median of {SYNCS})"
    )
    for load, in_flight in LOADS.items():
        runs = [measure(events, root, in_flight) for _ in range(RUNS)]
        for rate, cpu_us, commits in runs:
            print(f"{load:10}  {rate:7,.0f} events/s  {cpu_us:5.1f} µs CPU each  {commits} commits")
        print(f"{load:10}  median of {RUNS}: {statistics.median(run[0] for run in runs):,.0f}/s")


def measure(events: int, root: Path, in_flight: int) -> tuple[float, float, int]:
    """Time until all of `events` is durable: events a second, µs of CPU an event, commits."""
    batches = [decision(number) for number in range(events)]
    with tempfile.TemporaryDirectory(dir=root) as directory:
        store = open_store(f"sqlite:///{directory}/store.db")
        assert store.take(store.lease(), "bench")
        began, cpu = time.monotonic(), time.process_time()
        commits = write(store, batches, in_flight)
        took, cpu_took = time.monotonic() - began, time.process_time() - cpu
        assert store.identity().revision == events
        store.close()
    return events / took, cpu_took / events * 1e6, commits


def write(store: Store, batches: list[Batch], in_flight: int) -> int:
    """Offer each batch as soon as fewer than `in_flight` wait. The number of commits it took."""
    room, commits = threading.Semaphore(in_flight), list[Committed]()
    writer = Writer(store, counting(room, commits))
    for batch in batches:
        room.acquire()
        assert writer.offer(batch)
    assert writer.close(timeout_s=300.0)
    return len(commits)


def counting(room: threading.Semaphore, commits: list[Committed]) -> Callable[[Report], None]:
    """Give room for as many batches (of one entry each) as became durable."""

    def report(answer: Report) -> None:
        if isinstance(answer, Committed):
            before = commits[-1].revision if commits else 0
            commits.append(answer)
            room.release(answer.revision - before)

    return report


def sync_ms(root: Path) -> float:
    """What one fdatasync of a freshly written 8 KiB costs in `root`."""
    with tempfile.TemporaryFile(dir=root) as file:
        costs: list[float] = []
        for _ in range(SYNCS):
            began = time.monotonic()
            os.write(file.fileno(), bytes(8192))
            os.fdatasync(file.fileno())
            costs.append(time.monotonic() - began)
    return statistics.median(costs) * 1e3


def decision(number: int) -> Batch:
    """One event as a busy cluster has it: a host's record each time, a server's every other."""
    entry = Entry(
        number + 1, 1, number / 100, 1e9 + number / 100, os.urandom(EVENT_BYTES), b"n" * NOTES_BYTES
    )
    puts = {f"host/{number * 7 % RECORDS}": os.urandom(BODY_BYTES)}
    if number % 2:
        puts[f"server/{number * 13 % RECORDS}"] = os.urandom(BODY_BYTES)
    return Batch(1, number, (entry,), puts)


if __name__ == "__main__":
    main()
