"""A host without a gate is let at its storage last: what waited in its queue must come to nothing.

Found by the swarm (world 2 of seed hsf): its user's start had waited there since before its fence,
and ran a second copy of a server that had moved.
"""

import pytest
from tests.core.arrangements import C1, MGMT, NOW, Arrange, both, fresh, plane, record, sees
from tests.core.small_cloud import CEPH

from ninelives.core import actions as do
from ninelives.core import returning
from ninelives.core import states as at
from ninelives.core.cluster import Heard
from ninelives.core.evidence import NOVA
from ninelives.core.model import Sign

pings = plane(Sign.WEAK, MGMT)


def reports(ago_s: float) -> Arrange:
    return sees(heard={MGMT: {NOVA: Heard(Sign.STRONG, None, NOW - ago_s)}})


def is_let_in(steps: Arrange) -> bool:
    """Look at c1, which is led back, and say whether it is let at its storage."""
    draft = fresh(revocable=frozenset({CEPH}), has_agent=False)
    state = at.Returning(NOW - 1, at.Stage.LIFTING, NOW - 1)
    both(record(state=state, revocations=(at.Revocation(CEPH, in_force=True),)), steps)(draft)

    returning.look(draft, C1, state)

    return any(isinstance(action, do.LiftRevocation) for action in draft.actions)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(pings, False), (reports(1.0), False), (reports(6.0), True)],
    ids=["it answers pings", "its record has just advanced", "its queue has run"],
)
def test_it_is_let_in_once_its_nova_compute_has_run_for_a_moment(
    steps: Arrange, expected: bool
) -> None:
    assert is_let_in(steps) is expected
