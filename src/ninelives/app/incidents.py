"""Incident reports: when, why, by which proofs, what became of each server, where the time went."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ninelives.core import states
from ninelives.core.model import HostId, Proof, ServerId
from ninelives.sim import happenings as what

Phase = tuple[str, float]  # its name, and how long it took in seconds


@dataclass(slots=True)
class Incident:
    """One episode of one host, as far as it has come. Instants are world seconds."""

    host: HostId
    epoch: int
    began: float
    last_life: float  # when the host was last known to do well in truth
    cls: str = ""
    marks: dict[str, float] = field(default_factory=dict[str, float])  # state → first entered
    held_for: list[str] = field(default_factory=list[str])
    proofs: list[Proof] = field(default_factory=list[Proof])
    moves: dict[ServerId, states.Move] = field(default_factory=dict[ServerId, states.Move])
    stopped: dict[ServerId, float] = field(default_factory=dict[ServerId, float])
    started: dict[ServerId, float] = field(default_factory=dict[ServerId, float])
    ended: float | None = None
    is_false_alarm: bool = False
    group: str = ""  # of one group incident with all others of this name

    @property
    def phases(self) -> tuple[Phase, ...]:
        """How long each part took; together they tile the outage without a gap."""
        marks = [("unnoticed", self.last_life), ("suspect", self.began)]
        names = {"fencing": "fencing", "fenced": "fenced", "evacuating": "moving"}
        marks += [(name, self.marks[s]) for s, name in names.items() if s in self.marks]
        end = self.marks.get("vacated", self.ended)
        if end is None:
            return ()
        instants = [when for _, when in marks[1:]] + [end]
        return tuple(
            (name, until - since)
            for (name, since), until in zip(marks, instants, strict=True)
            if until > since
        )

    def outage_s(self, server: ServerId) -> float | None:
        """How long a server was away, None if it never stopped or is still away.

        It counts from when its host was ill: what a frozen host holds serves nobody.
        """
        if server not in self.stopped or server not in self.started:
            return None
        return self.started[server] - min(self.last_life, self.stopped[server])


@dataclass(slots=True)
class Incidents:
    """Listens to a world and keeps its incidents, the first one first."""

    found: list[Incident] = field(default_factory=list[Incident])
    _open: dict[HostId, Incident] = field(default_factory=dict[HostId, Incident])
    _ill_since: dict[HostId, float] = field(default_factory=dict[HostId, float])
    _stopped: dict[ServerId, tuple[float, HostId]] = field(
        default_factory=dict[ServerId, tuple[float, HostId]]
    )

    def saw(self, when: float, happening: what.Happening) -> None:
        """Fold one happening."""
        match happening:
            case what.Decided(decision=decision):
                for host in decision.hosts.values():
                    self._host(when, host)
                for move in decision.moves.values():
                    if move is not None and move.host in self._open:
                        self._open[move.host].moves[move.server] = move
            case what.HostChanged(host=host, condition=condition):
                if condition == "running":
                    self._ill_since.pop(host, None)
                else:
                    self._ill_since.setdefault(host, when)
            case what.DomainStopped(server=server, host=host):
                self._stopped[server] = when, host
                if host in self._open:
                    self._open[host].stopped.setdefault(server, when)
            case what.DomainStarted(server=server):
                for incident in self._open.values():
                    if server in incident.stopped:
                        self._started(incident, when, server)
            case _:
                return

    def _started(self, incident: Incident, when: float, server: ServerId) -> None:
        """Remember the last start until it is verified: moved servers arrive, stop, then start."""
        move = incident.moves.get(server)
        if move is None or not isinstance(move.state, states.Done):
            incident.started[server] = when

    def _host(self, when: float, host: states.Host) -> None:
        incident = self._open.get(host.id)
        if incident is None:
            if isinstance(host.state, states.Healthy | states.Unknown):
                return
            incident = self._begin(when, host)
        incident.proofs += [proof for proof in host.proofs if proof not in incident.proofs]
        incident.group = host.group or incident.group  # the end of an episode wipes it
        self._mark(incident, when, host.state)

    def _begin(self, when: float, host: states.Host) -> Incident:
        incident = Incident(host.id, host.epoch, when, self._ill_since.get(host.id, when))
        for server, (stopped, where) in self._stopped.items():
            if where == host.id and stopped >= incident.last_life:
                incident.stopped[server] = stopped
        self.found.append(incident)
        self._open[host.id] = incident
        return incident

    def _mark(self, incident: Incident, when: float, state: states.HostState) -> None:
        match state:
            case states.Suspect(cls=cls) | states.Fencing(cls=cls) | states.Held(cls=cls):
                incident.cls = cls if cls is not states.Class.FINE else incident.cls
            case _:
                pass
        match state:
            case states.Held(reason=reason) if reason not in incident.held_for:
                incident.held_for.append(reason)
            case states.Healthy():
                incident.ended = when
                incident.is_false_alarm = "fenced" not in incident.marks
                self._open.pop(incident.host)
            case _:
                incident.marks.setdefault(type(state).__name__.lower(), when)


WHY: Mapping[str, str] = {
    "dead_or_frozen": "planes of different fate were down, seen from outside",
    "dead_power": "its power was read off twice, and nothing of it was heard",
    "dead_panic": "it sent a kdump beacon",
    "rebooted": "it answered as a new boot",
    "hung": "nothing but weak signs came from it",
    "isolated": "all its networks were down, and its storage still knew it",
    "storage_lost": "it alone had lost its storage",
    "single_plane": "the only plane there is was down",
    "management_only": "its management network alone was down: nothing to rescue",
    "tenant_lost": "its tenant network alone was down",
    "group": "many fell silent together: one event, not many deaths",
    "vantage": "it was silent, but too few could say so",
    "ordered": "a person ordered it",
    "unknown": "the signs did not add up",
}


def outcome_words(move: states.Move) -> str:
    """Say what became of a server, in a few words."""
    match move.state:
        case states.Done(host=host):
            return f"runs on {host}" if move.ran else f"rests on {host}, as its user wants"
        case states.Skipped(reason=reason) | states.Cancelled(reason=reason):
            return f"not moved: {reason}"
        case states.WaitingForHost(reason=reason):
            return f"waits for its host: {reason}"
        case states.Failed(reason=reason):
            return f"failed: {reason}"
        case states.Retry(reason=reason):
            return f"tried again: {reason}"
        case _:
            return "on its way"


def together(incidents: Iterable[Incident]) -> list[list[Incident]]:
    """Put incidents of one group together; every other one stands alone."""
    found: dict[str, list[Incident]] = {}
    for incident in incidents:
        key = incident.group or f"{incident.host}/{incident.epoch}"
        found.setdefault(key, []).append(incident)
    return list(found.values())


def worst_outage(incident: Incident) -> tuple[ServerId, float] | None:
    """Name the server that was away longest."""
    known = ((server, incident.outage_s(server)) for server in incident.stopped)
    found: Iterable[tuple[ServerId, float]] = ((s, away) for s, away in known if away is not None)
    return max(found, key=lambda pair: pair[1], default=None)
