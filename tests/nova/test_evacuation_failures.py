"""Evacuations that are accepted and come to nothing, or to something else than was wished."""

from tests.nova.five_hosts import HOSTS, dead_host, records, seen, status

from ninelives.sim.nova import (
    Cloud,
    ComputeStopped,
    DestroyDomain,
    Evacuate,
    Faults,
    Host,
    MigrationStatus,
    Server,
    SpawnDomain,
    Spec,
    UpdateService,
)


def test_no_capacity_is_a_200_and_an_error_later() -> None:
    cloud = dead_host()
    for host in ("c2", "c3", "c4", "c5"):
        cloud.request(UpdateService(host, disabled=True, reason="lab"))

    assert status(cloud.request(Evacuate("s"))) == 200
    cloud.run(5)

    fault = "No valid host was found. There are not enough hosts available."
    assert seen(cloud) == ("ERROR", "c1")
    assert cloud.nova.servers["s"].fault == fault
    assert [(record.status.value, record.dest) for record in records(cloud)] == [("error", None)]

    cloud.request(UpdateService("c4", disabled=False))
    assert status(cloud.request(Evacuate("s"))) == 200
    cloud.run(5)
    assert seen(cloud) == ("ACTIVE", "c4")


def test_a_disabled_target_is_a_200_and_an_error_later() -> None:
    cloud = dead_host()
    cloud.request(UpdateService("c2", disabled=True, reason="lab"))

    assert status(cloud.request(Evacuate("s", "c2"))) == 200
    cloud.run(5)

    assert seen(cloud) == ("ERROR", "c1")
    assert cloud.nova.servers["s"].fault == "No valid host was found."
    assert [record.status.value for record in records(cloud)] == ["error"]


def test_a_failed_spawn_is_tried_nowhere_else() -> None:
    cloud = dead_host()
    cloud.nova.set_faults(Faults(spawn_errors=(("c2", "no more loop devices"),)), cloud.now)

    assert status(cloud.request(Evacuate("s", "c2"))) == 200
    cloud.run(10)

    assert seen(cloud) == ("ERROR", "c1")
    assert cloud.nova.servers["s"].fault == "no more loop devices"
    assert [record.status.value for record in records(cloud)] == ["failed"]
    assert cloud.nova.allocations["s"] == ("c1",)

    assert status(cloud.request(Evacuate("s", "c4"))) == 200
    cloud.run(5)
    assert seen(cloud) == ("ACTIVE", "c4")


def test_a_missing_mount_means_a_rebuild_from_the_image() -> None:
    cloud = dead_host()
    cloud.unmounted.add("c2")
    cloud.request(Evacuate("s", "c2"))
    cloud.run(5)

    spawns = [effect for effect in cloud.effects if isinstance(effect, SpawnDomain)]
    assert [spawn.rebuild_image for spawn in spawns] == [True]


def test_a_volume_backed_server_is_never_rebuilt_from_an_image() -> None:
    cloud = dead_host(Server("s", "c1", Spec(is_volume_backed=True)))
    cloud.unmounted.add("c2")
    cloud.request(Evacuate("s", "c2"))
    cloud.run(5)

    spawns = [effect for effect in cloud.effects if isinstance(effect, SpawnDomain)]
    assert [spawn.rebuild_image for spawn in spawns] == [False]


def test_before_2_14_a_wrong_word_about_the_storage_is_an_error_later() -> None:
    cloud = dead_host()
    cloud.unmounted.add("c2")
    cloud.request(Evacuate("s", "c2", (2, 13), on_shared_storage=True))
    cloud.run(5)

    assert cloud.nova.servers["s"].fault == "Invalid state of instance files on shared storage"
    assert cloud.hosts_of("s") == set()


def test_before_2_29_a_named_host_skips_the_scheduler() -> None:
    cloud = dead_host()
    cloud.request(UpdateService("c2", disabled=True))
    cloud.request(Evacuate("s", "c2", (2, 28)))
    cloud.run(5)

    assert seen(cloud) == ("ACTIVE", "c2")


def test_neighbours_that_may_not_meet_are_stopped_by_the_late_check() -> None:
    apart = Spec(group="g")
    cloud = dead_host(Server("s", "c1", apart), Server("t", "c1", apart))
    cloud.request(Evacuate("s", microversion=(2, 94)))
    cloud.run(0.8)
    cloud.request(Evacuate("t", "c2", (2, 28)))  # a forced target is not filtered
    cloud.run(20)

    assert seen(cloud, "s") == ("ACTIVE", "c2")
    assert seen(cloud, "t") == ("ACTIVE", "c1")
    assert [record.status.value for record in records(cloud)] == ["done", "failed"]


def test_evacuations_pass_the_control_plane_one_after_the_other() -> None:
    cloud = dead_host(*(Server(f"s{number}", "c1") for number in range(20)))
    for number in range(20):
        cloud.request(Evacuate(f"s{number}"))
    cloud.run(20 / 1.35)
    early = [record for record in records(cloud) if record.status is MigrationStatus.DONE]
    cloud.run(5)

    assert 10 < len(early) < 20
    assert all(record.status is MigrationStatus.DONE for record in records(cloud))


def test_evacuating_a_host_whose_guests_live_runs_them_twice() -> None:
    cloud = Cloud(HOSTS, [Server("s", "c1")])
    cloud.run(1)
    cloud.tell(ComputeStopped("c1"))  # only nova-compute: the guest goes on
    cloud.request(UpdateService("c1", forced_down=True))
    cloud.request(Evacuate("s", microversion=(2, 94)))
    cloud.run(5)

    assert cloud.hosts_of("s") == {"c1", "c2"}


def test_untargeted_evacuations_all_pile_up_on_one_host() -> None:
    servers = [Server(f"s{number}", "c1") for number in range(20)]
    cloud = dead_host(*servers)
    for server in servers:
        cloud.request(Evacuate(server.id))
    cloud.run(40)

    assert {server.host for server in cloud.nova.servers.values()} == {"c2"}


def test_placement_ends_the_pile_up_when_the_host_is_full() -> None:
    small = [Host("c1"), Host("c2", vcpus=2), Host("c3", vcpus=2)]
    servers = [Server(f"s{number}", "c1") for number in range(5)]
    cloud = Cloud(small, servers)
    cloud.power_off("c1")
    cloud.request(UpdateService("c1", forced_down=True))
    for server in servers:
        cloud.request(Evacuate(server.id))
    cloud.run(20)

    hosts = sorted(str(server.host) for server in cloud.nova.servers.values())
    assert hosts == ["c1", "c2", "c2", "c3", "c3"]


def test_nothing_is_destroyed_while_the_source_stays_away() -> None:
    cloud = dead_host()
    cloud.request(Evacuate("s"))
    cloud.run(3600)

    assert not [effect for effect in cloud.effects if isinstance(effect, DestroyDomain)]
    assert cloud.nova.allocations["s"] == ("c1", "c2")
