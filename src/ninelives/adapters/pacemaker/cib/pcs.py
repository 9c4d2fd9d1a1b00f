"""Pieces as a shell script of pcs commands: run against an empty CIB it makes them.

pcs knows no command for a node that has not joined, so that nodes are made by `cibadmin`. An agent
that is not installed where the script runs is no error to us: hence `--force`.
"""

import shlex
from collections.abc import Iterator

from .crmsh import condition
from .pieces import RESOURCES, Kind, Pieces
from .tree import Element, element, in_one_line

HEAD = """#!/bin/sh
# Makes the cluster with pcs. CIB_file=FILE works on a file; without it, on the running cluster.
set -e
pcs() { command pcs ${CIB_file:+-f "$CIB_file"} "$@"; }
"""
CREATED = ("--no-default-ops", "--force")


def pcs_script(pieces: Pieces) -> str:
    """Write the script. Pure."""
    return HEAD + "".join(f"{shlex.join(words)}\n" for words in _commands(pieces))


def _commands(pieces: Pieces) -> Iterator[list[str]]:
    counts = dict[str, int]()
    for key, piece in pieces.items():
        if key.kind is Kind.RESOURCE:
            yield from _resource(piece)
    yield from _nodes(pieces)
    for key, piece in pieces.items():
        match key.kind:
            case Kind.CONSTRAINT:
                name = f"{piece.tag.removeprefix('rsc_')}-{piece.get('rsc') or piece.get('then')}"
                counts[name] = counts.get(name, 0) + 1
                yield _constraint(f"{name}-{counts[name]}", piece)
            case Kind.LEVEL:
                devices = piece.get("devices").split(",")
                yield ["pcs", "stonith", "level", "add", key.name, key.of, *devices, "--force"]
            case Kind.ALERT:
                yield ["pcs", "alert", "create", f"path={piece.get('path')}", f"id={key.name}"]
                for each in piece.children:
                    yield [
                        "pcs",
                        "alert",
                        "recipient",
                        "add",
                        key.name,
                        f"value={each.get('value')}",
                    ]
            case _:
                continue
    yield from _tables(pieces)


def _tables(pieces: Pieces) -> Iterator[list[str]]:
    defaults = [_pair(each) for key, each in pieces.items() if key.kind is Kind.DEFAULT]
    if defaults:
        yield ["pcs", "resource", "defaults", "update", *defaults]
    properties = [_pair(each) for key, each in pieces.items() if key.kind is Kind.PROPERTY]
    if properties:
        yield ["pcs", "property", "set", "--force", *properties]


def _nodes(pieces: Pieces) -> Iterator[list[str]]:
    attributes = dict[str, list[str]]()
    for key, piece in pieces.items():
        if key.kind is Kind.NODE:
            attributes.setdefault(key.name, [])
            yield _created(piece)
    for key, piece in pieces.items():
        if key.kind is Kind.ATTRIBUTE:
            if key.of not in attributes:
                yield _created(element("node", id=key.of, uname=key.of, type="remote"))
            attributes.setdefault(key.of, []).append(_pair(piece))
    for name, pairs in attributes.items():
        if pairs:
            yield ["pcs", "node", "attribute", name, *pairs]


def _created(node: Element) -> list[str]:
    return ["cibadmin", "--modify", "--allow-create", "-o", "nodes", "-X", in_one_line(node)]


def _resource(piece: Element) -> Iterator[list[str]]:
    """Create what is inside, then the group, then the clone.

    A clone of one resource is made with it: `pcs resource clone` asks for the agent's metadata, and
    no --force keeps it from that (0.11.5).
    """
    name = piece.get("id")
    members = [each for each in piece.children if each.tag in RESOURCES]
    if piece.tag == "clone" and members[0].tag == "primitive":
        said = [word for word in _said(piece) if word != "meta"]  # after `clone`, that is its own
        yield [*_primitive(members[0])[: -len(CREATED)], "clone", name, *said, *CREATED]
        return
    for each in members:
        yield from _resource(each)
    inside = [each.get("id") for each in members]
    match piece.tag:
        case "primitive":
            yield _primitive(piece)
        case "group":
            yield ["pcs", "resource", "group", "add", name, *inside]
        case _:
            yield ["pcs", "resource", "clone", *inside, name, *_said(piece), "--force"]


def _primitive(piece: Element) -> list[str]:
    kinds = [piece.get(name) for name in ("class", "provider", "type")]
    if piece.get("class") == "stonith":
        return ["pcs", "stonith", "create", piece.get("id"), kinds[2], *_said(piece), *CREATED]
    agent = ":".join(filter(None, kinds))
    return ["pcs", "resource", "create", piece.get("id"), agent, *_said(piece), *CREATED]


def _said(piece: Element) -> Iterator[str]:
    sets = {each.tag: each for each in piece.children}
    if "instance_attributes" in sets:
        yield from map(_pair, sets["instance_attributes"].children)
    if "operations" in sets:
        yield "op"
        for each in sets["operations"].children:
            rest = (f"{name}={text}" for name, text in each.attributes if name != "name")
            yield from (each.get("name"), *rest)
    if "meta_attributes" in sets:
        yield from ("meta", *map(_pair, sets["meta_attributes"].children))


def _constraint(name: str, piece: Element) -> list[str]:
    if piece.tag == "rsc_order":
        ends = ["start", piece.get("first"), "then", "start", piece.get("then")]
        said = [f"kind={piece.get('kind')}", f"symmetrical={piece.get('symmetrical')}"]
        return ["pcs", "constraint", "order", *ends, *said, f"id={name}"]
    (rule,) = piece.children
    discovery = piece.get("resource-discovery")
    said = [
        f"constraint-id={name}",
        *([f"resource-discovery={discovery}"] if discovery else []),
        f"score={rule.get('score')}",
    ]
    where = shlex.split(condition(rule))
    return ["pcs", "constraint", "location", piece.get("rsc"), "rule", *said, *where]


def _pair(piece: Element) -> str:
    return f"{piece.get('name')}={piece.get('value')}"
