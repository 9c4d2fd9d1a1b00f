"""One machine of a cluster: what it sees of the file system, and its daemons.

Each daemon is started through `nsenter`, which stays as its parent: so it has a name, a number and
a log in the lab as every process has, and is reaped by who started it.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ninelives.engine.errors import ConfigError
from ninelives.lab.namespaces import Namespaces
from ninelives.lab.places import Places
from ninelives.lab.processes import MARK, Processes, until

from . import install

SOON_S = 20.0
IS_FURNISHED = "/run/ninelives-pacemaker"  # in the machine's own /run
# What systemd-tmpfiles would make, and what a bind mount would not.
FURNISH = f"""set -e
[ -e {IS_FURNISHED} ] && exit 0
mkdir -p /run/lock /run/crm
mkdir -p -m 1755 /run/resource-agents
chown hacluster:haclient /run/crm
chmod 750 /run/crm
while [ $# -gt 0 ]; do mount --bind "$1" "$2"; shift 2; done
touch {IS_FURNISHED}
"""
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "PCMK_logfile": "/var/log/pacemaker/pacemaker.log",
    "PCMK_logfacility": "none",
    "PCMK_logpriority": "info",
}


class Mount(NamedTuple):
    """A folder or file of ours that a machine sees at a place of the system's."""

    source: Path
    target: str


def daemons(places: Places, machine: str) -> tuple[str, ...]:
    """Name the daemons of a machine, in the order in which they are started."""
    if not places.controllers:
        return ()
    kinds = ("corosync", "pacemakerd") if machine in places.controllers else ("remoted",)
    return tuple(f"{machine}-{kind}" for kind in kinds)


def home(places: Places) -> Path:
    return places.kept / "pacemaker"


def mounts(places: Places, machine: str) -> Iterator[Mount]:
    """List what a machine must not share with any other."""
    own, logs = home(places) / machine, places.log / machine
    yield Mount(own / "corosync", "/etc/corosync")
    yield Mount(own / "corosync-state", "/var/lib/corosync")
    yield Mount(home(places) / "etc", "/etc/pacemaker")
    yield Mount(own / "pacemaker-state", "/var/lib/pacemaker")
    yield Mount(logs / "pacemaker", "/var/log/pacemaker")
    yield Mount(logs / "corosync", "/var/log/corosync")
    yield Mount(home(places) / "hosts", "/etc/hosts")


def start(processes: Processes, machine: str) -> None:
    """Start the daemons of a machine that has power. Safe to repeat."""
    furnish(processes, machine)
    if machine in processes.places.controllers:
        start_corosync(processes, machine)
        start_pacemakerd(processes, machine)
    else:
        start_remoted(processes, machine)


def furnish(processes: Processes, machine: str) -> None:
    """Let it see what is its own. Safe to repeat."""
    pairs = [str(word) for pair in mounts(processes.places, machine) for word in pair]
    line = [*entering(processes, machine), "/bin/sh", "-c", FURNISH, "furnish", *pairs]
    ended = subprocess.run(  # noqa: S603 - our own words
        line, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise ConfigError(f"{machine} cannot be furnished: {ended.stderr.strip()}", "see dmesg")


def start_remoted(processes: Processes, host: str) -> None:
    program = install.remoted(processes.log("install"))
    _start(processes, host, f"{host}-remoted", str(program))


def start_corosync(processes: Processes, controller: str) -> None:
    _start(processes, controller, f"{controller}-corosync", "/usr/sbin/corosync", "-f")


def start_pacemakerd(processes: Processes, controller: str) -> None:
    """Start it once corosync answers: it would give up soon otherwise."""
    name = f"{controller}-corosync"

    def answers() -> bool:
        if processes.pid(name) is None:
            raise ConfigError(f"{name} died while it started", f"see {processes.log(name)}")
        asked = ["corosync-cmapctl", "-g", "runtime.config.totem.token"]
        return not told(processes, controller, *asked).returncode

    until(answers, f"{name} does not answer: see {processes.log(name)}", SOON_S)
    _start(processes, controller, f"{controller}-pacemakerd", "/usr/sbin/pacemakerd")


def told(processes: Processes, machine: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a tool inside a machine, and return what it said and how it ended."""
    line = [*entering(processes, machine), *words]
    return subprocess.run(  # noqa: S603 - our own words
        line, capture_output=True, text=True, check=False, timeout=SOON_S
    )


def entering(processes: Processes, machine: str) -> list[str]:
    """Return the words before a command. Nothing of ours is to leak into agents but the mark."""
    pairs = {**ENVIRONMENT, MARK: str(processes.places.folder)}
    clean = [f"{name}={value}" for name, value in pairs.items()]
    return [*Namespaces(processes).entering(machine), "/usr/bin/env", "-i", *clean]


def _start(processes: Processes, machine: str, name: str, *words: str) -> None:
    processes.start(name, [*entering(processes, machine), *words])
