"""A guest's resets are counted for a window, whoever leads, and a refused one is told."""

from collections.abc import Iterable

from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import SmallCloud

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import BootId, GuestEnd, Health, HostId, ServerId

C1 = HostId("c1")
ENDED = GuestEnd(BootId("c1-boot1"), has_exited=True, is_unlocked=True)


def crashed(cloud: SmallCloud) -> ServerId:
    web = cloud.add("web", "c1")
    cloud.tell(on.GuestSeen(cloud.servers[web], C1, Health.DOWN, ENDED))
    cloud.run(1.0)
    return web


def test_a_guest_that_was_reset_is_forgotten_after_its_window() -> None:
    cloud = CheckedCloud().started()
    web = crashed(cloud)
    assert isinstance(cloud.cluster.moves[web].state, at.Mending)

    cloud.run(cloud.policy.guest_window_s + 1.0)

    assert web not in cloud.cluster.moves


def test_a_guest_that_was_reset_is_forgotten_by_a_new_leader_too() -> None:
    cloud = CheckedCloud().started()
    web = crashed(cloud)
    cloud.successor()
    assert isinstance(cloud.cluster.moves[web].state, at.Mending)

    cloud.run(cloud.policy.guest_window_s + 1.0)

    assert web not in cloud.cluster.moves


def test_a_reset_that_nova_refuses_is_told() -> None:
    cloud = CheckedCloud().started()
    cloud.answers[do.HardReboot] = refused

    web = crashed(cloud)

    assert do.Tell(web, "guest_reset_refused", 0) in cloud.all_of(do.Tell)


def refused(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    del cloud
    return [on.Replied(action, on.Outcome.REFUSED, "bad_state")]
