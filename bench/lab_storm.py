"""Measure forty servers of a dead host on a real Nova: controllers against a bare loop of calls.

Run: `python -m bench.lab_storm --folder LAB [--servers N] [--pairs N]` beside a lab that runs
(`ninelives lab up --hosts 5 --folder LAB`). The loop knows what to send where, keeps as many moves
under way at each target, and does nothing else. It writes bench/results/lab_storm.txt.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.contracts.compute_site import Site3
from tests.daemon.controllers import until
from tests.lab.crew import TWO, Crew, crew_of
from tests.lab.machines import LabCloud, login, machines_of

from ninelives.lab.hosts import Hosts
from ninelives.lab.places import found
from ninelives.lab.processes import Processes

from .heading import ROOT, heading, machine

RESULTS = ROOT / "bench" / "results" / "lab_storm.txt"
TARGETS = ("c2", "c3")
AT_ONCE = 4  # to each target: `target_moves_max` of the policy
LOOK_S = 0.2
STORM_S = 600.0


class Took(NamedTuple):
    """One death of one host, from the first evacuate to the last server that runs."""

    loop_s: float
    controllers_s: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and keep what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--servers", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=7)
    asked = parser.parse_args(arguments)
    hosts = Hosts(Processes(found(asked.folder.resolve())))
    taken = [
        Took(by_a_loop(hosts, asked.servers), by_controllers(hosts, asked.servers))
        for _ in range(asked.pairs)
    ]
    text = (
        heading(f"python -m bench.lab_storm --servers {asked.servers} --pairs {asked.pairs}")
        + machine()
        + f"{asked.servers} servers of one host, {AT_ONCE} at once to each of {len(TARGETS)}\n\n"
    )
    for each in taken:
        ratio = each.controllers_s / each.loop_s
        text += (
            f"loop {each.loop_s:6.1f} s   controllers {each.controllers_s:6.1f} s   {ratio:.2f}\n"
        )
    ratios = [each.controllers_s / each.loop_s for each in taken]
    text += f"\nratio: median {median(ratios):.2f} of {len(ratios)}\n"
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def filled(hosts: Hosts, servers: int) -> LabCloud:
    """Begin anew, with so many servers on the first host."""
    cloud = LabCloud(machines_of(hosts))
    cloud.reset()
    cloud.add_many("c1", servers - len(cloud.machines.nova.servers("c1")), "many")
    return cloud


def by_a_loop(hosts: Hosts, servers: int) -> float:
    """Send, look until it has arrived, start, look until it runs."""
    nova = filled(hosts, servers).machines.nova
    waiting = [str(each["id"]) for each in nova.servers("c1")]
    hosts.power_off("c1")
    assert nova.set_service("c1", forced_down=True).status == 200

    def work(target: str) -> None:
        mine = login(hosts)
        while waiting:
            server = waiting.pop()
            assert mine.act(server, "evacuate", {"host": target}, "2.95").status == 200
            becomes(server, "SHUTOFF", target)
            assert mine.act(server, "os-start").status == 202
            becomes(server, "ACTIVE", target)

    def becomes(server: str, status: str, host: str) -> None:
        deadline = time.monotonic() + STORM_S
        wanted = [status, host, "None"]
        names = ("status", "OS-EXT-SRV-ATTR:host", "OS-EXT-STS:task_state")
        while [str(nova.server(server)[name]) for name in names] != wanted:
            assert time.monotonic() < deadline, "it did not come to that"
            time.sleep(LOOK_S)

    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE * len(TARGETS)) as pool:
        list(pool.map(work, TARGETS * AT_ONCE))
    return time.monotonic() - began


def by_controllers(hosts: Hosts, servers: int) -> float:
    cloud = filled(hosts, servers)
    with tempfile.TemporaryDirectory(prefix="ninelives-") as name:
        folder = Path(name)
        with crew_of(Site3(cloud, folder), hosts, folder, TWO) as crew:
            hosts.power_off("c1")
            until(lambda: len(lines(crew, "move.done")) >= servers, STORM_S)
            return max(lines(crew, "move.done")) - min(lines(crew, "move.sent"))


def lines(crew: Crew, event: str) -> list[float]:
    """Return when each of them was written."""
    return [float(line["at"]) for each in crew.controllers for line in each.said(event)]


if __name__ == "__main__":
    main()
