"""Evacuation as a real Nova was seen to do it: one test for each row of the measured table."""

import pytest
from tests.nova.five_hosts import USER, dead_host, records, refusal, seen, server_in, status

from ninelives.sim.nova import (
    ActOn,
    Answer,
    Cloud,
    DeleteServer,
    Evacuate,
    Lock,
    MigrationStatus,
    ShowServer,
    TaskState,
    Timings,
    UpdateService,
    Verb,
    VmState,
)

# Accepted


def test_200_only_means_accepted() -> None:
    cloud = dead_host()

    reply = cloud.request(Evacuate("s"))

    assert reply == Answer(200, None, reply.after_s)
    assert seen(cloud) == ("REBUILD", "c1")
    assert [record.status for record in records(cloud)] == [MigrationStatus.ACCEPTED]
    assert cloud.hosts_of("s") == set()


def test_it_passes_through_active_on_the_source_before_it_arrives_shut_off() -> None:
    cloud = dead_host()
    asked_at = cloud.now
    cloud.request(Evacuate("s"))

    story = [(seen(cloud), records(cloud)[0].status.value)]
    while records(cloud)[0].status is not MigrationStatus.DONE:
        cloud.run(0.01)
        assert cloud.now - asked_at < 10
        story.append((seen(cloud), records(cloud)[0].status.value))

    assert list(dict.fromkeys(story)) == [
        (("REBUILD", "c1"), "accepted"),
        (("REBUILD", "c1"), "pre-migrating"),
        (("ACTIVE", "c1"), "pre-migrating"),
        (("SHUTOFF", "c1"), "pre-migrating"),
        (("SHUTOFF", "c2"), "done"),
    ]
    assert 1.8 <= cloud.now - asked_at <= 2.0  # as measured


def test_up_to_2_94_an_active_server_arrives_active() -> None:
    cloud = dead_host()
    cloud.request(Evacuate("s", microversion=(2, 94)))
    cloud.run(5)

    assert seen(cloud) == ("ACTIVE", "c2")
    assert cloud.hosts_of("s") == {"c2"}


@pytest.mark.parametrize("version", [(2, 94), (2, 95)])
def test_a_shut_off_server_arrives_shut_off(version: tuple[int, int]) -> None:
    cloud = dead_host(server_in(VmState.STOPPED))
    cloud.request(Evacuate("s", microversion=version))
    cloud.run(5)

    assert seen(cloud) == ("SHUTOFF", "c2")
    assert cloud.hosts_of("s") == set()


def test_an_error_server_arrives_active_even_at_2_95() -> None:
    cloud = dead_host(server_in(VmState.ERROR))
    cloud.request(Evacuate("s", microversion=(2, 95)))
    cloud.run(5)

    assert seen(cloud) == ("ACTIVE", "c2")
    assert cloud.hosts_of("s") == {"c2"}


def test_a_locked_server_is_moved_and_stays_locked() -> None:
    cloud = dead_host()
    cloud.request(Lock("s"))

    assert status(cloud.request(Evacuate("s"))) == 200
    cloud.run(5)

    assert seen(cloud) == ("SHUTOFF", "c2")
    assert cloud.nova.servers["s"].is_locked


def test_a_server_that_was_rebooting_is_moved() -> None:
    cloud = dead_host(forced_down=False)
    assert status(cloud.request(ActOn("s", Verb.REBOOT, USER))) == 202
    cloud.request(UpdateService("c1", forced_down=True))

    assert status(cloud.request(Evacuate("s"))) == 200
    cloud.run(5)

    assert seen(cloud) == ("SHUTOFF", "c2")


def test_a_server_deleted_on_a_dead_host_comes_back() -> None:
    cloud = dead_host(forced_down=False)
    assert status(cloud.request(DeleteServer("s", USER))) == 204
    cloud.run(1)
    cloud.request(UpdateService("c1", forced_down=True))
    assert cloud.nova.servers["s"].task_state is TaskState.DELETING

    assert status(cloud.request(Evacuate("s"))) == 200
    cloud.run(5)

    assert seen(cloud) == ("SHUTOFF", "c2")


def test_a_server_deleted_after_the_force_down_is_gone_at_once() -> None:
    cloud = dead_host()

    assert status(cloud.request(DeleteServer("s", USER))) == 204
    assert status(cloud.request(ShowServer("s"))) == 404


def test_a_delete_in_mid_rebuild_leaves_a_running_orphan() -> None:
    cloud = dead_host()
    cloud.request(Evacuate("s"))
    cloud.run(1.1)
    cloud.request(DeleteServer("s", USER))
    cloud.run(5)

    assert cloud.nova.servers["s"].is_deleted
    assert cloud.hosts_of("s") == {"c2"}
    assert [record.status for record in records(cloud)] == [MigrationStatus.FAILED]


def twice(first: str, second: str) -> Cloud:
    """A second request while the first spawns, which takes its 5 seconds."""
    cloud = dead_host(timings=Timings())
    assert status(cloud.request(Evacuate("s", first, (2, 94)))) == 200
    cloud.run(2.5)
    assert cloud.nova.servers["s"].task_state is TaskState.REBUILD_SPAWNING
    assert status(cloud.request(Evacuate("s", second, (2, 94)))) == 200
    cloud.run(20)
    return cloud


def test_a_second_evacuation_during_the_first_runs_the_server_twice() -> None:
    cloud = twice("c4", "c5")

    server = cloud.nova.servers["s"]
    assert cloud.hosts_of("s") == {"c4", "c5"}
    assert [record.status.value for record in records(cloud)] == ["done", "failed"]
    assert (server.status, server.host) == ("ERROR", "c4")
    assert server.fault == (
        "Conflict updating instance s. Expected: {'task_state': ['rebuild_spawning']}. "
        "Actual: {'task_state': None}"
    )


def test_the_copy_of_a_second_evacuation_outlives_the_server() -> None:
    cloud = twice("c4", "c5")

    cloud.request(DeleteServer("s", USER))
    cloud.run(10)

    assert cloud.nova.servers["s"].is_deleted
    assert cloud.hosts_of("s") == {"c5"}


def test_two_untargeted_evacuations_of_one_server_may_meet_on_one_host() -> None:
    cloud = dead_host(timings=Timings())
    cloud.request(Evacuate("s"))
    cloud.request(Evacuate("s"))
    cloud.run(20)

    assert {record.dest for record in records(cloud)} == {"c2"}


def test_a_duplicate_to_the_same_target_meets_its_own_domain() -> None:
    cloud = dead_host()
    cloud.request(Evacuate("s", "c4", (2, 94)))
    cloud.run(1.4)
    cloud.request(Evacuate("s", "c4", (2, 94)))
    cloud.run(10)

    assert cloud.hosts_of("s") == {"c4"}
    assert [record.status.value for record in records(cloud)] == ["done", "failed"]
    assert cloud.nova.servers["s"].fault == "Instance s already exists."


def test_a_stop_while_rebuilding_is_a_conflict() -> None:
    cloud = dead_host()
    cloud.request(Evacuate("s"))

    reply = cloud.request(ActOn("s", Verb.STOP, USER))

    message = "Cannot 'stop' instance s while it is in task_state rebuilding"
    assert refusal(reply) == (409, message)
