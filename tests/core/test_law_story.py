"""The one story that all others vary: a host dies, its servers move, it comes back."""

from collections.abc import Iterable
from dataclasses import replace

from tests.core.checked_cloud import CheckedCloud
from tests.core.small_cloud import CEPH, SmallCloud, small_site

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.model import BootId, HostId, MoveRecord, ServerId
from ninelives.core.policy import BALANCED


def test_a_dead_host_is_proved_off_and_its_servers_run_elsewhere_and_it_is_led_back() -> None:
    cloud = CheckedCloud().started()
    cloud.add("web", "c1")

    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)

    assert isinstance(cloud.move("web").state, at.Done)
    assert cloud.servers[cloud.move("web").server].host != "c1"

    cloud.run(120)
    cloud.wake_up("c1", "new")
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 600)

    assert cloud.all_of(do.ForceUp)
    assert not cloud.turned_down


def test_an_ordered_fence_is_carried_out_once_and_not_again_when_the_host_is_back() -> None:
    cloud = CheckedCloud().started()
    cloud.tell(on.FenceOrdered("ann", HostId("c1"), "c1"))
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)
    cloud.run(120)
    cloud.wake_up("c1", "new")
    cloud.until(lambda: cloud.is_in("c1", at.Healthy), 600)
    shots = len(cloud.all_of(do.PowerOff))

    cloud.run(600)

    assert cloud.is_in("c1", at.Healthy)
    assert len(cloud.all_of(do.PowerOff)) == shots


def test_an_ordered_fence_that_a_brake_holds_is_refused_and_not_remembered() -> None:
    cloud = CheckedCloud().started()
    cloud.tell(on.CanarySeen("nova", is_ok=False))

    cloud.tell(on.FenceOrdered("ann", HostId("c1"), "c1"))
    cloud.tell(on.CanarySeen("nova", is_ok=True))
    cloud.run(600)

    assert not cloud.all_of(do.PowerOff)
    assert cloud.is_in("c1", at.Healthy)


def test_the_answer_to_a_live_migration_is_folded_and_the_drain_goes_on() -> None:
    cloud = CheckedCloud().started()
    names = [f"vm{number}" for number in range(6)]
    for name in names:
        cloud.add(name, "c1")
    cloud.answers[do.LiveMigrate] = migrate

    cloud.tell(on.AgentSaid(HostId("c1"), BootId("c1-boot1"), is_slow=True))
    cloud.run(300)

    assert all(cloud.servers[ServerId(name)].host == "c2" for name in names)
    assert not cloud.all_of(do.PowerOff)


def migrate(cloud: SmallCloud, action: do.Action) -> Iterable[on.Event]:
    assert isinstance(action, do.LiveMigrate)
    cloud.change(action.server, host=HostId("c2"))
    return [on.Replied(action, on.Outcome.DONE)]


def test_a_backend_that_does_not_answer_contradicts_no_revocation() -> None:
    cloud = CheckedCloud(site=small_site(roads=(), revocable=frozenset({CEPH}))).started()
    cloud.add("web", "c1")
    cloud.isolate("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Evacuating), 120)

    cloud.tell(on.StorageSeen(HostId("c1"), CEPH, watched=None, revoked=None))

    assert not cloud.host("c1").zombie_risk


def test_a_server_with_a_migration_that_never_ended_is_not_migrated_again() -> None:
    cloud = CheckedCloud().started()
    stuck = MoveRecord(7, "live-migration", HostId("c2"), HostId("c1"), "running")
    cloud.add("web", "c1", records=(stuck,))
    cloud.answers[do.LiveMigrate] = migrate

    cloud.tell(on.AgentSaid(HostId("c1"), BootId("c1-boot1"), is_slow=True))
    cloud.run(60)

    assert not cloud.all_of(do.LiveMigrate)
    assert cloud.was_told("move_held:web")
    cloud.change("web", records=(replace(stuck, status="error"),))
    cloud.run(60)
    assert cloud.all_of(do.LiveMigrate)


def in_place(task_state: str | None) -> SmallCloud:
    """C1 is back, web waited for it; Nova is still at what its user, or we, began there."""
    cloud = CheckedCloud(site=small_site("c1 c2")).started()
    cloud.add("web", "c1", blocked="vtpm", task_state=task_state)
    cloud.kill("c1")
    cloud.until(lambda: cloud.is_in("c1", at.Vacated), 120)
    cloud.run(120)
    cloud.wake_up("c1", "new")
    cloud.until(lambda: bool(cloud.all_of(do.OpenGate)), 300)
    return cloud


def test_a_server_on_which_nova_is_at_work_is_not_rebooted_beside_it() -> None:
    cloud = in_place("rebooting_hard")
    cloud.run(60)
    assert not cloud.all_of(do.HardReboot)

    cloud.change("web", task_state=None)
    cloud.run(30)

    assert len(cloud.all_of(do.HardReboot)) == 1


def test_a_task_that_nobody_goes_on_with_is_in_the_way_for_the_settle_time_only() -> None:
    cloud = in_place("rebooting_hard")

    cloud.run(BALANCED.nova_settle_s + 30)

    assert len(cloud.all_of(do.HardReboot)) == 1
