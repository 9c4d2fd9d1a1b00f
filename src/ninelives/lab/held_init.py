"""The first process of a lab that a user without root holds: python held_init.py.

It is root of a user namespace in which that user alone exists. Pacemaker's daemons become the user
`hacluster` and the group `haclient`: these are names of root here, so that becoming it changes
nothing. Then it stays; when it dies, the kernel leaves nothing of the lab.
"""

import signal
import subprocess
from pathlib import Path

READY = "run/ninelives-held"
PRIVATE = (("tmpfs", "/run", "mode=755"), ("sysfs", "/sys", "defaults"))
ROOT_ALSO = {  # file: whose line of it becomes what
    "/etc/passwd": ("hacluster", "hacluster:x:0:0::/var/lib/pacemaker:/usr/sbin/nologin"),
    "/etc/group": ("haclient", "haclient:x:0:"),
}


def main() -> None:
    """Be the lab until killed. /proc is its own already: `unshare --mount-proc`."""
    for kind, place, options in PRIVATE:
        mount("-t", kind, "-o", options, kind, place)
    for file, (name, line) in ROOT_ALSO.items():
        lines = [each for each in Path(file).read_text().splitlines() if not is_of(each, name)]
        fresh = Path("/run", Path(file).name)
        fresh.write_text("\n".join([*lines, line, ""]))
        mount("--bind", str(fresh), file)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps for us
    (Path("/") / READY).touch()
    while True:
        signal.pause()


def is_of(line: str, name: str) -> bool:
    return line.partition(":")[0] == name


def mount(*words: str) -> None:
    subprocess.run(["/bin/mount", *words], check=True)  # noqa: S603 - our own words


if __name__ == "__main__":
    main()
