"""Measure what one idle leader costs beside a stand-in cloud of 1,000 hosts and 20,000 servers.

Run as root, for ICMP: `python -m bench.idle [--hosts N] [--seconds N]`. Every host has an address
of 127.0.0.0/8 on each of three planes, which the kernel answers for. Once all are seen well, the
processor time of the controller and its children is counted while nothing happens: with pings each
second, then each three. It writes bench/results/idle.txt.
"""

import argparse
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from os import sysconf
from pathlib import Path
from typing import NamedTuple

from ninelives.app.demo_site import written
from ninelives.core.model import Plane
from ninelives.sim.cloud.catalogue import Plan
from ninelives.sim.cloud.serve import Served, served

from .controllers import OF_THE_DEMO, said, until
from .heading import ROOT, heading, machine

RESULTS = ROOT / "bench" / "results" / "idle.txt"
PER_HOST = 20  # servers
NAME = "n1"
WELL_S = 420.0  # for the first look at everything, on a machine with other work
IDENTITIES_PER_S = 20  # in the first round of a leader (app/sources.py)
TICKS = sysconf("SC_CLK_TCK")
PINGS_S = (1.0, 3.0)
SILENT_AFTER = 3  # pings; the preset's own number for one each second


class Cost(NamedTuple):
    """Of one controller that has nothing to do."""

    pings_s: float
    share: float  # of one core
    most_mb: float
    to_well_s: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and keep what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args(arguments)
    with stand_in(asked.hosts) as cloud:
        costs = [cost_of(cloud, asked.hosts, pings_s, asked.seconds) for pings_s in PINGS_S]
    text = (
        heading(f"python -m bench.idle --hosts {asked.hosts} --seconds {asked.seconds:.0f}")
        + machine()
        + f"{asked.hosts} hosts on three planes, {asked.hosts * PER_HOST} servers, preset fast\n\n"
    )
    for each in costs:
        text += (
            f"pings each {each.pings_s:.0f} s   {each.share:6.1%} of a core   at most "
            f"{each.most_mb:.0f} MiB   all seen well after {each.to_well_s:.0f} s\n"
        )
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


@contextmanager
def stand_in(hosts: int) -> Generator[Served]:
    """Serve the cloud from a process of its own."""
    here, there = multiprocessing.Pipe()
    other = multiprocessing.Process(target=_serve, args=(hosts, there), daemon=True)
    other.start()
    try:
        yield here.recv()
    finally:
        other.terminate()
        other.join()


def _serve(hosts: int, to_us: Connection) -> None:
    with served(Plan(hosts=hosts, servers=hosts * PER_HOST)) as where:
        to_us.send(replace(where, addresses={host: addresses(host) for host in where.bmc_urls}))
        to_us.recv()


def addresses(host: str) -> dict[str, str]:
    number = int(host.removeprefix("c")) - 1
    last = f"{number // 250}.{number % 250 + 1}"
    return {plane.value: f"127.{100 + index}.{last}" for index, plane in enumerate(Plane)}


def cost_of(cloud: Served, hosts: int, pings_s: float, for_s: float) -> Cost:
    with (
        tempfile.TemporaryDirectory(prefix="ninelives-") as name,
        controller(Path(name), cloud, hosts, pings_s) as pid,
    ):
        began = time.monotonic()
        until(lambda: well(Path(name)) >= hosts, WELL_S)
        to_well_s = time.monotonic() - began
        time.sleep(hosts / IDENTITIES_PER_S)  # each device is asked once what it switches
        used_s, at = cpu_s(pid), time.monotonic()
        time.sleep(for_s)
        share = (cpu_s(pid) - used_s) / (time.monotonic() - at)
        return Cost(pings_s, share, memory_mb(pid), to_well_s)


def well(folder: Path) -> int:
    return sum("healthy" in line for line in said(folder, "host.moved", [NAME]))


@contextmanager
def controller(folder: Path, cloud: Served, hosts: int, pings_s: float) -> Generator[int]:
    path = written(folder, NAME, cloud, controllers=[NAME], hosts=hosts)
    kept = [
        line for line in path.read_text().splitlines() if line.partition(" =")[0] not in OF_THE_DEMO
    ]
    text = "\n".join(kept).replace('kind = "tcp"', f'kind = "icmp"\nevery_s = {pings_s}')
    text = text.replace("[policy]\n", f"[policy]\nsilence_s = {SILENT_AFTER * pings_s}\n")
    path.write_text(text + "\n")
    program = "from ninelives.app.cli import main; main()"
    command = [sys.executable, "-c", program, "controller", "-c", str(path), "--name", NAME]
    with (folder / f"{NAME}.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def family(pid: int) -> list[int]:
    """Name a process and all that it started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in found for each in family(int(child)))]


def cpu_s(pid: int) -> float:
    ticks = 0
    for each in family(pid):
        words = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / TICKS


def memory_mb(pid: int) -> float:
    """Add up the most memory that each of them ever had."""
    shown = [Path(f"/proc/{each}/status").read_text() for each in family(pid)]
    found = [re.search(r"VmHWM:\s+(\d+) kB", text) for text in shown]
    return sum(int(each[1]) for each in found if each) / 1024


if __name__ == "__main__":
    main()
