"""Imports nova once and forks each of its services from there: fork_server.py SOCKET.

{"name": "c1", "call": "nova.cmd.compute:main", "words": [...], "log": PATH, "environment": {},
 "init": PID or null}
    ──▶ one line in, {"pid": N} out; the service is a process and a session of its own

With `init` it runs in the namespaces of that process. We stay its parent, and ignore our children:
were it anybody's who does not reap it, its pid namespace could never end (pid_namespaces(7)).
"""

import ctypes
import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
from pathlib import Path

PRELOADED = (
    *("nova.cmd.compute", "nova.cmd.conductor", "nova.cmd.scheduler"),
    *("nova.compute.manager", "nova.conductor.manager", "nova.scheduler.manager"),
    *("nova.api.openstack.compute.routes", "nova.network.neutron", "nova.volume.cinder"),
    *("nova.image.glance", "nova.db.main.api", "nova.db.api.api", "nova.virt.fake"),
    *("oslo_messaging._drivers.impl_rabbit", "pymysql", "sqlalchemy.dialects.mysql"),
    *("waitress", "keystonemiddleware.auth_token"),
)
ENTERED = ("net", "uts", "ipc", "mnt")  # the last changes what /proc shows
COMM_LETTERS = 15  # of a process's name in the kernel
WAITING_MAX = 64


def main(path):
    """Serve until ended."""
    sys.argv = ["fork-server"]
    for module in PRELOADED:
        importlib.import_module(module)
    importlib.import_module("nova.objects").register_all()
    # Nova looks for a driver by its name below nova.virt, and nowhere else.
    sys.modules["nova.virt.guests"] = importlib.import_module("guests")
    gc.collect()
    gc.freeze()  # collecting would touch, and so copy, the pages that all services share
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # services reap themselves
    with socket.socket(socket.AF_UNIX) as listening:
        Path(path).unlink(missing_ok=True)
        listening.bind(path)
        listening.listen(WAITING_MAX)
        while True:
            serve(listening)


def serve(listening):
    caller, _ = listening.accept()
    with caller, caller.makefile() as lines:
        line = lines.readline()
        if not line:
            return  # somebody only looked whether we are here
        order = json.loads(line)
        try:
            pid = forked(order["init"])
        except OSError as error:  # that host just died: whoever asked finds no process
            sys.stderr.write(f"{order['name']}: {error}\n")
            pid = 0
        else:
            if pid == 0:
                caller.close()
                listening.close()
                service(order)
                sys.exit()
        caller.sendall(json.dumps({"pid": pid}).encode() + b"\n")


def forked(init):
    """Fork; the child is in all namespaces of `init`. Returns what fork returns."""
    if init is None:
        return os.fork()
    # The pid namespace of a process is chosen at its birth; all others are entered by itself.
    with Path("/proc/self/ns/pid").open() as own, Path(f"/proc/{init}/ns/pid").open() as there:
        others = [os.open(f"/proc/{init}/ns/{kind}", os.O_RDONLY) for kind in ENTERED]
        enter(there.fileno())
        try:
            pid = os.fork()
        except OSError:
            enter(own.fileno())
            raise
        if pid:
            enter(own.fileno())
    for space in others:
        if pid == 0:
            enter(space)
        os.close(space)
    return pid


def enter(space):
    """Enter the namespace of an open file (setns(2))."""
    if ctypes.CDLL(None, use_errno=True).setns(space, 0):
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


def service(order):
    """Be the service that was ordered. What ends it is written to its own log."""
    os.setsid()
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(order["environment"])
    os.chdir(os.environ["NINELIVES_LAB"])  # a new mount namespace begins at its root
    sys.argv = order["words"]
    random.seed()
    Path("/proc/self/comm").write_text(order["name"][:COMM_LETTERS])
    module, _, function = order["call"].partition(":")
    getattr(importlib.import_module(module), function)(*order["arguments"])


if __name__ == "__main__":
    main(sys.argv[1])
