"""Whoever is out of service is forced down, also when a list that lags said that it was so already.

Found by the swarm: a list showed our own force-down, taken off before, as somebody else's. So the
next fence sent none, and Nova placed a server that migrated alive on a host in quarantine.
"""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, OLD, Arrange, both, fresh, record, sees

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.draft import Draft
from ninelives.core.evidence import saw
from ninelives.core.host import look
from ninelives.core.lastcheck import objection
from ninelives.core.model import EVERYTHING, Method, Proof

OFF = Proof(Method.POWER_OFF, C1, 1, 1, NOW - 300, OLD, EVERYTHING, "off twice")
FREE = on.NovaSeen(C1, False, False, forced_down=False, disabled=False, is_ours=True)
BY_OTHERS = replace(FREE, forced_down=True, disabled=True, is_ours=False)
SHUT = (do.ForceDown(C1, 1), do.Disable(C1, 1))
OUT = (at.Evacuating(NOW - 200), at.Vacated(NOW - 100), at.Quarantined(NOW - 50, NOW + 600, "x"))


def looked(state: at.HostState, seen: on.NovaSeen | None, *arrange: Arrange) -> Draft:
    draft = fresh()
    both(record(epoch=1, boot=OLD, state=state, proofs=(OFF,)), sees(nova=seen), *arrange)(draft)
    look(draft, C1)
    return draft


def shut(draft: Draft) -> tuple[do.Action, ...]:
    return tuple(each for each in draft.actions if isinstance(each, do.ForceDown | do.Disable))


@pytest.mark.parametrize("state", OUT)
def test_who_is_out_and_comes_to_be_shown_up_is_forced_down_and_disabled(
    state: at.HostState,
) -> None:
    draft = looked(state, FREE)

    assert shut(draft) == SHUT
    draft.cluster.apply(draft.decision())
    assert [objection(draft.cluster, each, NOW, None) for each in SHUT] == ["", ""]


@pytest.mark.parametrize("state", OUT)
@pytest.mark.parametrize(
    ("seen", "arrange"),
    [
        (BY_OTHERS, record()),
        (None, record()),
        (FREE, record(forced_down_by_us=True)),
        (FREE, record(zombie_risk="the old boot lives")),
    ],
)
def test_an_operators_force_down_stands_and_ours_is_sent_once(
    state: at.HostState, seen: on.NovaSeen | None, arrange: Arrange
) -> None:
    assert shut(looked(state, seen, arrange)) == ()


@pytest.mark.parametrize("state", OUT)
@pytest.mark.parametrize("before", [replace(FREE, forced_down=True, disabled=True), None])
def test_ours_is_sent_again_when_nova_forgot_it(
    state: at.HostState, before: on.NovaSeen | None
) -> None:
    # World 1611 of seed day10: a database failed over and lost it, and a leader or two later Nova
    # sent a server there that migrated alive.
    draft = fresh()
    known = record(
        epoch=1, boot=OLD, state=state, proofs=(OFF,), forced_down_by_us=True, disabled_by_us=True
    )
    both(known, sees(nova=before))(draft)
    saw(draft, FREE)

    look(draft, C1)

    assert shut(draft) == SHUT
    look(draft, C1)
    assert shut(draft) == SHUT
