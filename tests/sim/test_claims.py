"""A claim holds, or says why it does not."""

import pytest

from ninelives.sim.claims import Names, judge, parse_claim
from ninelives.sim.facts import Facts
from ninelives.sim.scenario_words import words_of

NAMES = Names(frozenset({"c1", "c2"}), frozenset({"web", "db"}), frozenset({"n1"}))
LINES = ["   9.0  bmc    c1 power off"]


def told() -> Facts:
    facts = Facts()
    facts.begins(0.0, "web", "runs", "on", "c1")
    facts.begins(6.0, "c1", "reaches", "suspect", "signals_lost")
    facts.ends(8.0, "c1", "reaches")
    facts.begins(8.0, "c1", "reaches", "fencing", "dead")
    facts.happens(9.0, "c1", "shot")
    facts.ends(9.0, "web", "runs", "on", "c1")
    facts.begins(20.0, "web", "runs", "on", "c2")
    return facts


def objections(claim: str) -> list[str]:
    words = words_of(claim, 1)
    failed = judge([parse_claim(words[0], words[1:], NAMES)], told(), LINES)
    return [each.reason for each in failed]


@pytest.mark.parametrize(
    "claim",
    [
        "must: c1 shot",
        "must: web runs on c2",
        "must: any server runs on any",
        "must: c1 reaches suspect signals_lost",
        "must: c1 shot before web runs on c2",
        "must: web runs on c2 after c1 shot",
        "must: c1 shot after c1 shot",
        'must: "bmc c1 power off"',
        "never: c2 shot",
        "never: any server written twice",
        "never: web runs on c2 before c1 shot",
        "never: c1 shot after web runs on c2",
        "within 20: web runs on c2",
        "within 3 of c1 enters suspect: c1 shot",
        "end: web runs on c2",
        "end: c1 is fencing",
    ],
)
def test_a_claim_that_holds(claim: str) -> None:
    assert objections(claim) == []


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("must: c2 shot", "it did not happen"),
        ("must: web runs on c2 before c1 shot", "web runs on c2 at 20.0, but c1 shot at 9.0"),
        ("must: c1 shot before c2 shot", "c1 shot at 9.0, but the other part did not happen"),
        ("must: c1 reaches suspect storm", "it did not happen"),
        ('must: "bmc c2 power off"', "it did not happen"),
        ("never: any host shot", "but c1 shot at 9.0"),
        ("never: c1 shot before db rebuilt", "but c1 shot at 9.0"),
        ("never: web runs on c2 after c1 shot", "but web runs on c2 at 20.0"),
        ("within 19: web runs on c2", "it took 20.0 s"),
        ("within 2 of c1 enters suspect: c1 shot", "it took 3.0 s"),
        ("within 9 of c2 shot: c1 shot", "what it counts from did not happen"),
        ("within 9 of c1 shot: c1 enters fencing", "it did not happen"),
        ("end: web runs on c1", "no longer: web runs on c1 at 0.0 until 9.0"),
        ("end: c1 is healthy", "it never held"),
    ],
)
def test_a_claim_that_does_not_hold_says_why(claim: str, reason: str) -> None:
    assert objections(claim) == [reason]
