"""A number of a reboot is used once in an epoch, whoever asks for it."""

from dataclasses import replace

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.decide import decide
from ninelives.core.model import BootId, GuestEnd, Health, HostId, ServerId, ServerSeen, VmState

from .small_cloud import SmallCloud


def test_a_guest_that_crashes_after_a_reboot_in_place_gets_a_new_number() -> None:
    cloud = SmallCloud().started()
    used = replace(cloud.host("c1"), resets=4)
    cloud.cluster.hosts[HostId("c1")] = used
    web = ServerSeen(ServerId("web"), HostId("c1"), VmState.ACTIVE, None, is_running=False)

    ended = GuestEnd(BootId("c1-boot1"), has_exited=True, is_unlocked=True)
    seen = on.GuestSeen(web, HostId("c1"), Health.DOWN, ended)
    decision = decide(cloud.cluster, seen, cloud.cluster.now)

    reboots = [each for each in decision.actions if isinstance(each, do.HardReboot)]
    assert [reboot.attempt for reboot in reboots] == [5]
