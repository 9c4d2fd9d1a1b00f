"""Give every element of a configuration the id that its schema demands, and none that is taken."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

NEED_ID = frozenset(
    {
        *("nvpair", "op", "instance_attributes", "meta_attributes", "cluster_property_set"),
        *("rule", "expression", "recipient", "rsc_location", "rsc_order", "fencing-level"),
    }
)
SHORT = {"rsc_location": "location", "rsc_order": "order", "fencing-level": "fl"}
SAID_BY: Mapping[str, Sequence[str]] = {
    "nvpair": ("name",),
    "op": ("name", "interval"),
    "expression": ("attribute",),
    "rsc_location": ("rsc",),
    "rsc_order": ("first", "then"),
    "fencing-level": ("target", "index"),
}


def numbered(live: ElementTree.Element, owner: str, taken: set[str]) -> ElementTree.Element:
    """Name what has no id yet, after what it stands in; `taken` grows. Changes `live`."""
    if live.tag in NEED_ID and not live.get("id"):
        live.set("id", free(_name(live, owner), taken))
    own = live.get("id", owner)
    taken.add(own)
    for child in live:
        numbered(child, own, taken)
    return live


def _name(live: ElementTree.Element, owner: str) -> str:
    words = [
        owner,
        SHORT.get(live.tag, ""),
        *(live.get(name, "") for name in SAID_BY.get(live.tag, ())),
    ]
    if live.tag not in SAID_BY:
        words.append(live.tag)
    safe = "-".join(filter(None, words))
    return "".join(each if each.isalnum() or each in "-_." else "_" for each in safe)


def free(name: str, taken: set[str]) -> str:
    """Return the name, or the first of its like that is not taken."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def ids_in(live: ElementTree.Element) -> set[str]:
    """List every id of a document."""
    return {each.get("id", "") for each in live.iter()}
