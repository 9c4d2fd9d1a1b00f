"""Time of a leader whose machine stands still: none of it is won, none of it lost."""

import pytest
from tests.sim.small_world import Story

from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.draft import Draft
from ninelives.sim.happenings import Decided


def looks_often(cluster: Cluster, event: on.Event, now: float) -> Decision:
    draft = Draft(cluster, now)
    if isinstance(event, on.Woke):
        draft.woke(event.subject)
    draft.wake("look", now + 5.0)
    return draft.decision()


def test_no_clock_of_a_leader_runs_ahead_after_its_machine_stood_still() -> None:
    story = Story(decide=looks_often).run(60, (22, "controller n1 vmpause 8"))

    clocks = [(at, what.now) for at, what in story.all(Decided) if what.controller == "n1"]
    began, first = clocks[0]
    behind = [(at - began) - (now - first) for at, now in clocks if at >= 30.0]

    assert len(behind) > 3
    assert behind == pytest.approx([8.0] * len(behind), abs=0.01)
