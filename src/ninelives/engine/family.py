"""Everything that a leader started, found in /proc; stopped first, and then killed.

Why stopped first: kill a fence agent, and the ipmitool below it becomes a child of init, where
nobody knows it for ours. Stopped, the family neither grows nor loses a link while it is read.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
ROUNDS_MAX = 50  # each finds only what was started while the one before looked
TICKS = os.sysconf("SC_CLK_TCK")  # a second, as /proc counts it
YOUNG_S = 10.0  # a program older than this has its environment, or never will
UNBORN_MAX_S = 1.0  # and one that is being laid out is given so long
MARK_VARIABLE = "NINELIVES_LEADER"


class Process(NamedTuple):
    """One line of /proc. Pid and start together name a process for ever; a pid alone is reused."""

    pid: int
    started: int
    parent: int
    group: int
    session: int


def family(leader: int, processes: Iterable[Process]) -> set[Process]:
    """Find the leader, its descendants, and the groups and sessions that any of them leads. Pure.

    The group in which the leader merely *is* may be a shell's, and is spared.
    """
    everybody = set(processes)
    pids, found = {leader}, set[Process]()
    while fresh := {p for p in everybody - found if pids & {p.pid, p.parent, p.group, p.session}}:
        found |= fresh
        pids |= {p.pid for p in fresh}
    return found


def end_family(leader: int, mark: str, spared: int) -> set[int]:
    """Kill `leader` and everything it started, but not `spared`. Returns who could not be killed.

    Safe to repeat. The marked come second: they alone are found when the leader is already gone,
    but to read the environment of a process can block for as long as the process hangs.
    """
    related = _end(lambda: family(leader, _others(spared)))
    _await_unborn(spared)
    marked = _end(lambda: {p for p in _others(spared) if _is_marked(p.pid, mark)})
    return related | marked


def _await_unborn(spared: int) -> None:
    """Let those in the middle of execve come out of it: whose they are cannot be read before.

    The kernel lets the parent go on before it has laid out the new program's environment.
    """
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    while any(_is_unborn(p, began) for p in _others(spared)):
        if time.clock_gettime(time.CLOCK_BOOTTIME) - began > UNBORN_MAX_S:
            return
        os.sched_yield()


def _is_unborn(process: Process, now: float) -> bool:
    return now - process.started / TICKS < YOUNG_S and _environment(process.pid) == b""


def _end(find: Callable[[], set[Process]]) -> set[int]:
    stopped = set[Process]()
    for _ in range(ROUNDS_MAX):
        fresh = find() - stopped
        if not fresh:
            break
        for process in fresh:
            _send(process, signal.SIGSTOP)
        stopped |= fresh
    return {process.pid for process in stopped if not _send(process, signal.SIGKILL)}


def _others(spared: int) -> list[Process]:
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]
    return [p for pid in pids if pid != spared and (p := _read(pid)) is not None]


def _read(pid: int) -> Process | None:
    """Read /proc/PID/stat (proc_pid_stat(5)); None for who is gone or only waits to be reaped."""
    try:
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may itself hold brackets and spaces: begin after the last.
    state, parent, group, session, *rest = stat.rpartition(")")[2].split()
    if state in "ZX":
        return None
    return Process(pid, int(rest[15]), int(parent), int(group), int(session))


def _is_marked(pid: int, mark: str) -> bool:
    return f"{MARK_VARIABLE}={mark}".encode() in (_environment(pid) or b"").split(b"\0")


def _environment(pid: int) -> bytes | None:
    try:
        return (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return None  # gone, or another user's, whom we could not kill either


def _send(process: Process, number: signal.Signals) -> bool:
    """Signal exactly this process; False if we are not allowed to."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        # The handle may be of a newcomer with an old pid; it cannot change hands from here on.
        now = _read(process.pid)
        if now is not None and now.started == process.started:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    finally:
        os.close(handle)
    return True
