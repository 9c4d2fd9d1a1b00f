"""What stands in a configuration, as the questions about its safety need it. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ninelives.adapters.fence_metadata import NO_POWER
from ninelives.adapters.pacemaker.cib.pieces import RESOURCES, Kind, Pieces
from ninelives.adapters.pacemaker.cib.tree import Element

from .devices import operations, pairs, seconds
from .exported_fencing import OUR_AGENTS

CONTROLLERS = frozenset({"ocf:ninelives:controller", "ocf:openstack:NovaEvacuate"})
NO_DEVICE = OUR_AGENTS | NO_POWER.keys() - {"fence_sbd", "fence_watchdog"} | {"fence_kdump"}


class Running(NamedTuple):
    """One primitive, and the resource of the top level in which it stands."""

    top: str
    name: str
    agent: str
    piece: Element

    def timeout_s(self, operation: str) -> int:
        """Return how long an operation may take; 0 where nothing is said."""
        found = operations(self.piece).get(operation)
        return 0 if found is None else seconds(found.get("timeout"))

    @property
    def stop_failure(self) -> str:
        """Return what happens when it cannot be stopped; Pacemaker's own default is `fence`."""
        stop = operations(self.piece).get("stop")
        return (stop.get("on-fail") if stop else "") or "fence"


class Level(NamedTuple):
    """One level of a node, with its number."""

    node: str
    number: int
    devices: tuple[str, ...]


def running(pieces: Pieces) -> Iterator[Running]:
    """Yield every primitive that is no device and no connection."""
    tops = (each for each in pieces.items() if each[0].kind is Kind.RESOURCE)
    found = ((key.name, each) for key, piece in tops for each in _primitives(piece))
    for top, each in found:
        if each.get("class") != "stonith" and agent_of(each) != "ocf:pacemaker:remote":
            yield Running(top, each.get("id"), agent_of(each), each)


def _primitives(piece: Element) -> Iterator[Element]:
    if piece.tag == "primitive":
        yield piece
    for child in piece.children:
        if child.tag in RESOURCES:
            yield from _primitives(child)


def agent_of(piece: Element) -> str:
    """Write an agent as people do: ocf:pacemaker:remote."""
    return ":".join(filter(None, (piece.get(name) for name in ("class", "provider", "type"))))


def devices(pieces: Pieces) -> dict[str, Element]:
    """Map the name of each STONITH device to it."""
    return {
        key.name: piece
        for key, piece in pieces.items()
        if key.kind is Kind.RESOURCE and piece.get("class") == "stonith"
    }


def remotes(pieces: Pieces) -> dict[str, Element]:
    """Map each compute host to its connection."""
    return {
        key.name: piece
        for key, piece in pieces.items()
        if key.kind is Kind.RESOURCE and agent_of(piece) == "ocf:pacemaker:remote"
    }


def members(pieces: Pieces) -> list[str]:
    """List the controllers."""
    return [key.name for key in pieces if key.kind is Kind.NODE]


def levels(pieces: Pieces) -> Iterator[Level]:
    """Yield every level of every node."""
    for key, piece in sorted(pieces.items()):
        if key.kind is Kind.LEVEL:
            names = tuple(each.strip() for each in piece.get("devices").split(","))
            yield Level(key.of, int(key.name), names)


def properties(pieces: Pieces) -> Mapping[str, str]:
    """Map each property of the cluster to its value."""
    return {k.name: piece.get("value") for k, piece in pieces.items() if k.kind is Kind.PROPERTY}


def hosts_of(device: Element) -> tuple[str, ...]:
    """List the nodes that a device is for, as far as it says so itself."""
    values = pairs(device, "instance_attributes")
    listed = values.get("pcmk_host_list", "").replace(",", " ").replace(";", " ").split()
    mapped = values.get("pcmk_host_map", "").replace(";", " ").split()
    return tuple(listed or [each.partition(":")[0] for each in mapped])


def cuts_power(device: Element) -> bool:
    """Say whether a device switches anything off, as opposed to telling somebody."""
    return device.get("type") not in NO_DEVICE


def may_run_on_computes(pieces: Pieces, top: str) -> bool:
    """Say whether a resource may run on a remote, as far as its location rules say."""
    attributes = {
        host: {
            key.name: each.get("value")
            for key, each in pieces.items()
            if key.kind is Kind.ATTRIBUTE and key.of == host
        }
        for host in remotes(pieces)
    }
    rules = [
        (place, rule)
        for place in pieces.values()
        if place.tag == "rsc_location" and place.get("rsc") == top
        for rule in place.all("rule")
    ]
    return any(
        all(_allows(place, rule, found) for place, rule in rules) for found in attributes.values()
    )


def _allows(place: Element, rule: Element, found: Mapping[str, str]) -> bool:
    """Say whether a rule lets a node with these attributes have it; when unsure, yes."""
    is_ban = rule.get("score") == "-INFINITY"
    is_only = place.get("resource-discovery") == "exclusive"
    if len(rule.children) != 1 or not (is_ban or is_only):
        return True
    is_met = _is_met(rule.children[0], found)
    return is_met is None or is_met != is_ban


def _is_met(where: Element, found: Mapping[str, str]) -> bool | None:
    name, value = where.get("attribute"), where.get("value")
    match where.get("operation"):
        case "eq":
            return found.get(name) == value
        case "ne":
            return found.get(name) != value
        case "defined":
            return name in found
        case "not_defined":
            return name not in found
        case _:
            return None
