"""I24: the journal, fed to `decide` again, gives the same decisions."""

from collections.abc import Callable, Iterable

from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.sim import happenings as so

from .facts import Violation

Decide = Callable[[Cluster, on.Event, float], Decision]
Restore = Callable[[Cluster], Cluster]


def replay_matches(
    decisions: Iterable[so.Decided], fresh: Cluster, decide: Decide, restore: Restore
) -> Violation | None:
    """Return the first decision that comes out differently, None if all are the same.

    `fresh` is what the first leader started from, and is used up. `restore` gives what the next
    leader starts from: the durable records of its predecessor and nothing that was only seen.
    """
    cluster = fresh
    for it in decisions:
        if isinstance(it.event, on.TermBegan):
            cluster = restore(cluster)
        again = decide(cluster, it.event, it.now)
        if again != it.decision:
            what = f"revision {it.revision} differs in {', '.join(_differing(it.decision, again))}"
            return Violation("I24", it.now, it.controller, what)
        cluster.apply(again)
        cluster.now = it.now
    return None


def _differing(one: Decision, two: Decision) -> list[str]:
    return [
        name for name, left, right in zip(Decision._fields, one, two, strict=True) if left != right
    ]
