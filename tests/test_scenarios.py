"""Every story in tests/scenarios must unfold exactly as the timeline below its line says.

If one fails: read the diff as an operator would. Only when the new timeline is better, run
`pytest --rewrite`, read `git diff`, and say in the commit message why it is better.
"""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from ninelives.adapters.sql import open_store
from ninelives.core.decide import decide
from ninelives.engine.journal import rows
from ninelives.engine.replay import first_difference
from ninelives.sim.claims import VERBS, Kind
from ninelives.sim.memory_store import MemoryStore
from ninelives.sim.scenario import RULE, parse, play
from ninelives.sim.scenario_parse import DECLARATIONS, Scenario

ROOT = Path(__file__).parents[1]
TOLD = ROOT / "src" / "ninelives" / "sim" / "stories"  # those that the demo shows
STORIES = ROOT / "tests" / "scenarios"
SCENARIOS = sorted([*STORIES.glob("*.txt"), *TOLD.glob("*.txt")])
SHARED_MAX = 0.6


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, rewrite: bool) -> None:
    story, _, expected = path.read_text(encoding="utf-8").partition(RULE)
    scenario = parse(story)
    assert isinstance(scenario, Scenario), f"{path}:{scenario}"
    assert any(claim.kind is Kind.NEVER for claim in scenario.claims), "a story forbids something"

    played = play(scenario, store=MemoryStore())  # every commit through the codec
    if rewrite:
        path.write_text(f"{story.rstrip()}\n{RULE}{played.timeline}", encoding="utf-8")

    assert played.violations == ()
    assert [str(claim) for claim in played.failed] == []
    assert played.timeline == expected


def test_no_two_scenarios_tell_the_same_story() -> None:
    """Of the lines of each file, blank ones and the rule left out, no other has more than 60 %."""
    lines = {path.stem: lines_of(path) for path in SCENARIOS}

    assert [pair for pair in combinations(lines, 2) if shared(*map(lines.get, pair))] == []


def lines_of(path: Path) -> Counter[str]:
    text = path.read_text(encoding="utf-8").replace(RULE, "")
    return Counter(" ".join(line.split()) for line in text.splitlines() if line.strip("# "))


def shared(one: Counter[str] | None, other: Counter[str] | None) -> bool:
    assert one is not None
    assert other is not None
    return (one & other).total() > SHARED_MAX * min(one.total(), other.total())


def test_a_story_is_told_the_same_way_twice() -> None:
    scenario = parse((TOLD / "freeze.txt").read_text(encoding="utf-8"))
    assert isinstance(scenario, Scenario)

    assert play(scenario).timeline == play(scenario).timeline


@pytest.mark.parametrize("name", ["attack_03b_leader_dies_after_send", "brake_disarmed"])
def test_a_story_is_told_the_same_way_whatever_it_is_stored_in(name: str, tmp_path: Path) -> None:
    text = (ROOT / "tests" / "scenarios" / f"{name}.txt").read_text(encoding="utf-8")
    scenario = parse(text)
    assert isinstance(scenario, Scenario)
    store = open_store(f"sqlite:///{tmp_path}/store.db")

    played = play(scenario, store=store)

    assert played.timeline == text.partition(RULE)[2] == play(scenario).timeline
    assert first_difference(rows(store), decide) is None
    store.close()


def test_the_story_of_the_reference_is_understood_and_comes_out_as_it_claims() -> None:
    page = (ROOT / "docs" / "reference" / "scenarios.md").read_text(encoding="utf-8")
    stories = re.findall(r"^```scenario\n(.*?)^```", page, re.DOTALL | re.MULTILINE)

    for story in stories:
        scenario = parse(story)
        assert isinstance(scenario, Scenario), str(scenario)
        assert play(scenario).failed == ()
    assert stories


def test_the_reference_names_every_claim_and_every_declaration() -> None:
    page = (ROOT / "docs" / "reference" / "scenarios.md").read_text(encoding="utf-8")

    assert [word for word in (*VERBS, *DECLARATIONS) if word not in page] == []
