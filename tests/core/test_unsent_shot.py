"""A shot that never left counts for nothing: neither against the others nor for its own host."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, ROAD, both, control, fresh, record

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.shooting import off_replied
from ninelives.core.states import Class

OFF = do.PowerOff(C1, ROAD, 1, 1)
OPEN = at.Shot(ROAD, attempt=1, sent_at=NOW, is_open=True)
EARLIER = (NOW - 300, C1)


@pytest.mark.parametrize(
    ("outcome", "left"),
    [(on.Outcome.NOT_SENT, (EARLIER,)), (on.Outcome.UNKNOWN, (EARLIER, (NOW, C1)))],
)
def test_only_a_shot_that_left_is_counted(
    outcome: on.Outcome, left: tuple[tuple[float, str], ...]
) -> None:
    draft = fresh()
    fencing = at.Fencing(NOW, Class.DEAD_OR_FROZEN)
    both(record(epoch=1, state=fencing, shots=(OPEN,)), control(shots=(EARLIER, (NOW, C1))))(draft)
    off_replied(draft, OFF, outcome, "seen_again")

    assert draft.control.shots == left


def test_the_window_of_a_shot_begins_when_its_device_answered() -> None:
    """World 652 of seed day6: a slow disk let it leave a second after it was counted."""
    draft = fresh()
    decided = NOW - 1.2
    shot = replace(OPEN, sent_at=decided)
    fencing = at.Fencing(decided, Class.DEAD_OR_FROZEN)
    shots = control(shots=(EARLIER, (decided, C1)))
    both(record(epoch=1, state=fencing, shots=(shot,)), shots)(draft)
    off_replied(draft, OFF, on.Outcome.DONE, "")

    assert draft.control.shots == (EARLIER, (NOW, C1))
