"""What a controller tells of itself: numbers for Prometheus, lines for the log, a word on health.

Every number and line comes from what was decided and made durable: faces cannot disagree.
"""

import asyncio
import logging
from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ninelives.adapters.nova.compute import NovaCompute
from ninelives.adapters.sql_bases import Extent
from ninelives.core.cluster import Cluster
from ninelives.core.model import HostId, Mode, WitnessId
from ninelives.engine.node import Ready
from ninelives.engine.ports import Clock
from ninelives.sim.claims import state_name

log = logging.getLogger("ninelives.decided")

PULSE_S = 0.25
LAGS_S = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
LOOK_TODAY = frozenset(
    {"told", "order.refused", "proof.refused", "proof.voided", "shot.failed", "move.given_up"}
)


@dataclass(slots=True)
class Presence:
    """What this controller is at the moment. One loop writes and reads it."""

    me: WitnessId
    leads: bool = False
    is_ready: bool = False  # the store answered once; it stands by, or leads
    cluster: Cluster | None = None  # while it leads; nobody but the mind changes it
    mode: Mode = Mode.OBSERVE
    refused: str = ""  # why the last configuration was not taken
    compute: NovaCompute | None = None  # the way to the cloud, while there is one
    nodes: Mapping[str, HostId] = field(default_factory=dict[str, HostId])  # as Pacemaker has them

    @property
    def mind(self) -> Cluster | None:
        """What the leader knows; None where this controller does not lead."""
        return self.cluster if self.leads else None


@dataclass(slots=True)
class Numbers:
    """Everything at /metrics."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    alive: Gauge = field(init=False)
    leads: Gauge = field(init=False)
    term: Gauge = field(init=False)
    revision: Gauge = field(init=False)
    armed: Gauge = field(init=False)
    acts: Gauge = field(init=False)
    hosts: Gauge = field(init=False)
    moves: Gauge = field(init=False)
    outbox: Gauge = field(init=False)
    refused: Gauge = field(init=False)
    journal_rows: Gauge = field(init=False)
    journal_oldest: Gauge = field(init=False)
    store_bytes: Gauge = field(init=False)
    decisions: Counter = field(init=False)
    notes: Counter = field(init=False)
    lag: Histogram = field(init=False)

    def __post_init__(self) -> None:
        def gauge(name: str, words: str, *labels: str) -> Gauge:
            return Gauge(f"ninelives_{name}", words, labels, registry=self.registry)

        self.alive = gauge("alive_timestamp_seconds", "When the loop last turned")
        self.leads = gauge("is_leader", "1 while this controller leads")
        self.term = gauge("term", "The term in which it last led")
        self.revision = gauge("revision", "The last durable decision of this controller")
        self.armed = gauge("is_armed", "0 while nobody may act; known to the leader")
        self.acts = gauge("mode_is_act", "1 where the configuration lets it act everywhere")
        self.hosts = gauge("hosts", "Hosts by state; known to the leader", "state")
        self.moves = gauge("moves", "Servers being resurrected, by state; leader only", "state")
        self.outbox = gauge("outbox", "Requests without an answer; known to the leader")
        self.refused = gauge("config_refused", "1 while a newer configuration was refused")
        self.journal_rows = gauge("journal_rows", "Decisions that the store keeps; leader only")
        self.journal_oldest = gauge("journal_oldest_timestamp_seconds", "When the oldest was made")
        self.store_bytes = gauge("store_bytes", "Room that journal and records take; leader only")
        self.decisions = Counter(
            "ninelives_decisions", "Durable decisions of this process", registry=self.registry
        )
        self.notes = Counter(
            "ninelives_notes", "What was worth a note, by kind", ("what",), registry=self.registry
        )
        self.lag = Histogram(
            "ninelives_loop_lag_seconds",
            "How late the loop came to its pulse",
            buckets=LAGS_S,
            registry=self.registry,
        )

    def decided(self, ready: Ready) -> None:
        """Count one durable decision, and write its notes as log lines."""
        self.decisions.inc()
        self.term.set(ready.term)
        self.revision.set(ready.revision)
        for note in ready.decision.notes:
            self.notes.labels(note.what).inc()
            level = logging.WARNING if note.what in LOOK_TODAY else logging.INFO
            said = {"about": note.about, "why": note.why, "detail": note.detail}
            context = {name: words for name, words in said.items() if words}
            extra = {**context, "term": ready.term, "revision": ready.revision}
            log.log(level, note.what, extra=extra)

    def stored(self, extent: Extent) -> None:
        """Show how much the store keeps."""
        self.journal_rows.set(extent.rows)
        self.journal_oldest.set(extent.oldest or 0.0)
        self.store_bytes.set(extent.size_bytes)

    def take(self, presence: Presence) -> None:
        """Take over how things stand, before somebody reads the numbers."""
        self.leads.set(presence.leads)
        self.acts.set(presence.mode is Mode.ACT)
        self.refused.set(bool(presence.refused))
        self.hosts.clear()
        self.moves.clear()
        cluster = presence.mind
        if cluster is None:
            return
        self.armed.set(cluster.control.is_armed)
        self.outbox.set(len(cluster.outbox))
        states = Tally(state_name(type(host.state)) for host in cluster.hosts.values())
        moves = Tally(state_name(type(move.state)) for move in cluster.moves.values())
        for state, count in states.items():
            self.hosts.labels(state).set(count)
        for state, count in moves.items():
            self.moves.labels(state).set(count)


async def pulse(numbers: Numbers, clock: Clock) -> None:
    """Measure how late this loop is, and show that it turns."""
    while True:
        before = clock.now()
        await asyncio.sleep(PULSE_S)
        numbers.lag.observe(max(0.0, clock.now() - before - PULSE_S))
        numbers.alive.set(clock.wall())
