"""A failing run becomes small, stays failing, and is written as a story that says the same."""

from ninelives.core.model import HostId
from ninelives.sim.scenario import parse, play
from ninelives.sim.scenario_parse import Scenario
from ninelives.sim.shrink import Story, laws_broken, scenario_text, shrink

CAST = """# A story told for a reason.
hosts c1 c2 c3 c4 c5 c6 rack=a
servers c1: a b c
servers c5: d
controllers 3
quorum mon: c1 c3 c5
at 1 net c1 tenant down
at 2 freeze c2 60
at 3 user stop a
at 4 net c1 tenant up
at 5 power c3 off
at 6 user start a
until 900
seed 7
"""


def big() -> Story:
    scenario = parse(CAST)
    assert isinstance(scenario, Scenario), str(scenario)
    commands = tuple((command.at_s, command.words) for command in scenario.commands)
    return Story(scenario.setup, commands, scenario.until_s, scenario.seed)


def is_broken(story: Story) -> bool:
    """Break on two commands together, while a bystander is there."""
    words = {words for _, words in story.commands}
    return {"freeze c2 60", "power c3 off"} <= words and HostId("c4") in story.setup.site.hosts


def test_everything_that_does_not_matter_is_left_out() -> None:
    small = shrink(big(), is_broken)

    assert [words for _, words in small.commands] == ["freeze c2 60", "power c3 off"]
    assert list(small.setup.site.hosts) == ["c2", "c3", "c4"]
    assert small.setup.servers == ()
    assert small.setup.site.controllers == ("n1",)
    assert small.until_s < 10


def test_what_is_left_is_whole() -> None:
    small = shrink(big(), is_broken)

    names = {*small.setup.site.hosts, *small.setup.site.controllers}
    assert all(set(host.witnesses) <= names for host in small.setup.site.hosts.values())
    assert laws_broken(small) == frozenset()  # it can be run


def test_shrinking_gives_up_in_time() -> None:
    tries: list[Story] = []

    def counted(story: Story) -> bool:
        tries.append(story)
        return is_broken(story)

    shrink(big(), counted, tries_max=10)

    assert len(tries) == 11  # and the one that makes sure that it fails at all


def test_the_small_story_is_a_scenario_file() -> None:
    small = shrink(big(), is_broken)

    scenario = parse(scenario_text(small, "I1", "Two hosts die."))

    assert isinstance(scenario, Scenario), str(scenario)
    assert scenario.setup == small.setup
    assert tuple((each.at_s, each.words) for each in scenario.commands) == small.commands
    assert (scenario.seed, scenario.until_s) == (7, small.until_s)
    assert play(scenario).failed == ()
