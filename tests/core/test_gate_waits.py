"""A returning host's gate waits for its queue: for a nova-compute that reports, and a while."""

from dataclasses import replace

import pytest
from tests.core.arrangements import C1, NEW, NOW, Arrange, fresh, record, sees, views
from tests.core.small_cloud import PLANES

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.cluster import Heard
from ninelives.core.decide import decide
from ninelives.core.draft import Draft
from ninelives.core.lastcheck import objection
from ninelives.core.model import Health, Sign, WitnessId
from ninelives.core.policy import BALANCED
from ninelives.core.returning import look

WAIT_S = BALANCED.compute_start_s
HEARD = {plane: {WitnessId("k1"): Heard(Sign.STRONG, NEW, NOW - 20)} for plane in PLANES}
OPEN = do.OpenGate(C1, 1, NEW)
UP = on.NovaSeen(C1, True, False, forced_down=False, disabled=True, is_ours=True)
SILENT = replace(UP, is_up=False)
THEIRS = replace(SILENT, forced_down=True, is_ours=False)
RUNS = on.AgentSaid(C1, NEW)
ENDED = replace(RUNS, compute=Health.DOWN)


def completed(since_s: float) -> tuple[Draft, at.Returning]:
    """The records of c1 were seen completed so long ago, and its new boot is heard."""
    draft = fresh()
    state = at.Returning(NOW - 60, at.Stage.RESTARTING, NOW - since_s, NEW)
    record(epoch=1, state=state)(draft)
    shows(UP, RUNS, NOW - 60)(draft)
    return draft, state


def shows(nova: on.NovaSeen, agent: on.AgentSaid, at_s: float) -> Arrange:
    said = {"nova": nova, "nova_at": at_s, "agent": agent, "agent_at": at_s}
    return sees(heard=HEARD, strong_boot=NEW, strong_at=NOW, **said)


@pytest.mark.parametrize(("since_s", "opens"), [(0.0, False), (WAIT_S - 1, False), (WAIT_S, True)])
def test_a_gate_is_opened_a_while_after_the_records_were_completed(
    since_s: float, opens: bool
) -> None:
    draft, state = completed(since_s)

    look(draft, C1, state)

    assert (OPEN in draft.actions) == opens


def test_no_gate_is_opened_while_the_bus_is_down() -> None:
    draft, state = completed(60)
    views(bad_canaries={"bus": NOW - 50})(draft)

    look(draft, C1, state)

    assert OPEN not in draft.actions


@pytest.mark.parametrize(
    ("nova", "agent", "at_s", "opens"),
    [
        (UP, RUNS, NOW - WAIT_S, True),
        (UP, RUNS, NOW - 1, False),
        (SILENT, RUNS, NOW - 30, False),
        (UP, ENDED, NOW - 30, False),
        (THEIRS, RUNS, NOW - 30, True),
        (THEIRS, ENDED, NOW - 30, False),
    ],
    ids=["reports", "just now", "silent", "ended", "forced down by others", "theirs, and ended"],
)
def test_a_gate_is_opened_a_while_after_its_nova_compute_was_seen_to_report(
    nova: on.NovaSeen, agent: on.AgentSaid, at_s: float, opens: bool
) -> None:
    draft, state = completed(60)
    shows(nova, agent, at_s)(draft)

    look(draft, C1, state)

    assert (OPEN in draft.actions) == opens


@pytest.mark.parametrize(("since_s", "starts"), [(30.0, False), (60.0, True)])
def test_a_nova_compute_that_does_not_report_is_started_again_after_a_while(
    since_s: float, starts: bool
) -> None:
    draft, state = completed(since_s)
    shows(SILENT, RUNS, NOW - 50)(draft)

    look(draft, C1, state)

    started = [each for each in draft.actions if isinstance(each, do.StartCompute)]
    draft.cluster.apply(draft.decision())
    assert bool(started) == starts
    assert [objection(draft.cluster, each, NOW, None) for each in started] == [""] * len(started)


def test_that_nothing_unusual_was_told_means_little_early_in_a_term() -> None:
    draft, state = completed(60)
    sees(nova=None)(draft)
    views(began_at=NOW - 60)(draft)

    look(draft, C1, state)

    assert OPEN not in draft.actions


def test_a_new_leader_opens_no_gate_before_it_has_waited_itself() -> None:
    draft, _ = completed(60)
    cluster = draft.cluster
    cluster.apply(draft.decision())
    assert objection(cluster, OPEN, NOW, None) == ""

    cluster.apply(decide(cluster, on.TermBegan(cluster.views.term + 1, WitnessId("k2")), NOW))
    again = Draft(cluster, NOW)
    shows(UP, RUNS, NOW)(again)
    cluster.apply(again.decision())

    assert objection(cluster, OPEN, NOW + 1, None) == "not_drained"
    assert objection(cluster, OPEN, NOW + WAIT_S, None) == ""
