"""The processes of a lab: started apart from us, known by number and birth, ended one and all.

Laws:
  - A process is known by its number and the instant at which the kernel started it, so that a
    number that became somebody else's is never signalled.
  - Each is the leader of a session. Whoever ends it ends the session, and with it what it started.
  - Everything carries the lab's folder in its environment: what left its session is found by that.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ninelives.engine.errors import ConfigError

from .places import LOOPBACK, Places

MARK = "NINELIVES_LAB"
LOOK_S = 0.05
BIRTH_S = 5.0  # until a process that was just started shows in /proc
READY_S = 120.0  # of the slowest part on a machine that has other work
TERM_S = 15.0  # between TERM and KILL: what a database needs to close its files
KILLED_S = 5.0


class Seen(NamedTuple):
    """A process as the kernel shows it: proc_pid_stat(5), fields 3, 6 and 22."""

    state: str
    session: int
    birth: str


@dataclass(frozen=True, slots=True)
class Processes:
    """Every process of one lab, by name."""

    places: Places

    def start(
        self,
        name: str,
        words: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start it where it does not run yet. Its output is appended to its log."""
        if self.pid(name) is not None:
            return
        with self.log(name).open("ab") as log:
            started = subprocess.Popen(  # noqa: S603 - the lab's own list of programs
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=folder or self.places.folder,
                env={**self.environment, **(environment or {})},
            )
        self.remember(name, started.pid)
        started.returncode = 0  # it outlives us; without this Popen complains that it does

    def run(self, name: str, words: Sequence[str], **environment: str) -> None:
        """Run a program to its end; complain where it did not end well."""
        with self.log(name).open("ab") as log:
            ended = subprocess.run(  # noqa: S603 - the lab's own list of programs
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                cwd=self.places.folder,
                env={**self.environment, **environment},
            )
        if ended.returncode:
            raise ConfigError(f"{name} ended with {ended.returncode}", f"see {self.log(name)}")

    @property
    def environment(self) -> dict[str, str]:
        """What every process is given: ours, without proxies, which loopback does not need."""
        ours = {name: word for name, word in os.environ.items() if "proxy" not in name.lower()}
        return {**ours, MARK: str(self.places.folder)}

    def remember(self, name: str, pid: int) -> None:
        until(lambda: seen(pid) is not None, f"{name} did not start: {self.log(name)}", BIRTH_S)
        shown = seen(pid)
        self._record(name).write_text(f"{pid} {shown.birth if shown else ''}")

    def pid(self, name: str) -> int | None:
        """Return the number of a process that lives; None where it does not run."""
        try:
            number, birth = self._record(name).read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        shown = seen(int(number))
        return int(number) if shown is not None and shown.birth == birth else None

    def started_at(self, name: str) -> float:
        """Say when it was last started, as time.time() counts. 0.0: never, or ended since."""
        record = self._record(name)
        return record.stat().st_mtime if record.exists() else 0.0

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.places.run.glob("*.pid"))

    def send(self, name: str, kind: signal.Signals) -> None:
        """Send it to all of its session; to nobody where it does not run."""
        if (pid := self.pid(name)) is not None:
            signal_all(members(pid), kind)

    def kill(self, name: str) -> None:
        """End it and its session at once, as a power switch does. Safe to repeat."""
        self.end([name], signal.SIGKILL)

    def end(
        self,
        names: Iterable[str],
        kind: signal.Signals = signal.SIGTERM,
        patience_s: float = TERM_S,
    ) -> None:
        """Ask all of them, wait for all of them, and kill who stays."""
        pids = {name: pid for name in names if (pid := self.pid(name)) is not None}
        for pid in pids.values():
            signal_all(members(pid) if kind is signal.SIGKILL else [pid], kind)
        deadline = time.monotonic() + patience_s
        while any(map(seen, pids.values())) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        for pid in pids.values():
            signal_all(members(pid), signal.SIGKILL)
        for name, pid in pids.items():
            until(partial(_is_over, pid), f"{name} cannot be killed", KILLED_S)
        for name in names:
            self._record(name).unlink(missing_ok=True)

    def strays(self) -> list[int]:
        """Find whatever still carries the mark of this lab, us excepted."""
        mark = f"{MARK}={self.places.folder}".encode()
        return [pid for pid in pids() if pid != os.getpid() and mark in surroundings(pid)]

    def sweep(self) -> int:
        """Kill what left its session; return how many there were."""
        strays = self.strays()
        signal_all(strays, signal.SIGKILL)
        until(lambda: not self.strays(), "something of the lab cannot be killed", KILLED_S)
        return len(strays)

    def listens(self, name: str, part: str) -> None:
        """Wait until a part answers at its port; complain where it died instead."""

        def answers() -> bool:
            if self.pid(name) is None:
                raise ConfigError(f"{name} died while it started", f"see {self.log(name)}")
            return is_open(self.places.port(part), self.places.address_of(part))

        until(answers, f"{name} does not listen: see {self.log(name)}")

    def log(self, name: str) -> Path:
        return self.places.log / f"{name}.log"

    def _record(self, name: str) -> Path:
        return self.places.run / f"{name}.pid"


# ----------------------------------------------------------------------------- what the kernel says


def pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def seen(pid: int) -> Seen | None:
    """Look at a process. None: it is gone, or dead and not yet reaped."""
    with suppress(OSError, ValueError):
        os.waitpid(pid, os.WNOHANG)  # where it is our own child, nobody else reaps it
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] in "ZX" else Seen(words[0], int(words[3]), words[19])


def members(session: int) -> list[int]:
    """List who lives in a session."""
    shown = ((pid, seen(pid)) for pid in pids())
    return [pid for pid, each in shown if each is not None and each.session == session]


def _is_over(session: int) -> bool:
    return not members(session)


def surroundings(pid: int) -> list[bytes]:
    """Return the environment with which a process was started; nothing where it may not be read."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if seen(pid) else []
    except OSError:
        return []


def memory_mb(session: int) -> float:
    """Count the memory of a session in MB, shared pages by their share."""
    return sum(map(_share_kb, members(session))) / 1024


def _share_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def signal_all(targets: Iterable[int], kind: signal.Signals) -> None:
    for pid in targets:
        with suppress(ProcessLookupError):
            os.kill(pid, kind)


def is_open(port: int, address: str = LOOPBACK) -> bool:
    with socket.socket() as caller:
        caller.settimeout(1.0)
        return caller.connect_ex((address, port)) == 0


def until(claim: Callable[[], object], complaint: str, patience_s: float = READY_S) -> None:
    """Look again until the claim holds."""
    deadline = time.monotonic() + patience_s
    while not claim():
        if time.monotonic() > deadline:
            raise ConfigError(complaint, "ninelives lab status")
        time.sleep(LOOK_S)
