"""Forge histories for the oracle: a small true world, and one word for each thing that happens."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Control, Decision, Entry, Note
from ninelives.core.model import (
    EVERYTHING,
    BackendId,
    BootId,
    Candidate,
    Covers,
    HostId,
    Method,
    MoveRecord,
    Plane,
    Power,
    Proof,
    RoadId,
    SegmentId,
    ServerId,
    ServerSeen,
    Sign,
    VmState,
    WitnessId,
)
from ninelives.core.policy import Policy
from ninelives.core.protection import Promise
from ninelives.core.site import HostSite, QuorumSet, Road, Site
from ninelives.sim import happenings as so
from ninelives.sim.oracle import Oracle, ServerFacts, SetupFacts, Violation

CEPH = BackendId("ceph")
OLD, NEW = BootId("old"), BootId("new")
C1, C2, C3, C4 = (HostId(f"c{n}") for n in range(1, 5))
S1, S2, S3 = (ServerId(f"s{n}") for n in range(1, 4))
LEADER, STANDBY = WitnessId("ctl1"), WitnessId("ctl2")
ROAD = RoadId("bmc")


def site(hosts: int = 4) -> Site:
    """Four hosts in one rack. Each is seen by the others and by two controllers."""
    names = [HostId(f"c{n}") for n in range(1, hosts + 1)]
    sites = {
        name: HostSite(
            name,
            SegmentId("s"),
            rack="a",
            roads=(Road(ROAD),),
            backends=(CEPH,),
            revocable=frozenset({CEPH}),
            witnesses=(*(WitnessId(other) for other in names if other != name), LEADER, STANDBY),
            quorum_sets=("mons",) if name == C4 else (),
            has_watchdog=True,
        )
        for name in names
    }
    mons = QuorumSet("mons", frozenset({C3, C4}), needed=2)
    return Site(sites, (LEADER, STANDBY), {"mons": mons}, {LEADER: C3})


def facts(**servers: ServerFacts) -> SetupFacts:
    """Return three servers on c1 that share one backend, unless others are named."""
    home = {name: ServerFacts(C1, (CEPH,)) for name in ("s1", "s2", "s3")}
    known = {ServerId(name): fact for name, fact in {**home, **servers}.items()}
    return SetupFacts(site(), known, ends_within_s=1000.0)


def seen(server: ServerId = S1, host: HostId = C1, *records: MoveRecord) -> ServerSeen:
    return ServerSeen(server, host, VmState.ACTIVE, None, True, records, disks=(CEPH,))


def record(status: str, number: int = 1, target: HostId = C2) -> MoveRecord:
    return MoveRecord(number, "evacuation", C1, target, status)


@dataclass
class History:
    """A story told to an oracle. `now` is the world's clock, and the leader's."""

    oracle: Oracle
    now: float = 1.0
    term: int = 1
    revision: int = 0
    hosts: dict[HostId, at.Host] = field(default_factory=dict[HostId, at.Host])
    leader: WitnessId = LEADER

    @property
    def laws(self) -> set[str]:
        return {violation.law for violation in self.oracle.violations}

    def recorded(self, server: ServerId, host: HostId, *open_ends: HostId) -> "History":
        """Let Nova have a server on a host, and records of it that are open between hosts."""
        return self.truly(so.Recorded(server, host, frozenset(open_ends)))

    def after(self, seconds: float) -> "History":
        self.now += seconds
        return self

    def truly(self, *happenings: so.Happening) -> "History":
        for happening in happenings:
            self.oracle.saw(self.now, happening)
        return self

    def decided(
        self,
        event: on.Event | None = None,
        *,
        hosts: tuple[at.Host, ...] = (),
        moves: Mapping[ServerId, at.Move | None] | None = None,
        outbox: tuple[do.Action, ...] = (),
        ended: tuple[do.Action, ...] = (),
        control: Control | None = None,
        tells: tuple[do.Tell, ...] = (),
        by: WitnessId | None = None,
        term: int | None = None,
    ) -> "History":
        self.revision += 1
        self.hosts.update({host.id: host for host in hosts})
        entries: dict[do.Action, Entry | None] = {
            action: Entry(action, self.term, self.now, self.now + 5) for action in (*outbox, *tells)
        }
        entries.update(dict.fromkeys(ended))
        decision = decision_of(
            hosts={host.id: host for host in hosts},
            moves=moves or {},
            outbox=entries,
            control=control,
            actions=(*outbox, *tells),
        )
        it = so.Decided(
            by or self.leader,
            self.term if term is None else term,
            self.revision,
            self.now,
            event or on.Woke("upkeep"),
            decision,
        )
        return self.truly(it)

    def issued(self, action: do.Action, by: WitnessId | None = None) -> "History":
        return self.truly(so.Issued(by or self.leader, self.term, action))

    def acted(self, action: do.Action) -> "History":
        """Decide a request, and let it out."""
        return self.decided(outbox=(action,)).issued(action)

    # What the leader is told.

    def sighted(self, host: HostId, sign: Sign, boot: BootId | None = None) -> "History":
        """Let every witness but itself say the same on every plane."""
        for name in ("c2", "c3", "c4", "ctl1"):
            changes = tuple(on.Change(host, plane, sign, boot) for plane in Plane)
            self.decided(on.Sighted(WitnessId(name), changes))
        return self

    def read(self, host: HostId, power: Power = Power.OFF) -> "History":
        return self.decided(on.PowerRead(host, ROAD, power))

    def allowed(self, server: ServerId, *hosts: HostId) -> "History":
        candidates = tuple(Candidate(host, 5, True) for host in hosts)
        return self.decided(on.TargetsSeen(do.AskTargets(server, 1), candidates))

    def watched(self, *servers: ServerSeen, host: HostId = C1) -> "History":
        names = tuple(server.id for server in servers)
        return self.decided(on.Watched(do.Watch(host, 1, names), servers))

    def replied(self, action: do.Action, outcome: on.Outcome = on.Outcome.DONE) -> "History":
        return self.decided(on.Replied(action, outcome), ended=(action,))

    # How hosts go.

    def host(self, host: HostId, state: at.HostState, **changes: object) -> "History":
        """Write a host's record: the last one with this state and these fields."""
        before = self.hosts.get(host, at.Host(host, boot=OLD))
        return self.decided(hosts=(replace(before, state=state, **changes),))  # type: ignore[arg-type]  # fields are named by tests alone

    def suspected(self, host: HostId = C1, cls: at.Class = at.Class.DEAD_OR_FROZEN) -> "History":
        epoch = self.hosts.get(host, at.Host(host)).epoch + 1
        return self.host(host, at.Suspect(self.now, cls, self.now), epoch=epoch, proofs=())

    def fencing(self, host: HostId = C1, cls: at.Class = at.Class.DEAD_OR_FROZEN) -> "History":
        return (
            self.sighted(host, Sign.SILENT)
            .suspected(host, cls)
            .host(host, at.Fencing(self.now, cls))
        )

    def died(self, host: HostId = C1) -> "History":
        return self.truly(so.HostChanged(host, "off", None))

    def shot(self, host: HostId = C1, attempt: int = 1) -> "History":
        epoch = self.hosts.get(host, at.Host(host)).epoch
        action = do.PowerOff(host, ROAD, epoch, attempt)
        return self.acted(action).replied(action)

    def proved(
        self,
        host: HostId = C1,
        method: Method = Method.POWER_OFF,
        covers: Covers = EVERYTHING,
        state: at.HostState | None = None,
    ) -> "History":
        proof = self.proof(host, method, covers)
        known = self.hosts.get(host, at.Host(host)).proofs
        return self.host(host, state or at.Fenced(self.now), proofs=(*known, proof))

    def proof(self, host: HostId, method: Method, covers: Covers) -> Proof:
        epoch = self.hosts.get(host, at.Host(host)).epoch
        return Proof(method, host, epoch, self.term, self.now, OLD, covers, "forged")

    def fenced(self, host: HostId = C1) -> "History":
        """Tell the whole way of a host that lost its power, and was shot and proved off."""
        self.died(host).fencing(host).shot(host).after(2).read(host).after(2).read(host)
        return self.proved(host)

    def evacuating(self, host: HostId = C1) -> "History":
        return self.fenced(host).host(host, at.Evacuating(self.now))

    def moving(self, state: at.MoveState, server: ServerId = S1, **changes: object) -> "History":
        return self.decided(moves={server: move(state, server, **changes)})

    def sent(self, server: ServerId = S1, target: HostId = C2, attempt: int = 1) -> "History":
        """Send a server to a target that is allowed, while its host is read off."""
        self.allowed(server, target).read(C1)
        action = do.Evacuate(server, C1, target, 1, attempt)
        state = at.Sending(self.now, target)
        return self.decided(moves={server: move(state, server)}, outbox=(action,)).issued(action)

    def arrived(self, server: ServerId = S1, target: HostId = C2) -> "History":
        """Let a server that was sent arrive, run, and be seen there."""
        action = do.Evacuate(server, C1, target, 1, 1)
        self.replied(action).truly(so.DomainStarted(server, target, is_rebuilt=False))
        self.recorded(server, target)
        self.watched(seen(server, target, record("completed", target=target)))
        return self.moving(at.Done(self.now, target), server)

    def finished(self, *, healed: bool = True) -> list[Violation]:
        return self.oracle.finish(self.now, healed=healed)


def decision_of(
    hosts: Mapping[HostId, at.Host] | None = None,
    moves: Mapping[ServerId, at.Move | None] | None = None,
    outbox: Mapping[do.Action, Entry | None] | None = None,
    control: Control | None = None,
    actions: tuple[do.Action, ...] = (),
    notes: tuple[Note, ...] = (),
) -> Decision:
    return Decision(
        hosts or {}, moves or {}, outbox or {}, control, {}, None, {}, {}, actions, notes
    )


def move(state: at.MoveState, server: ServerId = S1, **changes: object) -> at.Move:
    """Return the move of a server that ran on c1, in its first episode."""
    plain = at.Move(
        server, C1, 1, state, seen(server), Promise(), ran=True, will=at.Will.RUNNING, attempt=1
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields are named by tests alone


def story(setup: SetupFacts | None = None, policy: Policy | None = None) -> History:
    """Begin: everybody healthy, the first controller leads."""
    known = setup or facts()
    told = History(Oracle.of(replace(known, policy=policy or known.policy)))
    told.truly(so.TermTaken(LEADER, 1)).decided(on.TermBegan(1, LEADER))
    for name in known.site.hosts:
        told.host(name, at.Healthy(0.0))
    return told
