"""A hypervisor whose guests are files: they outlive nova-compute, as QEMU's processes do.

nova's own fake driver forgets its guests, and who it is, whenever nova-compute ends: a server that
runs twice could not be seen, and a nova-compute that starts again refuses ("No local node identity
found", nova/compute/manager.py, _ensure_existing_node_identity). Here a guest is the file
GUESTS/HOST/UUID, which holds its power state and name; two hosts with one UUID are a split brain.

Where the host has namespaces a guest that runs is a process in them, too, child of their init. It
dies with its host, and its file then says what nobody believes: no process, no guest that runs.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import MutableMapping
from pathlib import Path

import nova.conf
from nova.compute import power_state
from nova.virt import fake, node

from nova import exception

FOLDER = Path(os.environ["NINELIVES_LAB"])
UUID_LETTERS = 36
LOOK_S = 0.1
GUEST = "NINELIVES_GUEST"
ALIVE = {power_state.RUNNING, power_state.PAUSED}


def has_bodies():
    """Say whether guests are processes here."""
    return os.environ.get("NINELIVES_GUESTS") == "processes"


def body(uuid):
    """Find the process of a guest in this host; None where it does not run."""
    wanted = f"{GUEST}={uuid}".encode()
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and wanted in (process / "environ").read_bytes().split(b"\0"):
                return int(process.name)
        except OSError:
            continue  # it just ended
    return None


def embody(uuid, state):
    """Let a guest have a process, or none, as its state wants it. Safe to repeat."""
    pid = body(uuid)
    if state in ALIVE and pid is None:
        # Two forks, so that it is the init's child: nova-compute may die, and it lives on.
        environment = {GUEST: uuid, "NINELIVES_LAB": str(FOLDER)}
        words = ["/usr/bin/setsid", "--fork", "/usr/bin/sleep", "infinity"]
        subprocess.run(words, env=environment, check=True)  # noqa: S603 - our own words
    elif state not in ALIVE and pid is not None:
        os.kill(pid, signal.SIGKILL)
        while body(uuid) is not None:
            time.sleep(LOOK_S / 10)


class Guest:
    """One guest: who asks for its state reads the file, who sets it writes the file."""

    def __init__(self, path):
        self.path = path

    def __getitem__(self, name):
        return getattr(self, name)

    @property
    def uuid(self):
        return self.path.name

    @property
    def name(self):
        return self.path.read_text().split()[1]

    @property
    def state(self):
        state = int(self.path.read_text().split()[0])
        is_dead = state in ALIVE and has_bodies() and body(self.uuid) is None
        return power_state.SHUTDOWN if is_dead else state

    @state.setter
    def state(self, state):
        write(self.path, state, self.name)


class Guests(MutableMapping):
    """The guests of a host by UUID. Nothing is kept in memory."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __iter__(self):
        names = (path.name for path in self.folder.iterdir())
        return (name for name in names if len(name) == UUID_LETTERS)

    def __len__(self):
        return sum(1 for _ in self)

    def __getitem__(self, uuid):
        path = self.folder / uuid
        if not path.exists():
            raise KeyError(uuid)
        return Guest(path)

    def __setitem__(self, uuid, guest):
        write(self.folder / uuid, guest.state, guest.name)

    def __delitem__(self, uuid):
        if has_bodies():
            embody(uuid, power_state.SHUTDOWN)
        (self.folder / uuid).unlink(missing_ok=True)


def ordered():
    """Read how spawns on this host are to go."""
    orders = FOLDER / "etc" / "spawns" / nova.conf.CONF.host
    return json.loads(orders.read_text()) if orders.exists() else {}


def write(path, state, name):
    """Replace the whole file at once, so that nobody reads half of it."""
    if has_bodies():
        embody(path.name, state)
    fresh = path.with_suffix(".new")
    fresh.write_text(f"{state} {name}\n")
    fresh.replace(path)


class FileDriver(fake.FakeDriver):
    """nova's fake driver with guests that last, and an identity as libvirt's driver has one."""

    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        self.instances = Guests(FOLDER / "guests" / nova.conf.CONF.host)

    def get_available_resource(self, nodename):
        return {**super().get_available_resource(nodename), "uuid": node.get_local_node_uuid()}

    def get_nodenames_by_uuid(self, refresh=False):
        return {node.get_local_node_uuid(): name for name in self.get_available_nodes()}

    def spawn(self, *arguments, **named):
        began = time.monotonic()
        # Who changes the order changes it for those that wait, too.
        while time.monotonic() < began + ordered().get("takes_s", 0.0):
            time.sleep(LOOK_S)
        if ordered().get("fails"):
            raise exception.NovaException("this host was told to fail every spawn")
        return super().spawn(*arguments, **named)

    def live_migration(self, context, instance, *arguments, **named):
        """Let go of the guest before the other host has it; nova's own keeps it here for ever."""
        self.instances.pop(instance.uuid, None)
        super().live_migration(context, instance, *arguments, **named)

    def migrate_disk_and_power_off(self, context, instance, *arguments, **named):
        self._set(instance, power_state.SHUTDOWN)
        return super().migrate_disk_and_power_off(context, instance, *arguments, **named)

    def rescue(self, context, instance, *arguments, **named):
        """Run again, as libvirt's does: nova has just shut the guest down for it."""
        self._set(instance, power_state.RUNNING)

    def pause(self, instance):
        self._set(instance, power_state.PAUSED)

    def unpause(self, instance):
        self._set(instance, power_state.RUNNING)

    def suspend(self, context, instance):
        self._set(instance, power_state.SUSPENDED)

    def resume(self, context, instance, *arguments, **named):
        self._set(instance, power_state.RUNNING)

    def _set(self, instance, state):
        if instance.uuid in self.instances:
            self.instances[instance.uuid].state = state
