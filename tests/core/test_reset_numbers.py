"""A number of a reboot, or of a live migration, is used once in an epoch, whoever asks for it."""

from collections.abc import Iterable
from dataclasses import replace

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.decide import decide
from ninelives.core.model import BootId, GuestEnd, Health, HostId, ServerId, ServerSeen, VmState

from .checked_cloud import CheckedCloud
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


def migrate(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.LiveMigrate)
    cloud.change(action.server, host=HostId("c2"))
    return [on.Replied(action, on.Outcome.DONE)]


def test_who_comes_back_to_a_slow_host_is_migrated_under_a_new_number() -> None:
    """Found by the swarm (day3z/146): what became of it elsewhere had taken its move away."""
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")
    cloud.answers[do.LiveMigrate] = migrate
    cloud.tell(on.AgentSaid(HostId("c1"), BootId("c1-boot1"), is_slow=True))
    cloud.until(lambda: cloud.servers[ServerId("web")].host == "c2", 60)
    cloud.kill("c2")
    cloud.until(lambda: cloud.is_in("c2", at.Vacated), 300)
    cloud.run(120)
    cloud.wake_up("c2", "new")
    cloud.until(lambda: cloud.is_in("c2", at.Healthy), 900)

    cloud.change("web", host=HostId("c1"))
    cloud.run(120)

    first, second = cloud.all_of(do.LiveMigrate)
    assert isinstance(first, do.LiveMigrate)
    assert isinstance(second, do.LiveMigrate)
    assert first.epoch == second.epoch
    assert first.attempt < second.attempt
