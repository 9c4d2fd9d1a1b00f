"""A shot that never left counts for nothing: neither against the others nor for its own host."""

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
