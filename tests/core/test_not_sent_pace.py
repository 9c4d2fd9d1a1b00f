"""What is not sent to Nova is decided again at a pace, not with each answer anew.

A budget that is spent, a token that ran out, a server that cannot be read just now: the last check
and the adapter say no within milliseconds, and say it again.
"""

from dataclasses import replace

import pytest
from tests.core.checked_cloud import CheckedCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import VmState
from ninelives.core.policy import BALANCED
from ninelives.core.protection import Promise

POLICY = replace(BALANCED, default=Promise(resets_state=True))


@pytest.mark.parametrize(
    ("send", "state"),
    [
        (do.Evacuate, VmState.ACTIVE),
        (do.StartServer, VmState.ACTIVE),
        (do.ResetState, VmState.PAUSED),
    ],
)
def test_what_is_not_sent_is_decided_again_once_its_server_was_seen_anew(
    send: type[do.Action], state: VmState
) -> None:
    cloud = CheckedCloud(policy=POLICY)
    cloud.started()
    cloud.add("web", "c1", vm_state=state, is_running=state is VmState.ACTIVE)
    cloud.answers[send] = lambda _, action: [on.Replied(action, on.Outcome.NOT_SENT, "busy")]
    cloud.kill("c1")
    cloud.until(lambda: bool(cloud.all_of(send)))
    before = len(cloud.all_of(send))

    cloud.run(60.0)

    assert cloud.is_in("c1", at.Evacuating)
    assert 10 <= len(cloud.all_of(send)) - before <= 60.0 / POLICY.watch_s
