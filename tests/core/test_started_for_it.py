"""A start of ours that Nova still shows under way, or shows so again, is of a server that ran."""

import pytest
from tests.core.arrangements import C1, fresh

from ninelives.core import states as at
from ninelives.core.model import ServerId, ServerSeen, VmState
from ninelives.core.plan import plan


@pytest.mark.parametrize(
    ("task_state", "user_action", "ran", "will"),
    [
        # Its database failed over just after our start: it ran for twenty minutes (swarm ci/32).
        ("powering-on", "", True, at.Will.RUNNING),
        ("powering-on", "create", True, at.Will.RUNNING),
        ("powering-on", "start", False, at.Will.RUNNING),  # its user's word, and it never ran
        ("powering-on", "stop", True, at.Will.STOPPED),  # whoever starts it, its user does not
        (None, "", False, at.Will.STOPPED),
    ],
)
def test_who_is_being_started_by_us_did_run(
    task_state: str | None, user_action: str, ran: bool, will: at.Will
) -> None:
    web = ServerSeen(
        ServerId("web"), C1, VmState.STOPPED, task_state, is_running=False, user_action=user_action
    )

    move = plan(fresh(), C1, web)

    assert (move.ran, move.will) == (ran, will)
