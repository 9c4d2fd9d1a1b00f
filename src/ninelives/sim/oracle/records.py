"""The durable records as the commits came in, kept apart from the core's own cluster."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.cluster import Control
from ninelives.core.model import HostId, Proof, RoadId, ServerId, Validity, WitnessId

ProofKey = tuple[str, HostId, int, int, bool, float]


@dataclass(slots=True)
class Records:
    """What the store holds, and what left for the world because of it."""

    hosts: dict[HostId, at.Host] = field(default_factory=dict[HostId, at.Host])
    moves: dict[ServerId, at.Move] = field(default_factory=dict[ServerId, at.Move])
    moves_of: dict[HostId, set[ServerId]] = field(default_factory=dict[HostId, set[ServerId]])
    # When a guest's resets were last written: they are counted for a window from then on.
    reset_at: dict[ServerId, float] = field(default_factory=dict[ServerId, float])
    # When a person's order began an outage: it has its time to end from then on, as from a fault.
    ordered_at: dict[HostId, float] = field(default_factory=dict[HostId, float])
    control: Control = Control()
    classes: dict[HostId, tuple[int, at.Class]] = field(
        default_factory=dict[HostId, tuple[int, at.Class]]
    )
    proved_at: dict[ProofKey, float] = field(default_factory=dict[ProofKey, float])
    # (host, epoch, backend, "" for the cpu) → when the leader was told what contradicts a proof
    contradicted: dict[tuple[HostId, int, str], float] = field(
        default_factory=dict[tuple[HostId, int, str], float]
    )
    # Requests.
    intended: set[do.Action] = field(default_factory=set[do.Action])
    open: dict[do.Action, float] = field(default_factory=dict[do.Action, float])
    sent: set[tuple[do.Send, str]] = field(default_factory=set[tuple[do.Send, str]])
    attempts: dict[tuple[str, str, str, int], int] = field(
        default_factory=dict[tuple[str, str, str, int], int]
    )
    named: dict[ServerId, tuple[HostId, int, frozenset[HostId]]] = field(
        default_factory=dict[ServerId, tuple[HostId, int, frozenset[HostId]]]
    )
    # Our last request of a host about a server: when, and in which episode of that host, if in one.
    asked: dict[tuple[ServerId, HostId], tuple[float, int | None]] = field(
        default_factory=dict[tuple[ServerId, HostId], tuple[float, int | None]]
    )
    shots: deque[tuple[float, HostId]] = field(default_factory=deque[tuple[float, HostId]])
    offs: dict[HostId, float] = field(default_factory=dict[HostId, float])  # the last one let out
    roads: dict[HostId, set[RoadId]] = field(default_factory=dict[HostId, set[RoadId]])
    opened: set[HostId] = field(default_factory=set[HostId])  # gates that we opened
    # Who acts.
    term: int = 0
    holder: WitnessId = WitnessId("")
    told: dict[tuple[str, int], set[str]] = field(default_factory=dict[tuple[str, int], set[str]])
    told_at: dict[str, float] = field(default_factory=dict[str, float])

    def host(self, host: HostId) -> at.Host:
        """Return a host's record."""
        return self.hosts.get(host) or at.Host(host)

    def put_move(self, server: ServerId, move: at.Move | None, when: float) -> at.Move | None:
        """Adopt a move's record and return what stood there before."""
        before = self.moves.pop(server, None)
        if before is not None:
            self.moves_of[before.host].discard(server)
        if move is not None:
            self.moves[server] = move
            self.moves_of.setdefault(move.host, set()).add(server)
            if isinstance(move.state, at.Mending):
                self.reset_at[server] = when
        return before

    def moves_from(self, host: HostId) -> list[at.Move]:
        """Return the moves of a host's present episode."""
        return [self.moves[server] for server in self.moves_of.get(host, ())]

    def tell(self, when: float, tell: do.Tell) -> None:
        """Remember that somebody was told."""
        reason, *names = tell.what.split(":")  # "held:storm", "server_failed:s1"
        self.told_at[tell.about] = when
        for name in (tell.about, *names):
            self.told.setdefault((name, tell.epoch), set()).add(reason)
        for word in (reason, *names):
            self.told_at[f"{tell.about} {word}"] = when

    # Proofs.

    def made_at(self, proof: Proof, known: Iterable[Proof], when: float) -> float:
        """Return when a proof was first seen, also under another leader's instant.

        One that stands beside an earlier one of its kind is new: a person looked again.
        """
        kept = {key_of(each) for each in self.host(proof.host).proofs}
        gone = (each for each in known if key_of(each) not in kept)
        same = (each for each in gone if each.covers == proof.covers)
        keys = (key_of(each) for each in same if key_of(each)[:-1] == key_of(proof)[:-1])
        return min((self.proved_at[key] for key in keys if key in self.proved_at), default=when)

    def proofs(self, host: HostId) -> list[Proof]:
        """Return the proofs of the host's present epoch, whatever became of them."""
        record = self.hosts.get(host)
        return [p for p in record.proofs if p.epoch == record.epoch] if record else []

    def standing(self, host: HostId) -> list[Proof]:
        """Return those that permit a start: not void, not suspended, not contradicted since."""
        return [proof for proof in self.proofs(host) if self.stands(proof)]

    def stands(self, proof: Proof) -> bool:
        """Say whether nothing that the leader was told speaks against a proof."""
        if proof.validity is not Validity.VALID:
            return False
        made = self.proved_at.get(key_of(proof), 0.0)
        subjects: Iterable[str] = ("",) if proof.covers.cpu else proof.covers.backends
        against = (self.contradicted.get((proof.host, proof.epoch, name)) for name in subjects)
        return not any(when is not None and when >= made for when in against)

    def is_proved_dead(self, host: HostId) -> bool:
        """Say whether a proof about its cpu stands: then an `off` shoots nobody."""
        record = self.hosts.get(host)
        if record is None or not record.proofs:
            return False
        return any(proof.covers.cpu for proof in self.standing(host))


def key_of(proof: Proof) -> ProofKey:
    """Name a proof. A void one is another: a new leader gives both of a kind the same instant."""
    is_void = proof.validity is Validity.VOID
    return (proof.method, proof.host, proof.epoch, proof.term, is_void, proof.at)
