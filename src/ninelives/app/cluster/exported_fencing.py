"""Read devices and levels back: whose device each is, and which of them is ours.

    level cmp1 1: [brake,] ipmi-cmp1, fence-ninelives
                           └ cmp1's      └ ours, of all remotes

Law: a node's fencing is said as a whole or not at all; one device of several nodes is nobody's.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ninelives.adapters.pacemaker.cib.pieces import KEPT, Key, Kind, Pieces, plain
from ninelives.adapters.pacemaker.cib.tree import Element

from .declared import our_implied, our_parameters, recovered_hosts
from .devices import (
    device_of,
    differing,
    monitor_of,
    monitor_times,
    pairs,
    primitive,
    seconds,
    stonith,
    usual_name,
)
from .exported_resources import sound
from .model import Cluster, Device, Fencing, Remote

OUR_AGENTS = frozenset({"fence_ninelives", "fence_compute"})


@dataclass(frozen=True, slots=True)
class _Ours:
    """Our devices, as they are called in this cluster; "" where there is none."""

    fencing: str = ""
    brake: str = ""

    @property
    def all(self) -> set[str]:
        return {name for name in (self.fencing, self.brake) if name}


def with_fencing(cluster: Cluster, pieces: Pieces) -> Cluster:
    """Give each node the devices that are its own, and ninelives the one that is ours."""
    devices = {
        key.name: piece for key, piece in pieces.items()
        if key.kind is Kind.RESOURCE and piece.get("class") == "stonith"
    }  # fmt: skip
    ours = _ours(devices, pieces)
    fenced = _fenced(cluster, pieces, devices, ours)
    fencing = sound(partial(_fencing, fenced, devices, ours))
    if fencing is not None:
        brake = ours.brake or None
        return replace(fenced, ninelives=replace(fenced.ninelives, fencing=fencing, brake=brake))
    if not recovered_hosts(fenced):
        return fenced
    return _fenced(
        cluster, pieces, {n: d for n, d in devices.items() if n not in ours.all}, _Ours()
    )


def _ours(devices: Mapping[str, Element], pieces: Pieces) -> _Ours:
    used = {name for _, names in _levels(pieces) for name in names}
    found = {name for name, piece in devices.items() if piece.get("type") in OUR_AGENTS} & used
    brakes = {
        name for name in found
        if pairs(devices[name], "instance_attributes").get("mode") == "brake"
    }  # fmt: skip
    return _Ours(min(found - brakes, default=""), min(brakes, default=""))


def _levels(pieces: Pieces) -> Iterator[tuple[Key, list[str]]]:
    for key, piece in sorted(pieces.items()):
        if key.kind is Kind.LEVEL:
            yield key, piece.get("devices").split(",")


# --------------------------------------------------------------------------------- of each node


def _fenced(
    cluster: Cluster, pieces: Pieces, devices: Mapping[str, Element], ours: _Ours
) -> Cluster:
    uses = Counter(name for _, names in _levels(pieces) for name in names)
    own = {name: piece for name, piece in devices.items() if uses[name] <= 1}
    by_node: dict[str, dict[int, list[str]]] = {}
    for key, names in _levels(pieces):
        by_node.setdefault(key.of, {})[int(key.name)] = names
    members = {
        name: replace(member, stonith=_stonith(name, by_node.get(name, {}), own, uses))
        for name, member in cluster.members.items()
    }
    remotes = {
        name: _remote(name, remote, by_node.get(name, {}), own, uses, ours)
        for name, remote in cluster.remotes.items()
    }
    return replace(cluster, members=members, remotes=remotes)


def _remote(
    name: str, remote: Remote, levels: Mapping[int, list[str]], own: Mapping[str, Element],
    uses: Mapping[str, int], ours: _Ours,
) -> Remote:  # fmt: skip
    """Read a remote's levels: with our device in all of them, or in none."""
    begin, end = [ours.brake] if ours.brake else [], [ours.fencing] if ours.fencing else []
    is_ours = bool(ours.fencing and levels) and all(
        names[: len(begin)] == begin and names[-1:] == end and len(names) > len(begin) + 1
        for names in levels.values()
    )
    inner = {index: names[len(begin) : -1] if is_ours else names for index, names in levels.items()}
    stonith_of = _stonith(name, inner, own, uses)
    is_said = any(each.level != 0 for each in stonith_of)
    return replace(remote, stonith=stonith_of, recover=is_ours or not is_said)


def _stonith(
    node: str, levels: Mapping[int, list[str]], own: Mapping[str, Element], uses: Mapping[str, int]
) -> tuple[Device, ...]:
    """Read the devices of one node; none at all where one of them cannot be said."""
    places = [(index, name) for index in sorted(levels) for name in levels[index]]
    apart = [
        (0, name) for name, piece in sorted(own.items()) if not uses[name] and _hosts(piece) == node
    ]
    found = list[Device]()
    for index, name in (*places, *apart):
        device = _device(node, own.get(name), index)
        if device is not None:
            found.append(device)
        elif index:
            return ()
    return _short(node, tuple(found))


def _device(node: str, piece: Element | None, index: int) -> Device | None:
    if piece is None or not 0 <= index <= 9:
        return None
    device = sound(partial(device_of, node, piece, index))
    if device is None:
        return None
    full = replace(device, agent=piece.get("type"))
    return device if plain(primitive(node, full)) == piece else None


def _hosts(piece: Element) -> str:
    """Name the one host that a device is for; "" where there are none or several."""
    values = pairs(piece, "instance_attributes")
    listed = values.get("pcmk_host_list", "") or values.get("pcmk_host_map", "").partition(":")[0]
    return "" if set(" ,;") & set(listed) else listed


def _short(node: str, devices: tuple[Device, ...]) -> tuple[Device, ...]:
    """Leave out the name and the level that a device would have anyway."""
    return tuple(
        replace(
            each,
            name="" if usual_name(node, devices, index) == each.name else each.name,
            level=None if each.level == index + 1 else each.level,
        )
        for index, each in enumerate(devices)
    )


# ------------------------------------------------------------------------------------- of ours


def _fencing(cluster: Cluster, devices: Mapping[str, Element], ours: _Ours) -> Fencing | None:
    """Read our own device; None where there is none, or none that the file can say."""
    hosts = recovered_hosts(cluster)
    piece = devices.get(ours.fencing)
    if piece is None or not hosts:
        return None
    values = pairs(piece, "instance_attributes")
    interval_s, timeout_s = monitor_times(piece)
    fencing = Fencing(
        name=ours.fencing,
        agent=piece.get("type"),
        off_timeout_s=seconds(values.get("pcmk_off_timeout", "")),
        monitor_interval_s=interval_s,
        monitor_timeout_s=timeout_s,
        meta=pairs(piece, "meta_attributes"),
        kept=tuple(name for name in sorted(values) if values[name] == KEPT),
    )
    rest = {name: text for name, text in values.items() if text != KEPT}
    fencing = replace(fencing, options=differing(our_implied(fencing, hosts), rest))
    for index, name in enumerate(filter(None, (ours.fencing, ours.brake))):
        if _our_piece(name, fencing, hosts, is_brake=index == 1) != devices[name]:
            return None
    return fencing


def _our_piece(name: str, fencing: Fencing, hosts: Mapping[str, str], *, is_brake: bool) -> Element:
    values = our_parameters(fencing, hosts, is_brake=is_brake)
    monitor = monitor_of(fencing.monitor_interval_s, fencing.monitor_timeout_s)
    return plain(stonith(name, fencing.agent, values, monitor, fencing.meta))


def with_nova(cluster: Cluster, pieces: Pieces) -> Cluster:
    """Read which host at Nova each remote is, from the map that our device is given."""
    hosts = dict[str, str]()
    for piece in pieces.values():
        if piece.get("class") == "stonith" and piece.get("type") in OUR_AGENTS:
            listed = pairs(piece, "instance_attributes").get("pcmk_host_map", "").split(";")
            hosts |= {each.partition(":")[0]: each.partition(":")[2] for each in listed}
    remotes = {
        name: replace(remote, nova=hosts[name])
        if hosts.get(name, name) not in {name, ""} and not set(hosts[name]) & set(" \t")
        else remote
        for name, remote in cluster.remotes.items()
    }
    return replace(cluster, remotes=remotes)


def without_idle_names(cluster: Cluster) -> Cluster:
    """Forget Nova's names of remotes that our device does not serve: the cluster holds none."""
    hosts = recovered_hosts(cluster)
    remotes = {
        name: remote if name in hosts else replace(remote, nova="")
        for name, remote in cluster.remotes.items()
    }
    return replace(cluster, remotes=remotes)
