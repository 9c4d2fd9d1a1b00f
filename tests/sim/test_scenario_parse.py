"""A story is understood whole, or refused with its place and what to write instead."""

from collections.abc import Callable

import pytest

from ninelives.core.model import HostId, Plane, SegmentId
from ninelives.core.protection import Keep, Key
from ninelives.sim.scenario_parse import Scenario, parse_story
from ninelives.sim.scenario_words import ParseError
from ninelives.sim.setup import Setup

WHY = "# A story told for a reason.\n"
CAST = "hosts c1 c2 c3\nservers c1: web db\n"


def check(_: Setup) -> Callable[[str], str | None]:
    return lambda words: f"unknown command '{words}'" if words.startswith("pwoer") else None


def parsed(story: str, why: str = WHY) -> Scenario:
    scenario = parse_story(why + story, check)
    assert isinstance(scenario, Scenario), str(scenario)
    return scenario


def refused(story: str, why: str = WHY) -> ParseError:
    error = parse_story(why + story, check)
    assert isinstance(error, ParseError)
    return error


def test_a_whole_story_is_understood() -> None:
    scenario = parsed(
        """
hosts        c1 c2 rack=a zone=z1 watchdog=yes
hosts        c3 rack=b vcpus=8 agent=no planes=management
storage      nfs revocable=yes hosts=c1
bmc          c1 address=chassis  # shared with its neighbour
bmc          c1 level=2 kind=pdu
bmc          c2 none
servers      c1: web db tier=10 data=disposable disks=nfs,local project=p1
controllers  3 on=c1,c2
quorum       galera: c1 c2 c3 needed=2
pace         boot_s=120
policy       silence_s=9 preset=fast single_plane_fences=no
segment      gold: c1 c2 confirm_s=2
rule         rest tag=class:gold: tier=20

at 7.5 power c1 off
at   5 net c1 management down
when c3 enters fencing +5: pause leader 20
until 190

never: c3 shot
within 45 of c1 enters suspect: c1 reaches fenced
"""
    )

    c1 = scenario.setup.site.hosts[HostId("c1")]
    assert (c1.rack, c1.zone, c1.segment) == ("a", "z1", "gold")
    assert [(road.id, road.level, road.address) for road in c1.roads] == [
        ("c1-bmc", 1, "chassis"),
        ("c1-bmc2", 2, "bmc-c1"),
    ]
    assert c1.revocable == {"nfs"}
    assert c1.witnesses == ("n1", "n2", "n3", "c2")  # c3 has no agent to look with
    assert scenario.setup.site.hosts[HostId("c2")].roads == ()
    assert scenario.setup.site.hosts[HostId("c3")].planes == (Plane.MANAGEMENT,)
    assert scenario.setup.site.controller_hosts == {"n1": "c1", "n2": "c2"}
    assert scenario.setup.policy.silence_s == 9.0
    assert scenario.setup.policy.confirm_s == 1.0
    assert scenario.setup.segment_policies[SegmentId("gold")].confirm_s == 2.0
    assert [rule.keys for rule in scenario.setup.policy.rules] == [
        ((Key.ID, "web"),),
        ((Key.ID, "db"),),
        ((Key.TAG, "class=gold"),),
    ]
    assert scenario.setup.policy.rules[0].promise.data is Keep.DISPOSABLE
    assert [(command.at_s, command.words) for command in scenario.commands] == [
        (5.0, "net c1 management down"),
        (7.5, "power c1 off"),
    ]
    assert scenario.setup.rooms[HostId("c3")].vcpus == 8
    assert scenario.setup.knobs.boot_s == 120.0
    assert scenario.triggers[0].delay_s == 5.0
    assert scenario.until_s == 190.0


def test_a_story_without_an_end_lingers_after_its_last_command() -> None:
    assert parsed(CAST + "at 40 power c1 off\n").until_s == 540.0


@pytest.mark.parametrize(
    ("line", "column", "message", "hint"),
    [
        ("hots c1", 1, "unknown word 'hots'", "did you mean 'hosts'?"),
        ("hosts c4 rak=a", 10, "unknown option 'rak' of hosts", "did you mean 'rack'?"),
        ("hosts c1", 7, "the host 'c1' is declared twice", ""),
        ("hosts", 1, "'hosts' names nobody", "hosts c1 c2 c3 rack=a"),
        ("hosts rack=a c4", 14, "'c4' stands behind an option", "names first"),
        ("servers c9: a", 9, "unknown host 'c9'", "one of c1, c2, c3"),
        ("servers c1: web", 13, "the name 'web' is taken", ""),
        ("servers c1 a", 1, "'servers' lacks a colon", "servers c1: web"),
        ("servers c1: a data=keep", 20, "unknown promise 'keep'", "preserve, disposable"),
        ("policy silense_s=3", 8, "unknown number 'silense_s'", "did you mean 'silence_s'?"),
        ("policy silence_s=x", 18, "silence_s is a number", ""),
        ("policy silence_s=-1", 18, "silence_s is between", ""),
        ("policy attempts_max=1.5", 21, "attempts_max is a whole number", ""),
        ("policy preset=quick", 15, "unknown preset 'quick'", "balanced"),
        ("controllers 0", 13, "there are 1 to 9 controllers", ""),
        ("at x power c1 off", 4, "an instant is a number", ""),
        ("at 5", 4, "nothing stands behind '5'", ""),
        ("at 5 pwoer c1 off", 6, "unknown command", ""),
        ("when c1 fencing: power c2 off", 9, "unknown claim 'fencing'", ""),
        ("when c1 enters fancing: power c2 off", 16, "unknown state 'fancing'", "'fencing'"),
        ("must: c1 runs on c2", 7, "'runs on' is said of a server, not of 'c1'", ""),
        ("must: web runs on c7", 19, "unknown host 'c7'", ""),
        ("must: c1 shot twice", 15, "'twice' is a word too many", ""),
        ("never: c1 shot after c2 shot before web rebuilt", 30, "'before' is a word too many", ""),
        ("must: web", 7, "what about 'web'?", ""),
        ("must:", 1, "'must' claims nothing", ""),
        ("never c1 shot", 1, "'never' lacks a colon", ""),
        ("within: c1 shot", 1, "within how many seconds?", ""),
        ("never: any hots shot", 12, "unknown kind 'hots'", ""),
        ('must: "bmc c1 power off', 7, "a quotation has no end", ""),
        ("until 1e8", 7, "a story ends within thirty days", ""),
    ],
)
def test_what_is_not_understood_is_named_with_its_place(
    line: str, column: int, message: str, hint: str
) -> None:
    error = refused(CAST + line)

    assert (error.line, error.column) == (4, column)
    assert message in error.message
    assert hint in error.hint


def test_a_story_says_why() -> None:
    assert "why" in refused(CAST + "at 5 power c1 off", why="# storm\n").message


def test_declarations_come_first() -> None:
    error = refused(CAST + "at 5 power c1 off\nhosts c4\n")

    assert (error.line, error.message) == (5, "'hosts' comes too late")


def test_an_error_reads_as_editors_expect_it() -> None:
    assert str(refused("hots c1")) == "2:1: unknown word 'hots'\nhint: did you mean 'hosts'?"
