"""The store of a simulated world: records kept as objects, conditional on term and revision.

The lease row lives in a `MemoryStore`, so that the engine's own lease arithmetic runs against it.
A test runs stories through the codec and SQLite as well; here speed counts.
"""

from dataclasses import dataclass, field

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.cluster import Control, Decision, Entry
from ninelives.core.model import HostId, ServerId
from ninelives.engine.node import Ready
from ninelives.engine.ports import LeaseRow

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
        return other

    def accepts(self, ready: Ready, term: int) -> bool:
        """Say whether this decision continues what is stored: same term, next revision."""
        return term == self.term and ready.revision == self.revision + 1

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
