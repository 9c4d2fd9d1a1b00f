"""A force-down that Nova does not take is no reason to ask it for more at every event."""

import pytest
from tests.core.small_cloud import SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import HostId, Power, RoadId

NEWS = on.PowerRead(HostId("c1"), RoadId("bmc-c1"), Power.OFF)
NEWS_S, RUN_S = 0.25, 60.0


def asked_while(outcome: on.Outcome, reason: str) -> dict[type[do.Action], int]:
    """Return how often was asked for what while c1 is fenced, makes news, and stays up at Nova."""
    cloud = SmallCloud().started()
    cloud.answers[do.ForceDown] = lambda _, action: [on.Replied(action, outcome, reason)]
    cloud.add("web", "c1")
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Fenced))
    cloud.run(5.0)
    kinds: list[type[do.Action]] = [do.ForceDown, do.Disable, do.ListServers]
    before = [len(cloud.all_of(kind)) for kind in kinds]

    for _ in range(int(RUN_S / NEWS_S)):
        cloud.tell(NEWS)
        cloud.run(NEWS_S)

    assert cloud.is_in("c1", at.Fenced)
    return {
        kind: len(cloud.all_of(kind)) - asked for kind, asked in zip(kinds, before, strict=True)
    }


@pytest.mark.parametrize("outcome", [on.Outcome.NOT_SENT, on.Outcome.UNKNOWN])
def test_while_it_is_open_nothing_is_disabled_again(outcome: on.Outcome) -> None:
    asked = asked_while(outcome, "limited")

    assert asked[do.ForceDown] >= 2
    assert asked[do.Disable] == 0


def test_while_it_is_open_servers_are_listed_at_a_pace() -> None:
    pace_s = SmallCloud().policy.list_s

    asked = asked_while(on.Outcome.NOT_SENT, "limited")

    assert 20 <= asked[do.ListServers] <= RUN_S / pace_s + 1


def test_one_that_is_refused_is_asked_for_again_after_a_pause() -> None:
    pause_s = SmallCloud().policy.list_s

    asked = asked_while(on.Outcome.REFUSED, "http_5xx")

    assert 20 <= asked[do.ForceDown] <= RUN_S / pause_s + 1
    assert asked[do.Disable] <= asked[do.ForceDown]
