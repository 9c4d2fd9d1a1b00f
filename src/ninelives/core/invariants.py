"""The laws that are checked live, on every decision, before it is adopted (SAFETY 9, marked *).

It shares no reasoning with `decide`: each law asks of the records that changed, and of what is
handed out, whether it may be so. The cost grows with the change, not with the fleet. A broken law
is our own bug: the decision is thrown away, the controller disarms and ends (SAFETY 10).

What needs the truth about the world, which a controller never has, is checked in simulation only.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from . import actions as do
from . import events as on
from . import states as at
from .cluster import Cluster, Control, Decision, Views
from .invariants_moves import MOVE_ARROWS, RESTS, SENT_FROM
from .model import HostId, Proof, ServerId, Validity


class Broken(NamedTuple):
    """One law, whom it concerns, and what was seen."""

    law: str
    about: str
    what: str


@dataclass(frozen=True, slots=True)
class Step:
    """One decision, with what was before and what would be after it."""

    before: Cluster
    event: on.Event
    decision: Decision
    now: float

    @property
    def control(self) -> Control:
        """What operators decided, after it."""
        return self.decision.control or self.before.control

    @property
    def views(self) -> Views:
        """What was seen of everything that is no host, after it."""
        return self.decision.views or self.before.views

    def host(self, host: HostId) -> at.Host | None:
        """Return a host's record after it."""
        return self.decision.hosts.get(host) or self.before.hosts.get(host)

    def move(self, server: ServerId) -> at.Move | None:
        """Return a server's move after it."""
        if server in self.decision.moves:
            return self.decision.moves[server]
        return self.before.moves.get(server)

    def hosts_changed(self) -> Iterator[tuple[at.Host, at.Host]]:
        """Yield each changed host: before, after."""
        for host, after in self.decision.hosts.items():
            yield self.before.hosts.get(host) or at.Host(host), after

    def moves_changed(self) -> Iterator[tuple[at.Move | None, at.Move | None]]:
        """Yield each changed move: before, after."""
        for server, after in self.decision.moves.items():
            yield self.before.moves.get(server), after


def check(before: Cluster, event: on.Event, decision: Decision, now: float) -> tuple[Broken, ...]:
    """Return every law that `decision` would break if `before` adopted it. Pure.

    Ask before `before.apply(decision)`: it is still what was known when the event came.
    """
    step = Step(before, event, decision, now)
    is_quiet = not (decision.hosts or decision.moves or decision.actions or decision.notes)
    laws = QUIET_LAWS if is_quiet else LAWS
    return tuple(
        Broken(law, about, what) for law, asks in laws.items() for about, what in asks(step)
    )


Complaints = Iterator[tuple[str, str]]  # whom it concerns, what was seen


# The four laws that SAFETY marks.


def one_writer(step: Step) -> Complaints:
    """I1: of each server at most one send is out, so that at most one more copy can come of it."""
    sent: set[ServerId] = set()
    for action in step.decision.actions:
        if not isinstance(action, do.ServerSend):
            continue
        before = step.before.moves.get(action.server)
        if action.server in sent:
            yield action.server, "two sends at once"
        elif not _may_send(action, before):
            yield action.server, f"{_name(action)} while one is out"
        sent.add(action.server)


def _may_send(action: do.Send, before: at.Move | None) -> bool:
    if before is None or isinstance(before.state, SENT_FROM[type(action)]):
        return not getattr(before.state, "is_sent", False) if before is not None else True
    return False


def certificate_first(step: Step) -> Complaints:
    """I2: whoever could still write, but the target, is proved not to, or was seen not to."""
    for action in step.decision.actions:
        match action:
            case do.Evacuate(server=server, target=target):
                yield from _uncertified(step, server, target)
            case do.StartServer(server=server, host=host):
                yield from _uncertified(step, server, host)
            case do.ResetState(server=server):
                yield from _uncertified(step, server, None)
            case do.ForceDown(host=host, epoch=epoch):
                record = step.host(host)
                if record is None or not any(proof.epoch == epoch for proof in record.proofs):
                    yield host, "forced down without a proof"
            case _:
                pass


def _uncertified(step: Step, server: ServerId, target: HostId | None) -> Complaints:
    move = step.move(server)
    if move is None:
        yield server, "a send for a server that nobody moves"
        return
    for writer in sorted((move.writers | {move.host}) - {target} - move.absent_on):
        if not _cannot_write(step.host(writer), move):
            yield server, f"{writer} may still write"


def _cannot_write(host: at.Host | None, move: at.Move) -> bool:
    standing = [proof for proof in host.proofs if _stands(proof, host)] if host else []
    if any(proof.covers.cpu for proof in standing):
        return True
    covered = {backend for proof in standing for backend in proof.covers.backends}
    return bool(move.seen.disks) and set(move.seen.disks) <= covered


def _stands(proof: Proof, host: at.Host) -> bool:
    return proof.validity is Validity.VALID and proof.epoch == host.epoch


def nobody_forgotten(step: Step) -> Complaints:
    """I14: no episode ends, and no record goes, before its server has an outcome."""
    for before, after in step.hosts_changed():
        if isinstance(after.state, at.Vacated) and not isinstance(before.state, at.Vacated):
            yield from _left_behind(step, after.id)
    for gone, kept in step.moves_changed():
        if gone is None or isinstance(gone.state, (*RESTS, at.Mending)):
            continue
        host = step.host(gone.host)
        if kept is None and host is not None and not isinstance(host.state, at.Healthy):
            yield gone.server, f"dropped while {_name(gone.state)}"
        elif kept is not None and kept.host != gone.host and _is_in_care(step, gone):
            yield gone.server, f"taken from {gone.host} while {_name(gone.state)}"


def _left_behind(step: Step, host: HostId) -> Complaints:
    for server in step.before.moves_of.get(host, {}):
        move = step.move(server)
        if move is not None and move.host == host and not isinstance(move.state, RESTS):
            yield server, f"still {_name(move.state)} when its host is vacated"


def _is_in_care(step: Step, move: at.Move) -> bool:
    host = step.host(move.host)
    return host is not None and host.epoch == move.epoch and isinstance(host.state, at.Evacuating)


def phases_tile(step: Step) -> Complaints:
    """I25: each change of state begins now, and the arrows that are told lead from one to next."""
    told: dict[str, list[tuple[str, str]]] = {}
    for note in step.decision.notes:
        if note.what == "host.moved":
            start, _, end = note.detail.split(" ")[:3]
            told.setdefault(note.about, []).append((start, end))
    for before, after in step.hosts_changed():
        chain = told.get(after.id, [])
        ends = [_name(before.state), *(end for _, end in chain)]
        if [start for start, _ in chain] != ends[:-1] or ends[-1] != _name(after.state):
            yield after.id, f"{_name(before.state)} → {_name(after.state)}, but told: {chain}"
        began = getattr(after.state, "since", step.now)
        if chain and began != step.now:
            yield after.id, f"{_name(after.state)} since {began:g}, at {step.now:g}"


# Laws of structure.


def arrows_legal(step: Step) -> Complaints:
    """Every arrow is in the table: told ones, and those of moves within one episode."""
    for note in step.decision.notes:
        if note.what == "host.moved":
            start, _, end = note.detail.split(" ")[:3]
            if (start, end) not in ARROW_NAMES:
                yield note.about, f"{start} → {end}"
    for before, after in step.moves_changed():
        if before is None or after is None or before.host != after.host:
            continue
        if _is_planned_now(step, after):
            continue  # what was moved off the host alive before its fence is planned anew
        arrow = type(before.state), type(after.state)
        if before.epoch == after.epoch and arrow[0] is not arrow[1] and arrow not in MOVE_ARROWS:
            yield after.server, f"{_name(before.state)} → {_name(after.state)}"


def _is_planned_now(step: Step, move: at.Move) -> bool:
    host = step.before.hosts.get(move.host)
    return host is not None and isinstance(host.state, at.Fenced) and move.began == step.now


def epochs_monotone(step: Step) -> Complaints:
    """I13: +1 at each entry to suspect, and never otherwise; terms never decrease (I10).

    A store that lost history is the one exception: all its epochs jump past what was used since.
    """
    jump = step.event.lost if isinstance(step.event, on.StoreAdopted) else 0
    entries: dict[str, int] = {}
    for note in step.decision.notes:
        if note.what == "host.moved" and note.detail.split(" ")[2] == "suspect":
            entries[note.about] = entries.get(note.about, 0) + 1
    for before, after in step.hosts_changed():
        if after.epoch != before.epoch + jump + entries.get(after.id, 0):
            yield after.id, f"epoch {before.epoch} → {after.epoch}"
    if step.views.term < step.before.views.term:
        yield "control", f"term {step.before.views.term} → {step.views.term}"


def proofs_of_the_episode(step: Step) -> Complaints:
    """A proof belongs to its host and episode, and what was voided never stands again."""
    for before, after in step.hosts_changed():
        void = {proof.at for proof in before.proofs if proof.validity is Validity.VOID}
        for proof in after.proofs:
            if proof.host != after.id or proof.epoch != after.epoch:
                yield after.id, f"a proof of {proof.host}, episode {proof.epoch}"
            elif proof.at > step.now or proof.term > step.views.term:
                yield after.id, "a proof from the future"
            elif before.epoch == after.epoch and _is_revived(proof, void, before):
                yield after.id, f"a void proof stands again: {proof.method.value}"
        if isinstance(after.state, at.Fenced | at.Evacuating) and not after.proofs:
            yield after.id, f"{_name(after.state)} without a proof"


def _is_revived(proof: Proof, void: set[float], before: at.Host) -> bool:
    if proof in before.proofs:  # it stood already, beside a void one of the same term
        return False
    known = any(old.at == proof.at and old.method is proof.method for old in before.proofs)
    return known and proof.at in void and proof.validity is not Validity.VOID


def moves_are_whole(step: Step) -> Complaints:
    """What is in flight was sent: it counts an attempt, and its target was named (I16)."""
    for before, after in step.moves_changed():
        if after is None:
            continue
        if isinstance(after.state, at.Sending | at.Verifying | at.Starting):
            is_named = after.state.target in after.named and after.attempt >= 1
            if not is_named and not after.is_adopted:
                yield after.server, f"{_name(after.state)} to {after.state.target}, never named"
        if after.host not in after.writers and not isinstance(after.state, at.Mending):
            yield after.server, "its own host is no writer"
        same = before is not None and (before.host, before.epoch) == (after.host, after.epoch)
        if same and before is not None and not set(before.named) <= set(after.named):
            yield after.server, "a target that was named is forgotten"


def shots_in_a_fence(step: Step) -> Complaints:
    """I5: an `off` belongs to a host that is being fenced, in this very episode."""
    for action in step.decision.actions:
        if isinstance(action, do.PowerOff):
            host = step.host(action.host)
            fenced = host is not None and isinstance(
                host.state, at.Fencing | at.Fenced | at.Evacuating | at.Vacated
            )
            if not fenced or host is None or host.epoch != action.epoch:
                yield action.host, "a shot outside its episode"


def disarmed_sends_nothing(step: Step) -> Complaints:
    """I23: disarmed, or without a term, nothing is sent and nobody is shot."""
    if step.control.is_armed and step.views.term:
        return
    for action in step.decision.actions:
        if isinstance(action, (*do.SENDS, do.PowerOff)):
            yield getattr(action, "host", ""), f"{_name(action)} while disarmed"


def risk_stops_all(step: Step) -> Complaints:
    """I3: where a proof was contradicted nothing starts any more."""
    for action in step.decision.actions:
        match action:
            case do.Evacuate(source=source) | do.ResetState(source=source):
                host = step.host(source)
                if host is not None and host.zombie_risk:
                    yield action.server, f"sent under zombie risk of {source}"
            case _:
                pass


def counters_sound(step: Step) -> Complaints:
    """A shared number counts records: it is never negative."""
    for key, difference in step.decision.counts.items():
        if step.before.counts.get(key, 0) + difference < 0:
            yield "/".join(key), "counted below zero"


def intents_recorded(step: Step) -> Complaints:
    """I11: whatever changes the world stands in the outbox before it is handed out."""
    for action in step.decision.actions:
        if isinstance(action, do.READS):
            continue
        if action in step.decision.outbox:
            entry = step.decision.outbox[action]
        else:
            entry = step.before.outbox.get(action)
        if entry is None:
            yield getattr(action, "host", _name(action)), f"{_name(action)} is in no outbox"


def _name(thing: object) -> str:
    return type(thing).__name__.lower()


ARROW_NAMES = frozenset((a.__name__.lower(), b.__name__.lower()) for a, b in at.ARROWS)

LAWS: Mapping[str, Callable[[Step], Complaints]] = {
    "I1": one_writer,
    "I2": certificate_first,
    "I14": nobody_forgotten,
    "I25": phases_tile,
    "arrows": arrows_legal,
    "epochs": epochs_monotone,
    "proofs": proofs_of_the_episode,
    "moves": moves_are_whole,
    "shots": shots_in_a_fence,
    "disarmed": disarmed_sends_nothing,
    "risk": risk_stops_all,
    "counters": counters_sound,
    "outbox": intents_recorded,
}

# What can be broken where no record, action or note is new: most events are such.
QUIET_LAWS = {law: LAWS[law] for law in ("epochs", "counters")}
