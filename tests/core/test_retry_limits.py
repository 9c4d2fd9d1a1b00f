"""A retry that must name the same target waits for a free place there, as anybody does."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NOW, fresh

from ninelives.core import states as at
from ninelives.core.model import Candidate, HostId, ServerId, ServerSeen, VmState
from ninelives.core.policy import BALANCED
from ninelives.core.protection import Promise
from ninelives.core.targets import choose

C2 = HostId("c2")
MOST = BALANCED.target_moves_max


def a_move(name: str, state: at.MoveState) -> at.Move:
    seen = ServerSeen(ServerId(name), C1, VmState.ACTIVE, None, is_running=True)
    will = at.Will.RUNNING
    return at.Move(seen.id, C1, 1, state, seen, Promise("gold"), ran=True, will=will)


@pytest.mark.parametrize(("others", "expected"), [(MOST - 1, "c2"), (MOST, "limits")])
def test_the_same_target_is_named_again_only_within_its_limit(others: int, expected: str) -> None:
    """Found by the swarm (world 34 of seed amb2)."""
    draft = fresh()
    for number in range(others):
        draft.put_move(a_move(f"s{number}", at.Verifying(NOW, C2)))
    retry = replace(a_move("again", at.Choosing(NOW)), again=C2, named=(C2,))

    assert choose(draft, retry, (Candidate(C2, room=9, sees_disk=True),)) == expected
