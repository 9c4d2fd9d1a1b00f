"""The leader in its small cloud: the real core, fed until it has nothing more to say right now.

What is forced happens at once and in one step: reads are answered truthfully at the instant in
which they are asked, bookkeeping at Nova (disable, force-down, …) succeeds, a wake that is due is
delivered. A read that comes back late tells what was true earlier; that is the same as the truth
changing between the answer and what is done about it, and every step that changes the truth may
come between a decision and its last check. Shots, moves, starts and power-ons wait in `in_hand`.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.core.draft import restored
from ninelives.core.lastcheck import objection
from ninelives.core.model import (
    Attestation,
    BootId,
    Candidate,
    HostId,
    Plane,
    Power,
    ServerSeen,
    Sign,
    VmState,
    WitnessId,
)

from . import laws, nova
from .key import Keys
from .laws import Broken
from .truth import (
    CONTROLLERS,
    HOSTS,
    PLANES,
    POLICY,
    REFERENCES,
    Host,
    Truth,
    road_of,
    serial_of,
    shown,
    site,
)

ACTING = (
    do.PowerOff,
    do.Evacuate,
    do.StartServer,
    do.StopServer,
    do.HardReboot,
    do.LiveMigrate,
    do.PowerOn,
)
KEPT_MINDS_MAX = 60_000
AT_ONCE_MAX = 400  # events at one instant; more is a core that never comes to rest
SITE = site()


class Rules(NamedTuple):
    """What is explored: the real core, or one with a bug planted into it."""

    decide: Callable[[Cluster, on.Event, float], Decision] = decide
    objection: Callable[[Cluster, do.Action, float, ServerSeen | None], str] = objection


Place: TypeAlias = tuple[int, on.Event | None, float]
Folded: TypeAlias = tuple[Cluster, Cluster, Decision | None]


class Minds:
    """Folds events into minds, each only once: a mind is a cluster that nobody changes any more.

    What befalls the world leaves the leader's mind as it was, so that many states share one; and
    `decide` is pure, so that what it said to a mind once holds for all of them.
    """

    def __init__(self, rules: Rules, keys: Keys) -> None:
        """Fold by these rules."""
        self.rules = rules
        self.keys = keys
        self.memory: dict[Place, Folded] = {}

    def after(self, cluster: Cluster, event: on.Event, now: float) -> tuple[Cluster, Decision]:
        """Return the mind after an event, and what was decided."""
        place = (id(cluster), event, now)
        known = self.memory.get(place)
        if known is not None and known[2] is not None:
            return known[1], known[2]  # the mind is kept beside it, so that its id stays its own
        decision = self.rules.decide(cluster, event, now)
        after = cluster.fork()
        after.apply(decision)
        after.now = now
        self._keep(place, (cluster, after, decision))
        return after, decision

    def heir(self, cluster: Cluster) -> Cluster:
        """Return what a new leader starts from: the durable part of its predecessor's mind."""
        place = (id(cluster), None, 0.0)
        known = self.memory.get(place)
        if known is not None:
            return known[1]
        hosts, moves = cluster.hosts.values(), cluster.moves.values()
        heir = restored(SITE, POLICY, cluster.control, hosts, moves, cluster.outbox.values())
        self._keep(place, (cluster, heir, None))
        return heir

    def _keep(self, place: Place, found: Folded) -> None:
        if len(self.memory) >= KEPT_MINDS_MAX:
            self.memory.clear()
        self.memory[place] = found


@dataclass(slots=True)
class Scene:
    """One step at work: the leader's mind, the truth, and what this step broke."""

    cluster: Cluster
    truth: Truth
    now: float
    minds: Minds
    broken: list[Broken] = field(default_factory=list[Broken])
    said: list[str] = field(default_factory=list[str])  # what the leader did about it, for people

    def feed(self, *events: on.Event) -> None:
        """Give the leader these events, and whatever follows from them without a choice."""
        waiting = deque(events)
        for _ in range(AT_ONCE_MAX):
            if not waiting:
                subject = _due(self.cluster, self.now)
                if subject is None:
                    return
                waiting.append(on.Woke(subject))
            self._fold(waiting.popleft(), waiting)
        self.broken.append(Broken("BUG", "core", "never comes to rest at one instant"))

    def tell(self, *events: on.Event) -> None:
        """Give the leader news; one that stood still notices that first."""
        if self.truth.owes_fault:
            self.truth = replace(self.truth, owes_fault=False)
            self.feed(on.OwnFault("froze"), on.OwnFault("froze", ended=True))
        self.feed(*events)

    def count_fault(self) -> None:
        """A path has so many faults at most."""
        self.truth = replace(self.truth, faults=self.truth.faults + 1)

    def _fold(self, event: on.Event, waiting: deque[on.Event]) -> None:
        before = self.cluster
        self.cluster, decision = self.minds.after(before, event, self.now)
        self.broken.extend(laws.of_decision(before, self.truth, decision))
        self.said.extend(
            f"{note.about} {note.what} {note.why}".rstrip()
            for note in decision.notes
            if note.what != "told"
        )
        for action in decision.actions:
            if isinstance(action, ACTING):
                self.truth = replace(self.truth, in_hand=(*self.truth.in_hand, action))
            else:
                waiting.extend(answered(self, action))


def _due(cluster: Cluster, now: float) -> str | None:
    if not cluster.wakes:
        return None
    subject = min(cluster.wakes, key=cluster.wakes.__getitem__)
    return subject if cluster.wakes[subject] <= now else None


# A leader begins.


def begins(scene: Scene) -> None:
    """Start the term of `truth.leader` from what is durable; everybody re-reports what they see."""
    truth = scene.truth
    scene.cluster = scene.minds.heir(scene.cluster)
    events: list[on.Event] = [on.TermBegan(truth.term, truth.leader, is_unclean=truth.term > 1)]
    events += [told_by(truth, witness, HOSTS) for witness in witnesses(truth)]
    scene.feed(*events)


def empty() -> Cluster:
    """Return what the very first leader finds in its store: nothing."""
    return restored(SITE, POLICY, Cluster(SITE).control, (), (), ())


def witnesses(truth: Truth) -> tuple[WitnessId, ...]:
    """Return who can speak: the controllers, and every host that runs its agent."""
    hosts = [WitnessId(host.id) for host in truth.hosts if host.power.is_heard]
    return (*CONTROLLERS, *hosts)


def told_by(
    truth: Truth, witness: WitnessId, about: tuple[HostId, ...], was_frozen: bool = False
) -> on.Sighted:
    """Return what a witness says of some hosts: of a living one a peer gets only a weak sign."""
    changes = tuple(
        _change(truth.host(host), plane, is_peer=witness not in CONTROLLERS)
        for host in about
        if str(host) != str(witness)
        for plane in PLANES
    )
    references = tuple((plane, REFERENCES, REFERENCES) for plane in PLANES)
    return on.Sighted(witness, changes, references, was_frozen)


def _change(host: Host, plane: Plane, is_peer: bool) -> on.Change:
    if not host.said_boot:
        return on.Change(host.id, plane, Sign.SILENT)
    if is_peer:
        return on.Change(host.id, plane, Sign.WEAK)
    return on.Change(host.id, plane, Sign.STRONG, BootId(f"{host.id}#{host.said_boot}"))


# What is answered at once.


def answered(scene: Scene, action: do.Action) -> Iterator[on.Event]:
    """Answer a read with the truth; carry out bookkeeping after its last check."""
    if isinstance(action, do.READS):
        yield from _read(scene, action)
        return
    refusal = scene.minds.rules.objection(scene.cluster, action, scene.now, None)
    if refusal:
        yield on.Replied(action, on.Outcome.NOT_SENT, refusal)
        return
    scene.broken.extend(laws.of_send(scene.truth, scene.cluster, action, scene.now))
    outcome, reason = _keep_books(scene, action)
    yield on.Replied(action, outcome, reason)


def _read(scene: Scene, action: do.Read) -> Iterator[on.Event]:
    truth = scene.truth
    match action:
        case do.ReadPower(host=host):
            yield on.PowerRead(host, road_of(host), _power(scene, host))
        case do.AskAttestation(host=host, epoch=epoch):
            yield from _attested(scene, host, epoch)
        case do.ListServers(host=host):
            here = (server for server in truth.servers if _concerns(truth, server.id, host))
            yield on.Listed(action, tuple(shown(server) for server in here), is_complete=True)
        case do.Watch(servers=names):
            yield on.Watched(action, tuple(shown(truth.server(name)) for name in names))
        case do.AskTargets(server=name):
            at_home = truth.server(name).host
            free = [h.id for h in truth.hosts if h.id != at_home and nova.is_up(h)]
            allowed = [name for name in free if not truth.host(name).is_disabled]
            yield on.TargetsSeen(action, tuple(Candidate(name, 9, True) for name in allowed))
        case do.LookForDomain(server=name, hosts=hosts):
            runs_on = truth.server(name).runs_on
            seen = [(h, h in runs_on if truth.host(h).power.is_heard else None) for h in hosts]
            yield on.DomainsSeen(action, tuple(seen))
        case do.ReadStorage() | do.AskPromises():
            pass


def _power(scene: Scene, name: HostId) -> Power:
    host = scene.truth.host(name)
    if host.lies_off:
        scene.truth = scene.truth.with_host(replace(host, lies_off=False))
        return Power.OFF
    return Power.ON if host.power.is_on else Power.OFF


def _attested(scene: Scene, name: HostId, epoch: int) -> Iterator[on.Event]:
    host = scene.truth.host(name)
    if not host.power.is_heard:
        return
    is_gated = host.condition == "booted"
    guests = sum(name in server.runs_on for server in scene.truth.servers)
    said = Attestation(
        host.boot,
        epoch,
        serial_of(name),
        True,
        is_gated,
        guests,
        autostart=False,
        resume_guests=False,
    )
    scene.truth = scene.truth.with_host(replace(host, was_attested=is_gated))
    yield on.Attested(name, said)


def _concerns(truth: Truth, name: str, host: HostId) -> bool:
    server = next(server for server in truth.servers if server.id == name)
    if server.vm_state is VmState.DELETED:
        return False
    ends = [(entry.source, entry.target) for entry in server.records if not entry.is_final]
    return server.host == host or any(host in pair for pair in ends)


def _keep_books(scene: Scene, action: do.Action) -> tuple[on.Outcome, str]:
    truth, answer = scene.truth, nova.DONE
    match action:
        case do.ForceDown(host=host):
            truth = truth.with_host(replace(truth.host(host), is_forced_down=True))
        case do.ForceUp(host=host):
            truth, answer = nova.force_up(truth, host)
        case do.Disable(host=host):
            truth = truth.with_host(replace(truth.host(host), is_disabled=True))
        case do.Enable(host=host):
            truth = truth.with_host(replace(truth.host(host), is_disabled=False))
        case do.StartCompute(host=host):
            truth = nova.compute_starts(truth, host)
        case do.OpenGate(host=host) if truth.host(host).condition == "booted":
            truth = truth.with_host(replace(truth.host(host), condition="running"))
        case _:
            pass
    scene.truth = truth
    return answer
