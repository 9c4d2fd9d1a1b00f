"""A simulated cloud with a ground truth of its own: a heap of what comes, and who handles it.

    command ─▶ truth ─▶ sightings, answers ─▶ Node ─▶ ledger ─▶ last check ─▶ truth
                 └─▶ happenings ─▶ observers (the oracle, a timeline)

Laws: nothing happens between two events of the heap; all chance comes from one seed; the same
setup, seed and commands give the same happenings, also in a fork. The heap holds names and values,
never functions, so that a fork copies it as it is.
"""

from collections.abc import Callable, Iterable
from copy import copy
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.cluster import Note
from ninelives.core.model import BackendId, HostId, ServerId, ServerSeen, WitnessId
from ninelives.core.policy import Policy
from ninelives.engine.lease import Hold
from ninelives.engine.node import Decide, lawless
from ninelives.engine.ports import Store

from . import (
    agents,
    cloud_reads,
    compute,
    controllers,
    health,
    network,
    perform,
    service_records,
    sightings,
    tenure,
    truth,
    wellness,
)
from .controllers import Clock, Controller
from .dispatch import ALL, OF_A_PROCESS, POINTS
from .furniture import backends_of, devices_of, hosts_of, lists_of, watchers_of
from .happenings import Happening
from .ledger import Ledger
from .minds import Objection, nothing_against, real_decide, real_laws, real_objection
from .network import Network
from .setup import Setup
from .sightings import Eyes
from .triggers import Trigger, fire
from .truth import Condition, HostTruth
from .twins import twin

Observer = Callable[[float, Happening], None]
Boundary = Callable[["World", str, WitnessId], None]
Event = tuple[float, int, str, tuple[object, ...]]
Words = tuple[str, ...]
Heal = tuple[Words, tuple[int, ...]]  # the sentence that ends a fault, and its rows


FLAT = (  # dicts, sets and lists of immutable values: `fork` copies them as they are
    *("heap", "notes", "triggers", "faults_on", "devices", "specs", "seen", "news", "standing"),
    *("forced_by_us", "agent_due", "stubborn", "lease_chains", "promises"),
    *("storage_cut_at", "broken", "kept_down", "heard", "well"),
)


class TimedNote(NamedTuple):
    """One line for a timeline."""

    at: float
    note: Note


class World:
    """One cloud. `decide` and `objection` are the core's own unless somebody brings others."""

    def __init__(
        self,
        setup: Setup,
        seed: int,
        decide: Decide | None = None,
        objection: Objection | None = None,
        store: Store | None = None,
    ) -> None:
        """Build it. With a `store` every commit goes through the codec into it, and back."""
        self.setup = setup
        self.rng = Random(seed)
        self.now = 0.0
        self.heap: list[Event] = []
        self.numbers = self.events = 0
        self.observers: list[Observer] = []
        self.boundary: Boundary | None = None
        self.notes: list[TimedNote] = []
        self.triggers: list[Trigger] = []
        self.faults_on: dict[Words, Heal] = {}
        self.decide = decide or real_decide()
        self.laws = lawless if decide else real_laws()
        self.objection = objection or (nothing_against if decide else real_objection())

        site = setup.site
        self.watchers = watchers_of(setup)
        self.watch_lists = lists_of(self.watchers)

        # What changes. `fork` copies exactly these.
        self.hosts = hosts_of(setup)
        self.net = Network(racks={host.id: host.rack for host in site.hosts.values() if host.rack})
        self.eyes = Eyes()
        self.devices = devices_of(setup)
        self.backends = backends_of(setup)
        self.controllers: dict[WitnessId, Controller] = {
            name: Controller(name, Clock(0.0, self.rng.random() * setup.knobs.clock_spread_s))
            for name in site.controllers
        }
        self.ledger = Ledger(beneath=store)
        self.nova = compute.build(setup)
        self.nova_due: float | None = None
        self.beat_at = 0.0
        self.specs: dict[ServerId, ServerSeen] = {}
        self.seen: dict[ServerId, cloud_reads.Look] = {}
        self.standing, self.well = set[HostId](), set[HostId]()
        self.forced_by_us: set[HostId] = set()
        self.agent_due: set[HostId] = set()
        self.lease_chains: dict[HostId, int] = {}
        self.promises: dict[tuple[WitnessId, HostId], int] = {}
        self.stubborn: set[tuple[HostId, str]] = set()
        self.storage_cut_at: dict[HostId, float] = {}
        self.polls = service_records.Polls()
        self.news: dict[tuple[str, str], on.Event] = {}
        self.heard: dict[tuple[str, str], health.Heard] = {}
        self.broken: set[str] = set()
        self.is_cell_down = False
        self.kept_down: set[WitnessId] = set()  # controllers that nobody starts

        compute.boot_servers(self)
        self._begin_dark()
        tenure.check(self)

    def _begin_dark(self) -> None:
        """Let the witnesses begin with what they saw for long, hosts that are off left out."""
        for host in self.setup.dark:
            self.hosts[host].condition = Condition.OFF
        sightings.prepare(self)
        for host in sorted(self.setup.dark):
            self.hosts[host].condition = Condition.RUNNING
            self.at(0.0, ("power", host, "off"))  # and now everybody else hears of it

    # Time.

    def at_time(self, when: float, kind: str, *args: object) -> None:
        """Put an event on the heap."""
        assert when >= self.now, f"{kind} would lie in the past"
        self.numbers += 1
        heappush(self.heap, (when, self.numbers, kind, args))

    def after(self, wait: float, kind: str, *args: object) -> None:
        self.at_time(self.now + wait, kind, *args)

    def at(self, when: float, words: tuple[str, ...]) -> None:
        """Let a verb of the fault language happen at an instant."""
        self.at_time(when, "command", words)

    def when(self, pattern: tuple[str, ...], words: tuple[str, ...]) -> None:
        """Let a verb happen once, as soon as a note matches: ("c3", "enters", "fencing")."""
        self.triggers.append(Trigger(pattern, words))

    def command(self, words: tuple[str, ...]) -> None:
        """Let a verb of the fault, operator or user language happen now."""
        from .faults import run

        run(self, words)

    def step(self) -> bool:
        """Handle one event. False: nothing will ever happen any more."""
        if not self.heap:
            return False
        if self.boundary is not None and self.heap[0][2] in POINTS:
            self._tell_boundary()
        when, _, kind, args = heappop(self.heap)
        self.now = when
        self.events += 1
        if kind in OF_A_PROCESS:
            controller = self.controllers[WitnessId(str(args[0]))]
            if controller.life != args[1]:
                return True
            if not controller.is_running:
                controller.deferred.append((kind, args))
                return True
        ALL[kind](self, *args)
        return True

    def _tell_boundary(self) -> None:
        when, _, kind, args = self.heap[0]
        controller = self.controllers[WitnessId(str(args[0]))]
        if self.boundary is not None and controller.life == args[1] and controller.is_running:
            before, self.now = self.now, when
            self.boundary(self, POINTS[kind], controller.id)
            self.now = before if self.heap and self.heap[0][0] < when else when

    def run(self, until: float) -> None:
        """Let time pass."""
        while self.heap and self.heap[0][0] <= until:
            self.step()
        self.now = max(self.now, until)

    def fork(self) -> "World":
        """Return an independent copy without observers, triggers' past and boundary included."""
        other = copy(self)
        other.rng = Random()
        other.rng.setstate(self.rng.getstate())
        other.observers, other.boundary = [], None
        other.hosts = {name: twin(host) for name, host in self.hosts.items()}
        other.net, other.eyes, other.polls = twin(self.net), twin(self.eyes), twin(self.polls)
        other.backends = {name: twin(backend) for name, backend in self.backends.items()}
        other.controllers = {name: each.fork() for name, each in self.controllers.items()}
        other.ledger, other.nova = self.ledger.fork(), self.nova.fork()
        for name in FLAT:
            setattr(other, name, getattr(self, name).copy())
        return other

    # Watching.

    def observe(self, observer: Observer) -> None:
        """Let somebody know everything that truly happens."""
        self.observers.append(observer)

    def happen(self, happening: Happening) -> None:
        for observer in self.observers:
            observer(self.now, happening)

    def note(self, about: str, what: str, why: str = "", detail: str = "") -> None:
        self.keep_notes((Note(about, what, why, detail),))

    def keep_notes(self, notes: Iterable[Note]) -> None:
        for note in notes:
            self.notes.append(TimedNote(self.now, note))
            if self.triggers:
                fire(self, note)

    def leader(self) -> Controller | None:
        """Return who holds the lease by right, if anybody does."""
        term = self.ledger.term
        for controller in self.controllers.values():
            if controller.leads and controller.hold and controller.hold.tenure.term == term:
                return controller
        return None

    def leading(self) -> list[Controller]:
        """Return everybody who believes that he leads and can be told something."""
        return [each for each in self.controllers.values() if each.leads and each.is_running]

    def heal(self) -> None:
        """End every fault that can be healed."""
        from .faults import heal_all

        heal_all(self)

    # What the parts ask of each other.

    def touched(self, node: str) -> None:
        """Something about a host or a controller changed: let everybody find out."""
        host = self.hosts.get(HostId(node))
        if host is not None:
            self._note_storage(host)
            compute.stand_or_go_on(self, host)
            agents.touched(self, host.id)
            service_records.something_changed(self, host.id)
            wellness.look(self, host.id)
        sightings.touched(self, node)
        for leader in self.leading():
            for witness in self.watch_lists if leader.id == node else (WitnessId(node),):
                if witness in self.watch_lists:
                    sightings.relinked(self, leader, witness)
        if host is None:
            self.lease_changed()

    def lease_changed(self) -> None:
        """Look at the lease of the leader again, and with it at those of the hosts."""
        tenure.check(self)
        self.leases_changed()

    def leases_changed(self) -> None:
        """Look at the leases of the hosts again: a leader without its own renews none."""
        for host, site in self.setup.site.hosts.items():
            if site.has_watchdog:
                agents.touched(self, host)

    def _note_storage(self, host: HostTruth) -> None:
        if network.storage_reached(self, host.id):
            self.storage_cut_at.pop(host.id, None)
        else:
            self.storage_cut_at.setdefault(host.id, self.now)

    def tell_all(self, leader: Controller) -> None:
        """Tell a new leader, or one that was away, everything that can be seen now."""
        sightings.tell_everything(self, leader)
        # Nova's usual state is told as a change only: who was away still has the one before.
        for key in [key for key in leader.said if key[0] != "nova"]:
            del leader.said[key]
        for host in self.hosts:
            agents.touched(self, host)
        service_records.service_changed(self)
        for event in self.news.values():
            self.deliver(leader, event)

    def deliver(self, leader: Controller, event: on.Event) -> None:
        health.deliver(self, leader, event)

    def answer(self, controller: WitnessId, life: int, event: on.Event) -> None:
        health.answer(self, controller, life, event)

    def reply_now(
        self,
        controller: WitnessId,
        life: int,
        action: do.Action,
        outcome: on.Outcome,
        why: str = "",
    ) -> None:
        health.answer(self, controller, life, on.Replied(action, outcome, why))

    def reply_after(
        self,
        wait: float,
        controller: WitnessId,
        life: int,
        action: do.Action,
        outcome: on.Outcome,
        why: str = "",
    ) -> None:
        self.after(wait, "reply", controller, life, on.Replied(action, outcome, why))

    def tell_news(self, kind: str, key: str, event: on.Event) -> None:
        health.tell_news(self, kind, key, event)

    def perform(self, controller: Controller, action: do.Action, committed_at: float) -> None:
        perform.perform(self, controller, action, committed_at)

    def take_office(self, controller: Controller, hold: Hold) -> None:
        controllers.begin_term(self, controller, hold)

    def leave_office(self, controller: Controller, why: str) -> None:
        controllers.leave_office(self, controller, why)

    def seat_changed(self, host: HostTruth) -> None:
        controllers.seat_changed(self, host)

    def guest_changed(self, server: ServerId, host: HostId) -> None:
        health.guest_changed(self, server, host)

    def kdump_beacon(self, host: HostId, ended: bool) -> None:
        health.kdump_beacon(self, host, ended)

    def compute_ended(self, host: HostTruth) -> None:
        compute.compute_ended(self, host)
        service_records.process_changed(self, host.id)

    def start_compute(self, host: HostTruth) -> None:
        compute.start_compute(self, host)
        service_records.process_changed(self, host.id)

    def witness_woke(self, host: HostId) -> None:
        """Remember that a witness slept: it says so with its next word."""
        if WitnessId(host) in self.watch_lists:
            self.eyes.frozen.add(WitnessId(host))

    def drop_promises(self, host: HostId) -> None:
        for key in [key for key in self.promises if key[1] == host]:
            del self.promises[key]

    def policy_of(self, host: HostId) -> Policy:
        site = self.setup.site.hosts[host]
        return self.setup.segment_policies.get(site.segment, self.setup.policy)

    def disks_of(self, server: ServerId) -> tuple[BackendId, ...]:
        return self.specs[server].disks

    def jitter(self, seconds: float) -> float:
        return seconds * self.rng.uniform(0.7, 1.3)

    def writers(self, server: ServerId) -> frozenset[HostId]:
        """Every host that can write a disk of this server, now or when it wakes up."""
        return truth.writers(self, server)
