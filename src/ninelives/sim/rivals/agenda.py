"""What a rival has in mind to do, woven into a world's own time, and how it asks Nova."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.model import HostId
from ninelives.sim import compute, nova
from ninelives.sim.faults.grammar import Words

if TYPE_CHECKING:
    from ninelives.sim.world import World

Act = Callable[[], None]
Planned = tuple[float, int, Act]
NOTHING = Decision({}, {}, {}, None, {}, None, {}, {}, (), ())


def idle(cluster: Cluster, event: on.Event, now: float) -> Decision:
    """Decide nothing, ever: the mind of a controller in whose seat a rival sits."""
    del cluster, event, now
    return NOTHING


class Rival(Protocol):
    """A policy that acts in somebody else's world."""

    def start(self) -> None:
        """Plan the first look."""
        ...

    def waiting(self) -> list[Words]:
        """Say what its own documentation leaves to a person, now."""
        ...


@dataclass(slots=True)
class Agenda:
    """A rival's own heap beside the world's: an act sees everything that happened before it."""

    world: "World"
    heap: list[Planned] = field(default_factory=list[Planned])
    numbers: int = 0

    def after(self, wait: float, act: Callable[..., None], *args: object) -> None:
        """Do something later. It is not done twice, and never before now."""
        self.numbers += 1
        planned: Planned = (self.world.now + max(0.0, wait), self.numbers, partial(act, *args))
        heappush(self.heap, planned)

    def run(self, until: float) -> None:
        """Let time pass for the world and the rival alike."""
        while self.heap and self.heap[0][0] <= until:
            when, _, act = heappop(self.heap)
            self.world.run(when)
            act()
        self.world.run(until)


def office(world: "World") -> int:
    """Return the term of whoever runs the rival, 0 while nobody does.

    A change of term is a restart of its process: whatever it only had in memory is gone.
    """
    leader = world.leader()
    if leader is None or not leader.is_running or leader.hold is None:
        return 0
    return leader.hold.tenure.term


def ask(world: "World", request: nova.Request) -> nova.Reply:
    """Ask Nova, and let it begin with what was asked."""
    reply = world.nova.request(request, world.now)
    compute.pump(world)
    return reply


def servers_on(world: "World", host: HostId) -> tuple[nova.Server, ...] | None:
    """Read who is on a host by Nova's own record. None: Nova did not say."""
    reply = ask(world, nova.ListServers(host))
    if not isinstance(reply, nova.Answer) or not isinstance(reply.body, tuple):
        return None
    return tuple(each for each in reply.body if isinstance(each, nova.Server))


def services(world: "World") -> dict[HostId, nova.ServiceView] | None:
    """Read what Nova says of every nova-compute. None: it did not say."""
    reply = ask(world, nova.ListServices())
    if not isinstance(reply, nova.Answer) or not isinstance(reply.body, tuple):
        return None
    views = (each for each in reply.body if isinstance(each, nova.ServiceView))
    return {HostId(each.host): each for each in views}
