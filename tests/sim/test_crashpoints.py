"""The leader is cut at every boundary, and what breaks there is named."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.core.model import Power
from ninelives.sim.crashpoints import PAUSES_S, CrashReport, cut_story, run
from ninelives.sim.scenario import parse
from ninelives.sim.scenario_parse import Scenario

STORY = """# A host dies while its leader is cut at every boundary.
hosts c1 c2 c3 c4
servers c1: web
controllers 2
at 20 power c1 off
until 80
"""
QUIET = """# Nothing happens, and the leader is cut at every boundary.
hosts c1 c2 c3
controllers 2
until 10
"""
SILENT_BMC = STORY.replace("power c1 off", "freeze c1").replace(
    "until", "at 19 bmc c1 silent\nat 75 thaw c1\nuntil"
)


def story(text: str) -> Scenario:
    scenario = parse(text)
    assert isinstance(scenario, Scenario), str(scenario)
    return scenario


@lru_cache(maxsize=1)
def crashed() -> CrashReport:
    return cut_story("power", story(STORY), pauses=False)


def test_no_crash_at_any_boundary_breaks_a_law() -> None:
    report = crashed()

    assert report.broken == []
    assert report.boundaries > 20
    assert report.crashes > report.boundaries  # a send is cut on both sides
    assert report.pauses == 0


def test_pauses_at_a_share_of_the_boundaries_change_nothing_of_the_crashes() -> None:
    report = cut_story("power", story(STORY), share=0.1)

    assert report.broken == []
    assert report.pauses >= report.boundaries // 10 * len(PAUSES_S)
    assert (report.boundaries, report.crashes) == (crashed().boundaries, crashed().crashes)


def test_stories_are_read_from_files_and_counted(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(QUIET)
    seen = list[int]()

    def note(so_far: CrashReport) -> None:
        seen.append(so_far.stories)

    report = run(sorted(tmp_path.glob("*.txt")), pauses=False, progress=note)

    assert seen == [1, 2]
    assert report.document()["stories"] == 2


def believes_silence(cluster: Cluster, event: on.Event, now: float) -> Decision:
    """Take a power device that says nothing for one that says off, and did it."""
    if isinstance(event, on.PowerRead) and event.power is Power.UNREADABLE:
        event = replace(event, power=Power.OFF)
    if isinstance(event, on.Replied) and event.outcome is on.Outcome.UNKNOWN:
        event = replace(event, outcome=on.Outcome.DONE)
    return decide(cluster, event, now)


def test_a_broken_law_names_its_story_and_its_cut() -> None:
    report = cut_story("silent", story(SILENT_BMC), pauses=False, decide=believes_silence)

    assert {each.story for each in report.broken} == {"silent"}
    assert "nothing" in {each.cut for each in report.broken}
    assert "crash at sent" in {each.cut for each in report.broken}
