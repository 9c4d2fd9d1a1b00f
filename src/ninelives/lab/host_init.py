"""The first process of a host: python host_init.py HOST PORT, in namespaces of its own.

It makes what must not be shared with the machine, opens a port by which the host is probed, and
stays: orphans of the host are reaped by it, and the kernel kills all of them when it dies. It says
that it is ready by a file which only its own /run has.
"""

import signal
import socket
import subprocess
import sys
from pathlib import Path

READY = "run/ninelives-host"
PRIVATE = (
    ("tmpfs", "/run", "mode=755"),
    ("tmpfs", "/dev/shm", "mode=1777"),  # noqa: S108 - a mount point
    ("sysfs", "/sys", "defaults"),  # its own links are below /sys/class/net
)
WAITING_MAX = 64


def main(host: str, port: int) -> None:
    """Be the host until killed. /proc is its own already: `unshare --mount-proc`."""
    socket.sethostname(host)
    for kind, place, options in PRIVATE:
        words = ["/bin/mount", "-t", kind, "-o", options, kind, place]
        subprocess.run(words, check=True)  # noqa: S603 - our own words
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps for us
    with socket.create_server(("", port), backlog=WAITING_MAX) as door:
        (Path("/") / READY).touch()
        while True:
            caller, _ = door.accept()
            caller.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
