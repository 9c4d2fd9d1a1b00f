"""Who can reach whom on which plane. A node has links, a rack a switch, and a cut is a pair."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ninelives.core.model import HostId, Plane

if TYPE_CHECKING:
    from .world import World

GATEWAY = "gateway"  # the reference addresses that every plane has
STORE = "store"


@dataclass(frozen=True, slots=True)
class Link:
    """One node's cable on one plane."""

    sends: bool = True
    hears: bool = True
    loss: float = 0.0
    passes_large: bool = True  # False: an MTU black hole; heartbeats pass, storage and moves do not

    @property
    def is_plain(self) -> bool:
        return self == PLAIN


PLAIN = Link()
DOWN = Link(sends=False, hears=False)
ONE_WAY = Link(sends=False)


@dataclass(slots=True)
class Network:
    """Everything that is wrong with the planes. Empty: nothing is."""

    links: dict[tuple[str, Plane], Link] = field(default_factory=dict[tuple[str, Plane], Link])
    dark_switches: set[tuple[str, Plane]] = field(default_factory=set[tuple[str, Plane]])
    racks: dict[str, str] = field(default_factory=dict[str, str])
    groups: dict[str, int] = field(default_factory=dict[str, int])  # sides of a partition
    cut_pairs: set[frozenset[str]] = field(default_factory=set[frozenset[str]])
    burst: bool = False  # spanning tree: nothing passes on any plane
    doubled: bool = False
    delay_s: float = 0.0
    reorders: bool = False
    echo_s: float = 0.0  # answers come again, at most this much later
    conflicts: set[str] = field(default_factory=set[str])  # tenant addresses that answer twice

    @property
    def is_calm(self) -> bool:
        """Nothing between nodes is wrong, except what single links say."""
        return not (self.burst or self.groups or self.cut_pairs or self.dark_switches)

    def loss(self, source: str, target: str, plane: Plane) -> float:
        """Say which share of small packets is lost on the way. 1.0: none arrives."""
        if source == target:
            return 0.0
        if not self.is_calm and self._is_parted(source, target, plane):
            return 1.0
        if not self.links:
            return 0.0
        out = self.links.get((source, plane), PLAIN)
        back = self.links.get((target, plane), PLAIN)
        if not (out.sends and back.hears):
            return 1.0
        return 1.0 - (1.0 - out.loss) * (1.0 - back.loss)

    def _is_parted(self, source: str, target: str, plane: Plane) -> bool:
        if self.burst or frozenset((source, target)) in self.cut_pairs:
            return True
        sides = self.groups.get(source), self.groups.get(target)
        if None not in sides and sides[0] != sides[1]:
            return True
        return any(
            (self.racks.get(node, ""), plane) in self.dark_switches for node in (source, target)
        )

    def reaches(self, source: str, target: str, plane: Plane) -> bool:
        return self.loss(source, target, plane) < 1.0

    def talks(self, one: str, other: str, planes: Iterable[Plane]) -> bool:
        """Say whether a connection of both directions stands on any of `planes`."""
        if not self.links and self.is_calm:
            return True
        for plane in planes:
            if self.reaches(one, other, plane) and self.reaches(other, one, plane):
                return True
        return False

    def passes_large(self, node: str, plane: Plane) -> bool:
        return self.links.get((node, plane), PLAIN).passes_large


def set_link(world: "World", node: str, plane: Plane, link: Link) -> None:
    """Change one cable, and all that run in the same one."""
    site = world.setup.site.hosts.get(HostId(node))
    for each in site.fate(plane) if site else (plane,):
        if link.is_plain:
            world.net.links.pop((node, each), None)
        else:
            world.net.links[node, each] = link
    world.touched(node)


def changed_link(world: "World", node: str, plane: Plane, **changes: float | bool) -> Link:
    before = world.net.links.get((node, plane), PLAIN)
    return replace(before, **changes)  # type: ignore[arg-type]  # of its own field names


def storage_reached(world: "World", host: HostId) -> bool:
    """Say whether the host can really read and write over its storage plane."""
    planes = world.setup.site.hosts[host].planes
    plane = Plane.STORAGE if Plane.STORAGE in planes else Plane.MANAGEMENT
    large = world.net.passes_large(host, plane)
    return large and world.net.talks(host, GATEWAY, (plane,))


def store_reached(world: "World", controller: str) -> bool:
    """Say whether a controller can reach the store; they share its management network."""
    return world.net.talks(controller, STORE, (Plane.MANAGEMENT,))


def planes_of(world: "World", node: str) -> tuple[Plane, ...]:
    site = world.setup.site.hosts.get(HostId(node))
    return site.planes if site else tuple(Plane)
