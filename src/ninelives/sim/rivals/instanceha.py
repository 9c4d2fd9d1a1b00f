"""instanceha by its defaults: poll Nova, fence, force down, fire and forget, power on, enable.

new ─▶ gates ─▶ off, verified ─▶ forced down, disabled ─▶ every evacuate sent ─▶ on ─▶ "complete"
                  └─▶ again at the next poll, for ever            refused: resumed, again ◀┘
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ninelives.core.model import HostId, Power, ServerId
from ninelives.sim import bmc, nova
from ninelives.sim.faults.grammar import Words

from . import power
from .agenda import Agenda, ask, office, servers_on, services
from .masakari import OPERATOR_WAITS_S, revival

if TYPE_CHECKING:
    from ninelives.sim.world import World

POLL_S = 45.0  # POLL (clusterlabs-redhat 3.2)
DELTA_S = 30.0  # DELTA: a report older than this is down, besides Nova's own word (3.2)
THRESHOLD = 0.5  # THRESHOLD: nothing is done while more than this share is down (3.2)
PER_CYCLE_MAX = 10  # MAX_HOSTS_PER_CYCLE (3.2)
ALL_STALE_MIN = 3  # the gate for everybody stale at once (3.3, step 3)
FENCE_S, FENCE_TRIES = 30.0, 3  # FENCING_TIMEOUT; three attempts (3.2, and measured (e))
RETRY_S = 1.0  # measured (e): ForceOff at 41.9, 72.9, 104.9 s
BACKOFF_MAX_S = 300.0  # 3.3, step 8
WINDOW_S = 300.0 + 120.0  # evacuation timeout + 2 min: what still counts as going on (3.3, step 7)
VERSION = (2, 73)  # pinned (3.1): an evacuated server is started again by itself
STATES = frozenset({nova.VmState.ACTIVE, nova.VmState.ERROR, nova.VmState.STOPPED})  # gap G10
OPEN = frozenset(
    {
        nova.MigrationStatus.ACCEPTED,
        nova.MigrationStatus.PREPARING,
        nova.MigrationStatus.PRE_MIGRATING,
        nova.MigrationStatus.RUNNING,
    }
)
MARK, ADOPTED = "instanceha evacuation", "instanceha evacuation (recovered)"
COMPLETE = "instanceha evacuation complete"
BY = "instanceha"


@dataclass(slots=True)
class InstanceHa:
    """One process. All that outlives it stands in Nova's own records of the services."""

    agenda: Agenda
    term: int = 0
    in_flight: set[HostId] = field(default_factory=set[HostId])
    failures: int = 0
    down_since: dict[HostId, float] = field(default_factory=dict[HostId, float])

    @property
    def world(self) -> "World":
        return self.agenda.world

    def start(self) -> None:
        self.agenda.after(self.world.rng.random() * POLL_S, self.poll)

    def poll(self) -> None:
        """Look at all services once, and do what is next for each host."""
        term = office(self.world)
        if not term:
            self.agenda.after(1.0, self.poll)
            return
        if term != self.term:
            self.term = term
            self.in_flight.clear()
            self._adopt()
        seen = services(self.world)
        self.failures = 0 if seen is not None else self.failures + 1
        wait = min(BACKOFF_MAX_S, POLL_S * 2.0 ** min(self.failures, 8))
        self.agenda.after(POLL_S if seen is not None else wait, self.poll)
        if seen is not None:
            self._classify(seen)

    def _adopt(self) -> None:
        """Take everything that is forced down and enabled for its own, half done (3.3, step 1).

        An operator's force-down is adopted with it, and its host was never fenced (G4).
        """
        for host, view in (services(self.world) or {}).items():
            if view.is_forced_down and not view.is_disabled:
                self.world.note(host, "instanceha.adopted")
                ask(self.world, nova.UpdateService(host, disabled=True, reason=ADOPTED))

    def _classify(self, seen: dict[HostId, nova.ServiceView]) -> None:
        """Sort the hosts by what Nova says of them (3.3, step 2)."""
        new, resumed = list[HostId](), list[HostId]()
        for host, view in seen.items():
            match view.is_forced_down, view.is_disabled, view.disabled_reason:
                case (True, False, _) | (_, True, "instanceha evacuation complete"):
                    self._enable(host, view)
                case True, True, ("instanceha evacuation" | "instanceha evacuation (recovered)"):
                    resumed.append(host)
                case False, False, _ if self._is_down(view):
                    new.append(host)
                case _:
                    pass
        if (len(new) + len(resumed)) / len(seen) > THRESHOLD:
            return
        for host in resumed:
            self._resume(host)
        if new and self._may_act(new, seen):
            for host in [h for h in new if h not in self.in_flight][:PER_CYCLE_MAX]:
                self._take(host)

    def _is_down(self, view: nova.ServiceView) -> bool:
        return not view.is_up or self.world.now - view.last_report > DELTA_S

    def _may_act(self, new: list[HostId], seen: dict[HostId, nova.ServiceView]) -> bool:
        """Pass the other gates that are on by default (3.3, step 3)."""
        if len(new) >= ALL_STALE_MIN and all(map(self._is_down, seen.values())):
            return False
        # At least one scheduler must run; an error of that question counts as yes.
        return not self.world.nova.faults.is_scheduler_down

    # One host.

    def _take(self, host: HostId) -> None:
        """Fence a host that has servers. What came back meanwhile is fenced all the same (G8)."""
        found = servers_on(self.world, host)
        if found is None or not any(each.vm_state in STATES for each in found):
            return
        self.in_flight.add(host)
        self.world.note(host, "instanceha.fences")
        self._fence(host, self.term, FENCE_TRIES)

    def _fence(self, host: HostId, term: int, left: int) -> None:
        """Order off by the one agent a host has; there are no levels (3.2, "Fencing file")."""
        devices = bmc.devices_of(self.world, host)
        if not devices:
            self._not_fenced(host, term, 0)
        elif not power.answers(self.world, devices[0], FENCE_S):
            self.agenda.after(FENCE_S + RETRY_S, self._not_fenced, host, term, left - 1)
        else:
            wait = power.order_s(self.world, devices[0])
            self.agenda.after(wait, self._order, host, term, left)

    def _order(self, host: HostId, term: int, left: int) -> None:
        device = bmc.devices_of(self.world, host)[0]
        taken = power.switch_off(self.world, device, BY)
        if taken.is_done or taken.is_already_off:
            self.agenda.after(1.0, self._verify, host, term, left, self.world.now + FENCE_S)
        else:
            self.agenda.after(RETRY_S, self._not_fenced, host, term, left - 1)

    def _verify(self, host: HostId, term: int, left: int, until: float) -> None:
        """Poll until it is off. Whether the order was its own or not, the reading is believed."""
        device = bmc.devices_of(self.world, host)[0]
        if power.read(self.world, device) is Power.OFF:
            self._fenced(host, term)
        elif self.world.now < until:
            self.agenda.after(1.0, self._verify, host, term, left, until)
        else:
            self._not_fenced(host, term, 0)

    def _not_fenced(self, host: HostId, term: int, left: int) -> None:
        """Try again, then at the next poll, for ever: no other device, no person (G16)."""
        if term != office(self.world):
            return
        if left > 0:
            self._fence(host, term, left)
            return
        self.in_flight.discard(host)
        self.world.note(host, "told.instanceha_fencing_failed")

    def _fenced(self, host: HostId, term: int) -> None:
        if term != office(self.world):
            return
        forced = ask(self.world, nova.UpdateService(host, forced_down=True))
        marked = ask(self.world, nova.UpdateService(host, disabled=True, reason=MARK))
        if isinstance(forced, nova.Answer) and isinstance(marked, nova.Answer):
            wait = forced.after_s + marked.after_s
            self.agenda.after(wait, self._evacuate, host, term, True)
        else:
            self.in_flight.discard(host)

    def _resume(self, host: HostId) -> None:
        """Go on with what has its mark, without a fence of its own (3.3, step 2; G4)."""
        if host not in self.in_flight:
            self.in_flight.add(host)
            self.world.note(host, "instanceha.resumes")
            self._evacuate(host, self.term, False)

    def _evacuate(self, host: HostId, term: int, is_first: bool) -> None:
        """Send every evacuation and look at none (SMART_EVACUATION false; measured (h), (j))."""
        if term != office(self.world):
            return
        self.in_flight.discard(host)
        found = servers_on(self.world, host)
        if found is None:
            return
        wanted = [each for each in found if each.vm_state in STATES]
        sent = [self._send(each, is_first) for each in wanted]
        if not all(sent):
            self.world.note(host, "told.instanceha_refused")  # and it loops at each poll (G14)
            return
        power.switch_on(self.world, host)
        ask(self.world, nova.UpdateService(host, disabled=True, reason=COMPLETE))
        self.world.note(host, "instanceha.completed")

    def _send(self, server: nova.Server, is_first: bool) -> bool:
        """Send one. A resumed one that still rebuilds is reset and sent again (measured (c2))."""
        if server.task_state is not None and not is_first:
            ask(self.world, nova.ResetState(ServerId(server.id)))
        reply = ask(self.world, nova.Evacuate(server.id, microversion=VERSION))
        return isinstance(reply, nova.Answer)

    def _enable(self, host: HostId, view: nova.ServiceView) -> None:
        """Take the force-down off once nothing moves away, also an operator's (3.3, step 7; G3)."""
        if host in self.in_flight or self._moves(host):
            return
        if view.is_forced_down:
            ask(self.world, nova.UpdateService(host, forced_down=False))
        elif view.is_up:
            ask(self.world, nova.UpdateService(host, disabled=False))

    def _moves(self, host: HostId) -> bool:
        """Say whether an evacuation from there goes on; if Nova does not say, one does."""
        reply = ask(self.world, nova.ListMigrations(host=host))
        if not isinstance(reply, nova.Answer) or not isinstance(reply.body, tuple):
            return True
        since = self.world.now - WINDOW_S
        records = (each for each in reply.body if isinstance(each, nova.Migration))
        return any(r.source == host and r.status in OPEN and r.created >= since for r in records)

    # What its operators do.

    def waiting(self) -> list[Words]:
        """Bring back what it leaves dead for long."""
        found = list[Words]()
        for host in self.world.hosts.values():
            if host.has_power and host.is_up:
                self.down_since.pop(host.id, None)
                continue
            since = self.down_since.setdefault(host.id, self.world.now)
            if self.world.now - since >= OPERATOR_WAITS_S:
                found.append(revival(host.id, host.condition))
        return found
