"""The rivals do what their references say they do, good and bad, and comparing is reproducible."""

from dataclasses import dataclass
from itertools import pairwise
from math import inf

import pytest

from ninelives.core.model import HostId, ServerId
from ninelives.core.policy import BALANCED
from ninelives.sim import nova
from ninelives.sim.compare import Score, compare
from ninelives.sim.compare_tally import Tally
from ninelives.sim.compare_worlds import drawn_plan, for_rivals
from ninelives.sim.happenings import Happening, PowerCut
from ninelives.sim.rivals import Agenda, InstanceHa, Masakari, Stonith, idle
from ninelives.sim.rivals.instanceha import COMPLETE
from ninelives.sim.swarm_worlds import dense_setup
from ninelives.sim.world import World

H1, H2 = HostId("h1"), HostId("h2")
WEB = ServerId("s1-h1")
HOUR_S = 3600.0


@dataclass
class Cloud:
    """Five hosts with two servers each, and whoever looks after them."""

    world: World
    agenda: Agenda
    tally: Tally
    cuts: list[PowerCut]

    def runs_on(self, server: ServerId) -> set[HostId]:
        return set(self.tally.running.get(server, set()))

    def noted(self, what: str) -> list[float]:
        return [timed.at for timed in self.world.notes if timed.note.what == what]


def cloud() -> Cloud:
    world = World(for_rivals(dense_setup(5, 2, 1), BALANCED), 7, idle)
    cuts = list[PowerCut]()

    def saw(when: float, happening: Happening) -> None:
        del when
        if isinstance(happening, PowerCut) and happening.ordered_by:
            cuts.append(happening)

    world.observe(saw)
    return Cloud(world, Agenda(world), Tally(world), cuts)


def with_masakari(stonith: Stonith = Stonith.OFF) -> tuple[Cloud, Masakari]:
    here = cloud()
    rival = Masakari(here.agenda, stonith)
    rival.start()
    here.agenda.run(120.0)  # every monitor has seen everybody once
    return here, rival


def with_instanceha() -> tuple[Cloud, InstanceHa]:
    here = cloud()
    rival = InstanceHa(here.agenda)
    rival.start()
    here.agenda.run(120.0)
    return here, rival


def after(here: Cloud, seconds: float) -> None:
    here.agenda.run(here.world.now + seconds)


# Masakari.


def test_masakari_recovers_a_dead_host_in_four_to_nine_minutes() -> None:
    here, rival = with_masakari()

    here.world.command(("power", "h1", "off"))
    after(here, 540.0)

    assert [each.status for each in rival.notifications] == ["finished"]
    assert len(here.tally.downtimes) == 2
    assert all(180.0 < each < 540.0 for each in here.tally.downtimes)


def test_masakari_never_reports_a_host_that_was_dead_when_its_monitors_began() -> None:
    here = cloud()
    rival = Masakari(here.agenda)
    rival.pacemaker.start()
    here.world.command(("power", "h1", "off"))
    here.agenda.run(60.0)

    rival.monitors.start()
    after(here, HOUR_S)

    assert H1 in rival.pacemaker.offline
    assert not rival.notifications
    assert here.tally.forgotten() == [WEB, ServerId("s2-h1")]


def test_masakari_ignores_a_host_whose_power_nobody_can_read_for_ever() -> None:
    here, rival = with_masakari()

    here.world.command(("power", "h1", "dead"))
    after(here, HOUR_S)

    assert {each.status for each in rival.notifications} == {"ignored"}
    assert WEB in here.tally.forgotten()


def test_masakari_recovers_nothing_where_stonith_reboots() -> None:
    here, rival = with_masakari(Stonith.REBOOT)

    here.world.command(("freeze", "h2"))
    here.world.hosts[H2].is_watchdog_armed = False
    after(here, HOUR_S)

    assert [cut.host for cut in here.cuts] == [H2]
    assert not any(each.status == "finished" for each in rival.notifications)
    assert ServerId("s1-h2") in here.tally.forgotten()


def test_masakari_is_late_for_a_host_that_came_back_while_it_waited() -> None:
    here, rival = with_masakari()

    here.world.command(("power", "h1", "off"))
    after(here, 150.0)
    here.world.command(("power", "h1", "on"))
    after(here, 240.0)

    assert here.noted("told.masakari_error")  # "still in use": nova-compute is back
    assert len(rival.notifications) == 1
    assert WEB in here.tally.lost()


def test_masakari_refuses_a_host_that_a_process_alarm_put_on_maintenance() -> None:
    here, rival = with_masakari()

    here.world.command(("compute", "h1", "broken"))
    here.world.command(("compute", "h1", "crash"))
    after(here, 60.0)
    here.world.command(("power", "h1", "off"))
    after(here, HOUR_S)

    assert [each.kind for each in rival.notifications] == ["PROCESS"]
    assert here.noted("masakari.refused")
    assert WEB in here.tally.forgotten()


def test_masakari_restarts_a_nova_compute_that_only_crashed() -> None:
    here, rival = with_masakari()

    here.world.command(("compute", "h1", "crash"))
    after(here, 120.0)

    assert here.world.nova.is_up("h1", here.world.now)
    assert not rival.notifications


def test_masakari_never_takes_up_what_a_dead_engine_had_begun() -> None:
    here, rival = with_masakari()

    here.world.command(("power", "h1", "off"))
    after(here, 150.0)
    here.world.command(("leader", "crash"))
    after(here, HOUR_S)

    assert [each.status for each in rival.notifications] == ["running"]
    assert WEB in here.tally.lost()
    assert rival.waiting() == []  # a segment in use: nothing can be cleared


def test_masakari_fences_a_healthy_host_that_lost_its_management_network() -> None:
    here, _ = with_masakari()

    here.world.command(("net", "h1", "management", "down"))
    after(here, 120.0)

    assert here.tally.false_fences == 1
    assert here.tally.guests_killed == 2


def test_masakari_does_nothing_without_quorum() -> None:
    here, rival = with_masakari()

    for host in ("h1", "h2", "h3"):
        here.world.command(("power", host, "off"))
    after(here, HOUR_S)

    assert not here.cuts
    assert not rival.notifications


def test_a_power_device_that_lies_makes_a_zombie_of_a_frozen_host() -> None:
    here, _ = with_masakari()
    here.world.hosts[H1].is_watchdog_armed = False

    here.world.command(("bmc", "h1", "lies"))
    here.world.command(("freeze", "h1"))
    after(here, 420.0)
    here.world.command(("thaw", "h1"))
    after(here, 0.5)  # before its nova-compute cleans up

    assert not here.cuts  # it reads "off" before it orders, and leaves it at that
    assert here.tally.zombies == 2


# instanceha.


def test_instanceha_recovers_within_two_polls_and_brings_the_host_back() -> None:
    here, _ = with_instanceha()

    here.world.command(("power", "h1", "off"))
    after(here, 110.0)
    downtimes = list(here.tally.downtimes)
    after(here, 300.0)

    assert len(downtimes) == 2
    assert all(20.0 < each < 110.0 for each in downtimes)
    assert here.world.hosts[H1].is_up
    assert is_enabled(here, H1)


def is_enabled(here: Cloud, host: HostId) -> bool:
    reply = here.world.nova.request(nova.ListServices(), here.world.now)
    assert isinstance(reply, nova.Answer)
    assert isinstance(reply.body, tuple)
    views = [each for each in reply.body if isinstance(each, nova.ServiceView)]
    return any(v.host == host and not v.is_disabled and not v.is_forced_down for v in views)


def test_instanceha_undoes_the_force_down_of_an_operator() -> None:
    here, _ = with_instanceha()

    here.world.command(("operator", "force-down", "h1"))
    after(here, 60.0)

    assert is_enabled(here, H1)
    assert not here.cuts


def test_instanceha_evacuates_a_living_host_after_a_force_down_and_a_restart() -> None:
    here, _ = with_instanceha()

    here.world.command(("leader", "crash"))
    here.world.command(("operator", "force-down", "h1"))
    after(here, 300.0)
    here.tally.count_doubles(here.world.now)

    assert here.noted("instanceha.adopted")
    assert not here.cuts  # the host was never fenced
    assert here.tally.zombies == 2
    assert here.tally.zombie_s > 60.0


def test_instanceha_reports_completion_before_any_rebuild_ends() -> None:
    here, _ = with_instanceha()

    here.world.command(("power", "h1", "off"))
    after(here, 300.0)

    (completed,) = here.noted("instanceha.completed")
    died = 120.0
    assert all(died + downtime > completed for downtime in here.tally.downtimes)


def test_instanceha_never_retries_a_rebuild_that_failed() -> None:
    here, _ = with_instanceha()

    for host in ("h2", "h3", "h4", "h5"):
        here.world.command(("spawn", host, "fails"))
    here.world.command(("power", "h1", "off"))
    after(here, 300.0)
    here.world.heal()
    after(here, HOUR_S)

    assert len(here.noted("instanceha.completed")) == 1
    assert here.tally.forgotten() == [WEB, ServerId("s2-h1")]


def test_instanceha_tries_a_silent_device_at_each_poll_and_nothing_else() -> None:
    here, _ = with_instanceha()

    here.world.command(("power", "h1", "dead"))
    after(here, HOUR_S)

    failed = here.noted("told.instanceha_fencing_failed")
    gaps = {round(later - sooner) for sooner, later in pairwise(failed)}
    assert gaps == {135}  # as it was measured
    assert here.tally.lost() == [WEB, ServerId("s2-h1")]
    assert not here.tally.forgotten()


def test_instanceha_shoots_a_healthy_host_whose_nova_compute_ended() -> None:
    here, _ = with_instanceha()

    here.world.command(("compute", "h1", "crash"))
    after(here, 120.0)

    assert here.tally.false_fences == 1
    assert here.tally.guests_killed == 2


@pytest.mark.parametrize("words", [("nova", "services", "stale"), ("nova", "bus", "down")])
def test_instanceha_holds_when_everybody_is_stale(words: tuple[str, ...]) -> None:
    here, _ = with_instanceha()

    here.world.command(words)
    after(here, 600.0)

    assert not here.cuts


def test_instanceha_holds_while_more_than_half_of_the_hosts_are_down() -> None:
    here, _ = with_instanceha()

    for host in ("h1", "h2", "h3"):
        here.world.command(("power", host, "off"))
    after(here, 600.0)

    assert not here.noted("instanceha.fences")


def test_instanceha_sends_again_for_ever_where_one_evacuation_is_refused() -> None:
    here, _ = with_instanceha()

    here.world.command(("nova", "posts", "errors"))
    here.world.command(("power", "h1", "off"))
    after(here, 200.0)
    here.world.command(("nova", "api", "up"))
    after(here, 400.0)

    assert len(here.cuts) == 0  # it was off already
    assert here.noted("instanceha.completed")


def test_instanceha_enables_whatever_bears_its_word_of_completion() -> None:
    here, _ = with_instanceha()

    request = nova.UpdateService("h2", disabled=True, reason=COMPLETE)
    reply = here.world.nova.request(request, here.world.now)
    after(here, 60.0)

    assert isinstance(reply, nova.Answer)
    assert is_enabled(here, H2)


# The account, and the comparison.


def test_a_shot_at_a_frozen_host_is_no_false_one() -> None:
    here, _ = with_masakari()
    here.world.hosts[H1].is_watchdog_armed = False

    here.world.command(("freeze", "h1"))
    after(here, 60.0)

    assert [cut.host for cut in here.cuts] == [H1]
    assert here.tally.false_fences == 0


def test_who_never_runs_again_counts_as_never() -> None:
    score = Score(downtimes=(10.0, 20.0, 30.0, inf))

    assert score.percentile(0.5) == 20.0
    assert score.percentile(0.9) == inf
    assert score.worst == 30.0


def test_every_policy_meets_the_same_trouble() -> None:
    assert drawn_plan(3, 5) == drawn_plan(3, 5)
    assert drawn_plan(3, 5).troubles != drawn_plan(4, 5).troubles


def test_the_same_seed_gives_the_same_comparison() -> None:
    policies = ("ninelives balanced", "Masakari", "instanceha")

    first, again = compare(2, 7, policies=policies), compare(2, 7, policies=policies)

    assert first == again
    assert any(first.total(policy).deaths for policy in policies)
