"""From the cluster to the file: what of a running cluster the YAML can say, and what it cannot.

    pieces ──▶ each part is read, and believed only where it would be written the same way
                 └─ the rest ──▶ unmanaged: listed, and left alone by `plan` and `build`

Law: pieces_from(exported(pieces).cluster) are all among the pieces, so that a plan against the
cluster that was just exported is empty.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

from pydantic import TypeAdapter

from ninelives.adapters.pacemaker.cib.pieces import Key, Kind, Pieces, constraint
from ninelives.adapters.pacemaker.cib.tree import Element
from ninelives.engine.errors import ConfigError

from .declared import AUTOSTART, WAIT_FOR_ALL, gate, pieces_from, place
from .devices import differing
from .exported_fencing import with_fencing, with_nova, without_idle_names
from .exported_resources import read_remote, read_service, sound
from .model import (
    ATTRIBUTES_OF_OTHERS,
    DEFAULTS,
    OURS,
    PROPERTIES_OF_OTHERS,
    RECOMMENDED,
    ROLE_ATTRIBUTES,
    Alert,
    Cluster,
    Corosync,
    Member,
    Ninelives,
    Order,
    Remote,
    RoleAttribute,
    Service,
)

Node = TypeVar("Node", Member, Remote)
ORDER, ORDERED = TypeAdapter(Order), {"first", "then", "kind", "symmetrical"}
CONTROLLER = "ocf:ninelives:controller"


class Exported(NamedTuple):
    """What the file can say, and the keys of what it cannot."""

    cluster: Cluster
    unmanaged: tuple[Key, ...]


def exported(pieces: Pieces) -> Exported:
    """Describe a cluster. Raises `ConfigError` where there is not even a member."""
    members = _members(pieces)
    if not members:
        raise ConfigError("the cluster has no member yet", "has corosync ever run on it?")
    attribute = _role_attribute(pieces)
    cluster = Cluster(
        members=members,
        remotes=_remotes(pieces),
        role_attribute=attribute,
        corosync=_corosync(pieces),
        properties=_values(pieces, Kind.PROPERTY, RECOMMENDED),
        defaults=_values(pieces, Kind.DEFAULT, DEFAULTS),
        orders=tuple(_orders(pieces)),
        alerts=dict(_alerts(pieces)),
    )
    cluster = _with_services(_with_attributes(cluster, pieces), pieces)
    cluster = without_idle_names(with_fencing(with_nova(cluster, pieces), pieces))
    said = pieces_from(cluster)
    assert all(pieces.get(key) == said[key] for key in said), (
        "an export that would change something"
    )
    return Exported(cluster, tuple(sorted(key for key in pieces if key not in said)))


def _values(pieces: Pieces, kind: Kind, usual: Mapping[str, str]) -> dict[str, str]:
    """Say the properties, or the defaults, by how they differ from what is recommended."""
    found = {
        key.name: piece.get("value")
        for key, piece in pieces.items()
        if key.kind is kind and key.name not in PROPERTIES_OF_OTHERS
    }
    return differing(usual, {name: found[name] for name in found if not name.startswith(OURS)})


def _corosync(pieces: Pieces) -> Corosync | None:
    found = [pieces.get(Key(Kind.PROPERTY, "", name)) for name in (WAIT_FOR_ALL, AUTOSTART)]
    match [piece.get("value") for piece in found if piece is not None]:
        case [("true" | "false") as waits, ("true" | "false") as starts]:
            return Corosync(waits == "true", starts == "true")
        case _:
            return None


def _members(pieces: Pieces) -> dict[str, Member]:
    found = [(int(piece.get("id")), key.name) for key, piece in pieces.items()
             if key.kind is Kind.NODE and piece.get("id").isdigit()]  # fmt: skip
    return {name: Member(id=number) for number, name in sorted(found)}


def _remotes(pieces: Pieces) -> dict[str, Remote]:
    found = (
        (key.name, read_remote(piece)) for key, piece in pieces.items() if key.kind is Kind.RESOURCE
    )
    return dict(sorted((name, remote) for name, remote in found if remote is not None))


def _orders(pieces: Pieces) -> Iterator[Order]:
    for _, piece in sorted(each for each in pieces.items() if each[1].tag == "rsc_order"):
        given = dict(piece.attributes)
        found = sound(partial(ORDER.validate_python, given))
        if found is not None and given.keys() == ORDERED and not piece.children:
            yield found


def _alerts(pieces: Pieces) -> Iterator[tuple[str, Alert]]:
    for key, piece in sorted(pieces.items()):
        told = tuple(each.get("value") for each in piece.children)
        is_plain = all(each.tag == "recipient" and not each.children for each in piece.children)
        if key.kind is Kind.ALERT and is_plain:
            found = sound(partial(Alert, path=piece.get("path"), recipients=told))
            if found is not None:
                yield key.name, found


# --------------------------------------------------------------------------------------- nodes


def _role_attribute(pieces: Pieces) -> RoleAttribute:
    """Find out which of the names for a role this cluster uses; the first where it uses none."""
    named = {key.name for key in pieces if key.kind is Kind.ATTRIBUTE}
    ruled = {each.get("attribute") for key in pieces for each in _expressions(pieces[key])}
    usual, other = ROLE_ATTRIBUTES
    return other if other in named | ruled and usual not in named | ruled else usual


def _expressions(piece: Element) -> Iterator[Element]:
    for child in piece.children:
        if child.tag == "expression":
            yield child
        yield from _expressions(child)


def _with_attributes(cluster: Cluster, pieces: Pieces) -> Cluster:
    return replace(
        cluster,
        members={name: _attributed(cluster, name, cluster.members[name], pieces)
                 for name in cluster.members},
        remotes={name: _attributed(cluster, name, cluster.remotes[name], pieces)
                 for name in cluster.remotes},
    )  # fmt: skip


def _attributed(cluster: Cluster, name: str, node: Node, pieces: Pieces) -> Node:
    found = {
        key.name: piece.get("value")
        for key, piece in sorted(pieces.items())
        if key.kind is Kind.ATTRIBUTE and key.of == name and key.name not in ATTRIBUTES_OF_OTHERS
    }
    role = found.get(cluster.role_attribute, "")
    declared = {
        each: text
        for each, text in found.items()
        if not each.startswith(OURS) and each not in ROLE_ATTRIBUTES
    }
    return replace(node, role=role, attributes=declared)


# ------------------------------------------------------------------------------------ services


def _with_services(cluster: Cluster, pieces: Pieces) -> Cluster:
    services, ours = dict[str, Service](), None
    for key, piece in sorted(pieces.items()):
        found = read_service(piece) if key.kind is Kind.RESOURCE else None
        if found is None:
            continue
        name, resources = found
        role = _role(pieces, key.name, cluster.role_attribute)
        if resources[0].agent == CONTROLLER and len(resources) == 1 and ours is None:
            ours = Ninelives(controller=resources[0], role=role)
        else:
            is_gated = constraint(gate(key.name))[0] in pieces
            services[name] = Service(resources=resources, role=role, gated=is_gated)
    return replace(cluster, services=services, ninelives=ours or Ninelives(enabled=False))


def _role(pieces: Pieces, clone: str, attribute: str) -> str:
    """Find the role on whose nodes a service runs; "" where no such rule exists."""
    rules = [piece for piece in pieces.values() if piece.get("rsc") == clone]
    roles = {(each.get("value"), piece) for piece in rules for each in _expressions(piece)}
    fitting = (role for role, piece in roles if place(clone, attribute, role) == piece)
    return min(fitting, default="")
