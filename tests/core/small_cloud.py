"""A cloud of a few hosts around one leader: it answers what the core asks, as told, and moves time.

    cloud = SmallCloud().started()
    cloud.add("web", "c1")
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated))

Everything that the core hands out passes the last check, as it does in production, and stands in
`done` (or in `turned_down` with the reason). Whoever wants another answer puts a function into
`answers` under the action's type; it returns the events, or () for an answer that is lost.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from tests.core.small_answers import answer_well

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Cluster, Control, Note
from ninelives.core.decide import decide
from ninelives.core.draft import restored
from ninelives.core.lastcheck import objection
from ninelives.core.model import (
    BackendId,
    BootId,
    HostId,
    Plane,
    Power,
    RoadId,
    ServerId,
    ServerSeen,
    Sign,
    VmState,
    WitnessId,
)
from ninelives.core.policy import BALANCED, Policy
from ninelives.core.site import HostSite, Road, Site
from ninelives.engine.node import Node

PLANES = (Plane.MANAGEMENT, Plane.STORAGE, Plane.TENANT)
CEPH = BackendId("ceph")
K1 = WitnessId("k1")
STEP_S = 0.05  # from a request to its answer
NOTHING_S = 3600.0  # how long `until` waits at most

Answer = Callable[["SmallCloud", do.Action], Iterable[on.Event]]


def host_site(name: str, hosts: Iterable[str], rack: str = "") -> HostSite:
    """One host: a BMC of its own, one Ceph, everybody else as its witness."""
    others = tuple(WitnessId(other) for other in hosts if other != name)
    road = Road(RoadId(f"bmc-{name}"), address=f"bmc-{name}")
    return HostSite(
        HostId(name),
        rack=rack or f"rack-{name}",
        serial=f"serial-{name}",
        planes=PLANES,
        roads=(road,),
        backends=(CEPH,),
        witnesses=(K1, *others),
    )


def small_site(names: str = "c1 c2 c3 c4", **changes: object) -> Site:
    """Build a site of named hosts; `changes` are fields that every host gets."""
    hosts = {HostId(name): host_site(name, names.split()) for name in names.split()}
    changed = {host: replace(site, **changes) for host, site in hosts.items()}  # type: ignore[arg-type]  # fields of HostSite by name
    return Site(changed, controllers=(K1,))


@dataclass
class SmallCloud:
    """The world and the one leader in it. Fields are the truth, not what the leader knows."""

    site: Site = field(default_factory=small_site)
    policy: Policy = BALANCED
    control: Control = field(default_factory=Control)
    now: float = 0.0
    power: dict[HostId, Power] = field(default_factory=dict)
    boots: dict[HostId, BootId] = field(default_factory=dict)
    alive: set[HostId] = field(default_factory=set)
    written: set[HostId] = field(default_factory=set)  # storage watchers of the host live
    revoked: set[tuple[HostId, BackendId]] = field(default_factory=set)
    servers: dict[ServerId, ServerSeen] = field(default_factory=dict)
    guests_left: dict[HostId, int] = field(default_factory=dict)
    answers: dict[type, Answer] = field(default_factory=dict)
    done: list[do.Action] = field(default_factory=list)
    turned_down: list[tuple[do.Action, str]] = field(default_factory=list)
    notes: list[tuple[float, Note]] = field(default_factory=list)
    boot_s: float = 30.0
    term: int = 0

    def __post_init__(self) -> None:
        self.cluster: Cluster = restored(self.site, self.policy, self.control, (), (), ())
        self.node = Node(self.cluster, decide, 0)
        self._later: list[tuple[float, int, Callable[[], Iterable[on.Event]]]] = []
        self._count = 0
        for host in self.site.hosts:
            self.power[host], self.boots[host] = Power.ON, BootId(f"{host}-boot1")
            self.alive.add(host)
            self.written.add(host)

    # What happens.

    def started(self) -> "SmallCloud":
        """Lead, and let every host be heard on every plane: all are healthy."""
        self.take_over()
        self.run(1.0)
        for host in self.site.hosts:
            assert self.is_in(host, at.Healthy), self.host(host)
        return self

    def take_over(self) -> None:
        """Start the next term, and let every witness tell at once all that it hears."""
        self.term += 1
        self.tell(on.TermBegan(self.term, K1))
        for witness in self.witnesses():
            self.tell(self.view(witness))

    def successor(self) -> "SmallCloud":
        """Lose the leader; another one starts from its durable records, in the same world."""
        old = self.cluster
        self.cluster = restored(
            self.site,
            self.policy,
            old.control,
            old.hosts.values(),
            old.moves.values(),
            old.outbox.values(),
        )
        self.node = Node(self.cluster, decide, self.node.revision)
        self._later.clear()
        self.take_over()
        return self

    def add(self, name: str, host: str, **changes: object) -> ServerId:
        """Let a server run on a host: active, its disk on Ceph, unless told otherwise."""
        server = ServerSeen(
            ServerId(name), HostId(host), VmState.ACTIVE, None, is_running=True, disks=(CEPH,)
        )
        self.servers[server.id] = replace(server, **changes)  # type: ignore[arg-type]  # fields of ServerSeen by name
        return server.id

    def change(self, name: str, **changes: object) -> None:
        """Let something become true of a server behind the leader's back."""
        server = ServerId(name)
        self.servers[server] = replace(self.servers[server], **changes)  # type: ignore[arg-type]  # fields of ServerSeen by name

    def kill(self, *hosts: str) -> None:
        """Cut the power by accident: the BMC reads off, nobody hears the host."""
        for host in map(HostId, hosts):
            self.power[host] = Power.OFF
            self._stop(host)

    def freeze(self, *hosts: str) -> None:
        """Silence a host on every plane; its power stays on, its guests are as good as dead."""
        for host in map(HostId, hosts):
            self._stop(host)

    def isolate(self, *hosts: str) -> None:
        """Cut a host off from every network but storage: it lives, and writes."""
        self.freeze(*hosts)
        self.written.update(map(HostId, hosts))

    def _stop(self, host: HostId) -> None:
        self.alive.discard(host)
        self.written.discard(host)
        self.after(self.policy.silence_s, lambda: self._silent(host))

    def _silent(self, host: HostId) -> Iterable[on.Event]:
        if host in self.alive:
            return []
        return [self.view(witness, host) for witness in self.witnesses() if HostId(witness) != host]

    def wake_up(self, host: str, boot: str = "") -> None:
        """Let a host be heard again: the boot it had, or a new one, its power on."""
        name = HostId(host)
        self.boots[name] = BootId(boot) if boot else self.boots[name]
        self.power[name] = Power.ON
        self.alive.add(name)
        self.written.add(name)
        for witness in self.witnesses():
            self.tell(self.view(witness, name))

    def witnesses(self) -> list[WitnessId]:
        """Who can tell: the controller, and every host that lives."""
        return [K1, *(WitnessId(host) for host in self.site.hosts if host in self.alive)]

    def view(self, witness: WitnessId, *hosts: HostId) -> on.Sighted:
        """What a witness says of these hosts, or of all."""
        changes = [
            on.Change(host, plane, *self._sign(witness, host))
            for host in (hosts or self.site.hosts)
            if HostId(witness) != host
            for plane in self.site.hosts[host].planes
        ]
        return on.Sighted(witness, tuple(changes), tuple((plane, 2, 2) for plane in PLANES))

    def _sign(self, witness: WitnessId, host: HostId) -> tuple[Sign, BootId | None]:
        if host not in self.alive:
            return Sign.SILENT, None
        return (Sign.STRONG, self.boots[host]) if witness == K1 else (Sign.WEAK, None)

    # Time, and the leader.

    def after(self, seconds: float, events: Callable[[], Iterable[on.Event]]) -> None:
        """Have events happen later; they are made when their time has come."""
        self._count += 1
        heappush(self._later, (self.now + seconds, self._count, events))

    def tell(self, event: on.Event) -> None:
        """Offer one event now; what the leader hands out is answered a moment later."""
        ready = self.node.offer(event, self.now)
        self.notes += [(self.now, note) for note in ready.decision.notes]
        for action in self.node.committed(ready.revision):
            self._perform(action)

    def _perform(self, action: do.Action) -> None:
        why = objection(self.cluster, action, self.now, self._shown(action))
        if why:
            self.turned_down.append((action, why))
            self.after(STEP_S, lambda: [on.Replied(action, on.Outcome.NOT_SENT, why)])
            return
        self.done.append(action)
        answer = self.answers.get(type(action), answer_well)
        self.after(STEP_S, lambda: answer(self, action))

    def _shown(self, action: do.Action) -> ServerSeen | None:
        server = getattr(action, "server", None)
        return self.servers.get(server) if server is not None else None

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.until(lambda: False, seconds, must=False)

    def until(
        self, holds: Callable[[], bool], within_s: float = NOTHING_S, must: bool = True
    ) -> None:
        """Let time pass until something holds. It is a failure if it never does."""
        end = self.now + within_s
        while not holds():
            if not self._advance(end):
                assert not must, f"never came about by {self.now:.0f} s: {self.story()}"
                self.now = end
                return

    def _advance(self, end: float) -> bool:
        world = self._later[0][0] if self._later else end + 1
        wake = self.node.wake_at()
        leader = end + 1 if wake is None else wake
        if min(world, leader) > end:
            return False
        self.now = max(self.now, min(world, leader))
        if world <= leader:
            for event in heappop(self._later)[2]():
                self.tell(event)
        else:
            subject = self.node.due(self.now)
            assert subject is not None
            self.tell(on.Woke(subject))
        return True

    # What can be asked of it.

    def host(self, host: str) -> at.Host:
        return self.cluster.hosts[HostId(host)]

    def move(self, server: str) -> at.Move:
        return self.cluster.moves[ServerId(server)]

    def is_in(self, host: str, *states: type) -> bool:
        return isinstance(self.host(host).state, states)

    def all_of(self, *kinds: type) -> list[do.Action]:
        """Everything of these kinds that was handed out and passed the last check."""
        return [action for action in self.done if isinstance(action, kinds)]

    def was_told(self, what: str) -> bool:
        return any(isinstance(told, do.Tell) and told.what == what for told in self.done)

    def story(self) -> str:
        """What happened, a line each: for whoever reads a failure."""
        return "\n" + "\n".join(
            f"{when:8.2f} {' '.join(map(str, note))}" for when, note in self.notes
        )
