"""Measure how long a verified off takes beyond what the BMC takes and the gap between the reads.

Run: `python bench/fencing.py [runs]`; with sushy beside it: `.tools/bin/uv run --with sushy python
bench/fencing.py`. A Redfish BMC of our own, over TLS on loopback in another process, takes
DEVICE_S for each answer. What is timed is what a proof needs: the order, its answer, "off", the
gap, "off" again; less DEVICE_S for each of the three, less the gap. The kinds take turns.

    redfish            ours, one request each; the connection that the looks before it left open
    redfish, cold      the same, the first contact: TLS from the start
    redfish, session   logged in by the looks before it
    fence_redfish      the system's agent: a process for each of the three
    sushy              its objects, called from a thread

Then what one look costs in CPU, children included, and how long the start of an agent holds up the
loop that judges.
"""

import asyncio
import importlib
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.bmcs.machine import PASSWORD, USER, Machine, machine_in  # noqa: E402 - from the clone
from tests.bmcs.redfish import SYSTEMS, RedfishBmc, new_certificate  # noqa: E402

from ninelives.adapters.fence_agent import FenceAgent, find_program  # noqa: E402
from ninelives.adapters.process import Program, run  # noqa: E402
from ninelives.adapters.redfish import Redfish, RedfishAt  # noqa: E402
from ninelives.adapters.redfish_wire import Trust  # noqa: E402
from ninelives.core.model import Power  # noqa: E402

DEVICE_S, GAP_S, RUNS, LOOKS, STARTS = 0.05, 2.0, 7, 30, 30
SYSTEM = f"{SYSTEMS}/1"


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]))
        return
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory() as folder:
        machine, certificate = machine_in(Path(folder) / "c1"), new_certificate(Path(folder))
        bmc = subprocess.Popen(
            [sys.executable, __file__, "serve", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert bmc.stdout is not None
        port = int(bmc.stdout.readline())
        print(
            f"verified off beyond 3 answers of {DEVICE_S * 1e3:g} ms and a gap of {GAP_S:g} s; "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.python_version()}"
        )
        asyncio.run(measure(kinds(port, certificate), machine, runs))
        bmc.kill()
        bmc.communicate()


def serve(folder: Path) -> None:
    bmc = RedfishBmc({"1": Machine(folder / "c1")}, folder / "bmc.pem", DEVICE_S)
    print(bmc.port, flush=True)
    sys.stdin.read()
    bmc.stop()


class Timed(Protocol):
    """As much of a device as is timed."""

    async def look(self) -> tuple[Power, str]: ...
    async def switch_off(self) -> object: ...
    async def close(self) -> None: ...


Kinds = Mapping[str, tuple[Callable[[], Timed], int]]  # how it is made, and looks before the order


def kinds(port: int, certificate: Path) -> Kinds:
    url, trust = f"https://127.0.0.1:{port}", Trust(certificate)

    def redfish(*, has_sessions: bool = False) -> Timed:
        return Redfish(RedfishAt(url, SYSTEM, USER, PASSWORD, trust, has_sessions))

    def agent() -> Timed:
        program = find_program("fence_redfish")
        assert program is not None, "apt-get install fence-agents"
        options = {"ip": "127.0.0.1", "ipport": str(port), "username": USER, "systems_uri": SYSTEM}
        return FenceAgent(program, options, {"password": PASSWORD}, certificate)

    found: dict[str, tuple[Callable[[], Timed], int]] = {
        "redfish": (redfish, 1),
        "redfish, cold": (redfish, 0),
        "redfish, session": (lambda: redfish(has_sessions=True), 1),
        "fence_redfish": (agent, 1),
    }
    with suppress(ModuleNotFoundError):
        sushy = importlib.import_module("sushy")
        found["sushy"] = (lambda: Sushy(sushy, url, certificate), 1)
    return found


class Sushy:
    """The same by OpenStack's own library."""

    def __init__(self, sushy: Any, url: str, certificate: Path) -> None:
        self._sushy, self._url, self._certificate = sushy, url, str(certificate)
        self._system: Any = None

    async def look(self) -> tuple[Power, str]:
        return await asyncio.to_thread(self._look)

    def _look(self) -> tuple[Power, str]:
        if self._system is None:
            auth = self._sushy.auth.BasicAuth(username=USER, password=PASSWORD)
            root = self._sushy.Sushy(self._url, verify=self._certificate, auth=auth)
            self._system = root.get_system(SYSTEM)
        self._system.refresh(force=True)
        is_off = self._system.power_state == self._sushy.PowerState.OFF
        return (Power.OFF if is_off else Power.ON, "")

    async def switch_off(self) -> object:
        return await asyncio.to_thread(self._system.reset_system, self._sushy.ResetType.FORCE_OFF)

    async def close(self) -> None:
        self._system = None


async def measure(kinds: Kinds, machine: Machine, runs: int) -> None:
    took = {name: list[float]() for name in kinds}
    for _ in range(runs):
        for name, (make, looks) in kinds.items():
            took[name].append(await verified_off(make(), machine, looks))
    for name, seconds in took.items():
        each = " ".join(f"{1e3 * one:5.0f}" for one in seconds)
        print(f"{name:17} median {1e3 * statistics.median(seconds):5.0f} ms   each {each}")
    for name, (make, _) in kinds.items():
        cpu_ms, wall_ms = await cost_of_a_look(make())
        print(f"{name:17} one look: {cpu_ms:5.1f} ms of CPU, {wall_ms:5.0f} ms in all")
    await holds_up()


async def verified_off(device: Timed, machine: Machine, looks: int) -> float:
    machine.switch(is_on=True)
    for _ in range(looks):
        assert (await device.look())[0] is Power.ON
    began = time.perf_counter()
    await device.switch_off()
    assert (await device.look())[0] is Power.OFF
    await asyncio.sleep(GAP_S)
    assert (await device.look())[0] is Power.OFF
    took_s = time.perf_counter() - began
    await device.close()
    return took_s - GAP_S - 3 * DEVICE_S


async def cost_of_a_look(device: Timed) -> tuple[float, float]:
    await device.look()
    began, cpu = time.perf_counter(), cpu_s()
    for _ in range(LOOKS):
        await device.look()
    cost = 1e3 * (cpu_s() - cpu) / LOOKS, 1e3 * (time.perf_counter() - began) / LOOKS
    await device.close()
    return cost


def cpu_s() -> float:
    uses = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


async def holds_up() -> None:
    """Time how long the loop stands still while a program is started, in a process of 200 MiB."""
    ballast = bytearray(os.urandom(1)) * (200 * 2**20)
    program = shutil.which("true")
    assert program is not None
    still = list[float]()
    for _ in range(STARTS):
        began = time.perf_counter()
        task = asyncio.Task(run(Program((program,), 10.0)))
        await asyncio.sleep(0)  # the task's first step, which starts the program
        still.append(time.perf_counter() - began)
        await task
    print(
        f"starting a program holds up the loop: median {1e3 * statistics.median(still):.1f} ms, "
        f"worst {1e3 * max(still):.1f} ms of {STARTS}, at {len(ballast) // 2**20} MiB"
    )


if __name__ == "__main__":
    main()
