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
from ninelives.core.drained import TOLD_LATE_S, reports
from ninelives.core.lastcheck import objection
from ninelives.core.model import Health, Sign, WitnessId
from ninelives.core.policy import BALANCED
from ninelives.core.returning import look, replied

WAIT_S = BALANCED.compute_start_s
HEARD = {plane: {WitnessId("k1"): Heard(Sign.STRONG, NEW, NOW - 20)} for plane in PLANES}
OPEN = do.OpenGate(C1, 1, NEW)
UP = on.NovaSeen(C1, True, False, forced_down=False, disabled=True, is_ours=True)
SILENT = replace(UP, is_up=False)
THEIRS = replace(SILENT, forced_down=True, is_ours=False)
REPORTS = replace(THEIRS, still_reports=True)
LONG_S = BALANCED.record_silence_s + TOLD_LATE_S  # what a record showed before is forgotten by then
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
        (REPORTS, RUNS, NOW - 30, True),
        (REPORTS, RUNS, NOW - 1, False),
        (THEIRS, RUNS, NOW - 30, False),
        (REPORTS, ENDED, NOW - 30, False),
    ],
    ids=[
        *("reports", "just now", "silent", "ended"),
        *("theirs reports", "theirs just now", "theirs is silent", "theirs ended"),
    ],
)
def test_a_gate_is_opened_a_while_after_its_nova_compute_was_seen_to_report(
    nova: on.NovaSeen, agent: on.AgentSaid, at_s: float, opens: bool
) -> None:
    draft, state = completed(60)
    shows(nova, agent, at_s)(draft)

    look(draft, C1, state)

    assert (OPEN in draft.actions) == opens


@pytest.mark.parametrize(("since_s", "opens"), [(LONG_S - 1, False), (LONG_S, True)])
def test_a_report_from_before_the_clean_up_opens_no_gate_of_a_host_that_others_forced_down(
    since_s: float, opens: bool
) -> None:
    draft, state = completed(since_s)
    shows(REPORTS, RUNS, NOW - 60)(draft)

    look(draft, C1, state)

    assert (OPEN in draft.actions) == opens


def test_what_was_reported_while_forced_down_by_us_opens_no_gate_once_it_is_forced_up() -> None:
    draft, state = completed(60)
    forced = replace(state, stage=at.Stage.FORCING_UP)
    record(epoch=1, state=forced, forced_down_by_us=True)(draft)
    shows(replace(REPORTS, is_ours=True), RUNS, NOW - 60)(draft)

    replied(draft, on.Replied(do.ForceUp(C1, 1, 0), on.Outcome.DONE))

    assert not reports(draft, C1)


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
