"""Ground truth: who really runs, who can really write. No controller can look here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from ninelives.core.model import BackendId, BootId, HostId, MoveRecord, ServerId, WitnessId
from ninelives.sim import happenings as so

from .facts import SetupFacts

DEAD_CONDITIONS = frozenset({"off", "panicked", "booting"})  # no guest of the old life exists
NOT_MOVED = frozenset({"delete", "shelve"})
NOT_RUNNING = frozenset({"stop", "pause", "suspend"}) | NOT_MOVED
# After a rescue it runs, and after its end; a rebuild is played as a hard reboot.
UNDOING = frozenset(
    {"start", "unshelve", "resume", "unpause", "reboot", "rebuild", "rescue", "unrescue"}
)


@dataclass(slots=True)
class Truth:
    """The world as it is."""

    facts: SetupFacts
    domains: dict[ServerId, set[HostId]] = field(default_factory=dict[ServerId, set[HostId]])
    guests: dict[HostId, set[ServerId]] = field(default_factory=dict[HostId, set[ServerId]])
    paused: set[tuple[ServerId, HostId]] = field(default_factory=set[tuple[ServerId, HostId]])
    # The last copy that Nova let up: what libvirt starts of itself moves nobody.
    came_up: dict[ServerId, HostId] = field(default_factory=dict[ServerId, HostId])
    up_since: dict[tuple[ServerId, HostId], float] = field(
        default_factory=dict[tuple[ServerId, HostId], float]
    )
    records: dict[ServerId, so.Recorded] = field(default_factory=dict[ServerId, so.Recorded])
    conditions: dict[HostId, str] = field(default_factory=dict[HostId, str])
    cuts: dict[HostId, set[BackendId]] = field(default_factory=dict[HostId, set[BackendId]])
    strays: dict[ServerId, set[HostId]] = field(default_factory=dict[ServerId, set[HostId]])
    unwanted: dict[ServerId, tuple[float, str]] = field(
        default_factory=dict[ServerId, tuple[float, str]]
    )
    # Starts that Nova was asked for and that did not happen yet: they may wait in a host's queue.
    asked_by_user: dict[tuple[ServerId, HostId], float] = field(
        default_factory=dict[tuple[ServerId, HostId], float]
    )
    asked_by_us: dict[tuple[ServerId, HostId], float] = field(
        default_factory=dict[tuple[ServerId, HostId], float]
    )
    booted_at: dict[HostId, float] = field(default_factory=dict[HostId, float])
    # Since when a nova-compute runs in this boot that no gate was closed before.
    ungated_at: dict[HostId, float] = field(default_factory=dict[HostId, float])
    switched_on: set[HostId] = field(default_factory=set[HostId])  # by us, since it was off
    # A boot's lease ends with it: the next one renews its own.
    leases: dict[tuple[HostId, BootId], tuple[float, so.LeaseChanged]] = field(
        default_factory=dict[tuple[HostId, BootId], tuple[float, so.LeaseChanged]]
    )
    # Records at Nova, by the host whose nova-compute works on them; and those whose work was lost.
    at_work: dict[HostId, set[int]] = field(default_factory=dict[HostId, set[int]])
    lost_work: set[int] = field(default_factory=set[int])
    well_since: dict[HostId, float] = field(default_factory=dict[HostId, float])
    idle: set[HostId] = field(default_factory=set[HostId])  # no nova-compute ran in this boot yet
    faults: dict[int, int] = field(default_factory=dict[int, int])
    fault_changed_at: float = 0.0
    # since when each looks anew after it was away; infinite as long as it does not yet
    looks_since: dict[WitnessId, float] = field(default_factory=dict[WitnessId, float])
    machines_still: set[WitnessId] = field(default_factory=set[WitnessId])
    machine_woke: dict[WitnessId, float] = field(default_factory=dict[WitnessId, float])

    @classmethod
    def of(cls, facts: SetupFacts) -> "Truth":
        """Put every server where the story begins."""
        truth = cls(facts)
        for server, its in facts.servers.items():
            truth.records[server] = so.Recorded(server, its.home)
            truth.came_up[server] = its.home
            if its.word:
                truth.unwanted[server] = (-inf, its.word)
            if its.word == "pause":
                truth.paused.add((server, its.home))
            if its.is_running:
                truth.domain_started(0.0, so.DomainStarted(server, its.home, is_rebuilt=False))
        return truth

    def domain_started(self, when: float, it: so.DomainStarted) -> None:
        self.domains.setdefault(it.server, set()).add(it.host)
        self.guests.setdefault(it.host, set()).add(it.server)
        self.up_since[it.server, it.host] = when
        if it.cause != "autostart":
            self.came_up[it.server] = it.host

    def domain_paused(self, it: so.DomainPaused) -> None:
        if it.is_over:
            self.paused.discard((it.server, it.host))
        else:
            self.paused.add((it.server, it.host))

    def stray_started(self, server: ServerId, host: HostId) -> None:
        """Somebody else started a copy: remember it and those it joined, as long as they run."""
        self.strays[server] = {host, *self.domains.get(server, ())}

    def domain_stopped(self, server: ServerId, host: HostId) -> None:
        if self.strays:
            self.strays.get(server, set[HostId]()).discard(host)
        self.paused.discard((server, host))
        self.domains.get(server, set[HostId]()).discard(host)
        self.guests.get(host, set[ServerId]()).discard(server)

    def host_changed(self, when: float, host: HostId, condition: str) -> None:
        """Adopt a condition. A frozen or hung host keeps its guests: it may wake."""
        if self.conditions.get(host) == "booting":
            self.booted_at[host] = when
        if condition == "off":
            self.switched_on.discard(host)
        self.conditions[host] = condition
        if condition in DEAD_CONDITIONS:
            for server in tuple(self.guests.get(host, ())):
                self.domain_stopped(server, host)
            self.lost_work |= self.at_work.pop(host, set[int]())
            self.idle.add(host)
            self.ungated_at.pop(host, None)

    def compute_started(self, when: float, it: so.ComputeStarted) -> None:
        """Remember what the first nova-compute of a boot finds: a closed gate before it, or none.

        With its first look at its queue it carries out all that waited for this boot.
        """
        if it.host in self.idle and not it.is_gated:
            self.ungated_at[it.host] = when
        self.idle.discard(it.host)

    def work_seen(self, record: MoveRecord) -> None:
        """Remember who works on a record: that work dies with the host, its record stays open.

        First seen after the next boot it is no work of that one, while the gate holds back its
        nova-compute.
        """
        is_taken_up = not record.is_final and record.status != "accepted"
        match record.kind:
            case "evacuation" if is_taken_up and record.target is not None:
                worker = record.target
            case "live-migration" if is_taken_up:
                worker = record.source
            case _:
                return
        if worker in self.idle:
            self.lost_work.add(record.id)
        elif record.id not in self.lost_work:
            self.at_work.setdefault(worker, set[int]()).add(record.id)

    def well_changed(self, when: float, it: so.WellChanged) -> None:
        if it.is_well:
            self.well_since[it.host] = when
        else:
            self.well_since.pop(it.host, None)

    def writes_cut(self, it: so.WritesCut) -> None:
        backends = self.cuts.setdefault(it.host, set())
        if it.is_cut:
            backends.add(it.backend)
        else:
            backends.discard(it.backend)

    def user_acted(self, when: float, it: so.UserActed) -> None:
        record = self.records.get(it.server)
        if it.action == "start" and record is not None and record.host is not None:
            self.asked_by_user[it.server, record.host] = when
        if it.action in NOT_RUNNING:
            self.unwanted[it.server] = (when, it.action)
        elif it.action in UNDOING:
            self.unwanted.pop(it.server, None)

    def fault(self, when: float, number: int, change: int) -> None:
        self.faults[number] = self.faults.get(number, 0) + change
        self.fault_changed_at = when

    # Questions.

    def writers(self, server: ServerId) -> Iterator[HostId]:
        """Yield every host with a copy of `server` that can write one of its disks, or wake to."""
        facts = self.facts.servers.get(server)
        for host in self.domains.get(server, ()):
            cuts = self.cuts.get(host)
            if not (cuts and facts and facts.disks and cuts.issuperset(facts.disks)):
                yield host

    def lives_on(self, server: ServerId, host: HostId) -> bool:
        """Say whether it stands on this host's list by right (SAFETY 4, fenced), I14 and I18.

        Nova has it there. Or its last copy came up there and a migration that names this host is
        not final. A copy that came up past Nova's records (of an old queue, of libvirt itself, of a
        migration that Nova calls failed) moves nobody: its server lives where Nova has it.
        """
        record = self.records.get(server)
        if record is None:
            return self.came_up.get(server) == host
        return record.host == host or (
            host in record.open_ends and self.came_up.get(server) == host
        )

    def copies_at_work(self, server: ServerId) -> list[HostId]:
        """Name the hosts where a copy of it computes: one that was paused stands still."""
        domains = self.domains.get(server, ())
        return [host for host in domains if (server, host) not in self.paused]

    def is_gone(self, server: ServerId) -> bool:
        """Say whether its user deleted it."""
        return self.unwanted.get(server, (0.0, ""))[1] == "delete"

    def is_taken_away(self, server: ServerId) -> bool:
        """Say whether its user deleted or shelved it, and no copy of it is left to look after."""
        return self.unwanted.get(server, (0.0, ""))[1] in NOT_MOVED and not self.domains.get(server)

    def is_wanted_running(self, server: ServerId) -> bool:
        """Say whether its user wanted it to run when the story began, and did not stop it since."""
        facts = self.facts.servers.get(server)
        return server not in self.unwanted and (facts is None or facts.is_wanted)

    def is_left_behind(self, server: ServerId, host: HostId) -> bool:
        """Say whether this copy is what is left of a server that lives elsewhere: a zombie's end.

        Nobody's outage begins when such a copy dies, and nobody may bring it back. It was shut out
        of its storage before its server moved, or a stranger started the server elsewhere. Who
        lives where it always did, while a copy came up beside it past Nova's records, has an
        outage like any.
        """
        last = self.came_up.get(server)
        if last is not None and last != host and self.lives_on(server, last):
            return host in self.strays.get(server, ()) or self.runs_on(server, last)
        return host in self.strays.get(server, ()) and not self.lives_on(server, host)

    def runs_on(self, server: ServerId, host: HostId) -> bool:
        """Say whether a copy runs there, on a host that runs."""
        here = self.conditions.get(host, "running") == "running"
        return here and host in self.domains.get(server, ())

    def runs_well(self, server: ServerId) -> bool:
        """Say whether a copy runs on a host that runs."""
        return any(self.runs_on(server, host) for host in self.domains.get(server, ()))

    def is_faulty(self, number: int) -> bool:
        """Say whether this row of the fault table is in force now."""
        return self.faults.get(number, 0) > 0
