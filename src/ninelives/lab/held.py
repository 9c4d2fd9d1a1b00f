"""A lab of a user who is not root: all of it is inside one user namespace, which he holds.

    ninelives lab …  ── nsenter ──▶ held_init.py, pid 1 and root there ── all that root's lab is

Each command about such a lab runs itself again inside. `down` ends the first process at last.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ninelives.engine.errors import ConfigError

from . import planes
from .held_init import READY
from .openstack.install import PartMissing
from .pacemaker import install
from .places import OPENSTACK, PACEMAKER, Places
from .processes import seen, signal_all, until

INIT = Path(__file__).with_name("held_init.py")
SPACES = ("--user", "--mount", "--pid", "--net")
INSIDE = "NINELIVES_LAB_HELD"  # set for what runs inside, where numbers of processes are others
SOON_S = 10.0


def is_wanted(places: Places, wants_namespaces: bool | None) -> bool:
    """Say whether a lab has to be held: machines of a cluster are namespaces, or are not at all."""
    if PACEMAKER not in places.parts:
        return False
    if wants_namespaces is False:
        raise PartMissing("the machines of a cluster are namespaces", "without --no-namespaces")
    if planes.is_root():
        return False
    if OPENSTACK in places.parts:
        raise PartMissing("both parts together need root", "run it by sudo, or --with pacemaker")
    return True


def is_elsewhere(folder: Path) -> bool:
    """Say whether a lab is held, and we are not inside with it."""
    return INSIDE not in os.environ and holder(folder) is not None


def begin(folder: Path) -> int:
    """Start the namespace of a lab, or find it; return the number of its first process."""
    pid = holder(folder)
    if pid is not None:
        return pid
    unshare = planes.where("unshare")
    if unshare is None:
        raise PartMissing("there is no unshare", "apt-get install util-linux")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "held.log"
    install.remoted(log)  # now: inside there is no network that leads anywhere
    words = [unshare, *SPACES, "--map-root-user", "--mount-proc", "--fork", "--kill-child", "--"]
    with log.open("ab") as out:
        started = subprocess.Popen(  # noqa: S603 - our own words
            [*words, sys.executable, "-I", "-S", str(INIT)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd="/",
            env={},
        )
    until(lambda: _is_begun(started.pid, log), f"no user namespace: see {log}", SOON_S)
    shown = seen(started.pid)
    _record(folder).write_text(f"{started.pid} {shown.birth if shown else ''}")
    started.returncode = 0  # it outlives us; without this Popen complains that it does
    return _child(started.pid) or 0


def holder(folder: Path) -> int | None:
    """Return the first process of a lab that is held here; None where none is."""
    try:
        number, birth = _record(folder).read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    shown = seen(int(number))
    return _child(int(number)) if shown is not None and shown.birth == birth else None


def run(first: int, words: Sequence[str]) -> int:
    """Run a command inside, and return how it ended."""
    nsenter = planes.where("nsenter")
    assert nsenter is not None, "it is in the package of unshare"
    enter = [nsenter, "--target", str(first), *SPACES, "--preserve-credentials", "--"]
    there = ["/usr/bin/env", f"--chdir={Path.cwd()}"]  # nsenter itself would be at the root
    return subprocess.run(  # noqa: S603 - this very command
        [*enter, *there, *words], check=False, env={**os.environ, INSIDE: "1"}
    ).returncode


def end(folder: Path) -> None:
    """End the first process, and all that is left with it. Safe to repeat."""
    first = holder(folder)
    if first is not None:
        signal_all([first], signal.SIGKILL)
        until(lambda: holder(folder) is None, "the namespace cannot be ended", SOON_S)
    _record(folder).unlink(missing_ok=True)


def _is_begun(parent: int, log: Path) -> bool:
    if seen(parent) is None:
        raise PartMissing(
            "a user without root may not make namespaces here", f"run it by sudo; see {log}"
        )
    child = _child(parent)
    try:
        return child is not None and Path(f"/proc/{child}/root", READY).exists()
    except PermissionError as error:
        raise ConfigError("a user namespace that cannot be looked into", f"see {log}") from error


def _child(parent: int) -> int | None:
    try:
        words = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return None
    return int(words[0]) if words else None


def _record(folder: Path) -> Path:
    return folder / "held"
