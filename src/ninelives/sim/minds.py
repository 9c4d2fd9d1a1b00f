"""The core as a world brings it in: what decides, and what objects directly before a send."""

from collections.abc import Callable

from ninelives.core import actions as do
from ninelives.core.cluster import Cluster
from ninelives.core.model import ServerSeen
from ninelives.engine.node import Decide, Laws

Objection = Callable[[Cluster, do.Action, float, ServerSeen | None], str]


def nothing_against(
    cluster: Cluster, action: do.Action, now: float, seen: ServerSeen | None
) -> str:
    """Let everything pass, for worlds that bring a mind of their own."""
    del cluster, action, now, seen
    return ""


def real_decide() -> Decide:
    """Return the core's `decide`, looked up late so that a planted bug is found."""
    from ninelives.core import decide

    return decide.decide


def real_objection() -> Objection:
    """Return the core's last check."""
    from ninelives.core import lastcheck

    return lastcheck.objection


def real_laws() -> Laws:
    """Return the live laws. The swarm leaves them out: there the oracle judges, by the truth."""
    from ninelives.core import invariants

    return invariants.check
