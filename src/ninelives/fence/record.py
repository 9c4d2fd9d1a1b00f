"""Recording that the level of a host was reached, wherever it can be recorded.

    off ──▶ permanent node attribute ──▶ datagram to the controller of this machine
              └─ not taken ─▶ spool ──▶ (the controller forwards it to the CIB)

Laws:
  - Done means durable: in the CIB, or synced to our own disk. The datagram only saves a wait.
  - The attribute is permanent. A transient one vanishes when the remote node rejoins, at the very
    moment when its gate must be closed.
  - It says that Pacemaker reached this level, and nothing more: it is no proof that a host is off.
"""

import os
import time

from .programs import NOT_SUCH, Said, ask

LINE_BYTES_MAX = 4096  # of one call, in a datagram and in the spool
WAITING_MAX = 10_000  # calls in a spool that nobody forwards; beyond it something else is wrong
DATAGRAM_S = 0.2
FIELDS = ("node", "host", "action", "wall", "by", "attribute", "in_cib")


class Call:
    """One call of ours by Pacemaker. `wall` is for display; nothing is ordered by it."""

    __slots__ = ("action", "attribute", "by", "host", "is_in_cib", "node", "wall")

    def __init__(self, node: str, host: str, action: str, wall: float, by: str, attribute: str):
        self.node, self.host = node, host  # as Pacemaker calls the host, and as Nova does
        self.action, self.wall, self.by, self.attribute = action, wall, by, attribute
        self.is_in_cib = False

    @property
    def value(self) -> str:
        """The attribute's value, for people to read."""
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.wall))
        return f"{self.action}@{when}"

    @property
    def line(self) -> bytes:
        """Write it as one line; no name in it has a blank."""
        said = (self.node, self.host, self.action, f"{self.wall:.6f}", self.by, self.attribute)
        pairs = zip(FIELDS, (*said, str(int(self.is_in_cib))), strict=True)
        return " ".join(f"{name}={value}" for name, value in pairs).encode() + b"\n"


def call_from(line: bytes) -> "Call | None":
    """Read a line back; None where it is none of ours. Pure."""
    words = line[:LINE_BYTES_MAX].decode(errors="replace").split()
    said = {name: value for name, is_pair, value in (w.partition("=") for w in words) if is_pair}
    if any(name not in said for name in FIELDS):
        return None
    try:
        wall = float(said["wall"])
    except ValueError:
        return None
    call = Call(said["node"], said["host"], said["action"], wall, said["by"], said["attribute"])
    call.is_in_cib = said["in_cib"] == "1"
    return call


# ------------------------------------------------------------------------------------ the CIB


def set_attribute(node: str, name: str, value: str) -> Said:
    return ask([*attribute(node, name), f"--update={value}"])


def read_attribute(node: str, name: str) -> "tuple[Said, str]":
    """Ask for the value; "" where there is none."""
    said = ask([*attribute(node, name), "--query", "--quiet"])
    if said.code in NOT_SUCH:
        return Said(0, ""), ""
    return said, said.words if said.is_done else ""


def attribute(node: str, name: str) -> "list[str]":
    return ["crm_attribute", f"--node={node}", f"--name={name}", "--lifetime=forever"]


def set_evacuate(host: str) -> Said:
    """Flag a host as fence_compute does: private, by Nova's name; `-U` after `-Q` is an update."""
    return ask(["attrd_updater", "-p", "-n", "evacuate", "-Q", "-N", host, "-U", "yes"])


# --------------------------------------------------------------------------- spool and datagram


def spooled(call: Call, folder: str) -> str:
    """Write the call to a file of its own, durably; `OSError` where that cannot be.

    A file for each call: nobody has to lock, and who forwards one takes away that one alone.
    """
    made(folder)
    if len(os.listdir(folder)) >= WAITING_MAX:
        raise OSError(28, f"{WAITING_MAX} calls wait there already")
    path = f"{folder}/{call.wall:.6f}-{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(f"{path}.new", flags, 0o644)
    try:
        os.write(descriptor, call.line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(f"{path}.new", f"{path}.call")
    synced(folder)
    return f"{path}.call"


def made(folder: str) -> None:
    """Make the spool if need be, for whoever owns the folder around it: the controller's user."""
    if os.path.isdir(folder):
        return
    around = os.path.dirname(folder.rstrip("/"))
    os.makedirs(around, exist_ok=True)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    owner = os.stat(around)
    os.chown(folder, owner.st_uid, owner.st_gid)
    synced(around)


def synced(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def told(call: Call, path: str) -> str:
    """Tell the controller of this machine; "" or why it could not be told."""
    if not os.path.exists(path):
        return f"{path}: no controller listens there"
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(DATAGRAM_S)
        try:
            channel.sendto(call.line, path)
        except OSError as error:
            return f"{path}: {error.strerror or error}"
    return ""
