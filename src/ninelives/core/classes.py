"""The classes of the rule table: what happened to a host."""

from enum import StrEnum


class Class(StrEnum):
    """What the rule table says happened to a host (SAFETY 5)."""

    FINE = "fine"
    OWN_FAULT = "own_fault"
    PLANNED = "planned"
    CONTROL_PLANE = "control_plane"
    GROUP = "group"
    VANTAGE = "vantage"
    OOB_LIES = "oob_lies"
    DEAD_POWER = "dead_power"
    DEAD_PANIC = "dead_panic"
    REBOOTED = "rebooted"
    DEAD_OR_FROZEN = "dead_or_frozen"
    HUNG = "hung"
    SINGLE_PLANE = "single_plane"
    ISOLATED = "isolated"
    MANAGEMENT_ONLY = "management_only"
    STORAGE_LOST = "storage_lost"
    BACKEND = "backend"
    TENANT_LOST = "tenant_lost"
    LIBVIRT_HUNG = "libvirt_hung"
    NOVA_COMPUTE = "nova_compute"
    AGENT_ONLY = "agent_only"
    GUEST = "guest"
    GRAY = "gray"
    ORDERED = "ordered"  # a human ordered the fence
    UNKNOWN = "unknown"


FENCE_CLASSES = frozenset(
    {
        Class.DEAD_POWER,
        Class.DEAD_PANIC,
        Class.DEAD_OR_FROZEN,
        Class.HUNG,
        Class.SINGLE_PLANE,
        Class.ISOLATED,
        Class.STORAGE_LOST,
        Class.GROUP,
        Class.ORDERED,
    }
)
WITNESSED_CLASSES = frozenset(  # what only witnesses can tell
    {Class.DEAD_OR_FROZEN, Class.HUNG, Class.SINGLE_PLANE, Class.ISOLATED}
)
REPAIR_CLASSES = frozenset({Class.LIBVIRT_HUNG, Class.NOVA_COMPUTE, Class.AGENT_ONLY})
