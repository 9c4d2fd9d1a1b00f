"""A host that was led back a moment ago takes servers before a reserved one is lent."""

import pytest
from tests.core.arrangements import C1, NOW, fresh, record

from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.core.plan import plan
from ninelives.core.reserve import comes_for

C2 = HostId("c2")
SEEN = ServerSeen(ServerId("web"), C1, VmState.ACTIVE, None, True)


def without_a_target(back_for_s: float, **nova: bool) -> Draft:
    """Web of c1 finds no target. c2 is back for so long; Nova's last record says this of it."""
    draft = fresh()
    record(state=at.Evacuating(NOW), epoch=1)(draft)
    record("c2", state=at.Healthy(NOW - back_for_s))(draft)
    draft.put_move(plan(draft, C1, SEEN))
    shown = on.NovaSeen(C2, is_up=True, has_advanced=True, forced_down=False, **nova)
    draft.put_sights(draft.sights(C2)._replace(nova=shown))
    return draft


@pytest.mark.parametrize(
    ("back_for_s", "is_ours", "waits"),
    [(2.0, True, True), (90.0, True, False), (2.0, False, False)],
)
def test_its_record_that_lags_is_waited_for(back_for_s: float, is_ours: bool, waits: bool) -> None:
    """Worlds 42, 346 and 496 of seed day8: a reserved host was lent while it was enabled."""
    draft = without_a_target(back_for_s, disabled=True, is_ours=is_ours)
    move = draft.move(SEEN.id)
    assert move is not None

    assert comes_for(draft, move) is waits
