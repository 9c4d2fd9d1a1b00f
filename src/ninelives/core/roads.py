"""Which power devices of a host may be believed, and which may be used without a human."""

from .draft import Draft
from .model import HostId


def usable_roads(draft: Draft, host: HostId) -> tuple[str, ...]:
    """Return the roads that may carry a proof: mapping verified, device not caught lying."""
    control = draft.control
    closed = {address for address, _ in control.closed_devices}
    return tuple(
        road.id
        for road in draft.site(host).roads
        if (road.is_verified or (host, road.id) in control.verified)
        and (host, road.id) not in control.unverified
        and (road.address or road.id) not in closed
    )
