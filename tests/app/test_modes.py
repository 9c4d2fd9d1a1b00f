"""What is configured is what is allowed: no more after a change, and no less."""

from ninelives.app.config.configuration import Modes
from ninelives.app.modes import BY, orders_for
from ninelives.core.cluster import Control
from ninelives.core.model import Mode, SegmentId
from ninelives.core.orders import ModeSet

EAST, WEST = SegmentId("east"), SegmentId("west")


def test_what_is_in_force_already_is_not_said_again() -> None:
    assert orders_for(Modes(Mode.ACT, {}), Control()) == ()
    control = Control(mode=Mode.OBSERVE, segment_modes=((EAST, Mode.ACT),))
    assert orders_for(Modes(Mode.OBSERVE, {EAST: Mode.ACT}), control) == ()


def test_a_new_store_is_told_before_it_acts() -> None:
    assert orders_for(Modes(Mode.OBSERVE, {EAST: Mode.ACT}), Control()) == (
        ModeSet(BY, Mode.OBSERVE),
        ModeSet(BY, Mode.ACT, "east"),
    )


def test_a_segment_of_which_nothing_is_written_any_more_is_as_everywhere() -> None:
    control = Control(mode=Mode.OBSERVE, segment_modes=((EAST, Mode.ACT), (WEST, Mode.OBSERVE)))

    assert orders_for(Modes(Mode.OBSERVE, {}), control) == (ModeSet(BY, Mode.OBSERVE, "east"),)
