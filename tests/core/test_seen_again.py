"""Each shot wants evidence as fresh as itself: whom a witness sees again is not shot at."""

import pytest
from tests.core.arrangements import (
    C1,
    MGMT,
    NOW,
    ROAD,
    STORAGE,
    TENANT,
    Arrange,
    both,
    control,
    dark,
    fresh,
    off_read,
    plane,
    record,
)

from ninelives.core import actions as do
from ninelives.core import states as at
from ninelives.core.lastcheck import objection
from ninelives.core.model import Sign
from ninelives.core.shooting import shoot
from ninelives.core.states import Class

PINGED = plane(Sign.WEAK, MGMT, STORAGE, TENANT, by=("c3", "c4"))  # two are left who miss it
TWICE = off_read(NOW - 3, NOW)


@pytest.mark.parametrize(
    ("cls", "seen", "is_shot"),
    [
        (Class.DEAD_OR_FROZEN, dark, True),
        (Class.DEAD_OR_FROZEN, both(dark, PINGED), False),
        (Class.ISOLATED, both(dark, PINGED), False),
        (Class.HUNG, both(dark, PINGED), True),
        (Class.ORDERED, both(dark, PINGED), True),
        (Class.DEAD_OR_FROZEN, both(dark, PINGED, TWICE), True),
    ],
    ids=["missed by all", "pinged", "isolated, pinged", "hung", "a person's order", "reads off"],
)
def test_a_shot_is_held_while_too_few_miss_the_host(
    cls: Class, seen: Arrange, is_shot: bool
) -> None:
    """Found by the swarm (world 66 of seed hamb): an answered ping came just before the off."""
    draft = fresh()
    both(record(epoch=1, state=at.Fencing(NOW, cls)), seen)(draft)
    off = do.PowerOff(C1, ROAD, 1, 1)

    shoot(draft, C1, cls)

    assert (off in draft.actions) == is_shot
    assert (do.Tell(C1, "shot_held:seen_again", 1) in draft.actions) == (not is_shot)


@pytest.mark.parametrize(("seen", "why"), [(dark, ""), (both(dark, PINGED), "seen_again")])
def test_the_last_look_finds_that_it_is_seen_again(seen: Arrange, why: str) -> None:
    draft = fresh()
    counted = control(shots=((NOW, C1),))
    both(record(epoch=1, state=at.Fencing(NOW, Class.DEAD_OR_FROZEN)), counted, seen)(draft)
    draft.cluster.apply(draft.decision())

    assert objection(draft.cluster, do.PowerOff(C1, ROAD, 1, 1), NOW, None) == why
