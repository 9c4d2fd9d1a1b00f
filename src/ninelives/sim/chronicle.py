"""Turn what truly happens in a world into facts by which a story's claims are judged."""

from dataclasses import dataclass, field

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Note
from ninelives.core.model import BackendId, HostId, ServerId

from . import happenings as what
from .claims import NINELIVES, state_name
from .facts import Facts
from .setup import Setup

CANNOT_WRITE = {"off", "booting", "panicked"}  # a frozen or hung kernel may wake, and write


@dataclass(slots=True)
class Chronicle:
    """Listens to a world of `setup` and keeps its facts."""

    setup: Setup
    facts: Facts = field(default_factory=Facts)
    _states: dict[str, at.HostState | at.MoveState] = field(
        default_factory=dict[str, at.HostState | at.MoveState]
    )
    _proofs: dict[HostId, int] = field(default_factory=dict[HostId, int])
    _conditions: dict[HostId, str] = field(default_factory=dict[HostId, str])
    _domains: dict[ServerId, set[HostId]] = field(default_factory=dict[ServerId, set[HostId]])
    _cut: set[tuple[HostId, BackendId]] = field(default_factory=set[tuple[HostId, BackendId]])

    def __post_init__(self) -> None:
        """Begin as the world begins: every server runs at home."""
        for server in self.setup.servers:
            if server.is_running and server.host is not None:
                self._domains[server.id] = {server.host}
                self.facts.begins(0.0, server.id, "runs", "on", server.host)

    def saw(self, when: float, happening: what.Happening) -> None:
        """Note the facts of one happening."""
        match happening:
            case what.Decided():
                self._decided(when, happening)
            case what.Issued(action=action):
                self._issued(when, action)
            case what.TermTaken(controller=name):
                for other in self.setup.site.controllers:
                    self.facts.ends(when, other, "leads")
                self.facts.begins(when, name, "leads")
            case _:
                self._happened(when, happening)

    def _happened(self, when: float, happening: what.Happening) -> None:
        match happening:
            case what.DomainStarted(server=server, host=host, is_rebuilt=is_rebuilt):
                self._domains.setdefault(server, set()).add(host)
                self.facts.begins(when, server, "runs", "on", host)
                if is_rebuilt:
                    self.facts.happens(when, server, "rebuilt")
                self._count_writers(when, server)
            case what.DomainStopped(server=server, host=host):
                self._domains.setdefault(server, set()).discard(host)
                self.facts.ends(when, server, "runs", "on", host)
                self._count_writers(when, server)
            case what.HostChanged(host=host, condition=condition):
                self._conditions[host] = condition
                self.facts.ends(when, host, "turns")
                self.facts.begins(when, host, "turns", condition)
                self._count_all(when, host)
            case what.WritesCut(host=host, backend=backend, is_cut=is_cut):
                (self._cut.add if is_cut else self._cut.discard)((host, backend))
                self._count_all(when, host)
            case what.PowerCut(host=host, ordered_by=by):
                self.facts.happens(when, host, "cut", "off")
                if by:
                    self.facts.happens(when, host, "shot")
            case _:
                return

    def _count_all(self, when: float, host: HostId) -> None:
        for server, hosts in self._domains.items():
            if host in hosts:
                self._count_writers(when, server)

    def _count_writers(self, when: float, server: ServerId) -> None:
        """See whether more than one copy of a server runs, and whether two can write."""
        hosts = self._domains.get(server, set())
        awake = {h for h in hosts if self._conditions.get(h, "running") not in CANNOT_WRITE}
        disks = next((each.disks for each in self.setup.servers if each.id == server), ())
        writers = {h for h in awake if any((h, disk) not in self._cut for disk in disks)}
        self._holds(when, len(awake) > 1, server, "runs", "twice")
        self._holds(when, len(writers) > 1, server, "written", "twice")

    def _holds(self, when: float, is_true: bool, *words: str) -> None:
        (self.facts.begins if is_true else self.facts.ends)(when, *words)

    def _issued(self, when: float, action: do.Action) -> None:
        match action:
            case do.PowerOff(host=host):
                self.facts.happens(when, host, "ordered", "off")
            case do.Evacuate(server=server, target=target):
                self.facts.happens(when, server, "sent", "to", target)
            case do.HardReboot(server=server, host=host):
                self.facts.happens(when, server, "rebooted", "on", host)
            case do.LiveMigrate(server=server):
                self.facts.happens(when, server, "migrated")
            case _:
                return

    def _decided(self, when: float, decided: what.Decided) -> None:
        decision = decided.decision
        for note in decision.notes:
            self._note(when, note)
        for host in decision.hosts.values():
            self._host(when, host)
        for server, move in decision.moves.items():
            if move is not None:
                self._enter(when, server, move.state)
        if decision.control is not None:
            self._holds(when, not decision.control.is_armed, NINELIVES, "disarms")
        if isinstance(decided.event, on.Replied) and decided.event.outcome is on.Outcome.DONE:
            self._done(when, decided.event.action)

    def _note(self, when: float, note: Note) -> None:
        match note.what:
            case "host.moved":  # one decision may pass through more than one state
                self.facts.ends(when, note.about, "reaches")
                self.facts.begins(when, note.about, "reaches", note.detail.split()[2])
            case "host.judged":
                self.facts.ends(when, note.about, "judged")
                self.facts.begins(when, note.about, "judged", note.why)
            case "told":
                self.facts.happens(when, note.about, "reported", note.why)
            case _:
                return

    def _host(self, when: float, host: at.Host) -> None:
        before = self._states.get(host.id)
        self._enter(when, host.id, host.state)
        if isinstance(host.state, at.Suspect) and not self.facts.holds(
            host.id, "judged", host.state.cls
        ):
            self.facts.ends(when, host.id, "judged")
            self.facts.begins(when, host.id, "judged", host.state.cls)
        elif isinstance(host.state, at.Healthy) and before != host.state:
            self.facts.ends(when, host.id, "judged")
        for proof in host.proofs[self._proofs.get(host.id, 0) :]:
            self.facts.happens(when, host.id, "proved", "by", proof.method)
        self._proofs[host.id] = len(host.proofs)
        self._holds(when, bool(host.zombie_risk), host.id, "at", "risk")

    def _enter(self, when: float, name: str, state: at.HostState | at.MoveState) -> None:
        """Note a change of state, or of the reason for which a state is kept."""
        words = (state_name(type(state)), reason_of(state))
        if not self.facts.holds(name, "reaches", *filter(None, words)):
            self.facts.ends(when, name, "reaches")
            self.facts.begins(when, name, "reaches", *words)
        self._states[name] = state

    def _done(self, when: float, action: do.Action) -> None:
        match action:
            case do.ForceDown(host=host):
                self.facts.happens(when, host, "forced", "down")
            case do.ForceUp(host=host):
                self.facts.happens(when, host, "forced", "up")
            case do.Disable(host=host):
                self.facts.happens(when, host, "disabled")
            case do.Enable(host=host):
                self.facts.happens(when, host, "enabled")
            case do.Reserve(host=host, enabled=enabled):
                self.facts.happens(when, host, *(("lent",) if enabled else ("given", "back")))
            case do.Revoke(host=host, backend=backend):
                self.facts.happens(when, host, "revoked", "on", backend)
            case _:
                return


def reason_of(state: at.HostState | at.MoveState) -> str:
    """Return the stable word that tells a state from others of its name."""
    match state:
        case (
            at.Held(reason=reason)
            | at.Skipped(reason=reason)
            | at.Failed(reason=reason)
            | at.WaitingForHost(reason=reason)
            | at.Cancelled(reason=reason)
            | at.Retry(reason=reason)
        ):
            return reason
        case at.Returning(stage=stage):
            return stage
        case _:
            return ""
