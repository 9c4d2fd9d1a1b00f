"""One host as the kernel sees it: five namespaces, an init, and whatever runs below it.

    unshare ── init (pid 1 of the host) ── guests (reparented to it)
    fork server ── nova-compute (forked into the host, see openstack/inside/fork_server.py)

Laws:
  - A host is there once its init says so (host_init.py). Before, /proc below it is the machine's.
  - Its end is the end of its init: the kernel kills everything in the pid namespace, and the init
    is gone only after all the rest is (pid_namespaces(7)).
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ninelives.engine.errors import ConfigError

from . import planes
from .host_init import READY
from .places import Places
from .processes import Processes, pids, seen, signal_all, until

INIT = Path(__file__).with_name("host_init.py")
GUEST = b"NINELIVES_GUEST="  # in the environment of a guest's process: inside/guests.py
ALL = ("--mount", "--pid", "--ipc", "--uts", "--net")
STOPPED = "T"  # proc_pid_stat(5)
SOON_S = 10.0
COMM_LETTERS = 15


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The hosts of a lab that has networks."""

    processes: Processes

    @property
    def places(self) -> Places:
        return self.processes.places

    def begin(self, host: str) -> None:
        """Switch a host on: namespaces, init, cables. Safe to repeat."""
        if self.init(host) is not None:
            return
        unshare = planes.where("unshare")
        assert unshare is not None, "its absence was complained of before"
        port = str(self.places.port("probed"))
        # SIGKILL of unshare kills the init, too: nobody has to find it first.
        words = [unshare, *ALL, "--mount-proc", "--fork", "--kill-child", "--"]
        program = [sys.executable, "-I", "-S", str(INIT), host, port]
        self.processes.start(self._name(host), [*words, *program])
        log = self.processes.log(self._name(host))
        until(lambda: self._is_there(host), f"host {host} does not start: see {log}", SOON_S)
        init = self.init(host)
        if init is None:
            raise ConfigError(f"host {host} died while it started", f"see {log}")
        planes.plug(self.places, host, init)

    def end(self, host: str) -> None:
        """Take the link, then kill all of it, and wait until nothing is left. Safe to repeat."""
        planes.unplug(self.places, host)
        init = self._child(host)
        space = "" if init is None else pid_space(init)
        self.processes.kill(self._name(host))
        if space:
            until(lambda: not inhabitants(space), f"{host} cannot be killed", SOON_S)

    def _is_there(self, host: str) -> bool:
        if self.processes.pid(self._name(host)) is None:
            raise ConfigError(f"host {host} died", f"see {self.processes.log(self._name(host))}")
        return self.init(host) is not None

    def init(self, host: str) -> int | None:
        """Return the number of its init, as the machine counts; None while there is no host."""
        pid = self._child(host)
        if pid is None or seen(pid) is None:
            return None
        return pid if Path(f"/proc/{pid}/root", READY).exists() else None

    def _child(self, host: str) -> int | None:
        parent = self.processes.pid(self._name(host))
        try:
            words = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except OSError:
            return None
        return int(words[0]) if words else None

    def guests(self, host: str) -> list[str]:
        """List the guests whose processes live, by the host's own /proc."""
        init = self.init(host)
        return [] if init is None else sorted(guests_below(Path(f"/proc/{init}/root/proc")))

    def members(self, host: str) -> list[int]:
        """List every process of a host, its init too, as the machine counts."""
        init = self.init(host)
        space = "" if init is None else pid_space(init)
        return inhabitants(space) if space else []

    def freeze(self, host: str) -> None:
        """Stop every process; nobody hears the host, though its link stays. Safe to repeat."""
        planes.set_heard(self.places, host, is_heard=False)

        def is_stopped() -> bool:
            signal_all(self.members(host), signal.SIGSTOP)
            shown = [seen(pid) for pid in self.members(host)]
            return all(each is None or each.state == STOPPED for each in shown)

        until(is_stopped, f"{host} cannot be stopped", SOON_S)

    def thaw(self, host: str) -> None:
        """Let all of it go on. Safe to repeat."""
        signal_all(self.members(host), signal.SIGCONT)
        planes.set_heard(self.places, host, is_heard=True)

    def kill(self, host: str, name: str) -> int:
        """Kill every process of this name in a host; return how many there were."""
        killed = [pid for pid in self.members(host) if called(pid) == name[:COMM_LETTERS]]
        signal_all(killed, signal.SIGKILL)
        return len(killed)

    def kill_guest(self, host: str, guest: str) -> None:
        """Kill the process of a guest where it runs. Safe to repeat."""
        wanted = GUEST + guest.encode()
        found = [pid for pid in self.members(host) if wanted in surroundings(Path(f"/proc/{pid}"))]
        signal_all(found, signal.SIGKILL)

    def entering(self, host: str) -> list[str]:
        """Return the words before a command that is to run inside a host that has power."""
        init, nsenter = self.init(host), planes.where("nsenter")
        if init is None or nsenter is None:
            raise ConfigError(f"{host} has no power", f"ninelives lab host {host} on")
        return [nsenter, "--target", str(init), *ALL, "--"]

    def run(self, host: str, words: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a command inside a host; return how it ended."""
        line = [*self.entering(host), *words]
        return os.waitstatus_to_exitcode(
            os.waitpid(os.posix_spawn(line[0], line, dict(environment)), 0)[1]
        )

    def _name(self, host: str) -> str:
        return f"{host}-init"


def inhabitants(space: str) -> list[int]:
    """List who lives in a pid namespace, as the machine counts."""
    return [pid for pid in pids() if seen(pid) is not None and pid_space(pid) == space]


def pid_space(pid: int) -> str:
    """Name the pid namespace of a process; "" where it is gone."""
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""


def guests_below(proc: Path) -> set[str]:
    """Find every guest that runs, by the environments of the processes that a /proc shows."""
    found = set[str]()
    with suppress(OSError):  # the host ends under our eyes: then none of them is left
        for process in proc.iterdir():
            names = (word for word in surroundings(process) if word.startswith(GUEST))
            found.update(name.removeprefix(GUEST).decode() for name in names)
    return found


def surroundings(process: Path) -> list[bytes]:
    """Return the environment of a process that lives. One that ended has none."""
    if not process.name.isdigit():
        return []
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def called(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
