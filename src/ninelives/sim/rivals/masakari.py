"""Masakari by its defaults: notifications, the engine's one workflow, and what it never does again.

notified ─▶ (ignored │ refused) or running: disable ─▶ 180 s ─▶ evacuate by threes ─▶ finished
                                     ▲                                          └─▶ error ─▶ failed
                                     └── once more, at the next pass of 120 s ─────────┘
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ninelives.core.model import HostId, ServerId
from ninelives.sim import nova
from ninelives.sim.faults.grammar import Words
from ninelives.sim.truth import ComputeState, Condition

from .agenda import Agenda, ask, office, servers_on
from .masakari_monitors import Monitors
from .pacemaker import Pacemaker, Stonith

if TYPE_CHECKING:
    from ninelives.sim.world import World

DELAY_MAX_S = 5.0  # notification_delay_max, where no coordination backend is (masakari 1.7)
DUPLICATE_S = 180.0  # masakari 1.7, "Duplicate"
WAIT_S = 180.0  # wait_period_after_service_update (masakari 5)
THREADS = 3  # host_failure_recovery_threads (masakari 5; clusterlabs-redhat 4, row 15)
POLL_S, CONFIRM_S = 1.0, 90.0  # masakari 5, and 4 B5
PERIODIC_S = 120.0  # masakari 4 B13: the tick at which what is in error is tried again
VERSION = (2, 53)  # before 2.95 an evacuated server is started again by itself
OPERATOR_WAITS_S = 600.0  # as long a person leaves a dead host to the tools
EVACUABLE = frozenset({nova.VmState.ACTIVE, nova.VmState.STOPPED, nova.VmState.ERROR})


@dataclass(slots=True)
class Notification:
    """One host failure on its way. `status` is what the database says."""

    host: HostId
    kind: str
    payload: str
    at: float
    status: str = "new"  # running, ignored, error, failed, finished
    term: int = 0  # of the engine that has it in hand: another one never goes on with it (B6)
    tries: int = 0
    left: list[ServerId] = field(default_factory=list[ServerId])
    under_way: int = 0
    has_failed: bool = False  # sticky: one failure, and no retry makes it good (B2)


@dataclass(slots=True)
class Masakari:
    """The API, the engine and the monitors of one site."""

    agenda: Agenda
    stonith: Stonith = Stonith.OFF
    notifications: list[Notification] = field(default_factory=list[Notification])
    on_maintenance: set[HostId] = field(default_factory=set[HostId])
    down_since: dict[HostId, float] = field(default_factory=dict[HostId, float])
    pacemaker: Pacemaker = field(init=False)
    monitors: Monitors = field(init=False)

    def __post_init__(self) -> None:
        """Put its parts together."""
        self.pacemaker = Pacemaker(self.agenda, self.stonith)
        self.monitors = Monitors(self.agenda, self.pacemaker, self.notified)

    @property
    def world(self) -> "World":
        return self.agenda.world

    def start(self) -> None:
        self.pacemaker.start()
        self.monitors.start()
        self.agenda.after(PERIODIC_S, self.periodic)

    # The API.

    def notified(self, host: HostId, kind: str, payload: str) -> None:
        self.agenda.after(
            self.world.rng.random() * DELAY_MAX_S, self._received, host, kind, payload
        )

    def _received(self, host: HostId, kind: str, payload: str) -> None:
        """Take a notification, or refuse it: refused ones never come again (B11)."""
        now = self.world.now
        if host in self.on_maintenance or self._is_duplicate(host, kind, payload):
            self.world.note(host, "masakari.refused", "409", payload)
            return
        known = Notification(host, kind, payload, now)
        self.notifications.append(known)
        if payload == "UNKNOWN":
            known.status = "ignored"  # and the monitor does not send it again (A4)
            self.world.note(host, "masakari.ignored", "unknown_power")
        elif kind == "PROCESS":
            self._process_failed(known)
        else:
            self._begin(known)

    def _is_duplicate(self, host: HostId, kind: str, payload: str) -> bool:
        """Whatever became of the earlier one: its status is not looked at (1.7, B8)."""
        return any(
            (each.host, each.kind, each.payload) == (host, kind, payload)
            and self.world.now - each.at <= DUPLICATE_S
            for each in self.notifications
        )

    def _process_failed(self, known: Notification) -> None:
        """Disable the host, and with `on_maintenance` its high availability (B9)."""
        self.on_maintenance.add(known.host)
        ask(self.world, nova.UpdateService(known.host, disabled=True, reason="masakari"))
        known.status = "finished"

    # The engine's workflow.

    def _begin(self, known: Notification) -> None:
        known.status, known.term = "running", office(self.world)
        known.tries += 1
        known.left, known.under_way = [], 0
        self.on_maintenance.add(known.host)
        self.world.note(known.host, "masakari.running", f"try {known.tries}")
        reply = ask(self.world, nova.UpdateService(known.host, disabled=True, reason="masakari"))
        if isinstance(reply, nova.Answer):
            self.agenda.after(reply.after_s + WAIT_S, self._evacuate_all, known)
        else:
            known.has_failed = True
            self.agenda.after(reply.after_s, self._end, known)

    def _is_alive(self, known: Notification) -> bool:
        """Say whether the engine that began this still runs: taskflow is never resumed (B6)."""
        return known.status == "running" and known.term == office(self.world)

    def _evacuate_all(self, known: Notification) -> None:
        if not self._is_alive(known):
            return
        servers = servers_on(self.world, known.host)
        if servers is None:
            known.has_failed = True
        else:
            known.left = [ServerId(each.id) for each in reversed(servers)]  # newest first (B4)
        for _ in range(THREADS):
            self._next(known)
        if not known.under_way:
            self._end(known)

    def _next(self, known: Notification) -> None:
        if known.left:
            known.under_way += 1
            self._evacuate(known, known.left.pop(0))

    def _evacuate(self, known: Notification, server: ServerId) -> None:
        """Reset what has a task or an odd state (A7), evacuate, and watch."""
        reply = ask(self.world, nova.ShowServer(server))
        if not (isinstance(reply, nova.Answer) and isinstance(reply.body, nova.Server)):
            self._ended(known, server, is_well=False)
            return
        before = reply.body
        if before.task_state is not None or before.vm_state not in EVACUABLE:
            ask(self.world, nova.ResetState(server))
        was_error = before.vm_state is nova.VmState.ERROR
        sent = ask(self.world, nova.Evacuate(server, microversion=VERSION))
        if isinstance(sent, nova.Answer):
            until = self.world.now + CONFIRM_S
            self.agenda.after(sent.after_s + POLL_S, self._confirm, known, server, until, was_error)
        else:
            self.agenda.after(sent.after_s, self._ended, known, server, False)

    def _confirm(
        self, known: Notification, server: ServerId, until: float, was_error: bool
    ) -> None:
        """Wait for another host and no task, 90 s at most: later is a failure, too (B5)."""
        reply = ask(self.world, nova.ShowServer(server))
        body = reply.body if isinstance(reply, nova.Answer) else None
        if isinstance(body, nova.Server):
            if body.host != known.host and body.task_state is None:
                self._ended(known, server, body.vm_state is not nova.VmState.ERROR)
                return
            if body.vm_state is nova.VmState.ERROR and not was_error:
                self._ended(known, server, is_well=False)
                return
        if self.world.now >= until:
            self._ended(known, server, is_well=False)
        else:
            self.agenda.after(POLL_S, self._confirm, known, server, until, was_error)

    def _ended(self, known: Notification, server: ServerId, is_well: bool) -> None:
        if not self._is_alive(known):
            return
        if not is_well:
            known.has_failed = True
            self.world.note(server, "told.masakari_failed", known.host)
        known.under_way -= 1
        self._next(known)
        if not known.under_way:
            self._end(known)

    def _end(self, known: Notification) -> None:
        if not self._is_alive(known):
            return
        if not known.has_failed:
            known.status = "finished"
        else:
            known.status = "error" if known.tries == 1 else "failed"
            self.world.note(known.host, f"told.masakari_{known.status}")
        self.world.note(known.host, f"masakari.{known.status}")

    def periodic(self) -> None:
        """Try what is in error once more. What is `running` stays so, whoever died (B6)."""
        self.agenda.after(PERIODIC_S, self.periodic)
        if not office(self.world):
            return
        for known in self.notifications:
            if known.status == "error":
                self._begin(known)

    # What its operators do.

    def waiting(self) -> list[Words]:
        """Switch on what it has done with, clear `on_maintenance` and enable what is well (B10)."""
        found = list[Words]()
        for host in self.world.hosts.values():
            if host.is_up:
                self.down_since.pop(host.id, None)
                found += self._back(host.id, host.compute is ComputeState.OK)
                continue
            since = self.down_since.setdefault(host.id, self.world.now)
            mine = [each for each in self.notifications if each.host == host.id]
            is_busy = any(each.status in {"new", "running", "error"} for each in mine)
            is_done = any(each.at >= since - OPERATOR_WAITS_S for each in mine) and not is_busy
            if is_done or self.world.now - since >= OPERATOR_WAITS_S:
                found.append(revival(host.id, host.condition))
        return found

    def _back(self, host: HostId, is_well: bool) -> list[Words]:
        """A segment in use refuses every change, for 24 h if the engine died in it (B6)."""
        is_used = any(each.status in {"new", "running", "error"} for each in self.notifications)
        if host not in self.on_maintenance or not is_well or is_used:
            return []
        self.on_maintenance.discard(host)
        return [("operator", "enable", host)]


def revival(host: HostId, condition: Condition) -> Words:
    """Bring a dead host back by hand."""
    stands = condition in (Condition.PANICKED, Condition.FROZEN, Condition.HUNG)
    return ("restart", host) if stands else ("power", host, "on")
