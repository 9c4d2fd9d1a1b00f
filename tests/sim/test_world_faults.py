"""The fault language: what it refuses, that all 72 rows have a sentence, that each one matters."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ninelives.core.model import BackendId, HostId, RoadId, ServerId, ServerSeen, VmState, WitnessId
from ninelives.core.policy import BALANCED
from ninelives.core.site import HostSite, Road, Site
from ninelives.sim import faults
from ninelives.sim.happenings import FaultBegan, FaultEnded, Happening
from ninelives.sim.setup import Setup
from ninelives.sim.world import World

CEPH = BackendId("ceph")
NAMES = ("c1", "c2", "c3", "c4", "c5")


def setup(watchdog: bool = True) -> Setup:
    controllers = tuple(WitnessId(name) for name in ("n1", "n2", "n3"))
    hosts = {
        HostId(name): HostSite(
            HostId(name),
            rack="a" if index % 2 else "b",
            zone="z1" if index < 2 else "z2",
            serial=name,
            roads=(Road(RoadId(f"{name}-bmc"), address=f"bmc-{name}"),),
            backends=(CEPH,),
            revocable=frozenset({CEPH}),
            witnesses=(*controllers, *(WitnessId(each) for each in NAMES if each != name)),
            has_watchdog=watchdog,
        )
        for index, name in enumerate(NAMES)
    }
    servers = tuple(
        ServerSeen(
            ServerId(f"{host}-s{nth}"),
            host,
            VmState.ACTIVE,
            None,
            is_running=True,
            disks=(CEPH,),
            is_image_backed=nth == 1,
        )
        for host in hosts
        for nth in range(2)
    )
    policy = replace(BALANCED, power_on_after_vacated=True)
    return Setup(Site(hosts, controllers), policy=policy, servers=servers)


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def timeline(commands: Sequence[tuple[float, str]], watchdog: bool = True) -> list[tuple[str, ...]]:
    """What was noted, without the instants: chance alone moves those."""
    world = World(setup(watchdog), seed=3)
    for at, text in commands:
        world.at(at, words(text))
    world.run(500)
    return sorted(tuple(line.note) for line in world.notes if line.note.about != "fault")


OFF, DEAD, FREEZE = (130.0, "power c3 off"), (130.0, "power c3 dead"), (130.0, "freeze c3 90")
BEFORE, DURING = 129.0, 149.0
MATTERS: dict[int, tuple[str, float, tuple[tuple[float, str], ...]]] = {
    1: ("power c3 off", BEFORE, ()),
    2: ("power c3 dead", BEFORE, ()),
    3: ("panic c3", BEFORE, ()),
    4: ("panic c3 kdump 20", BEFORE, ()),
    5: ("hang c3", BEFORE, ()),
    6: ("freeze c3 20", BEFORE, ()),
    7: ("slow c3 20", BEFORE, ()),
    8: ("reboot c3", BEFORE, ()),
    9: ("crashloop c3", BEFORE, ()),
    10: ("memory c3 errors", BEFORE, ()),
    11: ("disk c3 slow", BEFORE, ()),
    12: ("libvirt c3 stuck", BEFORE, ()),
    13: ("libvirt c3 restart", BEFORE, ()),
    14: ("compute c3 crash", BEFORE, ()),
    15: ("compute c3 hang", BEFORE, ()),
    16: ("agent c3 crash", BEFORE, ()),
    17: ("watchdog c3 absent", BEFORE, (FREEZE,)),
    18: ("gate c3 broken", BEFORE, (OFF,)),
    19: ("net c3 management down", BEFORE, ()),
    20: ("net c3 storage down", BEFORE, ()),
    21: ("net c3 tenant down", BEFORE, ()),
    22: ("net c3 all down", BEFORE, ()),
    23: ("net c3 all oneway", BEFORE, ()),
    24: ("net c3 all loss 0.6", 10.0, (FREEZE,)),
    25: ("packets delay 20", BEFORE, (OFF,)),
    26: ("partition c1,c2|c3,c4,c5", BEFORE, (FREEZE,)),
    27: ("switch a all down", BEFORE, ()),
    28: ("switch a all reboot 180", BEFORE, ()),
    29: ("burst 50", BEFORE, ()),
    30: ("net c3 storage mtu", BEFORE, ()),
    31: ("ip-conflict c3", BEFORE, (OFF,)),
    32: ("bmc c3 silent", BEFORE, (OFF,)),
    33: ("bmc c3 stale", BEFORE, (OFF,)),
    34: ("bmc c3 late 30", BEFORE, (FREEZE,)),
    35: ("bmc c3 refuses", BEFORE, (OFF,)),
    36: ("bmc c3 wrong c4", BEFORE, (OFF,)),
    37: ("bmc c3 password", BEFORE, (OFF,)),
    38: ("technician c3 on", DURING, (OFF,)),
    39: ("storage ceph slow", BEFORE, (OFF,)),
    40: ("storage ceph down", BEFORE, ()),
    41: ("revoke ceph unpropagated", BEFORE, (DEAD,)),
    42: ("revoke ceph expires 6", BEFORE, (DEAD,)),
    43: ("watcher c3 stale", BEFORE, (DEAD,)),
    44: ("revoke ceph refuses", BEFORE, (DEAD,)),
    45: ("nova api lost", DURING, (OFF,)),
    46: ("nova services stale", BEFORE, (OFF,)),
    47: ("nova scheduler down", DURING, (OFF,)),
    48: ("nova bus down", DURING, (OFF,)),
    49: ("nova database failover", DURING, (OFF,)),
    50: ("spawn c1 fails", BEFORE, (OFF,)),
    51: ("nova placement refuses", BEFORE, (OFF,)),
    52: ("user live-migrate c3-s0", BEFORE, (OFF,)),
    53: ("user delete c3-s0", 133.0, (OFF,)),
    54: ("target dies", BEFORE, (OFF,)),
    55: ("nova image down", BEFORE, (OFF, (120.0, "storage ceph down"))),
    56: ("leader crash", DURING, (OFF,)),
    57: ("leader pause 20", DURING, (OFF,)),
    58: ("leader vmpause 60", DURING, (OFF,)),
    59: ("store down", DURING, (OFF,)),
    60: ("controller n1 clock 3600", BEFORE, (OFF,)),
    61: ("partition n1|c1,c2,c3", BEFORE, (FREEZE,)),
    62: ("controllers restart", BEFORE, (OFF,)),
    63: ("controller n1 old-version", BEFORE, ()),
    64: ("rack a off", BEFORE, ()),
    65: ("pdu c1,c2 off", BEFORE, ()),
    66: ("zone z1 off", BEFORE, ()),
    67: ("overheat c1,c2,c3 200", BEFORE, ()),
    68: ("rolling c1,c2,c3 60", BEFORE, ()),
    69: ("site off", BEFORE, ()),
    70: ("topology c3 wrong", BEFORE, ((130.0, "switch b all down"),)),
    71: ("operator forgets c3", BEFORE, (FREEZE,)),
    72: ("operator confirm c3 falsely", 133.0, ((120.0, "net c3 management down"),)),
}


def test_every_row_of_the_table_has_a_sentence() -> None:
    assert set(faults.TABLE) == set(range(1, 73))
    assert [
        row.number for row in faults.TABLE.values() if not row.sentences and not row.later
    ] == []


@pytest.mark.parametrize("number", sorted(MATTERS))
def test_a_fault_makes_another_story(number: int) -> None:
    sentence, at, others = MATTERS[number]
    has_watchdog = number == 17
    assert number in faults.numbers_of(words(sentence), setup())

    without = timeline(others, has_watchdog)
    with_it = timeline(((at, sentence), *others), has_watchdog)

    assert with_it != without


def test_all_rows_are_shown_to_matter() -> None:
    assert set(MATTERS) == set(faults.TABLE)


@pytest.mark.parametrize(
    ("text", "complaint", "hint"),
    [
        ("pwoer c1 off", "unknown verb 'pwoer'", "did you mean 'power'?"),
        ("power c9 off", "unknown host 'c9'", "one of c1, c2"),
        ("power c1 of", "unknown word 'of'", "power HOST off"),
        ("power c1", "it takes", "power HOST off"),
        ("net c1 managment down", "unknown plane 'managment'", "did you mean 'management'?"),
        ("freeze c1 long", "'long' is no number", "freeze HOST SECONDS"),
        ("net c1 all loss 3", "3 is not between 0 and 1", "net NODE PLANE loss SHARE"),
        ("partition c1,c2", "a partition has sides", "partition GROUPS"),
        ("partition c1|c9", "unknown node 'c9'", "one of c1, c2"),
        ("storage cehp down", "unknown backend 'cehp'", "did you mean 'ceph'?"),
    ],
)
def test_a_wrong_sentence_is_an_error_with_a_hint(text: str, complaint: str, hint: str) -> None:
    error = faults.check(words(text), setup())

    assert error is not None
    assert complaint in error
    assert f"hint: {hint}" in error or hint in error.partition("hint:")[2]


def test_a_fault_begins_and_ends_and_healing_ends_what_is_left() -> None:
    world = World(setup(), seed=1)
    happened: list[Happening] = []
    world.observe(lambda _, what: happened.append(what))
    world.at(10, words("freeze c3 20"))
    world.at(10, words("bmc c1 silent"))
    world.at(10, words("net c2 all down"))
    world.at(12, words("net c2 all up"))
    world.run(60)

    began = [what.number for what in happened if isinstance(what, FaultBegan)]
    ended = [what.number for what in happened if isinstance(what, FaultEnded)]
    assert (began, ended) == ([6, 32, 22], [22, 6])

    world.heal()

    assert happened[-1] == FaultEnded(32, "bmc c1 silent")
    assert world.faults_on == {}


def test_a_trigger_fires_once_when_a_host_enters_a_state() -> None:
    world = World(setup(), seed=1)
    world.at(130, words("freeze c3"))
    world.when(("c3", "enters", "fencing"), words("leader crash"))

    world.run(300)

    crashes = [line.at for line in world.notes if line.note.what == "leader crash"]
    fencing = [line.at for line in world.notes if "→ fencing" in line.note.detail]
    assert crashes == fencing[:1]


def test_a_dead_host_is_recovered_and_led_back() -> None:
    world = World(setup(), seed=1)
    world.at(130, words("power c3 off"))
    world.run(600)

    states = [line.note.detail.split()[2] for line in world.notes if line.note.what == "host.moved"]

    assert states[len(NAMES) :] == [
        *("suspect", "fencing", "fenced", "evacuating", "vacated", "returning", "healthy"),
    ]
    for server in ("c3-s0", "c3-s1"):
        assert world.nova.servers[server].host != "c3"
        assert world.writers(ServerId(server)) == {HostId(str(world.nova.servers[server].host))}
