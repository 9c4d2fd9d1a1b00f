"""A configuration taken apart into pieces, each with a key of its own, so that two can be compared.

    <configuration> ──▶ {property no-quorum-policy: …, resource cmp1: …, level cmp1 1: …, …}

Laws:
  - What crmsh, pcs and cibadmin write differently for the same meaning becomes one piece: the ids
    of what is inside a resource, the order of its options, `1min` and `60s`.
  - What is not understood stays as it is, as a piece of the kind `other`: nothing is lost.
  - A secret that stands in the cluster never leaves it: the piece says `KEPT` in its place.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from .tree import Element, element, in_one_line

KEPT = "(kept in the cluster)"
PROPERTIES = "cib-bootstrap-options"
RENAMED = {  # what Pacemaker 3 calls otherwise
    "fencing-action": "stonith-action",
    "fencing-enabled": "stonith-enabled",
    "fencing-max-attempts": "stonith-max-attempts",
    "fencing-timeout": "stonith-timeout",
    "fencing-watchdog-timeout": "stonith-watchdog-timeout",
}
SECRET = re.compile(r"passw|passphrase|secret|token|community|hexadecimal_kg|_key$")
RUNTIME = frozenset({"target-role", "is-managed", "maintenance"})  # set by people and by ninelives
SETS = frozenset({"instance_attributes", "meta_attributes", "utilization"})
RESOURCES = frozenset({"primitive", "group", "clone", "master", "bundle"})
TIME = re.compile(r"^(\d+)\s*(s|sec|m|min|h|hr)$")
SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hr": 3600}
BARE_TIMES = frozenset(
    {
        *("interval", "timeout", "failure-timeout", "reconnect_interval", "stonith-timeout"),
        *("cluster-recheck-interval", "dc-deadtime", "pcmk_off_timeout", "pcmk_monitor_timeout"),
    }
)  # fmt: skip


class Kind(StrEnum):
    """What a piece is."""

    PROPERTY = "property"
    NODE = "node"
    ATTRIBUTE = "attribute"  # a permanent one, of a node
    RESOURCE = "resource"
    STATE = "state"  # of a resource: target-role and the like
    CONSTRAINT = "constraint"
    LEVEL = "level"
    DEFAULT = "default"  # of all resources
    ALERT = "alert"
    OTHER = "other"


class Key(NamedTuple):
    """Which piece: its kind, whose it is ("" where nobody's), its name."""

    kind: Kind
    of: str
    name: str

    def __str__(self) -> str:
        return " ".join(filter(None, [self.kind.value, self.of, self.name]))


Pieces: TypeAlias = Mapping[Key, Element]


def pieces_of(configuration: Element) -> dict[Key, Element]:
    """Take a `<configuration>`, or a whole `<cib>`, apart. Pure."""
    whole = configuration.one("configuration") or configuration
    return dict(each for section in whole.children for each in _of_section(section))


def _of_section(section: Element) -> Iterator[tuple[Key, Element]]:
    for child in section.children:
        match section.tag, child.tag:
            case "crm_config", "cluster_property_set":
                yield from _of_set(child, Kind.PROPERTY, "")
            case "nodes", "node":
                yield from _of_node(child)
            case "resources", tag if tag in RESOURCES:
                yield Key(Kind.RESOURCE, "", child.get("id")), plain(child)
                yield from _states(child)
            case "constraints", _:
                yield constraint(plain(_without(child, "id")))
            case "fencing-topology", "fencing-level" if child.get("target"):
                yield level(plain(_without(child, "id")))
            case "rsc_defaults", "meta_attributes":
                yield from _of_set(child, Kind.DEFAULT, "")
            case "alerts", "alert":
                yield Key(Kind.ALERT, "", child.get("id")), plain(child)
            case _:
                yield Key(Kind.OTHER, section.tag, in_one_line(child)), child


def constraint(content: Element) -> tuple[Key, Element]:
    """Name a constraint by what it says: ids of constraints mean nothing."""
    return Key(Kind.CONSTRAINT, "", in_one_line(content)), content


def level(content: Element) -> tuple[Key, Element]:
    """Name a fencing level by its target and index."""
    return Key(Kind.LEVEL, content.get("target"), content.get("index")), content


def pair(kind: Kind, of: str, name: str, value: str) -> tuple[Key, Element]:
    """Make a piece that is one name and its value."""
    name = RENAMED.get(name, name) if kind is Kind.PROPERTY else name
    return Key(kind, of, name), element("nvpair", name=name, value=tidied(name, value))


def _of_set(which: Element, kind: Kind, of: str) -> Iterator[tuple[Key, Element]]:
    if not _is_plain_set(which):
        yield Key(Kind.OTHER, of or which.tag, in_one_line(which)), which
        return
    for each in which.children:
        yield pair(kind, of, each.get("name"), each.get("value"))


def _of_node(node: Element) -> Iterator[tuple[Key, Element]]:
    name = node.get("uname") or node.get("id")
    if node.get("type") != "remote":  # a remote is what its resource says, and its attributes
        yield Key(Kind.NODE, "", name), element("node", uname=name, id=node.get("id"))
    for child in node.children:
        if child.tag == "instance_attributes":
            yield from _of_set(child, Kind.ATTRIBUTE, name)
        else:
            yield Key(Kind.OTHER, name, in_one_line(child)), child


def _states(resource: Element) -> Iterator[tuple[Key, Element]]:
    own = (each for each in resource.all("meta_attributes") if _is_plain_set(each))
    for each in (each for one in own for each in one.children):
        if each.get("name") in RUNTIME:
            yield pair(Kind.STATE, resource.get("id"), each.get("name"), each.get("value"))
    for member in resource.children:
        if member.tag in RESOURCES:
            yield from _states(member)


# --------------------------------------------------------------------------------- one meaning


def plain(which: Element) -> Element:
    """Return it in the one form that everything of the same meaning has. Pure."""
    match which.tag:
        case "op":
            return _operation(which)
        case tag if tag in SETS and _is_plain_set(which):
            return pairs_in(tag, {each.get("name"): each.get("value") for each in which.children})
        case "rule":
            return _rule(which)
        case "expression" | "recipient" | "operations":
            return _sorted(_without(which, "id"))
        case "rsc_order":
            return _order(which)
        case "alert" | "fencing-level":
            return _sorted(which)
        case tag if tag in RESOURCES:
            return _resource(which)
        case _:
            return Element(which.tag, which.attributes, tuple(map(plain, which.children)))


def pairs_in(tag: str, values: Mapping[str, str]) -> Element:
    """Make a set of names and values in its plain form."""
    kept = {name: tidied(name, value) for name, value in values.items() if name not in RUNTIME}
    return Element(tag, (), tuple(element("nvpair", name=n, value=kept[n]) for n in sorted(kept)))


def tidied(name: str, value: str) -> str:
    """Write a time in seconds, and keep a secret to itself."""
    if SECRET.search(name) and "script" not in name and value:
        return KEPT
    if found := TIME.match(value):
        return f"{int(found[1]) * SECONDS[found[2]]}s"
    return f"{value}s" if name in BARE_TIMES and value.isdigit() else value


def _is_plain_set(which: Element) -> bool:
    """Say whether it is names and values alone: no rule, no score, no reference to another."""
    own = {name for name, _ in which.attributes} - {"id"}
    inside = ({name for name, _ in each.attributes} for each in which.children)
    return not own and all(
        each.tag == "nvpair" and names <= {"id", "name", "value"}
        for each, names in zip(which.children, inside, strict=True)
    )


def _operation(which: Element) -> Element:
    given = {name: tidied(name, text) for name, text in which.attributes if name != "id"}
    given.setdefault("interval", "0s")
    return Element("op", tuple(sorted(given.items())), tuple(map(plain, which.children)))


def _rule(which: Element) -> Element:
    given = {name: text for name, text in which.attributes if name != "id"}
    if given.get("boolean-op") == "and":
        del given["boolean-op"]
    given["score"] = given.get("score", "0").upper().replace("-INF", "-INFINITY", 1)
    given["score"] = given["score"].replace("INFINITYINITY", "INFINITY")
    children = sorted(map(plain, which.children), key=in_one_line)
    return Element("rule", tuple(sorted(given.items())), tuple(children))


def _order(which: Element) -> Element:
    implied = {("first-action", "start"), ("then-action", "start")}
    given = tuple(each for each in which.attributes if each not in implied)
    return Element(which.tag, given, tuple(map(plain, which.children)))


def _resource(which: Element) -> Element:
    """Order what is said of it, and leave the order of its members alone: it has a meaning."""
    inside = [plain(child) for child in which.children]
    said = sorted((each for each in inside if each.tag not in RESOURCES), key=in_one_line)
    said = [each for each in said if each.children or each.tag not in {*SETS, "operations"}]
    members = [each for each in inside if each.tag in RESOURCES]
    return Element(which.tag, which.attributes, (*said, *members))


def _sorted(which: Element) -> Element:
    children = sorted(map(plain, which.children), key=in_one_line)
    return Element(which.tag, which.attributes, tuple(children))


def _without(which: Element, name: str) -> Element:
    given = tuple(each for each in which.attributes if each[0] != name)
    return Element(which.tag, given, which.children)
