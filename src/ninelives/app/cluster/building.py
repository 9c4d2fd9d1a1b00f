"""Build a cluster: step by step, each looked at afterwards, and all of it repeatable.

Whoever stops it and starts it again goes on where it stopped: each step is made of what the
cluster is at that moment, and a step that is done is empty.
"""

from collections.abc import Callable
from xml.etree import ElementTree

from ninelives.adapters.pacemaker.cib.changes import changed
from ninelives.adapters.pacemaker.cib.pieces import pieces_of
from ninelives.adapters.pacemaker.cib.tools import Target, patched, read, settled, stopped, verified
from ninelives.adapters.pacemaker.cib.tree import frozen, parsed_tree, written
from ninelives.engine.errors import Garbled, Refused, Unreachable

from .model import Cluster
from .planning import Plan, Step, planned, runs

STEPS_MAX = 24  # twice as many as there are kinds: what does not end by then is undone by somebody
SETTLE_S = 120


async def plan_of(target: Target, cluster: Cluster) -> tuple[Plan, str]:
    """Read a cluster and compare it with the declared one."""
    cib = await read(target)
    return planned(pieces_of(frozen(parsed_tree(cib))), cluster), cib


def after_all(plan: Plan, cib: str) -> str:
    """Return the CIB as it would be when everything is done."""
    return written(changed(parsed_tree(cib), plan.changes))


async def built(target: Target, cluster: Cluster, tell: Callable[[str], None]) -> int:
    """Make the cluster what is declared; return how many changes that took."""
    plan, cib = await plan_of(target, cluster)
    if wrong := await verified(after_all(plan, cib)):
        raise Refused(f"Pacemaker's own check: {wrong[0]}", "nothing was changed")
    done, total = 0, len(plan.steps)
    for number in range(1, STEPS_MAX + 1):
        if not plan.steps:
            return done
        step = plan.steps[0]
        many = f"{len(step.changes)} change{'s' if len(step.changes) > 1 else ''}"
        tell(f"{min(number, total)}/{total} {step.title}: {many}")
        if target.file is None:
            cib = await _without_what_runs(target, step, cib, tell)
        await _made(target, step, cib)
        done += len(step.changes)
        plan, cib = await plan_of(target, cluster)
        if step in plan.steps:
            raise Refused(
                f"{step.title}: the cluster is as it was before", "does somebody undo it?"
            )
    raise Refused("somebody else changes the same things", "find out who, and build again")


async def _without_what_runs(
    target: Target, step: Step, cib: str, tell: Callable[[str], None]
) -> str:
    """Stop what goes before it goes, and return the CIB after that.

    A resource whose definition is gone is stopped all the same, but as an orphan: nobody waits for
    it, and a host whose connection and devices go at once could not be fenced if it fell just then.
    """
    leaving = [each.key.name for each in step.changes if each.is_removal and runs(each)]
    for name in leaving:
        tell(f"    stopping {name}")
        if not await stopped(name, SETTLE_S):
            raise Unreachable(
                f"{name} has not stopped within {SETTLE_S} s", "crm_mon -1; try again"
            )
    if any(each.is_removal for each in step.changes):
        await settled(target, SETTLE_S)
    return await read(target) if leaving else cib


async def _made(target: Target, step: Step, cib: str) -> None:
    before = parsed_tree(cib)
    try:
        after = changed(before, step.changes)
    except ElementTree.ParseError as error:
        raise Garbled(f"{target}: {error}", "is it the CIB of a cluster?") from error
    await patched(target, written(before), written(after))
