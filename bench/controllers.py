"""Measure the true controllers beside a stand-in cloud, in true time: how soon somebody acts.

Run: `python -m bench.controllers [--rounds N]`. It writes bench/results/controllers.txt.

    recovery   a host loses its power ──▶ Nova has accepted an evacuate of its servers
    takeover   the leader is killed (SIGKILL) ──▶ the first decision of the standby
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from urllib.request import Request, urlopen

from ninelives.app.demo_site import CONTROLLERS, written
from ninelives.sim.cloud.catalogue import Plan
from ninelives.sim.cloud.serve import Served, served

from .heading import ROOT, heading, machine

RESULTS = ROOT / "bench" / "results" / "controllers.txt"
LIMIT_S = 180.0
LOOK_S = 0.02
# What the demo makes quicker than anybody would; here everything is as `fast` has it.
OF_THE_DEMO = (
    *("lease_s", "margin_s", "every_s", "silence_s", "confirm_s", "record_silence_s"),
    *("settle_s", "look_again_s", "request_timeout_s", "nova_settle_s"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and keep what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args(arguments).rounds
    began, found = time.monotonic(), [measured() for _ in range(rounds)]
    text = begun(rounds, time.monotonic() - began)
    for name, taken in (
        ("recovery", [recovery for recovery, _ in found]),
        ("takeover", [takeover for _, takeover in found]),
    ):
        text += f"{name:<9} {spread(taken)}\n"
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def begun(rounds: int, took_s: float) -> str:
    return (
        heading(f"python -m bench.controllers --rounds {rounds}")
        + machine()
        + f"took    {took_s:.0f} s\n\n"
        "seconds; preset fast, lease 15 s, margin 1 s; two controllers, three hosts, no agents\n"
    )


def spread(taken: list[float]) -> str:
    tenths = quantiles(taken, n=10) if len(taken) > 1 else [taken[0]] * 9
    every = " ".join(f"{each:.1f}" for each in sorted(taken))
    return f"median {median(taken):.1f}  p90 {tenths[-1]:.1f}  worst {max(taken):.1f}  ({every})"


def measured() -> tuple[float, float]:
    """Play one round: a recovery, then a take-over in the middle of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ninelives-")))
        cloud = stack.enter_context(served(Plan(hosts=3, servers=6)))
        processes = {
            name: stack.enter_context(started(folder, cloud, name)) for name in CONTROLLERS
        }
        until(lambda: sum("healthy" in line for line in said(folder, "host.moved")) >= 3)
        cut_at = time.monotonic()
        control(cloud, "/hosts/c1/off", "POST")
        until(lambda: b'"evacuations":{}' not in control(cloud, "", "GET"))
        recovery_s = time.monotonic() - cut_at
        leader = json.loads(said(folder, "term.began")[-1])["why"]
        killed_at = time.monotonic()
        processes[leader].kill()
        until(lambda: len(said(folder, "term.began")) == 2)
        return recovery_s, time.monotonic() - killed_at


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
