"""As what a host in fencing is shot: only who reads off twice is beyond the brakes."""

import pytest
from tests.core.arrangements import (
    C1,
    NOW,
    ROAD,
    STORAGE,
    Arrange,
    both,
    control,
    dark,
    fresh,
    off_read,
    plane,
    record,
    sees,
)

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.cluster import PowerSeen
from ninelives.core.model import Power, Sign
from ninelives.core.roads import sent_as, shot_as
from ninelives.core.states import Class

TWICE = off_read(NOW - 3, NOW)
OFF, SENT = do.PowerOff(C1, ROAD, 1, 1), at.Shot(ROAD, attempt=1, sent_at=NOW, is_open=True)
ON_AGAIN = both(TWICE, sees(power={ROAD: PowerSeen(Power.ON, NOW)}))
# Its device is wired to another machine, which is off.
LIVES = both(TWICE, plane(Sign.STRONG, STORAGE))


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (TWICE, Class.DEAD_POWER),
        (off_read(NOW, NOW), Class.DEAD_OR_FROZEN),  # off, this once: every brake holds
        (off_read(NOW - 60, NOW - 50), Class.DEAD_OR_FROZEN),
        (ON_AGAIN, Class.DEAD_OR_FROZEN),
        (both(TWICE, sees(strong_at=NOW - 1)), Class.DEAD_OR_FROZEN),  # heard between the two
        (both(TWICE, sees(strong_at=NOW - 4)), Class.DEAD_POWER),
        (LIVES, Class.DEAD_OR_FROZEN),
    ],
)
def test_as_off_already_is_shot_who_reads_off_twice_and_still(
    read: Arrange, expected: Class
) -> None:
    draft = fresh()
    both(dark, read)(draft)

    assert shot_as(draft, C1, Class.DEAD_POWER) is expected
    assert shot_as(draft, C1, Class.HUNG) is Class.HUNG


def test_the_shot_that_spent_the_reads_goes_out_until_one_says_on() -> None:
    draft = fresh()
    both(dark, TWICE, record(off_reads=(), shots=(SENT,)))(draft)
    assert sent_as(draft, OFF, Class.DEAD_POWER) is Class.DEAD_POWER

    ON_AGAIN(draft)
    assert sent_as(draft, OFF, Class.DEAD_POWER) is Class.DEAD_OR_FROZEN


def test_the_shot_that_spent_the_reads_stands_before_every_brake_once_life_is_seen() -> None:
    draft = fresh()
    both(dark, LIVES, record(off_reads=(), shots=(SENT,)))(draft)

    assert sent_as(draft, OFF, Class.DEAD_POWER) is Class.DEAD_OR_FROZEN


def test_a_shot_that_was_counted_goes_out_before_every_brake_whatever_reads_off_by_then() -> None:
    draft = fresh()
    both(dark, off_read(NOW, NOW), record(off_reads=(), shots=(SENT,)))(draft)
    control(shots=((NOW, C1),))(draft)

    assert sent_as(draft, OFF, Class.DEAD_POWER) is Class.DEAD_OR_FROZEN
    assert sent_as(draft, OFF, Class.ORDERED) is Class.ORDERED
