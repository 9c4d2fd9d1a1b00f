"""What one look at a cluster shows: the XML of `crm_mon --output-as=xml`, read defensively.

    nodes      ─▶ who is online, and not to be fenced     ┐ a remote is up only if both say so
    resources  ─▶ where each remote's connection runs     ┘
    fence_event ▶ whom somebody fenced, and how it ended

Laws:
  - What cannot be read is `Unknown`, with a reason, and never "down": no answer, no quorum, a node
    that is not listed, a word that is not one of the known.
  - A powered-off remote is shown as online while its connection is tried again (2.1.5). So being
    online alone means nothing.
  - Offline is not lost: a remote that was stopped by order, or fenced before, is offline.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

RESULT = "pacemaker-result"
REMOTE = "ocf:pacemaker:remote"
NOT_CONNECTED = 102  # of every tool of Pacemaker: no cluster runs here, or it does not answer
XML_MAX = 16 * 1024 * 1024  # sixty remotes take 148 KiB


class Standing(StrEnum):
    """How the cluster sees one remote."""

    UP = "up"
    LOST = "lost"  # its connection failed, or it is to be fenced
    OFFLINE = "offline"  # not connected, and nothing says why: fenced before, or stopped by order
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Unknown:
    """The cluster said nothing that could be used."""

    reason: str


@dataclass(frozen=True, slots=True)
class Node:
    """A member or a remote."""

    name: str
    is_remote: bool
    is_online: bool
    is_unclean: bool  # to be fenced, or being fenced
    is_dc: bool


@dataclass(frozen=True, slots=True)
class Resource:
    """One instance of a resource, and where it runs."""

    id: str
    agent: str
    role: str
    is_active: bool
    is_failed: bool
    is_managed: bool
    nodes: tuple[str, ...]


class FenceStatus(StrEnum):
    """How far a fencing has come."""

    SUCCESS = "success"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Fence:
    """One entry of the fencing history. The time is the cluster's clock: for display, and a key."""

    target: str
    action: str
    client: str  # who asked for it: `pacemaker-controld.1`, `stonith_admin.77`
    origin: str
    delegate: str  # who carried it out; "" where nobody is named
    status: FenceStatus
    completed: str
    exit_reason: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One look at a cluster that has quorum."""

    dc: str  # "" where none is elected
    nodes: Mapping[str, Node]
    resources: tuple[Resource, ...]
    fences: tuple[Fence, ...]  # newest first, as they are shown

    def standing(self, remote: str) -> Standing:
        """Say how a remote stands. What nobody manages, nobody looks after: it is unknown."""
        node = self.nodes.get(remote)
        connection = next((each for each in self.resources if is_connection(each, remote)), None)
        if node is None or connection is None or not self.dc or not connection.is_managed:
            return Standing.UNKNOWN
        if node.is_unclean or connection.is_failed:
            return Standing.LOST
        return Standing.UP if node.is_online and runs(connection) else Standing.OFFLINE


def is_connection(resource: Resource, remote: str) -> bool:
    """Say whether it is the connection to this remote, which bears the name of its node."""
    return resource.agent == REMOTE and resource.id == remote


def runs(resource: Resource) -> bool:
    return resource.role == "Started" and resource.is_active


def read(text: str) -> View | Unknown:
    """Read the XML of `crm_mon` 2.1 and 3.x. Pure."""
    if len(text) > XML_MAX:
        return Unknown("too long")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - of a program of this machine
    except ElementTree.ParseError:
        return Unknown("no XML")
    status = root.find("status")
    if root.tag != RESULT or status is None:
        return Unknown("no result")
    if status.get("code") != "0":
        known = {str(NOT_CONNECTED): "not connected"}
        return Unknown(known.get(status.get("code", ""), "it reports an error"))
    dc = root.find("summary/current_dc")
    if dc is None or dc.get("with_quorum") != "true":
        return Unknown("no quorum")
    try:
        return View(
            dc=dc.get("name", "") if dc.get("present") == "true" else "",
            nodes={node.name: node for node in map(_node, root.iterfind("nodes/node"))},
            resources=tuple(map(_resource, _resources(root))),
            fences=tuple(map(_fence, root.iterfind("fence_history/fence_event"))),
        )
    except (KeyError, ValueError) as error:
        return Unknown(f"unreadable: {error}")


def _resources(root: Element) -> Iterator[Element]:
    """Find those in clones, groups and bundles as well."""
    resources = root.find("resources")
    return iter(()) if resources is None else resources.iter("resource")


def _node(element: Element) -> Node:
    return Node(
        name=element.attrib["name"],
        is_remote=element.attrib["type"] == "remote",
        is_online=_flag(element, "online"),
        is_unclean=_flag(element, "unclean"),
        is_dc=_flag(element, "is_dc"),
    )


def _resource(element: Element) -> Resource:
    return Resource(
        id=element.attrib["id"],
        agent=element.attrib["resource_agent"],
        role=element.attrib["role"],
        is_active=_flag(element, "active"),
        is_failed=_flag(element, "failed"),
        is_managed=_flag(element, "managed"),
        nodes=tuple(node.attrib["name"] for node in element.iterfind("node")),
    )


def _fence(element: Element) -> Fence:
    return Fence(
        target=element.attrib["target"],
        action=element.attrib["action"],
        client=element.get("client", ""),
        origin=element.get("origin", ""),
        delegate=element.get("delegate", ""),
        status=FenceStatus(element.attrib["status"]),
        completed=element.get("completed", ""),
        exit_reason=element.get("exit-reason", ""),
    )


def _flag(element: Element, name: str) -> bool:
    return {"true": True, "false": False}[element.attrib[name]]
