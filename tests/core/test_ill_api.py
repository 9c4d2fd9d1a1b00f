"""An API that is ill has said nothing: what shall be so is asked for again until it answers."""

from collections.abc import Iterable

import pytest
from tests.core.small_answers import answer_well
from tests.core.small_cloud import CEPH, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at


def refusing(reason: str) -> SmallCloud:
    """Nova turns the first two `disable` down for this reason."""
    cloud = SmallCloud().started()
    refused: list[do.Action] = []

    def answer(world: SmallCloud, action: do.Action) -> Iterable[on.Event]:
        if len(refused) < 2:
            refused.append(action)
            return [on.Replied(action, on.Outcome.REFUSED, reason)]
        return answer_well(world, action)

    cloud.answers[do.Disable] = answer
    return cloud


@pytest.mark.parametrize(("reason", "is_open"), [("http_5xx", True), ("conflict", False)])
def test_only_an_ill_api_is_asked_again(reason: str, is_open: bool) -> None:
    cloud = refusing(reason)

    cloud.freeze("c1")
    cloud.until(lambda: bool(cloud.all_of(do.Disable)), 120)
    cloud.run(0.2)

    left = [action for action in cloud.cluster.outbox if isinstance(action, do.Disable)]
    assert bool(left) is is_open


def test_it_is_asked_until_the_service_is_disabled() -> None:
    cloud = refusing("http_5xx")

    cloud.freeze("c1")
    cloud.run(300.0)

    assert len(cloud.all_of(do.Disable)) >= 3
    assert not [action for action in cloud.cluster.outbox if isinstance(action, do.Disable)]


STEPS_BACK = (do.LiftRevocation, do.StartCompute, do.ForceUp, do.OpenGate)


@pytest.mark.parametrize("step", STEPS_BACK)
def test_a_step_back_that_is_refused_is_asked_for_again_at_a_pace(
    step: type[do.LiftRevocation | do.StartCompute | do.ForceUp | do.OpenGate],
) -> None:
    cloud = SmallCloud(small_site(revocable=frozenset({CEPH}))).started()
    cloud.answers[step] = lambda _, action: [on.Replied(action, on.Outcome.REFUSED, "http_5xx")]
    cloud.add("web", "c1")
    cloud.freeze("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated))
    cloud.wake_up("c1", "c1-boot2")
    cloud.written.clear()  # it is shut out still
    cloud.until(lambda: bool(cloud.all_of(step)))
    before = len(cloud.all_of(step))

    cloud.run(60.0)

    asked = len(cloud.all_of(step)) - before
    assert 5 <= asked <= 60.0 / cloud.policy.attest_retry_s + 1
