"""Measure a full host's death beside a stand-in cloud: the controller against a bare loop of calls.

Run: `python -m bench.storm [--servers N] [--targets N] [--pairs N]`. A rebuild takes 5 s; both move
four servers at once to each target. The loop knows what to send where, and does nothing else; its
time is the limit that the targets' own concurrency sets. It writes bench/results/storm.txt.
"""

import argparse
import asyncio
import json
import multiprocessing
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import aiohttp
from starlette.types import Receive, Scope, Send

from ninelives.app.demo_site import written
from ninelives.sim.cloud.catalogue import PASSWORD, Plan
from ninelives.sim.cloud.serve import Served, listen

from .controllers import control, said, until
from .heading import ROOT, heading, machine
from .nova_storm import kind_of

RESULTS = ROOT / "bench" / "results" / "storm.txt"
NAME = "n1"
AT_ONCE = 4  # on each target: `target_moves_max` of the policy
SPAWN_S = 5.0
LOOK_S = 0.1
# Times of the demo, whose spectators do not like to wait: moves are measured with the preset's.
OF_THE_DEMO = ("look_again_s", "request_timeout_s", "nova_settle_s")
REPORTS_S = 2.0  # the configuration of the demo waits 8 s for a report
PAGE_S = 2.0  # how often the aim allows a page of servers and one of migrations
STORM_S = 900.0
VERSION = {"OpenStack-API-Version": "compute 2.95"}


class Took(NamedTuple):
    """One death of one host."""

    moving_s: float  # from the first evacuate to the last server that runs
    until_first_s: float  # from the loss of power
    asked: Counter[str]


class Stage(NamedTuple):
    """A cloud in a process of its own."""

    cloud: Served
    asked: Callable[[], Counter[str]]  # what Nova and Placement were asked since the last time


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and keep what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", type=int, default=300)
    parser.add_argument("--targets", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=1)
    asked = parser.parse_args(arguments)
    pairs = list[tuple[Took, Took]]()
    for _ in range(asked.pairs):
        with stage(asked.servers, asked.targets) as there:
            loop = asyncio.run(by_a_loop(there, asked.targets))
        with stage(asked.servers, asked.targets) as there:
            pairs.append((loop, by_a_controller(there, asked.servers, asked.targets)))
    text = begun(asked) + "".join(map(shown, pairs))
    ratios = [ours.moving_s / loop.moving_s for loop, ours in pairs]
    text += f"\nratio of the times: median {median(ratios):.2f} of {len(ratios)}\n"
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def begun(asked: argparse.Namespace) -> str:
    ideal_s = asked.servers / (asked.targets * AT_ONCE) * SPAWN_S
    numbers = f"--servers {asked.servers} --targets {asked.targets} --pairs {asked.pairs}"
    return (
        heading(f"python -m bench.storm {numbers}")
        + machine()
        + f"{SPAWN_S:.0f} s a rebuild, {AT_ONCE} at once to a target: "
        + f"{ideal_s:.1f} s of rebuilds\n\n"
    )


def shown(pair: tuple[Took, Took]) -> str:
    loop, ours = pair
    pages = 2 * ours.moving_s / PAGE_S
    wanted = ours.asked["evacuate"] + 2 + pages
    starts, words = ours.asked["start"], 2 * ours.asked["evacuate"]
    by_law = wanted + starts + words
    each = ", ".join(f"{kind} {many}" for kind, many in sorted(ours.asked.items()))
    return (
        f"loop       {loop.moving_s:6.1f} s\n"
        f"controller {ours.moving_s:6.1f} s, the first sent {ours.until_first_s:.1f} s after the"
        f" power was lost\n"
        f"requests   {ours.asked.total()} = {ours.asked.total() / wanted:.2f} x {wanted:.0f}"
        f" (an evacuate each, 2 orders, 2 pages each {PAGE_S:.0f} s)\n"
        f"           = {ours.asked.total() / by_law:.2f} x {by_law:.0f} with a start each, and the"
        f" last word of its user read twice\n           {each}\n"
    )


# ------------------------------------------------------------------------------------- the cloud


@contextmanager
def stage(servers: int, targets: int) -> Generator[Stage]:
    """Serve a cloud whose first host is full, and which counts what it is asked."""
    here, there = multiprocessing.Pipe()
    other = multiprocessing.Process(target=_serve, args=(targets + 1, there), daemon=True)
    other.start()

    def asked() -> Counter[str]:
        here.send("asked")
        counted: Counter[str] = here.recv()
        return counted

    try:
        found = Stage(here.recv(), asked)
        for number in range(servers):
            control(found.cloud, "/servers", "POST", {"name": f"s{number}", "host": "c1"})
        yield found
    finally:
        other.terminate()
        other.join()


def _serve(hosts: int, pipe: Connection) -> None:
    plan = Plan(hosts=hosts, servers=0, spawn_s=SPAWN_S, report_interval_s=REPORTS_S)
    listening = listen(plan)
    # It has no place for whoever counts: this is a bench, and nothing of the cloud is changed.
    inner = listening.app._cloud  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    asked = Counter[str]()

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        if path.startswith(("/compute", "/placement")):
            asked[_kind(str(scope["method"]), path)] += 1
        await inner(scope, receive, send)

    listening.app._cloud = counted  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    threading.Thread(target=listening.run, daemon=True).start()
    pipe.send(listening.served)
    while pipe.recv():
        pipe.send(Counter(asked))
        asked.clear()


def _kind(method: str, path: str) -> str:
    if path.startswith("/placement"):
        return "placement"
    if path.endswith("/action"):
        return "action"
    return kind_of(path) if method == "GET" else "service orders"


# ------------------------------------------------------------------------------- the bare loop


async def by_a_loop(there: Stage, targets: int) -> Took:
    """Send, look until it has arrived, start, look until it runs: four workers for each target."""
    async with aiohttp.ClientSession(headers=VERSION) as session:
        nova = f"{there.cloud.compute_url}/compute/v2.1"
        await _log_in(session, there.cloud)
        async with session.get(f"{nova}/servers/detail?all_tenants=1&host=c1") as answer:
            waiting = [str(each["id"]) for each in (await answer.json())["servers"]]
        control(there.cloud, "/hosts/c1/off", "POST")
        async with session.get(f"{nova}/os-services?host=c1&binary=nova-compute") as answer:
            [service] = (await answer.json())["services"]
        url = f"{nova}/os-services/{service['id']}"
        async with session.put(url, json={"forced_down": True}) as answer:
            assert answer.status == 200, await answer.text()
        there.asked()
        began = time.monotonic()
        to = [f"c{number}" for number in range(2, targets + 2) for _ in range(AT_ONCE)]
        async with asyncio.TaskGroup() as workers:
            for target in to:
                workers.create_task(_work(session, f"{nova}/servers", waiting, target))
        return Took(time.monotonic() - began, 0.0, there.asked())


async def _log_in(session: aiohttp.ClientSession, cloud: Served) -> None:
    user = {"name": "admin", "password": PASSWORD, "domain": {"id": "default"}}
    who = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    body = {"auth": {"identity": who, "scope": scope}}
    async with session.post(f"{cloud.auth_url}/auth/tokens", json=body) as answer:
        session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]


async def _work(session: aiohttp.ClientSession, url: str, waiting: list[str], to: str) -> None:
    while waiting:
        server = f"{url}/{waiting.pop()}"
        await _order(session, server, {"evacuate": {"host": to}})
        await _becomes(session, server, "SHUTOFF", to)
        await _order(session, server, {"os-start": None})
        await _becomes(session, server, "ACTIVE", to)


async def _order(session: aiohttp.ClientSession, server: str, body: object) -> None:
    async with session.post(f"{server}/action", json=body) as answer:
        assert answer.status < 300, await answer.text()


async def _becomes(session: aiohttp.ClientSession, server: str, status: str, host: str) -> None:
    while True:
        async with session.get(server) as answer:
            found: Any = (await answer.json())["server"]
        is_there = (found["status"], found["OS-EXT-SRV-ATTR:host"]) == (status, host)
        if is_there and found["OS-EXT-STS:task_state"] is None:
            return
        await asyncio.sleep(LOOK_S)


# ------------------------------------------------------------------------------ the controller


def by_a_controller(there: Stage, servers: int, targets: int) -> Took:
    with tempfile.TemporaryDirectory(prefix="ninelives-") as name:
        folder = Path(name)
        path = written(folder, NAME, there.cloud, controllers=[NAME], hosts=targets + 1)
        limits = "".join(
            f"{limit}_moves_max = {AT_ONCE * targets}\n" for limit in ("backend", "project")
        )
        limits += f"moves_max = {AT_ONCE * targets}\ntarget_moves_max = {AT_ONCE}\n"
        kept = [line for line in path.read_text().splitlines() if not line.startswith(OF_THE_DEMO)]
        path.write_text("\n".join([*kept, ""]).replace("[policy]\n", f"[policy]\n{limits}"))
        program = "from ninelives.app.cli import main; main()"
        command = [sys.executable, "-c", program, "controller", "-c", str(path), "--name", NAME]
        with (folder / f"{NAME}.log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log)
        try:
            return _one_death(there, folder, servers, targets + 1)
        finally:
            process.kill()
            process.wait()


def _one_death(there: Stage, folder: Path, servers: int, hosts: int) -> Took:
    until(lambda: sum("healthy" in it for it in said(folder, "host.moved", [NAME])) >= hosts)
    lost = time.time()
    control(there.cloud, "/hosts/c1/off", "POST")
    until(lambda: bool(said(folder, "service.forced_down", [NAME])))
    there.asked()
    until(lambda: len(said(folder, "move.done", [NAME])) >= servers, STORM_S)
    asked = there.asked()
    asked["evacuate"] = len(said(folder, "move.sent", [NAME]))
    asked["start"] = asked.pop("action") - asked["evacuate"]
    first = json.loads(said(folder, "move.sent", [NAME])[0])["at"]
    last = json.loads(said(folder, "move.done", [NAME])[-1])["at"]
    return Took(last - first, first - lost, asked)


if __name__ == "__main__":
    main()
