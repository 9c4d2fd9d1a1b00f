"""Measure durable events per second: writer thread, group commit, SQLite with synchronous=FULL.

Run: `python bench/store.py [events] [directory]`. The directory should be on a real disk.
"""

import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from ninelives.adapters.sql import open_store
from ninelives.engine.ports import Batch, Committed, Entry
from ninelives.engine.writer import Report, Writer

EVENT_BYTES, NOTES_BYTES, BODY_BYTES = 300, 100, 400
RECORDS, RUNS = 1_000, 5


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    root = Path(sys.argv[2]) if len(sys.argv) > 2 else Path.cwd()
    rates: list[float] = []
    for run in range(1, RUNS + 1):
        rate, cpu_us, commits = measure(events, root)
        rates.append(rate)
        print(f"run {run}: {rate:8,.0f} events/s  {cpu_us:5.1f} µs CPU/event  {commits} commits")
    print(
        f"median of {RUNS}: {statistics.median(rates):,.0f} events/s"
        f"  ({events} events of {EVENT_BYTES} bytes, 1-2 puts of {BODY_BYTES} bytes;"
        f" SQLite WAL FULL; {os.cpu_count()} cores, Python {platform.python_version()})"
    )


def measure(events: int, root: Path) -> tuple[float, float, int]:
    """Offer as fast as the writer accepts; the clock stops when all of it is durable."""
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(dir=root) as directory:
        store = open_store(f"sqlite:///{directory}/store.db")
        assert store.take(store.lease(), "bench")
        batches = [decision(number) for number in range(events)]
        began, cpu = time.monotonic(), time.process_time()
        writer = Writer(store, reports.append)
        for batch in batches:
            while not writer.offer(batch):
                time.sleep(0.001)
        assert writer.close(timeout_s=300.0)
        took, cpu_took = time.monotonic() - began, time.process_time() - cpu
        assert store.identity().revision == events
        store.close()
    commits = sum(isinstance(report, Committed) for report in reports)
    return events / took, cpu_took / events * 1e6, commits


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
