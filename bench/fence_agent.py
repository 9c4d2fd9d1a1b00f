"""Measure how long `fence_ninelives` takes beside processes that keep every core busy.

Run: `python bench/fence_agent.py [runs] [processes]`, as many processes as there are cores unless
told otherwise; the load that others make comes on top, and is shown. Each action is called as
Pacemaker does, options on stdin, RUNS times; the actions take turns. `off, cluster` writes the
attribute with the real crm_attribute into a configuration file; where that tool is not here it is
left out. `off, spool` finds no cluster and syncs a file. fence_compute's own metadata stands
beside, for what an agent on ClusterLabs' library takes to start.
"""

import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

RUNS, CPU_RUNS = 50, 10
ROOT = Path(__file__).parents[1]
AGENT = Path(sys.executable).parent / "fence_ninelives"
RIVAL = Path("/usr/sbin/fence_compute")
BUSY = "while True: pass"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    loads = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name, busy(loads):
        calls = calls_in(Path(name))
        took: dict[str, list[float]] = {words: [] for words in calls}
        for _ in range(runs):
            for words, (program, lines, around) in calls.items():
                took[words].append(timed(program, lines, around))
        cpu = {words: cpu_ms(*call) for words, call in calls.items()}
    print(
        f"{os.cpu_count()} cores, {loads} busy processes of ours beside it, load in all "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )
    print(f"{f'ms of {runs} runs':24}{'median':>9}{'p90':>9}{'worst':>9}{'cpu':>9}")
    for words, each in took.items():
        ordered = sorted(each)
        p90 = ordered[int(len(ordered) * 0.9)]
        middle, worst = statistics.median(each), ordered[-1]
        print(f"{words:24}{middle:9.0f}{p90:9.0f}{worst:9.0f}{cpu[words]:9.0f}")


def calls_in(folder: Path) -> dict[str, tuple[Path, str, dict[str, str]]]:
    places = f"spool={folder}/spool\nhint_socket={folder}/none\nsocket={folder}/none\n"
    configuration = shutil.copy(ROOT / "deploy" / "pacemaker.xml", folder / "cib.xml")
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    calls = {
        "metadata": (AGENT, "action=metadata\n", path),
        "monitor": (AGENT, f"action=monitor\n{places}", path),
        "brake, nobody there": (AGENT, f"action=off\nport=c1\nmode=brake\n{places}", path),
        "off, spool": (AGENT, f"action=off\nport=c1\n{places}", path),
    }
    if shutil.which("crm_attribute"):
        around = {**path, "CIB_file": str(configuration)}
        calls["off, cluster"] = (AGENT, f"action=off\nport=c1\n{places}", around)
    if RIVAL.exists():
        calls["fence_compute metadata"] = (RIVAL, "action=metadata\n", path)
    return calls


def timed(program: Path, lines: str, around: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([program], check=True, input=lines.encode(), capture_output=True, env=around)
    return (time.perf_counter() - began) * 1000.0


def cpu_ms(program: Path, lines: str, around: dict[str, str]) -> float:
    """Measure the processor time of one call, with whatever it starts."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (used.ru_utime + used.ru_stime) * 1000.0

    before = spent()
    for _ in range(CPU_RUNS):
        timed(program, lines, around)
    return (spent() - before) / CPU_RUNS


@contextmanager
def busy(cores: int) -> Generator[None]:
    loads = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(cores)]
    try:
        yield
    finally:
        for load in loads:
            load.kill()
            load.wait()


if __name__ == "__main__":
    main()
