"""Playing: triggers fire, lines have one order, the truth is what claims are judged by."""

import random

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.cluster import Cluster, Decision
from ninelives.core.decide import decide
from ninelives.core.model import BackendId, BootId, HostId, RoadId, ServerId
from ninelives.sim import happenings as what
from ninelives.sim.chronicle import Chronicle
from ninelives.sim.scenario import Played, parse, play
from ninelives.sim.scenario_parse import Scenario
from ninelives.sim.timeline import FAULT, OURS, OUTSIDE, Line, Timeline, order_of

CAST = """# A story told for a reason.
hosts c1 c2 c3
servers c1: web
"""


def scenario_of(story: str) -> Scenario:
    scenario = parse(CAST + story)
    assert isinstance(scenario, Scenario), str(scenario)
    return scenario


def played(story: str) -> Played:
    return play(scenario_of(story))


def texts(played: Played, who: str) -> list[tuple[float, str]]:
    return [(round(line.when, 1), line.text) for line in played.lines if line.who == who]


def test_a_trigger_fires_once_when_its_fact_begins() -> None:
    after = played("controllers 2\nat 5 freeze c1\nwhen c1 enters suspect: user stop web\n")

    suspected = next(line.when for line in after.lines if line.text == "healthy → suspect")
    assert texts(after, "user") == [(round(suspected, 1), "stop web")]


def test_a_trigger_does_not_fire_again() -> None:
    after = played("at 5 freeze c1\nat 90 freeze c2\nwhen any host enters suspect: user stop web\n")

    assert len([line for line in after.lines if line.text == "healthy → suspect"]) == 2
    assert len(texts(after, "user")) == 1


def test_the_oracle_listens() -> None:
    """A leader that shoots whoever it hears of breaks the laws, and that is said."""

    def trigger_happy(cluster: Cluster, event: on.Event, now: float) -> Decision:
        decision = decide(cluster, event, now)
        match event:
            case on.AgentSaid(host=host):
                shot = do.PowerOff(host, RoadId(f"{host}-bmc"), 1, 1)
                return decision._replace(actions=(*decision.actions, shot))
            case _:
                return decision

    broken = play(scenario_of("at 5 libvirt c1 hang\nuntil 60\n"), decide=trigger_happy)

    assert "I5" in {violation.law for violation in broken.violations}


def test_a_trigger_may_wait_and_may_listen_for_a_line() -> None:
    after = played('at 5 freeze c1\nwhen "bmc c1 power off" +7: user stop web\n')

    shot = next(line.when for line in after.lines if line.text == "c1 power off")
    assert texts(after, "user") == [(round(shot + 7, 1), "stop web")]


def test_a_story_may_name_its_seed() -> None:
    told = played("at 5 freeze c1\nuntil 60\nseed 2\n").timeline
    scenario = scenario_of("at 5 freeze c1\nuntil 60\n")

    assert told == play(scenario, 2).timeline
    assert told != play(scenario, 1).timeline


def test_lines_of_one_instant_have_one_order() -> None:
    lines = [
        Line(5.0, FAULT, "fault", "power c1 off"),
        Line(5.0, OUTSIDE, "bmc", "c1 power off"),
        Line(5.0, OURS, "c2", "healthy → suspect"),
        Line(5.0, OURS, "c10", "healthy → suspect"),
        Line(5.1, FAULT, "fault", "power c2 off"),
    ]
    mixed = lines.copy()
    random.Random(1).shuffle(mixed)

    assert sorted(mixed, key=order_of) == lines


def test_guests_that_fall_with_their_host_need_no_line() -> None:
    timeline = Timeline()
    for happening in (
        what.DomainStopped(ServerId("web"), HostId("c1")),
        what.HostChanged(HostId("c1"), "off", None),
    ):
        timeline.saw(5.0, happening)
    timeline.saw(6.0, what.DomainStopped(ServerId("db"), HostId("c2")))

    assert [line.text for line in timeline.lines] == ["db stops on c2"]


def written_twice(*happenings: what.Happening) -> bool:
    chronicle = Chronicle(scenario_of("until 9\n").setup)
    for happening in happenings:
        chronicle.saw(5.0, happening)
    return any(fact.words == ("web", "written", "twice") for fact in chronicle.facts.found)


SECOND = what.DomainStarted(ServerId("web"), HostId("c2"), is_rebuilt=False)


def test_two_copies_that_can_write_are_two_writers() -> None:
    assert written_twice(SECOND)


def test_a_frozen_copy_may_wake_and_write() -> None:
    assert written_twice(what.HostChanged(HostId("c1"), "frozen", BootId("c1-boot1")), SECOND)


def test_a_copy_without_power_or_disk_writes_nothing() -> None:
    assert not written_twice(what.HostChanged(HostId("c1"), "off", None), SECOND)
    cut = what.WritesCut(HostId("c1"), BackendId("ceph"), is_cut=True)
    assert not written_twice(cut, SECOND)
    healed = what.WritesCut(HostId("c1"), BackendId("ceph"), is_cut=False)
    assert written_twice(cut, SECOND, healed)
