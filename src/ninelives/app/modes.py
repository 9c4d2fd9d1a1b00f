"""The configured modes as orders: folded first in every term, so that nothing goes out before."""

from collections.abc import Iterator

from ninelives.core.cluster import Control
from ninelives.core.model import Mode, SegmentId
from ninelives.core.orders import ModeSet

from .config.configuration import Modes

BY = "configuration"


def orders_for(modes: Modes, control: Control) -> tuple[ModeSet, ...]:
    """Return what makes `control` allow what is configured, and nothing else. Pure."""
    return tuple(_orders(modes, control))


def _orders(modes: Modes, control: Control) -> Iterator[ModeSet]:
    before = dict(control.segment_modes)
    if control.mode is not modes.default:
        yield ModeSet(BY, modes.default)
    for segment in sorted({*before, *modes.segments}):
        # A segment of which nothing is written any more is as everywhere: said of it, too.
        wanted: Mode = modes.segments.get(SegmentId(segment), modes.default)
        if before.get(segment) is not wanted:
            yield ModeSet(BY, wanted, segment)
