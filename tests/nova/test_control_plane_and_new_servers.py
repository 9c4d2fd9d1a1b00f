"""New servers, a resize taken back, and the services of the control plane."""

from dataclasses import replace

from ninelives.sim.nova import (
    ConfirmResize,
    CreateServer,
    DeleteServer,
    Evacuate,
    Faults,
    Lock,
    Resize,
    RevertResize,
    Spec,
    UpdateService,
    VmState,
)

from .five_hosts import cloud_with, dead_host, refusal, seen, status, statuses


def test_a_new_server_is_scheduled_spawned_and_active() -> None:
    cloud = cloud_with()

    assert status(cloud.request(CreateServer("new", Spec()))) == 202
    assert seen(cloud, "new") == ("BUILD", None)
    cloud.run(5)

    state, host = seen(cloud, "new")
    assert state == "ACTIVE"
    assert cloud.hosts_of("new") == {host}


def test_a_new_server_goes_where_it_is_told_or_nowhere() -> None:
    cloud = cloud_with()
    cloud.request(UpdateService("c4", disabled=True))

    cloud.request(CreateServer("pinned", Spec(), host="c3"))
    cloud.request(CreateServer("stray", Spec(), host="c4"))
    cloud.run(5)

    assert seen(cloud, "pinned") == ("ACTIVE", "c3")
    assert seen(cloud, "stray") == ("ERROR", None)


def test_a_server_deleted_while_it_is_built_leaves_nothing_behind() -> None:
    cloud = cloud_with()
    cloud.request(CreateServer("new", Spec(), host="c2"))
    cloud.run(0.4)

    cloud.request(DeleteServer("new"))
    cloud.run(5)

    assert cloud.hosts_of("new") == set()
    assert cloud.nova.servers["new"].vm_state is VmState.DELETED


def test_a_resize_taken_back_runs_where_it_came_from() -> None:
    cloud = cloud_with()
    cloud.request(Resize("s", "c2"))
    cloud.run(20)
    assert seen(cloud) == ("VERIFY_RESIZE", "c2")

    assert status(cloud.request(RevertResize("s"))) == 202
    cloud.run(5)

    assert seen(cloud) == ("ACTIVE", "c1")
    assert cloud.hosts_of("s") == {"c1"}
    assert statuses(cloud) == ["reverted"]
    assert cloud.nova.allocations["s"] == ("c1",)
    assert refusal(cloud.request(ConfirmResize("s")))[0] == 409


def test_the_scheduler_goes_down_in_the_list_after_the_usual_time() -> None:
    cloud = cloud_with()
    cloud.nova.set_faults(Faults(is_scheduler_down=True), cloud.now)

    views = {view.binary: view for view in cloud.nova.control_services(cloud.now)}
    assert views["nova-scheduler"].is_up
    cloud.run(80)
    views = {view.binary: view for view in cloud.nova.control_services(cloud.now)}

    assert not views["nova-scheduler"].is_up
    assert views["nova-conductor"].is_up


def test_without_a_conductor_an_evacuation_waits() -> None:
    cloud = dead_host()
    cloud.nova.set_faults(Faults(is_conductor_down=True), cloud.now)
    cloud.request(Evacuate("s"))
    cloud.run(30)
    waiting = statuses(cloud)

    cloud.nova.set_faults(Faults(), cloud.now)
    cloud.run(20)

    assert waiting == ["accepted"]
    assert statuses(cloud) == ["done"]


def test_without_a_conductor_no_compute_is_up_for_long() -> None:
    cloud = cloud_with()
    cloud.nova.set_faults(Faults(is_conductor_down=True), cloud.now)

    cloud.run(80)

    assert not cloud.nova.is_up("c2", cloud.now)


def test_a_dead_compute_does_not_get_the_trait_of_a_disabled_one() -> None:
    cloud = dead_host()

    cloud.request(UpdateService("c1", disabled=True))
    cloud.request(UpdateService("c2", disabled=True))

    assert not cloud.nova.services["c1"].has_disabled_trait
    assert cloud.nova.services["c2"].has_disabled_trait


def test_why_a_server_is_locked_is_kept_until_it_is_unlocked() -> None:
    cloud = cloud_with()

    cloud.request(Lock("s", reason="backup"))
    locked = cloud.nova.servers["s"]
    cloud.request(Lock("s", locked=False))

    assert locked.locked_reason == "backup"
    assert cloud.nova.servers["s"] == replace(
        locked, is_locked=False, locked_reason=None, updated=cloud.now
    )
