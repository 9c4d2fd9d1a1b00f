"""A small simulated world whose mind decides nothing, and everything that happened in it."""

from typing import TypeVar

from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.draft import Draft
from ninelives.core.model import (
    BackendId,
    HostId,
    RoadId,
    ServerId,
    ServerSeen,
    VmState,
    WitnessId,
)
from ninelives.core.site import HostSite, Road, Site
from ninelives.engine.node import Decide
from ninelives.sim.happenings import (
    Decided,
    Happening,
)
from ninelives.sim.setup import Setup
from ninelives.sim.world import World

CEPH = BackendId("ceph")
C1, C2, C3 = HostId("c1"), HostId("c2"), HostId("c3")
WEB = ServerId("web")
Kind = TypeVar("Kind", bound=Happening)


def small_setup(watchdog: bool = False) -> Setup:
    names = ("c1", "c2", "c3", "c4")
    controllers = tuple(WitnessId(name) for name in ("n1", "n2", "n3"))
    hosts = {
        HostId(name): HostSite(
            HostId(name),
            rack="a" if name in ("c1", "c2") else "b",
            serial=name,
            roads=(Road(RoadId(f"{name}-bmc"), address=f"bmc-{name}"),),
            backends=(CEPH,),
            revocable=frozenset({CEPH}),
            witnesses=tuple(WitnessId(other) for other in names if other != name),
            has_watchdog=watchdog,
        )
        for name in names
    }
    web = ServerSeen(WEB, C1, VmState.ACTIVE, None, is_running=True, disks=(CEPH,))
    return Setup(Site(hosts, controllers), servers=(web,))


def thoughtless(cluster: Cluster, event: on.Event, now: float) -> Decision:
    del event
    return Draft(cluster, now).decision()


class Story:
    """A world and everything that happened in it."""

    def __init__(self, seed: int = 1, watchdog: bool = False, decide: Decide = thoughtless) -> None:
        self.world = World(small_setup(watchdog), seed, decide=decide)
        self.happened: list[tuple[float, Happening]] = []
        self.world.observe(lambda now, what: self.happened.append((now, what)))

    def run(self, until: float, *commands: tuple[float, str]) -> "Story":
        for at, words in commands:
            self.world.at(at, tuple(words.split()))
        self.world.run(until)
        return self

    def all(self, kind: type[Kind]) -> list[tuple[float, Kind]]:
        return [(at, what) for at, what in self.happened if isinstance(what, kind)]

    def events(self, controller: str = "") -> list[tuple[float, on.Event]]:
        return [
            (at, what.event)
            for at, what in self.all(Decided)
            if controller in ("", what.controller)
        ]

    def changes(self, host: HostId) -> list[tuple[float, str, on.Change]]:
        return [
            (at, event.witness, change)
            for at, event in self.events()
            if isinstance(event, on.Sighted)
            for change in event.changes
            if change.host == host
        ]
