"""The swarm finds what is broken, says the same for the same seed, and makes it small."""

from dataclasses import replace
from random import Random

from ninelives.app.cli_swarm import lines_of
from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.core.model import Power
from ninelives.sim import faults
from ninelives.sim.minds import real_objection
from ninelives.sim.scenario import parse
from ninelives.sim.scenario_parse import Scenario
from ninelives.sim.shrink import breaks, scenario_text, shrink
from ninelives.sim.swarm import Broken, SwarmReport, plan_of, run, worlds_for
from ninelives.sim.swarm_run import Plan, Seen, dense_plan, drawn_plan, run_plan
from ninelives.sim.swarm_troubles import drawn_sentence
from ninelives.sim.swarm_worlds import HOSTS_MAX, HOSTS_MIN, dense_setup, drawn_setup

POWER_TROUBLE = (1, 2, 3, 6, 32)  # deaths, freezes, and devices that do not answer


def believes_silence(cluster: Cluster, event: on.Event, now: float) -> Decision:
    """Take a power device that says nothing for one that says off: the oldest bug of fencing."""
    if isinstance(event, on.PowerRead) and event.power is Power.UNREADABLE:
        event = replace(event, power=Power.OFF)
    return decide(cluster, event, now)


def planted(seed: str) -> Seen:
    plan = Plan(seed, dense_setup(5, 2, 1), 3600.0, POWER_TROUBLE, 30.0, 0.0, is_healed=False)
    return run_plan(plan, believes_silence, real_objection())


def test_every_row_of_the_fault_table_can_befall_a_dense_world() -> None:
    rng, setup = Random(1), dense_setup()

    drawn = {row: drawn_sentence(rng, setup, row) for row in faults.TABLE}

    assert not [row for row, words in drawn.items() if words is None]
    assert not [words for words in drawn.values() if words and faults.check(words, setup)]


def test_drawn_worlds_have_every_size_and_differ() -> None:
    setups = [drawn_setup(Random(seed)) for seed in range(60)]

    assert {len(setup.site.hosts) for setup in setups} == set(range(HOSTS_MIN, HOSTS_MAX + 1))
    assert {len(setup.site.controllers) for setup in setups} == {1, 2, 3}
    assert drawn_setup(Random(7)) == drawn_setup(Random(7))


def test_a_world_of_a_seed_is_always_the_same() -> None:
    once, again = (run_plan(drawn_plan("same/1", 1200.0)) for _ in range(2))

    assert once == again
    assert once.faults
    assert once.decisions


def test_worlds_on_two_processors_come_to_the_same_report() -> None:
    alone, together = (run("jobs", hours=6.0, jobs=jobs, is_dense=True) for jobs in (1, 2))

    assert alone.worlds == together.worlds == worlds_for(6.0, is_dense=True)
    assert (alone.decisions, alone.faults) == (together.decisions, together.faults)
    assert alone.document()["hours"] == together.document()["hours"]


def test_the_dense_world_is_as_dense_as_its_figures_say() -> None:
    seen = run_plan(dense_plan("dense/1", 2 * 3600.0))

    assert not seen.violations
    assert seen.faults.total() >= 24
    assert seen.episodes >= 16


def test_a_planted_bug_is_caught_and_made_small() -> None:
    seen = next(found for number in range(10) if (found := planted(f"bug/{number}")).violations)
    assert seen.story is not None
    law = seen.violations[0].law

    small = shrink(seen.story, breaks(law, believes_silence), tries_max=150)

    assert len(small.commands) < len(seen.story.commands)
    assert law in scenario_text(small, law)
    assert isinstance(parse(scenario_text(small, law)), Scenario)
    assert not breaks(law)(small)


def test_a_broken_world_comes_with_the_command_that_runs_it_again() -> None:
    report = SwarmReport("a seed", is_dense=True)
    report.broken.append(Broken("a seed/17", "I1", "s1", "twice", 3.0, report.is_dense))

    again = "ninelives sim swarm --seed 'a seed' --first 17 --hours 1 --dense"

    assert report.broken[0].again == again
    assert f"  again: {again}" in lines_of(report)
    assert plan_of((report.broken[0].seed, True)).seed == "a seed/17"
    assert worlds_for(1.0, is_dense=True) == worlds_for(1.0, is_dense=False) == 1


def test_a_share_of_the_worlds_goes_through_the_codec_and_comes_to_the_same() -> None:
    plans = [drawn_plan(f"stored/{number}", 900.0) for number in range(60)]
    stored = [plan for plan in plans if plan.is_stored]

    plan, once = next((p, seen) for p in stored if (seen := run_plan(p)).leader_changes)
    again = run_plan(replace(plan, is_stored=False))

    assert 5 <= len(stored) <= 25
    assert replace(once, is_stored=False) == again
