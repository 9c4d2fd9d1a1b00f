"""The store of a simulated world: records kept as objects, conditional on term and revision.

    decisions ─▶ objects ─────────────────────────────────▶ the next leader
          └─▶ codec ─▶ bytes in a store ─▶ codec ─▶ records ──┘   where there is a store beneath

The lease row lives in a `MemoryStore`, so that the engine's own lease arithmetic runs against it.
Without a store beneath it speed counts. With one the objects are only what the bytes are held
against: whatever does not come back as it was decided is a bug, found at the commit or at the next
take-over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.cluster import Control, Decision, Entry
from ninelives.core.model import HostId, ServerId
from ninelives.engine.journal import Records, batch_of, in_order, read_records, row_of
from ninelives.engine.node import Ready
from ninelives.engine.ports import Committed, LeaseRow, Store
from ninelives.engine.writer import merged

from .memory_store import Answers, MemoryStore
from .twins import twin


@dataclass(slots=True)
class Ledger:
    """Durable records, as the next leader will find them."""

    lease: MemoryStore = field(default_factory=MemoryStore)
    revision: int = 0
    control: Control = field(default_factory=Control)
    hosts: dict[HostId, at.Host] = field(default_factory=dict[HostId, at.Host])
    moves: dict[ServerId, at.Move] = field(default_factory=dict[ServerId, at.Move])
    outbox: dict[do.Action, Entry] = field(default_factory=dict[do.Action, Entry])
    slow_s: float = 0.0
    beneath: Store | None = None

    @property
    def answers_calls(self) -> bool:
        return self.lease.answers is Answers.ALWAYS

    @property
    def term(self) -> int:
        """The term of whoever took the lease last, read past every fault."""
        return self.row().term

    def row(self) -> LeaseRow:
        """Return the lease row as it stands, whether or not the store answers."""
        answers, self.lease.answers = self.lease.answers, Answers.ALWAYS
        row = self.lease.lease()
        self.lease.answers = answers
        return row

    def fork(self) -> "Ledger":
        """Return an independent copy."""
        other = twin(self)
        other.lease = self.lease.fork()
        if self.beneath is not None:
            assert isinstance(self.beneath, MemoryStore), "a store on a disk cannot become two"
            other.beneath = self.beneath.fork()
        return other

    def accepts(self, ready: Ready, term: int) -> bool:
        """Say whether this decision continues what is stored: same term, next revision."""
        return term == self.term and ready.revision == self.revision + 1

    def begin_term(self, holder: str) -> Records:
        """Return what a new leader starts from; with a store beneath, what that gives back."""
        known = in_order(
            self.control, self.hosts.values(), self.moves.values(), self.outbox.values()
        )
        if self.beneath is None:
            return known
        while (row := self.beneath.lease()).term < self.term:
            self.beneath.take(row, holder)
        found = read_records(self.beneath.load())
        assert found == known, f"the store gives back {_first_other(found, known)}"
        return found

    def commit(self, batch: Sequence[Ready], wall: float) -> None:
        """Bring one transaction through the codec into the store beneath, if there is one."""
        if self.beneath is None:
            return
        written = merged(batch_of(ready, wall) for ready in batch)
        for ready, entry in zip(batch, written.entries, strict=True):
            row = row_of(entry)
            assert row.event == ready.event, f"{ready.event} is read back as {row.event}"
            assert row.notes == ready.decision.notes, f"{row.notes}, not {ready.decision.notes}"
        answer = self.beneath.commit(written)
        assert answer == Committed(written.revision), f"the store beneath says {answer}"

    def write(self, ready: Ready) -> None:
        """Make one decision durable."""
        assert ready.revision == self.revision + 1, "revisions are dense"
        self.revision = ready.revision
        keep(self, ready.decision)


def keep(ledger: Ledger, decision: Decision) -> None:
    ledger.hosts.update(decision.hosts)
    for server, move in decision.moves.items():
        if move is None:
            ledger.moves.pop(server, None)
        else:
            ledger.moves[server] = move
    for action, entry in decision.outbox.items():
        if entry is None:
            ledger.outbox.pop(action, None)
        else:
            ledger.outbox[action] = entry
    if decision.control is not None:
        ledger.control = decision.control


def _first_other(found: Records, known: Records) -> str:
    """Show the first record that is not what was decided."""
    for name, one, two in zip(Records._fields, found, known, strict=True):
        if one == two or not isinstance(one, tuple) or not isinstance(two, tuple):
            continue
        if len(one) != len(two):
            return f"{len(one)} {name}, and {len(two)} were decided"
        return next(f"{a}, and {b} was decided" for a, b in zip(one, two, strict=True) if a != b)
    return f"{found.control}, and {known.control} was decided"
