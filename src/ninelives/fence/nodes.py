"""Which hosts this agent may be used for: those with a level in which others cut the power.

Pacemaker asks for a list where nobody gave it one, and would then fence any of them by this device
alone, if no level named them. It would take for off a host whose power nobody cut. So only a host
with a level in which another device stands before this one (behind it, as a brake) is listed.
"""

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from .options import COMPUTE
from .programs import ask

OURS = frozenset({"fence_ninelives", COMPUTE})
QUERY = ("cibadmin", "--query", "--local", "--scope=configuration")


def covered(attribute: str, is_brake: bool) -> Mapping[str, bool] | str:
    """Map each such host to whether it is recorded; or say why the CIB cannot be read."""
    said = ask([*QUERY])
    if not said.is_done:
        return f"the CIB cannot be read: {said.words}"
    try:
        # The answer of a program which root installed here.
        configuration = ElementTree.fromstring(said.words)  # noqa: S314
    except ElementTree.ParseError as error:
        return f"the CIB cannot be read: {error}"
    return covered_in(configuration, attribute, is_brake)


def covered_in(
    configuration: ElementTree.Element, attribute: str, is_brake: bool
) -> Mapping[str, bool]:
    """Find them in a configuration. Pure."""
    ours = {
        device.get("id", "")
        for device in configuration.iter("primitive")
        if device.get("class") == "stonith" and device.get("type") in OURS
    }
    levels = [
        level for level in configuration.iter("fencing-level") if cuts_power(level, ours, is_brake)
    ]
    recorded = {
        node.get("uname", "")
        for node in configuration.iterfind("nodes/node")
        if any(pair.get("name") == attribute for pair in node.iter("nvpair"))
    }
    return {
        name: name in recorded
        for name in names(configuration)
        if any(is_for(level, name) for level in levels)
    }


def cuts_power(level: ElementTree.Element, ours: set[str], is_brake: bool) -> bool:
    devices = [device.strip() for device in level.get("devices", "").split(",")]
    places = [place for place, device in enumerate(devices) if device in ours]
    if not places:
        return False
    others = devices[places[0] :] if is_brake else devices[: places[-1]]
    return any(device not in ours for device in others)


def is_for(level: ElementTree.Element, name: str) -> bool:
    pattern = level.get("target-pattern")
    if pattern is None:
        return level.get("target") == name
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def names(configuration: ElementTree.Element) -> Iterator[str]:
    """Yield the names of members and of remote nodes: those are called like their connection."""
    for node in configuration.iterfind("nodes/node"):
        yield node.get("uname", "")
    for connection in configuration.iter("primitive"):
        if connection.get("provider") == "pacemaker" and connection.get("type") == "remote":
            yield connection.get("id", "")
