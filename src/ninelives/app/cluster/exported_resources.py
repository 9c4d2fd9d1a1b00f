"""Read remotes and services back from the resources of a cluster.

Law: what is returned would be written exactly as it was found; whatever else is found is None.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from pydantic import ValidationError

from ninelives.adapters.pacemaker.cib.pieces import pairs_in, plain
from ninelives.adapters.pacemaker.cib.tree import Element, element

from .declared import limits_of, remote_piece, resource_piece
from .devices import differing, monitor_times, operations, pairs, seconds
from .model import Remote, Resource

Found = TypeVar("Found")


def sound(read: Callable[[], Found]) -> Found | None:
    """Return what was read, unless the file may not say it."""
    try:
        return read()
    except ValidationError:
        return None


def read_remote(piece: Element) -> Remote | None:
    """Read the connection to a compute host."""
    kinds = (piece.get("class"), piece.get("provider"), piece.get("type"))
    return sound(partial(_remote, piece)) if kinds == ("ocf", "pacemaker", "remote") else None


def _remote(piece: Element) -> Remote | None:
    name, values = piece.get("id"), pairs(piece, "instance_attributes")
    server = values.pop("server", name)
    interval_s, timeout_s = monitor_times(piece, usual_s=10)
    times = {each: seconds(op.get("timeout")) for each, op in operations(piece).items()}
    reconnect_s = seconds(values.get("reconnect_interval", ""))
    remote = Remote(
        server="" if server == name else server,
        monitor_interval_s=interval_s,
        monitor_timeout_s=timeout_s,
        start_timeout_s=times.get("start", 0),
        stop_timeout_s=times.get("stop", 0),
        reconnect_interval_s=reconnect_s,
        meta=pairs(piece, "meta_attributes"),
    )
    implied = {"reconnect_interval": f"{reconnect_s}s"} if reconnect_s else {}
    remote = replace(remote, options=differing(implied, values))
    return remote if plain(remote_piece(name, remote)) == piece else None


def read_service(clone: Element) -> tuple[str, tuple[Resource, ...]] | None:
    """Read a clone of one resource, or of a group of them: its name, and what is in it."""
    interleave = pairs_in("meta_attributes", {"interleave": "true"})
    match clone.tag, clone.children:
        case "clone", (said, inner) if said == interleave:
            members = inner.children if inner.tag == "group" else (inner,)
        case _:
            return None
    name = inner.get("id")
    bare = element("group", *members, id=name)
    if clone.get("id") != f"{name}-clone" or (inner.tag == "group" and inner != bare):
        return None
    found = [sound(partial(_resource, each)) for each in members]
    resources = tuple(each for each in found if each is not None)
    is_group = inner.tag == "group"
    if len(resources) != len(found) or not found or is_group != (len(found) > 1):
        return None
    return name, resources


def _resource(piece: Element) -> Resource | None:
    kinds = [piece.get("class"), piece.get("provider"), piece.get("type")]
    meta, done = pairs(piece, "meta_attributes"), operations(piece)
    tries, forget_s = meta.get("migration-threshold", ""), meta.get("failure-timeout", "")
    interval_s, timeout_s = monitor_times(piece)
    times = {each: seconds(op.get("timeout")) for each, op in done.items()}
    blocks = "stop" in done and done["stop"].get("on-fail") == "block"
    found = Resource(
        name=piece.get("id"),
        agent=":".join(filter(None, kinds)),
        options=pairs(piece, "instance_attributes"),
        start_timeout_s=times.get("start", 0),
        stop_timeout_s=times.get("stop", 0),
        stop_failure="block" if blocks else "fence",
        monitor_interval_s=interval_s,
        monitor_timeout_s=timeout_s,
        tries=int(tries) if tries.isdigit() else 0,
        forget_s=seconds(forget_s),
    )
    found = replace(found, meta=differing(limits_of(found), meta))
    return found if plain(resource_piece(found)) == piece else None
