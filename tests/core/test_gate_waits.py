"""A returning host's gate waits for its queue, counted from when its records were completed."""

import pytest
from tests.core.arrangements import C1, NEW, NOW, fresh, record, sees, views
from tests.core.small_cloud import PLANES

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Heard
from ninelives.core.decide import decide
from ninelives.core.draft import Draft
from ninelives.core.lastcheck import objection
from ninelives.core.model import Sign, WitnessId
from ninelives.core.policy import BALANCED
from ninelives.core.returning import look

WAIT_S = BALANCED.compute_start_s
HEARD = {plane: {WitnessId("k1"): Heard(Sign.STRONG, NEW, NOW - 20)} for plane in PLANES}
OPEN = do.OpenGate(C1, 1, NEW)


def completed(since_s: float) -> tuple[Draft, at.Returning]:
    """The records of c1 were seen completed so long ago, and its new boot is heard."""
    draft = fresh()
    state = at.Returning(NOW - 60, at.Stage.RESTARTING, NOW - since_s, NEW)
    record(epoch=1, state=state)(draft)
    sees(heard=HEARD, strong_boot=NEW, strong_at=NOW)(draft)
    return draft, state


@pytest.mark.parametrize(("since_s", "opens"), [(0.0, False), (WAIT_S - 1, False), (WAIT_S, True)])
def test_a_gate_is_opened_a_while_after_the_records_were_completed(
    since_s: float, opens: bool
) -> None:
    draft, state = completed(since_s)

    look(draft, C1, state)

    assert (OPEN in draft.actions) == opens


def test_no_gate_is_opened_while_the_bus_is_down() -> None:
    draft, state = completed(60)
    views(bad_canaries={"bus": NOW - 50})(draft)

    look(draft, C1, state)

    assert OPEN not in draft.actions


def test_a_new_leader_opens_no_gate_before_it_has_waited_itself() -> None:
    draft, _ = completed(60)
    cluster = draft.cluster
    cluster.apply(draft.decision())
    assert objection(cluster, OPEN, NOW, None) == ""

    cluster.apply(decide(cluster, on.TermBegan(cluster.views.term + 1, WitnessId("k2")), NOW))
    again = Draft(cluster, NOW)
    sees(heard=HEARD, strong_boot=NEW, strong_at=NOW)(again)
    cluster.apply(again.decision())

    assert objection(cluster, OPEN, NOW + 1, None) == "not_drained"
    assert objection(cluster, OPEN, NOW + WAIT_S, None) == ""
