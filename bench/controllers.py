"""Measure the true controllers beside a stand-in cloud, in true time: how soon somebody acts.

Run: `python -m bench.controllers [--rounds N] [--at-once N]`. It writes
bench/results/controllers.txt.

    recovery   a host loses its power ──▶ Nova has accepted an evacuate of its servers; and what
               of it went by until the host was a suspect, fenced against, and proved off
    takeover   the leader is killed (SIGKILL) ──▶ the first decision of the standby
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple
from urllib.request import Request, urlopen

from ninelives.app.demo_site import CONTROLLERS, written
from ninelives.sim.cloud.catalogue import Plan
from ninelives.sim.cloud.serve import Served, served

from .heading import ROOT, heading, machine

RESULTS = ROOT / "bench" / "results" / "controllers.txt"
LIMIT_S = 180.0
LOOK_S = 0.02
PHASES = ("to suspect", "to fencing", "to proved", "to accepted")
# What the demo makes quicker than anybody would; here everything is as `fast` has it.
OF_THE_DEMO = (
    *("lease_s", "margin_s", "every_s", "silence_s", "confirm_s", "record_silence_s"),
    *("settle_s", "look_again_s", "request_timeout_s", "nova_settle_s"),
)


class Round(NamedTuple):
    """One host lost and one leader."""

    recovery_s: float
    phases_s: tuple[float, ...]
    takeover_s: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and keep what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=1)
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    with ProcessPoolExecutor(asked.at_once) as rounds:
        found = list(rounds.map(measured, range(asked.rounds)))
    text = begun(asked, time.monotonic() - began)
    text += f"recovery {spread([each.recovery_s for each in found])}\n"
    parts = zip(*(each.phases_s for each in found), strict=True)
    for name, taken in zip(PHASES, parts, strict=True):
        text += f"  {name:<11} median {median(taken):.1f}  worst {max(taken):.1f}\n"
    text += f"takeover {spread([each.takeover_s for each in found])}\n"
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def begun(asked: argparse.Namespace, took_s: float) -> str:
    return (
        heading(f"python -m bench.controllers --rounds {asked.rounds} --at-once {asked.at_once}")
        + machine()
        + f"took    {took_s:.0f} s\n\n"
        "seconds; preset fast, lease 15 s, margin 1 s; two controllers, three hosts, no agents\n"
    )


def spread(taken: list[float]) -> str:
    tenths = quantiles(taken, n=10) if len(taken) > 1 else [taken[0]] * 9
    every = " ".join(f"{each:.1f}" for each in sorted(taken))
    return f"median {median(taken):.1f}  p90 {tenths[-1]:.1f}  worst {max(taken):.1f}  ({every})"


def measured(number: int) -> Round:
    """Play one round: a recovery, then a take-over in the middle of it."""
    del number
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ninelives-")))
        cloud = stack.enter_context(served(Plan(hosts=3, servers=6)))
        processes = {
            name: stack.enter_context(started(folder, cloud, name)) for name in CONTROLLERS
        }
        until(lambda: sum("healthy" in line for line in said(folder, "host.moved")) >= 3)
        cut_at = time.time()
        control(cloud, "/hosts/c1/off", "POST")
        until(lambda: b'"evacuations":{}' not in control(cloud, "", "GET"))
        ended_at = time.time()
        phases_s = phases(folder, cut_at, ended_at)
        leader = json.loads(said(folder, "term.began")[-1])["why"]
        killed_at = time.monotonic()
        processes[leader].kill()
        until(lambda: len(said(folder, "term.began")) == 2)
        return Round(ended_at - cut_at, phases_s, time.monotonic() - killed_at)


def phases(folder: Path, cut_at: float, ended_at: float) -> tuple[float, ...]:
    """Split a recovery where the host enters the states that stand in `PHASES`."""
    moves = [json.loads(line) for line in said(folder, "host.moved")]
    mine = [each for each in moves if each["about"] == "c1" and each["at"] >= cut_at]
    ends = [
        next(each["at"] for each in mine if f"→ {state}" in each["detail"])
        for state in ("suspect", "fencing", "fenced")
    ]
    return tuple(until - since for since, until in pairwise([cut_at, *ends, ended_at]))


def until(is_so: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    deadline = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(LOOK_S)


def said(folder: Path, event: str, names: Sequence[str] = CONTROLLERS) -> list[str]:
    """Return every line of that event in the logs of all controllers."""
    logs = (folder / f"{name}.log" for name in names)
    lines = [line for log in logs for line in log.read_text().split("\n")[:-1]]
    return [line for line in lines if f'"event": "{event}"' in line]


def control(cloud: Served, path: str, method: str, body: object = None) -> bytes:
    sent = None if body is None else json.dumps(body).encode()
    url = f"{cloud.url}/control{path}"
    asked = Request(url, sent, method=method)  # noqa: S310 - our own stand-in
    with urlopen(asked, timeout=10.0) as reply:  # noqa: S310
        found: bytes = reply.read()
        return found


@contextmanager
def started(folder: Path, cloud: Served, name: str) -> Generator["subprocess.Popen[bytes]"]:
    config, program = written(folder, name, cloud), "from ninelives.app.cli import main; main()"
    lines = config.read_text().splitlines()
    kept = [line for line in lines if line.partition(" =")[0] not in OF_THE_DEMO]
    config.write_text("\n".join(kept) + "\n")
    command = [sys.executable, "-c", program, "controller", "-c", str(config), "--name", name]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
