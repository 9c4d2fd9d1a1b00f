"""Whether a power device switches the very host that the inventory says it does. Pure.

A shot by a wrong device hits an innocent host, and proves its own target dead while that lives on.
What two sides say of one machine can show that they are *not* the same. That they are the same, a
person signs, who looked where the serial came from, or who saw the host go dark in a drill.
"""

from collections.abc import Mapping
from enum import StrEnum

from ninelives.core.model import HostId, RoadId
from ninelives.engine.device import Identity

Wire = tuple[HostId, RoadId]

# What makers leave in the field. Two boards that both say so are two boards.
PLACEHOLDERS = frozenset(
    {
        *("", "none", "n/a", "na", "0", "unknown", "default string", "not specified"),
        *("system serial number", "to be filled by o.e.m.", "to be filled by oem", "0123456789"),
        *("00000000-0000-0000-0000-000000000000", "03000200-0400-0500-0006-000700080009"),
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    }
)


class Match(StrEnum):
    """What a device's own words say about the host at the end of its road."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"  # one of the two sides says nothing of use


def match_of(serial: str, identity: Identity) -> Match:
    """Compare a host's serial number with what a device calls the machine that it switches."""
    wanted, found = names_of(Identity((serial,))), names_of(identity)
    if not wanted or not found:
        return Match.UNKNOWN
    if wanted <= found:
        return Match.SAME
    # A UUID that fits nothing contradicts nothing: the inventory may have named a serial.
    return Match.OTHER if names_of(identity._replace(uuid="")) else Match.UNKNOWN


def shared(identities: Mapping[Wire, Identity]) -> Mapping[Wire, frozenset[HostId]]:
    """Name each road whose machine other hosts claim, too, with those hosts: one BMC for two."""
    claims: dict[str, set[HostId]] = {}
    for (host, _), identity in identities.items():
        for name in names_of(identity):
            claims.setdefault(name, set()).add(host)
    found = dict[Wire, frozenset[HostId]]()
    for (host, road), identity in identities.items():
        others = frozenset(other for name in names_of(identity) for other in claims[name]) - {host}
        if others:
            found[host, road] = others
    return found


def names_of(identity: Identity) -> frozenset[str]:
    """List what tells a machine from every other, in one spelling."""
    said = (name.strip().casefold() for name in (*identity.serials, identity.uuid))
    return frozenset(name for name in said if name not in PLACEHOLDERS)
