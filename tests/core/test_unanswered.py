"""A reboot at home or a power-on without an answer is looked up, and tried again on evidence."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.core.arrangements import C1
from tests.core.checked_cloud import CheckedCloud
from tests.core.small_answers import answer_well
from tests.core.small_cloud import Answer, SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.policy import BALANCED
from ninelives.core.protection import Promise, Remedy

AT_HOME = replace(BALANCED, default=Promise(host_dies=Remedy.RESTART))
BY_ITSELF = replace(BALANCED, power_on_after_vacated=True)
SETTLE_S = BALANCED.nova_settle_s


def lost(_cloud: SmallCloud, _action: do.Action) -> Iterable[on.Event]:
    """It never leaves: its leader dies first."""
    return []


def unheard(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    """It is done, and its leader dies before the answer."""
    answer_well(cloud, action)
    return []


def in_vain(_cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    """It is lost on the way, and nobody says so."""
    return [on.Replied(action, on.Outcome.UNKNOWN, "timeout")]


def in_the_dark(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    """It is done, and the answer is lost on the way."""
    answer_well(cloud, action)
    return in_vain(cloud, action)


def reboots(cloud: SmallCloud) -> list[int]:
    return [each.attempt for each in cloud.done if isinstance(each, do.HardReboot)]


def power_ons(cloud: SmallCloud) -> list[int]:
    return [each.attempt for each in cloud.done if isinstance(each, do.PowerOn)]


def told(cloud: SmallCloud) -> set[str]:
    return {each.what for each in cloud.done if isinstance(each, do.Tell)}


def rebooted_once(answer: Answer) -> CheckedCloud:
    """Web waited for its host, which is back, and was rebooted there."""
    cloud = CheckedCloud(policy=AT_HOME)
    cloud.started()
    cloud.add("web", "c1")
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)
    cloud.run(BALANCED.off_late_s + 5.0)
    cloud.answers[do.HardReboot] = answer
    cloud.tell(on.PowerOnOrdered("ann", C1))
    cloud.until(lambda: reboots(cloud) == [1], 300)
    cloud.run(1.0)
    return cloud


class TestReboot:
    def test_that_died_with_its_leader_is_tried_again_once_nova_shows_none(self) -> None:
        cloud = rebooted_once(lost)

        cloud.successor()
        del cloud.answers[do.HardReboot]
        cloud.run(SETTLE_S - 10.0)
        assert reboots(cloud) == [1]
        assert isinstance(cloud.move("web").state, at.WaitingForHost)

        cloud.until(lambda: cloud.is_in("c1", at.Healthy), 600)
        assert reboots(cloud) == [1, 2]

    def test_that_nova_shows_is_not_sent_again_by_the_next_leader(self) -> None:
        cloud = rebooted_once(unheard)

        cloud.successor()
        cloud.until(lambda: isinstance(cloud.move("web").state, at.Done), 60)

        cloud.until(lambda: cloud.is_in("c1", at.Healthy), 600)
        assert reboots(cloud) == [1]

    @pytest.mark.parametrize(("answer", "sent"), [(in_vain, [1, 2]), (in_the_dark, [1])])
    def test_without_an_answer_counts_for_what_nova_shows(
        self, answer: Answer, sent: list[int]
    ) -> None:
        cloud = rebooted_once(answer)

        del cloud.answers[do.HardReboot]
        cloud.until(lambda: cloud.is_in("c1", at.Healthy), 900)

        assert reboots(cloud) == sent

    def test_that_dies_with_one_leader_after_another_is_tried_again_all_the_same(self) -> None:
        cloud = rebooted_once(lost)

        for _ in range(3):
            cloud.successor()
            cloud.run(60.0)
        del cloud.answers[do.HardReboot]

        cloud.until(lambda: cloud.is_in("c1", at.Healthy), 900)
        assert reboots(cloud) == [1, 2]

    def test_that_never_arrives_is_given_up_and_a_person_is_told(self) -> None:
        cloud = rebooted_once(in_vain)

        cloud.run(4 * BALANCED.verify_timeout_s)

        assert len(reboots(cloud)) < 5
        assert isinstance(cloud.move("web").state, at.Failed)
        assert "server_failed:web" in told(cloud)
        assert not cloud.is_in("c1", at.Healthy)

        cloud.tell(on.SignedOff("ann", cloud.move("web").server))
        cloud.until(lambda: cloud.is_in("c1", at.Healthy), 600)

    def test_is_looked_up_also_where_its_host_fell_silent_meanwhile(self) -> None:
        cloud = rebooted_once(lost)

        cloud.freeze("c1")
        cloud.until(lambda: cloud.is_in("c1", at.Suspect), 60)
        cloud.wake_up("c1")
        cloud.until(lambda: cloud.is_in("c1", at.Returning), 60)
        del cloud.answers[do.HardReboot]

        cloud.until(lambda: cloud.is_in("c1", at.Healthy), 900)
        assert reboots(cloud) == [1, 2]


def switched_on_once(answer: Answer) -> CheckedCloud:
    """Its host is empty, and is switched on by policy."""
    cloud = CheckedCloud(policy=BY_ITSELF)
    cloud.started()
    cloud.kill("c1")
    cloud.answers[do.PowerOn] = answer
    cloud.until(lambda: power_ons(cloud) == [1], 300)
    cloud.run(1.0)
    return cloud


class TestPowerOn:
    @pytest.mark.parametrize("answer", [lost, in_vain])
    def test_that_never_arrived_is_tried_again_while_the_host_reads_off(
        self, answer: Answer
    ) -> None:
        cloud = switched_on_once(answer)

        if answer is lost:
            cloud.successor()
        del cloud.answers[do.PowerOn]
        cloud.run(SETTLE_S - 15.0)
        assert power_ons(cloud) == [1]

        cloud.until(lambda: cloud.is_in("c1", at.Healthy), 600)
        assert power_ons(cloud) == [1, 2]

    @pytest.mark.parametrize("answer", [unheard, in_the_dark])
    def test_that_switched_it_on_is_not_sent_again(self, answer: Answer) -> None:
        cloud = switched_on_once(answer)

        if answer is unheard:
            cloud.successor()
            cloud.wake_up("c1", "c1-boot2")

        cloud.until(lambda: cloud.is_in("c1", at.Returning), 1200)
        assert not any(isinstance(action, do.PowerOn) for action in cloud.cluster.outbox)
        cloud.until(lambda: cloud.is_in("c1", at.Healthy), 1200)
        assert power_ons(cloud) == [1]

    def test_whose_answer_is_given_up_once_the_host_is_led_back_leaves_nothing_open(self) -> None:
        # World 73 of seed h2day12.
        cloud = switched_on_once(unheard)
        cloud.wake_up("c1", "c1-boot2")
        cloud.until(lambda: cloud.is_in("c1", at.Returning), 1200)

        cloud.tell(on.Replied(cloud.all_of(do.PowerOn)[0], on.Outcome.UNKNOWN, "timeout"))

        assert not any(isinstance(action, do.PowerOn) for action in cloud.cluster.outbox)

    def test_that_switched_it_on_is_not_sent_again_while_it_boots(self) -> None:
        cloud = switched_on_once(lost)
        cloud.boot_s = 2 * SETTLE_S

        in_the_dark(cloud, cloud.all_of(do.PowerOn)[0])
        cloud.successor()
        cloud.run(2 * SETTLE_S)

        assert power_ons(cloud) == [1]

    def test_of_a_person_alone_is_not_repeated_without_that_person(self) -> None:
        cloud = CheckedCloud()
        cloud.started()
        cloud.kill("c1")
        cloud.until(lambda: cloud.is_in("c1", at.Vacated), 60)
        cloud.run(BALANCED.off_late_s + 5.0)
        cloud.answers[do.PowerOn] = lost
        cloud.tell(on.PowerOnOrdered("ann", C1))
        assert power_ons(cloud) == [1]

        cloud.successor()
        cloud.run(3 * SETTLE_S)

        assert power_ons(cloud) == [1]

    def test_that_nobody_ever_answers_is_given_up_and_a_person_is_told(self) -> None:
        cloud = switched_on_once(in_vain)

        cloud.run(10 * SETTLE_S)

        assert power_ons(cloud) == list(range(1, BALANCED.attempts_max + 1))
        assert "not_switched_on" in told(cloud)
        assert not any(isinstance(action, do.PowerOn) for action in cloud.cluster.outbox)
