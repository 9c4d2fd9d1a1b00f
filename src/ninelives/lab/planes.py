"""The networks of a lab: a bridge for each, a cable from it to each host, another to each BMC.

    root's own namespace                                   a host's namespace
    nl7-mana   198.18.28.1/24 ──┬── nl7-mana-c1 ══════════ management   198.18.28.11
    nl7-stor   198.18.29.1/24 ──┼── nl7-stor-c1 ══════════ storage      198.18.29.11
    nl7-tena   198.18.30.1/24 ──┼── nl7-tena-c1 ══════════ tenant       198.18.30.11
    nl7-oob    198.18.31.1/24 ──┼── nl7-oob-c1  ══════════ oob          198.18.31.11
                                                           the namespace nl7-bmc-c1 of its BMC
Laws:
  - A slot (the 7) is taken under a lock, and written down before anything bears its number: what
    a crashed `up` left is found by its name, and is nobody else's.
  - Hosts have no route but those to their planes: nothing of a lab leaves the machine.
  - A cut takes the port down, so that the host sees its link go. What a frozen host is out of, is
    the bridge: its link stays, and nothing passes.
"""

import fcntl
import json
import os
import shutil
import subprocess
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

from ninelives.engine.errors import ConfigError

from .places import OF_HOSTS, SLOTS, US, Network, Places, found

INTERFACES = Path("/sys/class/net")
NAMESPACES = Path("/run/netns")
LOCK = Path("/run/lock/ninelives-lab")
SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"
NEEDED = {  # program: the package that has it
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setsid": "util-linux",
    "ipmi_sim": "openipmi",
}
CHASSIS = "all"  # whom its manager switches; the names of interfaces are short


def missing() -> list[str]:
    """Name the packages without which hosts cannot be in namespaces."""
    return sorted({package for program, package in NEEDED.items() if where(program) is None})


def where(program: str) -> str | None:
    return shutil.which(program, path=SBIN)


def is_root() -> bool:
    return os.geteuid() == 0


# --------------------------------------------------------------------------------- a lab's four


def claimed(places: Places) -> Places:
    """Give a lab four networks that nobody on this machine uses. Safe to repeat."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        had = replace(places, slot=_slot_before(places))
        own = replace(places, slot=_free_slot(had))
        own.prepare()
        _ip(_bridges(own))
    return own


def _slot_before(places: Places) -> int | None:
    is_there = (places.folder / "lab.json").exists()
    return found(places.folder).slot if is_there else None


def _free_slot(places: Places) -> int:
    """Return the slot that it had, where it is still free or its own; else the next free one."""
    routes = [ip_network(each) for each in _routes()]
    first = zlib.crc32(str(places.folder).encode()) if places.slot is None else places.slot
    for slot in ((first + more) % SLOTS for more in range(SLOTS)):
        would = replace(places, slot=slot)
        nets = [ip_network(f"{would.at(network, 0)}/24") for network in Network]
        is_free = not any(net.overlaps(route) for net in nets for route in routes)
        bridge = INTERFACES / bridge_of(would, Network.MANAGEMENT)
        is_own = slot == places.slot and alias_of(bridge) in ("", str(places.folder))
        if is_own if bridge.exists() else is_free:
            return slot
    raise ConfigError("every network of 198.18.0.0/15 is in use", "ninelives lab down")


def _routes() -> list[str]:
    words = [_program("ip"), "-json", "-4", "route", "show", "table", "main"]
    shown = subprocess.run(words, capture_output=True, check=True)  # noqa: S603 - our own words
    routes: list[dict[str, str]] = json.loads(shown.stdout or "[]")
    return [each["dst"] for each in routes if each["dst"] != "default"]


def alias_of(bridge: Path) -> str:
    """Return the folder of the lab whose bridge it is; nothing where there is none."""
    try:
        return (bridge / "ifalias").read_text().strip()
    except OSError:
        return ""


def _bridges(places: Places) -> Iterator[str]:
    for network in Network:
        name = bridge_of(places, network)
        if not (INTERFACES / name).exists():
            yield f"link add {name} type bridge stp_state 0"
        yield f'link set {name} alias "{places.folder}"'
        yield f"link set {name} address {card(places.at(network, US))}"
        yield f"addr replace {places.at(network, US)}/24 dev {name}"
        yield f"link set {name} up"


def torn_down(places: Places) -> list[str]:
    """Remove all that bears the number of this lab; return the names of it. Safe to repeat."""
    if places.slot is None:
        return []
    begin = f"nl{places.slot}-"
    spaces = [each.name for each in _listed(NAMESPACES) if each.name.startswith(begin)]
    for name in spaces:
        _run(["ip", "netns", "delete", name])
    links = [each.name for each in _listed(INTERFACES) if each.name.startswith(begin)]
    for name in links:  # one by one: a cable whose other end just died goes by itself
        if (INTERFACES / name).exists():
            _run(["ip", "link", "delete", name], may_fail=True)
    return [*spaces, *links]


def remains(places: Places) -> list[str]:
    """Name what still bears the number of this lab."""
    begin = f"nl{places.slot}-"
    there = [each.name for each in (*_listed(NAMESPACES), *_listed(INTERFACES))]
    return [name for name in there if places.slot is not None and name.startswith(begin)]


def bridge_of(places: Places, network: Network) -> str:
    return f"nl{places.slot}-{network.short}"


def port_of(places: Places, network: Network, host: str) -> str:
    """Return the end of a host's cable that is in the bridge."""
    return f"{bridge_of(places, network)}-{host}"


# ------------------------------------------------------------------------------------ one host


class Cable(NamedTuple):
    """From a bridge to a machine. `name` is the end in the bridge; the other is called as it is."""

    name: str
    network: Network
    address: str
    is_up: bool


def cables(places: Places, host: str) -> Iterator[Cable]:
    """Name the cables that a machine has: to each plane, and to the BMCs where it switches them."""
    for network in OF_HOSTS:
        yield _cable(places, network, host)
    if host in places.controllers:
        yield Cable(f"nl{places.slot}-{host}", Network.OOB, places.uplink_at(host), is_up=True)


def plug(places: Places, host: str, init: int) -> None:
    """Lay every cable of a host, which is the network namespace of its init."""
    unplug(places, host)
    for cable in cables(places, host):
        _lay(places, cable, str(init), f"/proc/{init}/ns/net")


def unplug(places: Places, host: str) -> None:
    """Take every cable of a host away, at its end and ours. Safe to repeat."""
    for name, *_ in cables(places, host):
        if (INTERFACES / name).exists():
            _run(["ip", "link", "delete", name], may_fail=True)
        if (INTERFACES / name).exists():
            raise ConfigError(f"{name} cannot be removed", f"ip link delete {name}")


def set_link(places: Places, host: str, network: Network, *, is_up: bool) -> None:
    """Let a cable have a link, or none. A host without power has no cable: nothing happens."""
    name = port_of(places, network, host)
    if (INTERFACES / name).exists():
        _ip([f"link set {name} {'up' if is_up else 'down'}"])


def set_heard(places: Places, host: str, *, is_heard: bool) -> None:
    """Put every cable of a host into its bridge, or out of it, where its link stays."""
    _ip(
        f"link set {name} " + (f"master {bridge_of(places, network)}" if is_heard else "nomaster")
        for name, network, *_ in cables(places, host)
        if (INTERFACES / name).exists()
    )


def is_cut(places: Places, host: str, network: Network) -> bool:
    """Say whether somebody cut this cable. It stays so when its host loses its power."""
    return cut_mark(places, host, network).exists()


def cut_mark(places: Places, host: str, network: Network) -> Path:
    return places.run / f"{host}.cut-{network.value}"


def _cable(places: Places, network: Network, host: str) -> Cable:
    """Return a cable to a plane; on `oob`, that of a BMC."""
    address = places.chassis_address if host == CHASSIS else places.host_at(network, host)
    is_up = not is_cut(places, host, network)
    return Cable(port_of(places, network, host), network, address, is_up)


def _lay(places: Places, cable: Cable, target: str, space: str) -> None:
    """Lay one cable. `target` names a namespace for `ip`, and `space` is its file."""
    name, network, address, is_up = cable
    _ip(
        [
            f"link add {name} type veth "
            f"peer name {network.value} address {card(address)} netns {target}",
            f"link set {name} master {bridge_of(places, network)}",
            f"link set {name} {'up' if is_up else 'down'}",
        ]
    )
    inside = [
        "link set lo up",
        f"addr add {address}/24 dev {network.value}",
        f"link set {network.value} up",
    ]
    _ip(inside, [_program("nsenter"), f"--net={space}"])


def card(address: str) -> str:
    """Name the network card of an address: the same after each boot, as that of a real host is.

    A neighbour would go on calling the old one for a while. And a bridge without a card of its own
    takes another whenever a cable comes or goes.
    """
    return "02:6e:" + ":".join(f"{int(part):02x}" for part in address.split("."))


# ---------------------------------------------------------------------------------- the BMCs


def make_bmc_spaces(places: Places) -> None:
    """Make a network namespace on `oob` for each BMC and for the chassis. Safe to repeat."""
    for host in (*places.machines, CHASSIS):
        name, cable = bmc_space(places, host), _cable(places, Network.OOB, host)
        if not (INTERFACES / cable.name).exists():
            if not (NAMESPACES / name).exists():
                _run(["ip", "netns", "add", name])
            _lay(places, cable, name, str(NAMESPACES / name))


def bmc_space(places: Places, host: str) -> str:
    return f"nl{places.slot}-bmc-{host}"


@contextmanager
def inside(space: str) -> Generator[None]:
    """Be in a named network namespace for a moment: what is opened there stays there.

    Of this thread alone (setns(2)).
    """
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(NAMESPACES / space, os.O_RDONLY)
    try:
        enter(there)
        yield
    finally:
        enter(own)
        os.close(own)
        os.close(there)


def enter(space: int) -> None:
    """Enter the namespace of an open file. Python has `os.setns` from 3.12 on."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(space, 0):
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


# -------------------------------------------------------------------------------------- words


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def _program(name: str) -> str:
    program = where(name)
    if program is None:
        raise ConfigError(f"there is no {name}", f"apt-get install {NEEDED[name]}")
    return program


def _ip(lines: Iterable[str], before: Iterable[str] = ()) -> None:
    """Have `ip` do all of them, one after the other, until one fails."""
    text = "\n".join(lines)
    if text:
        _run(["ip", "-batch", "-"], text=text, before=before)


def _run(
    words: list[str], *, text: str = "", before: Iterable[str] = (), may_fail: bool = False
) -> None:
    line = [*before, _program(words[0]), *words[1:]]
    ended = subprocess.run(  # noqa: S603 - `ip`, with words of our own
        line, input=text, capture_output=True, text=True, check=False
    )
    if ended.returncode and not may_fail:
        said = ended.stderr.strip().splitlines() or ["it said nothing"]
        raise ConfigError(
            f"{' '.join(words)}: {said[0]}",
            "a machine that forbids root to make networks runs a lab with --no-namespaces",
        )
