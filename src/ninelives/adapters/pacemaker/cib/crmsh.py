"""Pieces as commands of crmsh: `crm configure load update FILE` makes them of an empty CIB."""

import re
from collections.abc import Iterator

from .pieces import RESOURCES, Kind, Pieces
from .tree import Element

PLAIN = re.compile(r"^[\w./:@%+,-]+$")
SET_WORDS = {
    "instance_attributes": "params",
    "meta_attributes": "meta",
    "utilization": "utilization",
}


def crmsh(pieces: Pieces) -> str:
    """Write the commands, one a line. Pure."""
    return "".join(f"{line}\n" for line in _lines(pieces))


def _lines(pieces: Pieces) -> Iterator[str]:
    yield from _nodes(pieces)
    for key, piece in pieces.items():
        if key.kind is Kind.RESOURCE:
            yield from _resource(piece)
    counts = dict[str, int]()
    for key, piece in pieces.items():
        match key.kind:
            case Kind.CONSTRAINT:
                name = f"{piece.tag.removeprefix('rsc_')}-{piece.get('rsc') or piece.get('then')}"
                counts[name] = counts.get(name, 0) + 1
                yield _constraint(f"{name}-{counts[name]}", piece)
            case Kind.ALERT:
                told = "".join(f" to {quoted(each.get('value'))}" for each in piece.children)
                yield f"alert {key.name} {quoted(piece.get('path'))}{told}"
            case _:
                continue
    yield from _levels(pieces)
    for kind, word in ((Kind.DEFAULT, "rsc_defaults"), (Kind.PROPERTY, "property")):
        said = [_pair(pieces[key]) for key in pieces if key.kind is kind]
        yield from ([" ".join([word, *said])] if said else [])


def _nodes(pieces: Pieces) -> Iterator[str]:
    said = dict[str, list[str]]()
    for key, piece in pieces.items():
        if key.kind is Kind.ATTRIBUTE:
            said.setdefault(key.of, []).append(_pair(piece))
    members = {key.name: piece for key, piece in pieces.items() if key.kind is Kind.NODE}
    for name, piece in members.items():
        yield " ".join([f"node {piece.get('id')}: {name}", *_attributes(said.pop(name, []))])
    for name, pairs in said.items():
        yield " ".join([f"node {name}:remote", *_attributes(pairs)])


def _attributes(pairs: list[str]) -> list[str]:
    return ["attributes", *pairs] if pairs else []


def _resource(piece: Element) -> Iterator[str]:
    """Write what is inside first: a group and a clone name what exists."""
    members = [each for each in piece.children if each.tag in RESOURCES]
    for each in members:
        yield from _resource(each)
    kinds = ":".join(filter(None, (piece.get(name) for name in ("class", "provider", "type"))))
    words = [piece.tag, piece.get("id"), kinds, *(each.get("id") for each in members)]
    for said in piece.children:
        if said.tag in SET_WORDS:
            words += [SET_WORDS[said.tag], *map(_pair, said.children)]
        elif said.tag == "operations":
            words += [
                word for each in said.children for word in ("op", each.get("name"), *_op(each))
            ]
    yield " ".join(filter(None, words))


def _op(piece: Element) -> Iterator[str]:
    yield from (f"{name}={quoted(text)}" for name, text in piece.attributes if name != "name")


def _constraint(name: str, piece: Element) -> str:
    if piece.tag == "rsc_order":
        ends = f"{piece.get('first')} {piece.get('then')}"
        return f"order {name} {piece.get('kind')}: {ends} symmetrical={piece.get('symmetrical')}"
    discovery = piece.get("resource-discovery")
    where = f" resource-discovery={discovery}" if discovery else ""
    rules = "".join(f" rule {_score(each)}: {condition(each)}" for each in piece.children)
    return f"location {name} {piece.get('rsc')}{where}{rules}"


def _score(rule: Element) -> str:
    return rule.get("score").replace("INFINITY", "inf")


def condition(rule: Element) -> str:
    """Write the one expression that rules of ours have."""
    (each,) = rule.children
    if each.get("operation") == "defined":
        return f"defined {each.get('attribute')}"
    return f"{each.get('attribute')} {each.get('operation')} {quoted(each.get('value'))}"


def _levels(pieces: Pieces) -> Iterator[str]:
    """Write all levels as one command: each target with its levels in order."""
    targets = dict[str, list[tuple[int, str]]]()
    for key, piece in pieces.items():
        if key.kind is Kind.LEVEL:
            targets.setdefault(key.of, []).append((int(key.name), piece.get("devices")))
    if targets:
        said = (
            f"{target}: {' '.join(devices for _, devices in sorted(levels))}"
            for target, levels in targets.items()
        )
        yield f"fencing_topology {' '.join(said)}"


def _pair(piece: Element) -> str:
    return f"{piece.get('name')}={quoted(piece.get('value'))}"


def quoted(text: str) -> str:
    """Quote what is not one plain word."""
    if PLAIN.match(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
