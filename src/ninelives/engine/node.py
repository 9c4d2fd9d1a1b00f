"""Node: decide, check, commit, hand out. It owns no event loop, no store and no clock.

    offer(event, now) ─▶ Ready ─▶ (somebody makes it durable) ─▶ committed(revision) ─▶ actions

A decision that would break a law is not adopted: `offer` raises, and the Node is as it was before.

Node may decide ahead of the disk: several `Ready` can wait for one group commit. But actions leave
only when their decision is durable, and in order. If a commit fails, the Node is thrown away: what
it decided ahead never happened, and the next leader starts from what is stored.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from ninelives.core.actions import Action
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.events import Armed, Event, IncidentApproved, MaintenanceSet, ModeSet
from ninelives.core.invariants import Broken, check
from ninelives.engine.errors import InvariantBroken

Decide = Callable[[Cluster, Event, float], Decision]
Laws = Callable[[Cluster, Event, Decision, float], tuple[Broken, ...]]

LEAVES = (Armed, ModeSet, MaintenanceSet, IncidentApproved)  # the orders that may give leave to act


def lawless(before: Cluster, event: Event, decision: Decision, now: float) -> tuple[Broken, ...]:
    """Check nothing: for replay, and where others judge every decision."""
    del before, event, decision, now
    return ()


class Ready(NamedTuple):
    """A decision to be made durable as `revision`. Every event gets one: the journal is whole."""

    revision: int
    term: int
    at: float
    event: Event
    decision: Decision


@dataclass(slots=True)
class Node:
    """One leader's mind. `revision` is the last decision, `durable` the last one on disk."""

    cluster: Cluster
    decide: Decide
    revision: int
    laws: Laws = check
    durable: int = field(init=False)
    _waiting: deque[Ready] = field(default_factory=deque, init=False)
    _alarms: list[tuple[float, str]] = field(default_factory=list, init=False)  # a heap

    def __post_init__(self) -> None:
        """Start with everything durable."""
        self.durable = self.revision
        self._alarms = sorted((due, subject) for subject, due in self.cluster.wakes.items())

    def fork(self) -> "Node":
        """Return an independent copy, with all that was decided and is not durable yet."""
        other = Node(self.cluster.fork(), self.decide, self.revision, self.laws)
        other.durable = self.durable
        other._waiting = self._waiting.copy()
        other._alarms = self._alarms.copy()
        return other

    def offer(self, event: Event, now: float) -> Ready:
        """Fold one event. The answer must become durable before its actions are handed out."""
        decision = self.judged(event, now)
        self.cluster.apply(decision)
        self.cluster.now = now
        for subject, due in decision.wakes.items():
            if due is not None:
                heappush(self._alarms, (due, subject))
        self.revision += 1
        ready = Ready(self.revision, self.cluster.views.term, now, event, decision)
        self._waiting.append(ready)
        return ready

    def judged(self, event: Event, now: float) -> Decision:
        """Decide and adopt nothing; a decision that would break a law raises. Safe to repeat."""
        assert now >= self.cluster.now, "monotonic time of one leader went back"
        decision = self.decide(self.cluster, event, now)
        broken = self.laws(self.cluster, event, decision, now)
        if broken:
            raise InvariantBroken(broken)
        return decision

    def committed(self, revision: int) -> tuple[Action, ...]:
        """Everything up to `revision` is durable: hand out its actions, in order."""
        assert self.durable <= revision <= self.revision
        self.durable = revision
        actions: list[Action] = []
        while self._waiting and self._waiting[0].revision <= revision:
            actions.extend(self._waiting.popleft().decision.actions)
        return tuple(actions)

    def unsettled(self) -> str:
        """Say why nothing may be sent just now, "" where it may: leave was given, not yet on disk.

        The mind knows of it already. Were its commit to fail, it would never have been given.
        """
        is_pending = any(isinstance(ready.event, LEAVES) for ready in self._waiting)
        return "leave_not_durable" if is_pending else ""

    def wake_at(self) -> float | None:
        """Return when the next `on.Woke` is due, None if nothing waits for time."""
        alarm = self._next_alarm()
        return None if alarm is None else alarm[0]

    def due(self, now: float) -> str | None:
        """Return the subject of the wake that is due first, None if there is none."""
        alarm = self._next_alarm()
        return alarm[1] if alarm is not None and alarm[0] <= now else None

    def _next_alarm(self) -> tuple[float, str] | None:
        """Drop alarms that were put off or forgotten; asked for each event, however many wait."""
        while self._alarms:
            due, subject = self._alarms[0]
            if self.cluster.wakes.get(subject) == due:
                return due, subject
            heappop(self._alarms)
        return None
