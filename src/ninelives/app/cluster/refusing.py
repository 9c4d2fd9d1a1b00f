"""What `build` refuses: dangers, and losses that nobody asked for."""

from ninelives.app.exits import Complaint, Exit
from ninelives.app.findings import Grade

from .dangers import dangers
from .dangers_found import Danger, Judged
from .planning import Plan

NAMED_MAX = 5


def found_in(plan: Plan) -> tuple[Danger, ...]:
    """Judge the cluster as it would be."""
    return dangers(Judged(plan.after, plan.declared))


def refused(plan: Plan, found: tuple[Danger, ...], *, may_remove: bool) -> None:
    """End here where something must not be built. Raises `Complaint`."""
    errors = [each for each in found if each.grade is Grade.ERROR]
    if errors:
        names = ", ".join(sorted({each.name for each in errors}))
        hint = f"{errors[0].remedy}; nothing was changed"
        raise Complaint(f"refused: {names}", hint, Exit.REFUSED)
    if plan.lost and not may_remove:
        named = ", ".join(str(key) for key in plan.lost[:NAMED_MAX])
        more = f" and {len(plan.lost) - NAMED_MAX} more" if len(plan.lost) > NAMED_MAX else ""
        hint = "look at `ninelives cluster plan`; --remove takes them away"
        raise Complaint(f"this would take away {named}{more}", hint, Exit.REFUSED)
