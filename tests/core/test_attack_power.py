"""Attacks on the power road: switched on again, acknowledged and not done, late, or a liar."""

from collections.abc import Iterable
from dataclasses import replace

from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.lastcheck import objection
from ninelives.core.model import HostId, Power, RoadId
from ninelives.core.site import Road

C1 = HostId("c1")


def no_room(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.AskTargets)
    return [on.TargetsSeen(action, ())]


def evacuating(cloud: SmallCloud) -> SmallCloud:
    """c1 is off, proved and listed; its server finds no target yet."""
    cloud.add("web", "c1")
    cloud.answers[do.AskTargets] = no_room
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 60)
    return cloud


def test_attack_5_a_host_switched_on_again_is_shot_again_and_nothing_starts_till_then() -> None:
    cloud = evacuating(CheckedCloud().started())
    shots = len(cloud.all_of(do.PowerOff))
    cloud.answers[do.PowerOff] = lambda cloud, action: [on.Replied(action, on.Outcome.UNKNOWN)]
    cloud.power[C1] = Power.ON
    cloud.run(5)
    del cloud.answers[do.AskTargets]
    cloud.run(20)

    assert len(cloud.all_of(do.PowerOff)) > shots
    assert not cloud.all_of(do.Evacuate)

    del cloud.answers[do.PowerOff]
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)

    assert cloud.servers[cloud.move("web").server].host != "c1"


def test_attack_5_a_new_boot_behind_its_gate_is_not_shot_again() -> None:
    cloud = evacuating(CheckedCloud().started())
    shots = len(cloud.all_of(do.PowerOff))
    del cloud.answers[do.AskTargets]

    cloud.wake_up("c1", "new")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 300)

    assert len(cloud.all_of(do.PowerOff)) == shots
    assert not cloud.host("c1").zombie_risk


def test_a_device_that_acknowledges_and_does_nothing_is_tried_again() -> None:
    cloud = CheckedCloud().started()
    cloud.answers[do.PowerOff] = lambda cloud, action: [on.Replied(action, on.Outcome.DONE)]

    cloud.freeze("c1")
    cloud.run(300)

    assert len(cloud.all_of(do.PowerOff)) > 3
    assert cloud.was_told("unfenceable")
    assert not cloud.all_of(do.ForceDown)


def test_an_outlet_that_stays_on_does_not_hold_what_the_bmc_proved() -> None:
    bmc = Road(RoadId("bmc-c1"), 1, "bmc-c1", "bmc")
    outlet = Road(RoadId("pdu-c1"), 2, "pdu", "pdu")
    site = small_site()
    hosts = {**site.hosts, C1: replace(site.hosts[C1], roads=(bmc, outlet))}
    cloud = CheckedCloud(site=replace(site, hosts=hosts)).started()
    cloud.add("web", "c1")
    cloud.answers[do.ReadPower] = lambda cloud, _: [
        on.PowerRead(C1, RoadId("bmc-c1"), cloud.power[C1]),
        on.PowerRead(C1, RoadId("pdu-c1"), Power.ON),
    ]

    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    assert isinstance(cloud.move("web").state, at.Done)


def test_attack_17_no_power_on_is_ordered_while_an_off_may_still_come_late() -> None:
    cloud = CheckedCloud().started()
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)

    cloud.tell(on.PowerOnOrdered("ann", C1))

    assert not cloud.all_of(do.PowerOn)

    cloud.run(cloud.policy.off_late_s)
    cloud.tell(on.PowerOnOrdered("ann", C1))

    assert len(cloud.all_of(do.PowerOn)) == 1


def test_nobody_is_switched_on_by_a_leader_that_was_away_until_it_looked_anew() -> None:
    cloud = CheckedCloud().started()
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)
    cloud.run(cloud.policy.off_late_s)
    on_again = do.PowerOn(C1, cloud.host("c1").epoch, 1)
    assert objection(cloud.cluster, on_again, cloud.now, None) == ""

    cloud.tell(on.OwnFault("froze"))
    cloud.tell(on.OwnFault("froze", ended=True))
    cloud.tell(on.PowerOnOrdered("ann", C1))

    assert not cloud.all_of(do.PowerOn)
    assert objection(cloud.cluster, on_again, cloud.now, None) == "own_fault"

    cloud.run(cloud.policy.silence_s + cloud.policy.confirm_s + 1)
    cloud.tell(on.PowerOnOrdered("ann", C1))

    assert len(cloud.all_of(do.PowerOn)) == 1


def test_attack_1_a_device_that_reads_off_while_the_host_lives_closes_its_whole_kind() -> None:
    cloud = CheckedCloud(site=small_site("c1 c2 c3 c4 c5 c6 c7 c8")).started()
    cloud.answers[do.ReadPower] = lambda cloud, action: [
        on.PowerRead(action.host, RoadId(f"bmc-{action.host}"), Power.OFF)
        if isinstance(action, do.ReadPower) and action.host == C1
        else on.KdumpSeen(C1, ended=True)
    ]
    cloud.tell(on.AgentSaid(C1, cloud.boots[C1], storage_lost=True))
    cloud.run(30)
    del cloud.answers[do.ReadPower]

    cloud.freeze("c2")
    cloud.run(120)

    assert not [shot for shot in cloud.all_of(do.PowerOff) if isinstance(shot, do.PowerOff)]
    assert cloud.was_told("shot_held:doctor_red")


def test_half_of_a_fence_undone_before_any_effect_is_no_half_fence() -> None:
    cloud = CheckedCloud().started()
    cloud.freeze("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Suspect), 60)
    cloud.answers[do.PowerOff] = lambda cloud, action: [
        on.Replied(action, on.Outcome.NOT_SENT, "lease")
    ]
    cloud.until(lambda: cloud.is_in("c1", at.Fencing), 60)
    cloud.run(0.1)

    cloud.wake_up("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 60)

    assert not cloud.was_told("held:half_fenced")
