"""R4: a leader that sees little hands over to a controller that sees well, and to no other."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.core.small_cloud import K1, PLANES, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import BootId, HostId, Mode, ServerId, Sign, WitnessId
from ninelives.core.policy import BALANCED

K2 = WitnessId("k2")
CONFIRM_S = BALANCED.confirm_s
NAMES = "c1 c2 c3 c4"
HANDED = do.HandOver("vantage", 1)


def nothing(_cloud: SmallCloud, _action: do.Action) -> Iterable[on.Event]:
    return ()


def led_by_k1() -> SmallCloud:
    site = replace(small_site(NAMES), controllers=(K1, K2))
    cloud = SmallCloud(site=site)
    cloud.answers[do.HandOver] = nothing  # the term ends with it
    return cloud.started()


def says(
    cloud: SmallCloud, witness: WitnessId, sign: Sign, hosts: str = NAMES, references: int = 2
) -> None:
    boots: dict[HostId, BootId | None] = dict(cloud.boots.items()) if sign is Sign.STRONG else {}
    changes = tuple(
        on.Change(HostId(host), plane, sign, boots.get(HostId(host)))
        for host in hosts.split()
        for plane in PLANES
    )
    reached = tuple((plane, references, 2) for plane in PLANES)
    cloud.tell(on.Sighted(witness, changes, reached))


def test_a_leader_that_is_alone_in_seeing_nobody_hands_over_once() -> None:
    cloud = led_by_k1()
    says(cloud, K2, Sign.STRONG)
    says(cloud, K1, Sign.SILENT)

    cloud.run(CONFIRM_S - 0.1)
    assert not cloud.all_of(do.HandOver)

    cloud.run(100.0)
    assert set(cloud.all_of(do.HandOver)) == {HANDED}
    assert [a for a in cloud.all_of(do.Tell) if isinstance(a, do.Tell) and a.about == K1] == [
        do.Tell(K1, "hands_over", 1, "k2 sees more")
    ]
    assert not cloud.all_of(do.PowerOff)


def test_references_alone_may_make_the_difference() -> None:
    cloud = led_by_k1()
    says(cloud, K2, Sign.STRONG)
    says(cloud, K1, Sign.SILENT, "c1 c2", references=2)
    cloud.run(20.0)
    assert not cloud.all_of(do.HandOver)

    says(cloud, K1, Sign.SILENT, "c1 c2", references=0)
    cloud.run(20.0)

    assert cloud.all_of(do.HandOver)


@pytest.mark.parametrize("sign", [Sign.SILENT, Sign.UNKNOWN])
def test_nobody_is_handed_to_who_sees_no_more(sign: Sign) -> None:
    cloud = led_by_k1()
    says(cloud, K2, sign)
    says(cloud, K1, Sign.SILENT)

    cloud.run(60.0)

    assert not cloud.all_of(do.HandOver)


def test_to_a_controller_that_nobody_heard_nothing_is_handed() -> None:
    cloud = led_by_k1()
    says(cloud, K1, Sign.SILENT)

    cloud.run(60.0)

    assert not cloud.all_of(do.HandOver)


def test_a_view_that_comes_back_in_time_ends_it() -> None:
    cloud = led_by_k1()
    says(cloud, K2, Sign.STRONG)
    says(cloud, K1, Sign.SILENT)
    cloud.run(CONFIRM_S - 1.0)
    says(cloud, K1, Sign.STRONG)
    cloud.run(1.0)
    says(cloud, K1, Sign.SILENT)

    cloud.run(CONFIRM_S - 0.1)

    assert not cloud.all_of(do.HandOver)


def test_a_leader_that_froze_believes_nothing_of_the_kind() -> None:
    cloud = led_by_k1()
    cloud.tell(on.OwnFault("froze"))
    says(cloud, K2, Sign.STRONG)
    says(cloud, K1, Sign.SILENT)

    cloud.run(60.0)

    assert not cloud.all_of(do.HandOver)


def test_a_send_under_way_is_awaited() -> None:
    cloud = led_by_k1()
    cloud.add("web", "c1")
    cloud.answers[do.Evacuate] = nothing
    cloud.kill("c1")
    cloud.until(lambda: bool(cloud.all_of(do.Evacuate)))
    says(cloud, K2, Sign.STRONG, "c2 c3 c4")
    says(cloud, K1, Sign.SILENT, "c2 c3 c4", references=0)

    cloud.run(20.0)
    assert not cloud.all_of(do.HandOver)

    (sent,) = cloud.all_of(do.Evacuate)
    cloud.change("web", host=HostId("c2"))
    cloud.tell(on.Replied(sent, on.Outcome.DONE))
    cloud.run(20.0)
    assert cloud.all_of(do.HandOver)
    assert ServerId("web") in cloud.cluster.moves


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.PROPOSE])
def test_who_is_told_to_look_on_keeps_the_lead_until_it_may_act(mode: Mode) -> None:
    cloud = led_by_k1()
    cloud.tell(on.ModeSet("ada", mode))
    says(cloud, K2, Sign.STRONG)
    says(cloud, K1, Sign.SILENT)
    cloud.run(60.0)
    assert not cloud.all_of(do.HandOver)
    assert not cloud.turned_down

    cloud.tell(on.ModeSet("ada", Mode.ACT))
    cloud.run(60.0)

    assert cloud.all_of(do.HandOver)


def test_the_last_check_keeps_a_leader_whose_mode_was_changed() -> None:
    cloud = led_by_k1()
    says(cloud, K2, Sign.STRONG)
    says(cloud, K1, Sign.SILENT)
    cloud.run(CONFIRM_S - 0.01)
    cloud.now += 0.02
    cloud.node.offer(on.Woke("vantage"), cloud.now)  # decided, and not durable yet
    cloud.tell(on.ModeSet("ada", Mode.OBSERVE))

    cloud.run(100.0)

    assert (HANDED, "mode") in cloud.turned_down
    assert not cloud.all_of(do.HandOver)


def test_the_last_check_keeps_a_leader_that_sees_again() -> None:
    cloud = led_by_k1()
    says(cloud, K2, Sign.STRONG)
    says(cloud, K1, Sign.SILENT)
    cloud.run(CONFIRM_S - 0.01)
    cloud.now += 0.02
    cloud.node.offer(on.Woke("vantage"), cloud.now)  # decided, and not durable yet
    says(cloud, K1, Sign.STRONG)

    cloud.run(100.0)

    assert (HANDED, "sees_again") in cloud.turned_down
    assert not cloud.all_of(do.HandOver)
    assert HANDED not in cloud.cluster.outbox


def test_the_next_leader_does_not_hand_over_what_the_last_one_did() -> None:
    cloud = led_by_k1()
    says(cloud, K2, Sign.STRONG)
    says(cloud, K1, Sign.SILENT)
    cloud.run(CONFIRM_S + 1.0)
    assert HANDED in cloud.cluster.outbox

    cloud.successor()

    assert HANDED not in cloud.cluster.outbox
    cloud.run(60.0)
    assert cloud.all_of(do.HandOver) == [HANDED]
    assert not [action for action, _ in cloud.turned_down if isinstance(action, do.HandOver)]
