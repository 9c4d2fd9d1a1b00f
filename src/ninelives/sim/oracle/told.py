"""What the acting leader was told, by the events of its durable decisions, one after the other.

Most of it belongs to a term: a new leader starts from nothing, and so does this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import (
    BackendId,
    Candidate,
    DomainId,
    HostId,
    MoveRecord,
    Plane,
    Power,
    RoadId,
    ServerId,
    ServerSeen,
    Sign,
    VmState,
    WitnessId,
)

Views = dict[tuple[WitnessId, Plane], Sign]


@dataclass(frozen=True, slots=True)
class Flight:
    """A send whose end was not seen yet. `newest` is the last record known before it left."""

    action: do.Send
    at: float
    newest: int
    outcome: on.Outcome | None = None
    empty_looks: int = 0
    is_over: bool = False


@dataclass(slots=True)
class Told:
    """What the leader could know, judged by nothing but the events that reached it."""

    settle_s: float
    agentless: frozenset[HostId] = frozenset()
    signs: dict[HostId, Views] = field(default_factory=dict[HostId, Views])
    agents: dict[HostId, on.AgentSaid] = field(default_factory=dict[HostId, on.AgentSaid])
    reporting: set[HostId] = field(default_factory=set[HostId])  # Nova's record of it advances
    written: dict[HostId, dict[BackendId, bool | None]] = field(
        default_factory=dict[HostId, dict[BackendId, bool | None]]
    )
    off_reads: dict[HostId, dict[RoadId, int]] = field(
        default_factory=dict[HostId, dict[RoadId, int]]
    )
    off_at: dict[HostId, float] = field(default_factory=dict[HostId, float])
    reads_on: set[HostId] = field(default_factory=set[HostId])
    attested: dict[HostId, on.Attested] = field(default_factory=dict[HostId, on.Attested])
    renewals: dict[HostId, tuple[float, on.Renewed]] = field(
        default_factory=dict[HostId, tuple[float, on.Renewed]]
    )
    bad_canaries: set[str] = field(default_factory=set[str])
    disabled: set[HostId] = field(default_factory=set[HostId])
    sick: set[BackendId] = field(default_factory=set[BackendId])
    began: float = -inf  # of the term, on the leader's own clock
    # Facts that no change of leader makes untrue.
    armed: dict[HostId, bool] = field(default_factory=dict[HostId, bool])
    promises: dict[tuple[HostId, int], set[WitnessId]] = field(
        default_factory=dict[tuple[HostId, int], set[WitnessId]]
    )
    seen: dict[ServerId, ServerSeen] = field(default_factory=dict[ServerId, ServerSeen])
    # Where no domain of it was seen, and at which of the world's instants.
    absent: dict[ServerId, dict[HostId, float]] = field(
        default_factory=dict[ServerId, dict[HostId, float]]
    )
    candidates: dict[ServerId, dict[HostId, Candidate]] = field(
        default_factory=dict[ServerId, dict[HostId, Candidate]]
    )
    flights: dict[ServerId, Flight] = field(default_factory=dict[ServerId, Flight])
    allowances: dict[DomainId, int] = field(default_factory=dict[DomainId, int])
    wanted_fenced: set[HostId] = field(default_factory=set[HostId])  # by a person
    approved: set[HostId] = field(default_factory=set[HostId])  # this outage, by a person
    wanted_on: set[HostId] = field(default_factory=set[HostId])
    undone: set[tuple[HostId, int]] = field(default_factory=set[tuple[HostId, int]])
    signed_off: set[ServerId] = field(default_factory=set[ServerId])

    def hear(self, when: float, now: float, event: on.Event) -> None:
        """Take in one event. `when` is the world's instant, `now` the leader's own."""
        match event:
            case on.Sighted(changes=changes):
                for change in changes:
                    views = self.signs.get(change.host)
                    if views is None:
                        views = self.signs[change.host] = {}
                    views[event.witness, change.plane] = change.sign
                    if change.sign is Sign.STRONG:
                        self.off_reads.pop(change.host, None)
            case on.PowerRead():
                self._hear_power(when, event)
            case on.Watched() | on.Listed():
                for server in event.servers:
                    self._hear_server(when, server)
            case on.Replied():
                self._hear_reply(event)
            case on.TermBegan() | on.Renewed() | on.AgentSaid() | on.CanarySeen():
                self._hear_of_life(now, event)
            case on.Promised():
                key = (event.host, event.epoch)
                self.promises.setdefault(key, set()).add(event.witness)
            case on.Attested():
                self.attested[event.host] = event
            case on.NovaSeen():
                is_out = event.disabled or event.forced_down
                (self.disabled.add if is_out else self.disabled.discard)(event.host)
                (self.reporting.add if event.has_advanced else self.reporting.discard)(event.host)
            case on.BackendSeen(backend=backend, is_ok=is_ok):
                (self.sick.discard if is_ok else self.sick.add)(backend)
            case on.StorageSeen():
                self.written.setdefault(event.host, {})[event.backend] = event.watched
            case on.GuestSeen():
                self._hear_server(when, event.server)
            case on.TargetsSeen():
                known = self.candidates.setdefault(event.request.server, {})
                known.update({candidate.host: candidate for candidate in event.candidates})
            case on.DomainsSeen():
                absent = self.absent.setdefault(event.request.server, {})
                for host, is_there in event.present:
                    absent.pop(host, None)
                    if is_there is False:
                        absent[host] = when
            case _:
                self._hear_order(event)

    def _hear_of_life(
        self, now: float, event: on.TermBegan | on.Renewed | on.AgentSaid | on.CanarySeen
    ) -> None:
        match event:
            case on.TermBegan():
                self.signs.clear()
                self.agents.clear()
                self.reporting.clear()
                self.written.clear()
                self.off_reads.clear()
                self.off_at.clear()
                self.reads_on.clear()
                self.attested.clear()
                self.renewals.clear()
                self.bad_canaries.clear()
                self.disabled.clear()
                self.sick.clear()
                self.began = now
            case on.Renewed():
                self.renewals[event.host] = (now, event)
                self.armed[event.host] = event.watchdog_armed
            case on.AgentSaid():
                self.agents[event.host] = event
            case on.CanarySeen(is_ok=True):
                self.bad_canaries.discard(event.name)
            case on.CanarySeen():
                self.bad_canaries.add(event.name)

    def _hear_power(self, when: float, event: on.PowerRead) -> None:
        reads = self.off_reads.setdefault(event.host, {})
        match event.power:
            case Power.OFF:
                reads[event.road] = reads.get(event.road, 0) + 1
                self.off_at[event.host] = when
                self.reads_on.discard(event.host)
            case Power.ON:
                reads.pop(event.road, None)
                self.off_at.pop(event.host, None)
                self.reads_on.add(event.host)
            case Power.UNREADABLE:
                return

    def _hear_order(self, event: on.Event) -> None:
        match event:
            case on.StormAllowed():
                known = self.allowances.get(event.domain, 0)
                self.allowances[event.domain] = known + event.shots
            case on.FenceOrdered() | on.ConfirmedDead() | on.HalfFencedSettled(finish=True):
                self.wanted_fenced.add(event.host)
            case on.IncidentApproved():
                self.approved.add(event.host)
            case on.IncidentHeld():
                self.approved.discard(event.host)
            case on.HalfFencedSettled(finish=False):
                self.undone.add((event.host, event.epoch))
            case on.PowerOnOrdered():
                self.wanted_on.add(event.host)
            case on.SignedOff():
                self.signed_off.add(event.server)
            case _:
                return

    # Sends and what is seen of them.

    def sent(self, when: float, action: do.Send, server: ServerId) -> None:
        """Remember a send until its end is seen."""
        seen = self.seen.get(server)
        newest = max((record.id for record in seen.records), default=0) if seen else 0
        self.flights[server] = Flight(action, when, newest)

    def _hear_reply(self, event: on.Replied) -> None:
        if isinstance(event.action, do.Enable) and event.outcome is on.Outcome.DONE:
            self.disabled.discard(event.action.host)
        server = server_of(event.action)
        flight = self.flights.get(server) if server is not None else None
        if server is None or flight is None or flight.action != event.action or flight.is_over:
            return
        is_over = event.outcome in (on.Outcome.REFUSED, on.Outcome.NOT_SENT)
        if isinstance(flight.action, do.ResetState) and event.outcome is on.Outcome.DONE:
            seen = self.seen.get(server)  # who is reset was not in error before: this is the end
            is_over = seen is not None and is_in_error(seen)
        self.flights[server] = changed(flight, outcome=event.outcome, is_over=is_over)

    def _hear_server(self, when: float, server: ServerSeen) -> None:
        flight = self.flights.get(server.id)
        self.seen[server.id] = server
        if flight is not None and not flight.is_over:
            self.flights[server.id] = self._looked(when, flight, server)

    def _looked(self, when: float, flight: Flight, server: ServerSeen) -> Flight:
        """Judge one look: the end is a final record of its own, or two empty looks late enough."""
        if server.vm_state in (VmState.DELETED, VmState.SOFT_DELETED):
            return changed(flight, is_over=True)
        is_late = when - flight.at >= self.settle_s
        if isinstance(flight.action, do.ResetState):
            is_answered = flight.outcome is on.Outcome.DONE
            return changed(flight, is_over=is_late or (is_answered and is_in_error(server)))
        if isinstance(flight.action, do.StartServer | do.HardReboot):
            return changed(flight, is_over=server.task_state is None or is_late)
        own = [
            record
            for record in server.records
            if record.id > flight.newest and may_be_of(flight.action, record)
        ]
        if own:
            return changed(flight, is_over=all(record.is_final for record in own))
        looks = flight.empty_looks + is_late
        return changed(flight, empty_looks=looks, is_over=looks >= 2)

    # Questions.

    def is_seen_off(self, host: HostId) -> bool:
        """Say whether one device said "off" twice, and no strong sign came since."""
        return any(reads >= 2 for reads in self.off_reads.get(host, {}).values())

    def is_alive(self, host: HostId) -> bool:
        """Say whether a strong sign stands, and guests progress by the agent's last word.

        Without an agent the strong sign is Nova's record, and storage speaks for the guests.
        """
        if host in self.agentless:
            return host in self.reporting and True in self.written.get(host, {}).values()
        agent = self.agents.get(host)
        if agent is None or not agent.guests_progress:
            return False
        return Sign.STRONG in self.signs.get(host, {}).values()

    def is_silent_on(self, host: HostId, plane: Plane) -> bool:
        """Say whether somebody misses `host` on this plane, and nobody gets any sign there."""
        signs = {sign for (_, on), sign in self.signs.get(host, Views()).items() if on is plane}
        return Sign.SILENT in signs and not signs & {Sign.STRONG, Sign.WEAK}

    def hearers(self, host: HostId) -> int:
        """Count the witnesses that get any sign of it."""
        views: Mapping[tuple[WitnessId, Plane], Sign] = self.signs.get(host, Views())
        return len({who for (who, _), sign in views.items() if sign in (Sign.STRONG, Sign.WEAK)})

    def dim_witnesses(self, host: HostId, *, hung: bool) -> int:
        """Count the witnesses but itself that miss `host` on some plane, or get only weak signs."""
        views: Mapping[tuple[WitnessId, Plane], Sign] = self.signs.get(host, Views())
        dim = (Sign.SILENT, Sign.WEAK) if hung else (Sign.SILENT,)
        itself = WitnessId(host)
        return len({who for (who, _), sign in views.items() if sign in dim and who != itself})


def changed(
    flight: Flight,
    *,
    outcome: on.Outcome | None = None,
    empty_looks: int | None = None,
    is_over: bool = False,
) -> Flight:
    """Return `flight` with what was learned. Cheaper than `replace`, which the hot path feels."""
    looks = flight.empty_looks if empty_looks is None else empty_looks
    known = outcome or flight.outcome
    return Flight(flight.action, flight.at, flight.newest, known, looks, is_over)


def may_be_of(action: do.Send, record: MoveRecord) -> bool:
    """Say whether a record can have come of a send: a live migration starts where it was asked."""
    return not isinstance(action, do.LiveMigrate) or record.source == action.source


def server_of(action: do.Action) -> ServerId | None:
    """Name the server that a send is about."""
    return action.server if isinstance(action, do.ServerSend) else None


def is_in_error(seen: ServerSeen) -> bool:
    return seen.vm_state is VmState.ERROR


def backends_of(seen: ServerSeen | None) -> tuple[BackendId, ...]:
    """Name the backends of a server's disks, as the leader was told."""
    return seen.disks if seen is not None else ()
