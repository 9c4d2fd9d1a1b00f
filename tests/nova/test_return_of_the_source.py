"""What happens when the source of an evacuation comes back, and what waited for it in queues."""

from tests.nova.five_hosts import HOSTS, USER, dead_host, statuses

from ninelives.sim.nova import (
    LAB_TIMINGS,
    ActOn,
    Answer,
    Cloud,
    ComputeStarted,
    ComputeStopped,
    DeleteServer,
    DestroyDomain,
    DomainGone,
    Evacuate,
    Fault,
    Faults,
    ListAllocations,
    ListMigrations,
    MigrationStatus,
    Server,
    Timings,
    UpdateService,
    Verb,
    VmState,
)

CANNOT_FORCE_UP = (
    "Unable to force up host c1 as `done` evacuation migration records remain associated with the "
    "host. Ensure the compute service has been restarted, allowing these records to move to "
    "`completed` before retrying this request."
)


def evacuated(*ids: str) -> Cloud:
    cloud = dead(*ids)
    for name in ids:
        cloud.request(Evacuate(name))
    cloud.run(10)
    return cloud


def dead(*ids: str, timings: Timings = LAB_TIMINGS) -> Cloud:
    return dead_host(*(Server(name, "c1") for name in ids), timings=timings)


def force_up(cloud: Cloud) -> tuple[int, object]:
    reply = cloud.request(UpdateService("c1", forced_down=False))
    assert isinstance(reply, Answer | Fault)
    return reply.status, reply.message if isinstance(reply, Fault) else None


def test_force_up_is_refused_while_records_are_done() -> None:
    cloud = evacuated("s")

    assert force_up(cloud) == (400, CANNOT_FORCE_UP)


def test_a_source_that_starts_with_the_bus_down_completes_nothing_before_it_is_up() -> None:
    cloud = evacuated("s")
    cloud.nova.set_faults(Faults(is_bus_down=True), cloud.now)
    cloud.tell(ComputeStarted("c1"))
    cloud.run(60)
    assert statuses(cloud) == ["done"]

    cloud.nova.set_faults(Faults(), cloud.now)
    cloud.run(10)

    assert statuses(cloud) == ["completed"]


def test_a_restart_completes_the_records_and_frees_the_source() -> None:
    cloud = evacuated("s")
    allocations = cloud.request(ListAllocations("c1"))
    assert isinstance(allocations, Answer)
    assert allocations.body == ("s",)

    cloud.tell(ComputeStarted("c1"))
    cloud.run(2)

    assert statuses(cloud) == ["completed"]
    assert cloud.nova.allocations["s"] == ("c2",)
    assert DestroyDomain("c1", "s", True, spare_if_shared_with="c2") in cloud.effects
    assert not cloud.nova.is_up("c1", cloud.now)
    assert force_up(cloud) == (200, None)
    assert cloud.nova.is_up("c1", cloud.now)


def test_a_restart_destroys_what_was_only_accepted_and_never_moved() -> None:
    cloud = Cloud(HOSTS, [Server("s", "c1")])
    cloud.run(1)
    cloud.tell(ComputeStopped("c1"))  # the guest lives on
    cloud.request(UpdateService("c1", forced_down=True))
    cloud.nova.set_faults(Faults(conductor_delay_s=60.0), cloud.now)
    cloud.request(Evacuate("s"))
    assert cloud.hosts_of("s") == {"c1"}

    cloud.tell(ComputeStarted("c1"))
    cloud.run(5)

    assert cloud.hosts_of("s") == set()
    assert statuses(cloud) == ["completed"]
    assert cloud.nova.servers["s"].host == "c1"


def test_a_source_that_restarts_in_mid_evacuation_must_restart_once_more() -> None:
    cloud = dead("s", timings=Timings())  # a spawn of 5 s leaves time for a restart
    cloud.request(Evacuate("s"))
    cloud.run(0.8)
    assert statuses(cloud) == ["pre-migrating"]

    cloud.tell(ComputeStarted("c1"))
    story = [statuses(cloud)[0]]
    for _ in range(80):
        cloud.run(0.1)
        story.append(statuses(cloud)[0])

    assert list(dict.fromkeys(story)) == ["pre-migrating", "completed", "done"]
    assert force_up(cloud) == (400, CANNOT_FORCE_UP)

    cloud.tell(ComputeStopped("c1"))
    cloud.tell(ComputeStarted("c1"))
    cloud.run(3)
    assert statuses(cloud) == ["completed"]
    assert force_up(cloud) == (200, None)


def test_of_two_done_records_of_one_server_one_restart_completes_one() -> None:
    cloud = dead("s")
    for target in ("c4", "c5"):
        cloud.request(Evacuate("s", target, microversion=(2, 94)))
    cloud.run(10)
    records = list(cloud.nova.migrations.values())
    assert [record.status for record in records].count(MigrationStatus.DONE) <= 1

    cloud.tell(ComputeStarted("c1"))
    cloud.run(5)

    assert MigrationStatus.DONE not in [r.status for r in cloud.nova.migrations.values()]


def test_a_server_that_was_not_evacuated_keeps_its_record_though_nothing_runs() -> None:
    cloud = dead("s")
    cloud.tell(ComputeStarted("c1"))
    cloud.run(780)

    assert cloud.nova.servers["s"].status == "ACTIVE"
    assert cloud.nova.servers["s"].host == "c1"
    assert cloud.hosts_of("s") == set()


def test_a_rebuild_cast_to_a_dead_target_waits_in_its_queue() -> None:
    cloud = dead("s")
    cloud.tell(ComputeStopped("c2"))  # within its minute: the scheduler still believes in it
    cloud.request(Evacuate("s", "c2"))
    cloud.run(300)
    assert statuses(cloud) == ["accepted"]
    assert cloud.nova.queued("c2") == 1

    cloud.tell(ComputeStarted("c2"))
    cloud.run(5)

    assert cloud.nova.servers["s"].host == "c2"
    assert statuses(cloud) == ["done"]


def test_a_target_that_dies_in_mid_rebuild_leaves_its_record_open_for_ever() -> None:
    cloud = dead("s")
    cloud.request(Evacuate("s", "c2"))
    cloud.run(1.4)
    assert cloud.hosts_of("s") == {"c2"}

    cloud.tell(ComputeStopped("c2"))
    cloud.run(60)
    cloud.tell(ComputeStarted("c2"))
    cloud.run(3600)

    assert statuses(cloud) == ["pre-migrating"]
    assert cloud.hosts_of("s") == {"c2"}
    assert cloud.nova.servers["s"].host == "c1"


def test_a_delete_that_waited_deletes_the_row_and_leaves_the_copy_elsewhere() -> None:
    cloud = Cloud(HOSTS, [Server("s", "c1")])
    cloud.run(1)
    cloud.power_off("c1")
    cloud.request(DeleteServer("s", USER))
    cloud.run(1)
    cloud.request(UpdateService("c1", forced_down=True))
    cloud.request(Evacuate("s", microversion=(2, 94)))
    cloud.run(5)
    assert cloud.hosts_of("s") == {"c2"}

    cloud.tell(ComputeStarted("c1"))
    cloud.run(10)

    assert cloud.nova.servers["s"].is_deleted
    assert cloud.hosts_of("s") == {"c2"}


def test_a_stop_that_waited_marks_stopped_what_runs_elsewhere_until_the_power_sync() -> None:
    cloud = dead("s")
    reply = cloud.request(ActOn("s", Verb.STOP, USER))
    assert isinstance(reply, Answer)
    cloud.request(Evacuate("s", microversion=(2, 94)))
    cloud.run(5)
    assert cloud.hosts_of("s") == {"c2"}

    cloud.tell(ComputeStarted("c1"))
    cloud.run(10)
    assert cloud.nova.servers["s"].vm_state is VmState.STOPPED
    assert cloud.hosts_of("s") == {"c2"}

    cloud.run(600)
    assert cloud.hosts_of("s") == set()


def test_what_a_second_start_runs_against_its_record_is_stopped_by_the_power_sync() -> None:
    """The process finds the start in the record and, cleaned up, once more in its queue."""
    cloud = Cloud(HOSTS, [Server("s", "c1", vm_state=VmState.STOPPED), Server("e", "c1")])
    cloud.power_off("c1")
    cloud.request(ActOn("s", Verb.START, USER))
    cloud.request(UpdateService("c1", forced_down=True))
    cloud.request(Evacuate("e"))
    cloud.run(5)
    cloud.tell(ComputeStarted("c1"))
    while not cloud.hosts_of("s"):
        cloud.run(0.1)
    cloud.running.remove(("c1", "s"))
    cloud.tell(DomainGone("c1", "s"))

    cloud.run(5)
    assert cloud.nova.servers["s"].vm_state is VmState.STOPPED
    assert cloud.hosts_of("s") == {"c1"}

    cloud.run(600)
    assert cloud.hosts_of("s") == set()


def test_a_start_that_waited_starts_a_second_copy_on_the_old_host() -> None:
    """Read in Nova's source: start_instance powers on before it looks at the task state."""
    cloud = Cloud(HOSTS, [Server("s", "c1", vm_state=VmState.STOPPED)])
    cloud.power_off("c1")
    cloud.request(ActOn("s", Verb.START, USER))
    cloud.request(UpdateService("c1", forced_down=True))
    cloud.request(Evacuate("s"))
    cloud.run(5)
    cloud.request(ActOn("s", Verb.START))
    cloud.run(5)
    assert cloud.hosts_of("s") == {"c2"}

    cloud.tell(ComputeStarted("c1"))
    cloud.run(5)

    assert cloud.hosts_of("s") == {"c1", "c2"}


def test_the_records_of_a_deleted_server_are_hidden_and_do_not_hold_force_up() -> None:
    cloud = evacuated("s")
    cloud.request(DeleteServer("s", USER))
    cloud.run(5)

    listed = cloud.request(ListMigrations())
    assert isinstance(listed, Answer)
    assert listed.body == ()
    assert force_up(cloud) == (200, None)


def test_a_restart_finishes_what_the_old_process_had_begun() -> None:
    cloud = Cloud(HOSTS, [Server("stopping", "c1"), Server("deleting", "c1")])
    cloud.request(ActOn("stopping", Verb.STOP))
    cloud.request(DeleteServer("deleting"))
    cloud.run(0.5)
    cloud.tell(ComputeStopped("c1"))
    cloud.tell(ComputeStarted("c1"))
    cloud.run(10)

    assert cloud.nova.servers["stopping"].status == "SHUTOFF"
    assert cloud.nova.servers["deleting"].is_deleted
    assert cloud.running == set()


def test_a_rebuild_without_a_record_is_an_error_when_its_source_restarts() -> None:
    cloud = dead("s")
    cloud.nova.set_faults(Faults(is_scheduler_down=True), cloud.now)
    cloud.request(Evacuate("s"))
    cloud.nova.lose_last_commit(cloud.now)
    cloud.tell(ComputeStarted("c1"))
    cloud.run(5)

    assert cloud.nova.servers["s"].status == "ERROR"
    assert statuses(cloud) == []
