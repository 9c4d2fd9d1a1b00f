"""By which device a host was fenced: Pacemaker's history does not say, its topology and ours do.

level 1   ipmi-c1, ninelives     ┐ any of them may have been the one that succeeded: so in each
level 2   chassis-c1, ninelives  ┘ there has to be a road that may carry a proof
"""

from collections.abc import Collection, Mapping, Sequence
from xml.etree import ElementTree

NO_LEVEL = "no level"  # where fencing picks a device by itself, nobody knows which
CHANGED = "changed levels"

Levels = tuple[tuple[str, ...], ...]  # of one target, in their order; each with all its devices


def read(text: str) -> Mapping[str, Levels] | None:
    """Read the levels of every target from a CIB or its `fencing-topology`. Pure.

    None where they cannot be told: unreadable, or a level that names no node but a pattern.
    """
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - of a program of this machine
    except ElementTree.ParseError:
        return None
    found = dict[str, list[tuple[int, tuple[str, ...]]]]()
    for level in root.iter("fencing-level"):
        target, index, devices = (level.get(name) for name in ("target", "index", "devices"))
        if not target or not devices or not (index or "").isdecimal():
            return None
        each = tuple(device.strip() for device in devices.split(","))
        found.setdefault(target, []).append((int(index or 0), each))
    return {target: tuple(devices for _, devices in sorted(all_)) for target, all_ in found.items()}


def carrier(levels: Levels, roads: Mapping[str, str], usable: Collection[str]) -> str:
    """Name the road by which a host was fenced, in the worst case. Pure.

    `roads` maps devices of the cluster to roads of the host. Whatever is returned that is not
    usable is refused as a proof, and says why.
    """
    named = [_of_level(level, roads, usable) for level in levels]
    unusable = [each for each in named if each not in usable]
    return [*unusable, *named, NO_LEVEL][0]


def _of_level(level: Sequence[str], roads: Mapping[str, str], usable: Collection[str]) -> str:
    """Name what carries one level, of which every device has succeeded."""
    ours = [roads[device] for device in level if device in roads]
    return [*(road for road in ours if road in usable), *ours, *level][0]
