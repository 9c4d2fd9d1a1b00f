"""Changes of pieces, and the configuration that they make of another one.

    live CIB + {key: (before, after)} ──▶ the CIB as it is to be

Laws:
  - What no change names is left exactly as it was, ids and order included.
  - A resource that is changed keeps its runtime states (target-role …) and the secrets it holds.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree

from ninelives.engine.errors import ConfigError

from .numbering import free, ids_in, numbered
from .pieces import (
    KEPT,
    PROPERTIES,
    RENAMED,
    RUNTIME,
    SETS,
    Key,
    Kind,
    Pieces,
    pieces_of,
)
from .tree import Element, frozen, thawed

Live = ElementTree.Element
SECTIONS = {
    Kind.PROPERTY: "crm_config",
    Kind.NODE: "nodes",
    Kind.ATTRIBUTE: "nodes",
    Kind.RESOURCE: "resources",
    Kind.CONSTRAINT: "constraints",
    Kind.LEVEL: "fencing-topology",
    Kind.DEFAULT: "rsc_defaults",
    Kind.ALERT: "alerts",
}
# What the tools write; the schema takes any order (pacemaker-3.9.rng: an interleave).
ORDER = (
    *("crm_config", "nodes", "resources", "constraints", "fencing-topology"),
    *("rsc_defaults", "op_defaults", "alerts", "acls", "tags"),
)


class Change(NamedTuple):
    """One piece, as it is and as it is to be."""

    key: Key
    before: Element | None
    after: Element | None

    @property
    def is_removal(self) -> bool:
        return self.after is None


def changed(cib: Live, changes: Iterable[Change]) -> Live:
    """Return a copy of a `<cib>` with these changes. Raises `ConfigError` for a lost secret."""
    copy = ElementTree.fromstring(ElementTree.tostring(cib))  # noqa: S314 - our own text
    configuration = copy.find("configuration")
    assert configuration is not None, "a CIB has a configuration"
    taken = ids_in(copy)
    for change in sorted(
        changes, key=lambda each: (not each.is_removal, each.key.kind != Kind.NODE)
    ):
        section = _section(configuration, SECTIONS[change.key.kind])
        _put(taken, section, change)
    for section in list(configuration):
        if section.tag in {"fencing-topology", "rsc_defaults", "alerts"} and not len(section):
            configuration.remove(section)
    return copy


def _section(configuration: Live, tag: str) -> Live:
    found = configuration.find(tag)
    if found is None:
        found = ElementTree.Element(tag)
        before = [each.tag for each in configuration if _place(each.tag) < _place(tag)]
        configuration.insert(len(before), found)
    return found


def _place(tag: str) -> int:
    return ORDER.index(tag) if tag in ORDER else len(ORDER)


def _put(taken: set[str], section: Live, change: Change) -> None:
    key, after = change.key, change.after
    match key.kind:
        case Kind.PROPERTY:
            there = _set(taken, section, "cluster_property_set", PROPERTIES)
            _put_pair(taken, there, key.name, after)
        case Kind.DEFAULT:
            _put_pair(
                taken, _set(taken, section, "meta_attributes", "rsc-options"), key.name, after
            )
        case Kind.ATTRIBUTE:
            node = _node(section, key.of)
            _put_pair(
                taken,
                _set(taken, node, "instance_attributes", f"nodes-{node.get('id')}"),
                key.name,
                after,
            )
        case _:
            _put_whole(taken, section, key, after)


def _put_whole(taken: set[str], section: Live, key: Key, after: Element | None) -> None:
    """Replace, add or take away one element of a section."""
    old = next((each for each in section if _is(each, key)), None)
    place = list(section).index(old) if old is not None else len(section)
    if old is not None:
        section.remove(old)
        taken -= ids_in(old)
    if after is None:
        return
    new = _with_states(_with_secrets(thawed(after), old, key), old)
    section.insert(place, numbered(new, _owner(key), taken))


def _is(live: Live, key: Key) -> bool:
    """Say whether this element is that piece."""
    match key.kind:
        case Kind.RESOURCE | Kind.ALERT:
            return live.get("id") == key.name
        case Kind.NODE:
            return live.get("uname") == key.name
        case Kind.LEVEL:
            return (live.get("target"), live.get("index")) == (key.of, key.name)
        case _:
            return key in pieces_of(frozen(_wrapped("constraints", live)))


def _wrapped(section: str, live: Live) -> Live:
    outer = ElementTree.Element("configuration")
    ElementTree.SubElement(outer, section).append(live)
    return outer


def _owner(key: Key) -> str:
    return "" if key.kind in {Kind.CONSTRAINT, Kind.LEVEL} else key.name


# --------------------------------------------------------------------------- names and values


def _set(taken: set[str], parent: Live, tag: str, usual: str) -> Live:
    """Find the one plain set of a parent, or make it."""
    plain_ones = [
        each for each in parent.findall(tag)
        if each.find("rule") is None and not each.get("id-ref") and not each.get("score")
    ]  # fmt: skip
    if plain_ones:
        return plain_ones[0]
    name = free(usual, taken)
    taken.add(name)
    return ElementTree.SubElement(parent, tag, {"id": name})


def _put_pair(taken: set[str], there: Live, name: str, after: Element | None) -> None:
    names = {name, *(new for new, old in RENAMED.items() if old == name)}
    for old in [each for each in there if each.get("name") in names]:
        if after is not None:
            old.set("value", after.get("value"))
            return
        there.remove(old)
    if after is not None:
        new = ElementTree.SubElement(there, "nvpair", dict(after.attributes))
        numbered(new, there.get("id", ""), taken)


def _node(nodes: Live, name: str) -> Live:
    """Find a node, or make the one of a remote that never joined yet."""
    for each in nodes:
        if each.get("uname") == name:
            return each
    taken = {each.get("id") for each in nodes}
    assert name not in taken, f"the node {name} exists under another name"
    return ElementTree.SubElement(nodes, "node", {"id": name, "uname": name, "type": "remote"})


def _with_secrets(new: Live, old: Live | None, key: Key) -> Live:
    """Put back what the piece only says to be kept."""
    for owner, pair in _pairs(new):
        if pair.get("value") == KEPT:
            held = dict(_held(old)).get((owner, pair.get("name", "")))
            if held is None:
                raise ConfigError(
                    f"{key}: `kept` names {pair.get('name')}, and the cluster holds none",
                    "name a password_file instead",
                )
            pair.set("value", held)
    return new


def _held(old: Live | None) -> Iterator[tuple[tuple[str, str], str]]:
    for owner, pair in _pairs(old) if old is not None else ():
        yield (owner, pair.get("name", "")), pair.get("value", "")


def _pairs(live: Live, owner: str = "") -> Iterator[tuple[str, Live]]:
    """Yield every name and value with the id of the resource it belongs to."""
    own = owner if live.tag in SETS else live.get("id", owner)
    for child in live:
        if child.tag == "nvpair":
            yield own, child
        yield from _pairs(child, own)


def _with_states(new: Live, old: Live | None) -> Live:
    """Carry over what people and ninelives have set on the resources meanwhile."""
    if old is None:
        return new
    for resource in old.iter():
        states = {
            pair.get("name", ""): pair.get("value", "")
            for pair in resource.findall("meta_attributes/nvpair")
            if pair.get("name") in RUNTIME
        }
        if states:
            _carry(new, resource, states)
    return new


def _carry(new: Live, resource: Live, states: Mapping[str, str]) -> None:
    there = next(
        (each for each in new.iter(resource.tag) if each.get("id") == resource.get("id")), None
    )
    if there is None:
        return
    into = there.find("meta_attributes")
    if into is None:
        into = ElementTree.Element("meta_attributes")
        there.insert(0, into)
    for name, value in states.items():
        ElementTree.SubElement(into, "nvpair", {"name": name, "value": value})


def differences(before: Pieces, after: Pieces, mine: Iterable[Key]) -> tuple[Change, ...]:
    """Return what leads from one to the other; of `before`, only `mine` may be taken away."""
    removed = [Change(key, before[key], None) for key in mine if key not in after]
    other = [
        Change(key, before.get(key), piece)
        for key, piece in after.items()
        if before.get(key) != piece
    ]
    return (*sorted(removed, key=lambda each: each.key), *other)
