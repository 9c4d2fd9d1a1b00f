"""A device that is wired to the wrong machine: its victim falls silent as we shoot (attack 14)."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, ROAD, both, control, fresh, record

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Heard
from ninelives.core.contradicted import watch_mapping
from ninelives.core.draft import Draft
from ninelives.core.evidence import NOVA
from ninelives.core.model import HostId, Plane, Sign
from ninelives.core.shooting import off_replied
from ninelives.core.states import Class

C2 = HostId("c2")
SENT = NOW - 24.0


def shot_while_another_fell(*, fell_at: float) -> Draft:
    """c1 was shot at SENT and its device has not answered; c2 was last heard at `fell_at`."""
    draft = fresh()
    shot = at.Shot(ROAD, attempt=1, sent_at=SENT, is_open=True)
    both(
        record(epoch=1, state=at.Fencing(SENT, Class.HUNG), shots=(shot,)),
        record("c2", state=at.Suspect(NOW - 2, Class.UNKNOWN, NOW - 2)),
        control(shots=((SENT, C1),)),
    )(draft)
    gone = fell_at + draft.policy(C2).silence_s
    silent = {each: Heard(Sign.SILENT, None, gone) for each in draft.site(C2).witnesses}
    heard = dict.fromkeys((Plane.MANAGEMENT, Plane.STORAGE, Plane.TENANT), silent)
    draft.put_sights(draft.sights(C2)._replace(heard=heard, strong_until=gone))
    return draft


@pytest.mark.parametrize(("fell_at", "is_armed"), [(SENT, False), (SENT - 10.0, True)])
def test_who_falls_as_the_shot_leaves_is_missed_also_where_the_device_answers_late(
    fell_at: float, is_armed: bool
) -> None:
    draft = shot_while_another_fell(fell_at=fell_at)
    off_replied(draft, do.PowerOff(C1, ROAD, 1, 1), on.Outcome.DONE, "")

    watch_mapping(draft, C2, Class.UNKNOWN)

    assert draft.control.is_armed is is_armed


def test_an_agentless_victim_is_missed_although_its_record_still_looks_alive() -> None:
    # World 74 of seed h2x: the servers of a frozen host were started while it could still wake.
    draft = shot_while_another_fell(fell_at=SENT + 1.0)
    sights = draft.sights(C2)
    record = Heard(Sign.STRONG, None, SENT)
    heard = {**sights.heard, Plane.MANAGEMENT: {**sights.heard[Plane.MANAGEMENT], NOVA: record}}
    draft.put_sights(sights._replace(heard=heard, strong_until=None))
    missed_at = SENT + 1.0 + draft.policy(C2).silence_s
    fallen = at.Suspect(missed_at, Class.DEAD_OR_FROZEN, missed_at)
    draft.put_host(replace(draft.host(C2), state=fallen))

    watch_mapping(draft, C2, Class.DEAD_OR_FROZEN)

    assert not draft.control.is_armed
