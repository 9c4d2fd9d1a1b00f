"""What never left is not spent: a power-on that the last check turned down is tried again."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1
from tests.core.checked_cloud import CheckedCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import Mode
from ninelives.core.policy import BALANCED

POLICY = replace(BALANCED, power_on_after_vacated=True)


def vacated() -> CheckedCloud:
    cloud = CheckedCloud(policy=POLICY)
    cloud.started()
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)
    return cloud


@pytest.mark.parametrize(("outcome", "sent"), [("not_sent", 2), ("refused", 1), ("unknown", 1)])
def test_a_power_on_is_tried_again_by_policy_only_if_it_never_left(outcome: str, sent: int) -> None:
    cloud, told = vacated(), on.Outcome(outcome)
    cloud.answers[do.PowerOn] = lambda _, action: [on.Replied(action, told, "disarmed")]
    cloud.until(lambda: bool(cloud.all_of(do.PowerOn)), POLICY.off_late_s + 10)

    del cloud.answers[do.PowerOn]
    cloud.run(2 * POLICY.vacated_look_s)

    assert len(cloud.all_of(do.PowerOn)) == sent


def test_nobody_is_switched_on_in_a_mode_that_sends_nothing() -> None:
    cloud = vacated()
    cloud.tell(on.ModeSet("ann", Mode.PROPOSE))
    cloud.run(2 * POLICY.off_late_s)
    cloud.tell(on.PowerOnOrdered("ann", C1))

    refused = [note.why for _, note in cloud.notes if note.what == "order.refused"]
    assert refused == ["mode"]
    assert not [*cloud.all_of(do.PowerOn), *cloud.turned_down]

    cloud.tell(on.ModeSet("ann", Mode.ACT))
    cloud.run(2.0)

    assert len(cloud.all_of(do.PowerOn)) == 1
