"""Why a compute service is disabled, by the reason that stands in Nova's record. Pure."""

from typing import Final

OURS: Final = "ninelives:"  # how every reason of ours begins
NOVAS_OWN: Final = "AUTO: "  # nova-compute disabled itself (virt/libvirt/driver.py, DISABLE_PREFIX)
RESERVE: Final = OURS + "reserve"


def is_ours(reason: str) -> bool:
    """Say whether no operator disabled it: we did, or nova-compute, whose libvirt was away."""
    return reason.startswith((OURS, NOVAS_OWN))


def is_reserve(reason: str) -> bool:
    """Say whether it is disabled for the reserve: by us, or by an operator who says "reserved"."""
    return reason == RESERVE or (not is_ours(reason) and "reserve" in reason.casefold())
