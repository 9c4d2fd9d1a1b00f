"""What the switches do: a broken road, a silent scheduler, a bus down, a lost commit."""

import pytest
from tests.nova.five_hosts import HOSTS, dead_host, statuses

from ninelives.sim.nova import (
    ActOn,
    Answer,
    ApiFault,
    Cloud,
    ComputeHung,
    ComputeResumed,
    ComputeStopped,
    Evacuate,
    Fault,
    Faults,
    Host,
    ListCandidates,
    ListServices,
    NoAnswer,
    Server,
    ServiceView,
    ShowServer,
    Spec,
    TaskState,
    UpdateService,
    Verb,
)


def with_faults(faults: Faults) -> Cloud:
    cloud = dead_host()
    cloud.nova.set_faults(faults, cloud.now)
    return cloud


def heal(cloud: Cloud) -> None:
    cloud.nova.set_faults(Faults(), cloud.now)


def up(cloud: Cloud) -> dict[str, bool]:
    reply = cloud.request(ListServices())
    assert isinstance(reply, Answer)
    assert isinstance(reply.body, tuple)
    views = [view for view in reply.body if isinstance(view, ServiceView)]
    return {view.host: view.is_up for view in views}


@pytest.mark.parametrize(
    ("fault", "is_taken"),
    [
        (ApiFault.UNREACHABLE, False),
        (ApiFault.ERROR_500, False),
        (ApiFault.UNAVAILABLE_503, False),
        (ApiFault.REPLY_LOST, True),
        (ApiFault.TIMEOUT_504, True),
    ],
)
def test_a_failed_request_was_taken_or_not_and_nobody_can_tell(
    fault: ApiFault, is_taken: bool
) -> None:
    cloud = with_faults(Faults(api=fault))

    reply = cloud.request(Evacuate("s"))

    assert isinstance(reply, Fault | NoAnswer)
    assert statuses(cloud) == (["accepted"] if is_taken else [])


def test_a_request_in_the_backlog_is_taken_long_after_its_client_left() -> None:
    cloud = with_faults(Faults(api=ApiFault.BACKLOG))
    assert isinstance(cloud.request(Evacuate("s")), NoAnswer)
    heal(cloud)

    cloud.run(89)
    assert statuses(cloud) == []
    cloud.run(10)
    assert statuses(cloud) == ["done"]


def test_without_a_scheduler_the_record_stays_accepted_for_ever() -> None:
    cloud = with_faults(Faults(is_scheduler_down=True))
    cloud.request(Evacuate("s"))
    cloud.run(61)
    heal(cloud)
    cloud.run(3600)

    assert statuses(cloud) == ["accepted"]
    assert cloud.nova.servers["s"].task_state is TaskState.REBUILDING


def test_a_scheduler_that_returns_within_the_rpc_timeout_goes_on() -> None:
    cloud = with_faults(Faults(is_scheduler_down=True))
    cloud.request(Evacuate("s"))
    cloud.run(30)
    heal(cloud)
    cloud.run(5)

    assert statuses(cloud) == ["done"]


def test_with_the_bus_down_casts_wait_and_drain_later() -> None:
    cloud = with_faults(Faults(is_bus_down=True))
    cloud.request(Evacuate("s"))
    cloud.run(30)
    assert statuses(cloud) == ["accepted"]

    heal(cloud)
    cloud.run(5)
    assert statuses(cloud) == ["done"]


def test_after_a_long_bus_outage_the_cast_finds_no_host_that_has_reported_yet() -> None:
    cloud = with_faults(Faults(is_bus_down=True))
    cloud.request(Evacuate("s"))
    cloud.run(600)
    heal(cloud)
    cloud.run(5)

    assert statuses(cloud) == ["error"]


def test_with_the_bus_down_every_service_turns_down() -> None:
    cloud = with_faults(Faults(is_bus_down=True))
    cloud.run(30)
    assert sum(up(cloud).values()) == 4
    cloud.run(45)
    assert sum(up(cloud).values()) == 0

    heal(cloud)
    cloud.run(11)
    assert sum(up(cloud).values()) == 4


def test_a_failover_that_loses_the_last_commit_loses_the_record_of_a_move_under_way() -> None:
    cloud = dead_host()
    cloud.request(Evacuate("s"))
    assert cloud.nova.lose_last_commit(cloud.now) == 1
    assert statuses(cloud) == []

    cloud.run(5)

    assert cloud.nova.servers["s"].host == "c2"
    assert statuses(cloud) == []


def test_a_failover_can_lose_the_force_down() -> None:
    cloud = dead_host()
    cloud.nova.lose_last_commit(cloud.now)

    assert cloud.nova.is_up("c1", cloud.now)


def test_a_placement_that_refuses_is_no_valid_host() -> None:
    cloud = with_faults(Faults(is_placement_refusing=True))
    cloud.request(Evacuate("s"))
    cloud.run(5)

    assert statuses(cloud) == ["error"]


def test_the_image_service_matters_only_to_a_rebuild_from_the_image() -> None:
    cloud = with_faults(Faults(is_image_service_down=True))
    cloud.unmounted.add("c2")
    cloud.request(Evacuate("s", "c2"))
    cloud.run(5)
    assert statuses(cloud) == ["failed"]

    cloud.request(Evacuate("s", "c3"))
    cloud.run(5)
    assert statuses(cloud) == ["failed", "done"]


def test_a_stale_service_list_answers_what_was() -> None:
    cloud = Cloud(HOSTS)
    cloud.nova.set_faults(Faults(is_service_list_stale=True), cloud.now)
    cloud.tell(ComputeStopped("c1"))
    cloud.run(120)
    assert up(cloud)["c1"]

    heal(cloud)
    assert not up(cloud)["c1"]


def test_a_slow_conductor_only_delays() -> None:
    cloud = with_faults(Faults(conductor_delay_s=20))
    cloud.request(Evacuate("s"))
    cloud.run(20)
    assert statuses(cloud) == ["accepted"]
    cloud.run(5)
    assert statuses(cloud) == ["done"]


def test_while_the_database_is_down_every_request_fails() -> None:
    cloud = with_faults(Faults(is_database_down=True))

    reply = cloud.request(ShowServer("s"))

    assert isinstance(reply, Fault)
    assert reply.status == 500


def test_disabling_waits_for_a_dead_compute_that_still_counts_as_up() -> None:
    cloud = Cloud(HOSTS)
    cloud.tell(ComputeStopped("c1"))

    slow = cloud.request(UpdateService("c1", disabled=True))
    cloud.request(UpdateService("c1", disabled=False, forced_down=True))
    quick = cloud.request(UpdateService("c1", disabled=True))

    assert slow.after_s > 60
    assert quick.after_s < 1


def test_a_hung_compute_is_down_after_a_minute_unless_its_heartbeats_go_on() -> None:
    cloud = Cloud(HOSTS)
    cloud.tell(ComputeHung("c1"))
    cloud.tell(ComputeHung("c2", reports=True))
    cloud.run(75)

    assert not up(cloud)["c1"]
    assert up(cloud)["c2"]


def test_a_hung_compute_does_what_waited_when_it_wakes() -> None:
    cloud = Cloud(HOSTS, [Server("s", "c1")])
    cloud.tell(ComputeHung("c1"))
    cloud.request(ActOn("s", Verb.STOP))
    cloud.run(30)
    assert cloud.nova.servers["s"].task_state is TaskState.POWERING_OFF

    cloud.tell(ComputeResumed("c1"))
    cloud.run(5)
    assert cloud.nova.servers["s"].status == "SHUTOFF"


def test_candidates_obey_zone_aggregate_group_room_and_state() -> None:
    cloud = Cloud(
        [
            Host("c1"),
            Host("c2", az="other"),
            Host("c3"),
            Host("c4", aggregates=frozenset({"ssd"}), ram_mb=1024),
            Host("c5", aggregates=frozenset({"ssd"})),
        ],
        [
            Server("zoned", "c1", Spec(az="nova")),
            Server("fast", "c1", Spec(aggregate="ssd")),
            Server("big", "c1", Spec(ram_mb=2048)),
            Server("apart", "c1", Spec(group="g")),
            Server("neighbour", "c3", Spec(group="g")),
        ],
    )
    cloud.request(UpdateService("c5", disabled=True))

    def candidates(server: str) -> object:
        reply = cloud.request(ListCandidates(server))
        assert isinstance(reply, Answer)
        return reply.body

    assert candidates("zoned") == ("c3", "c4")
    assert candidates("fast") == ("c4",)
    assert candidates("big") == ("c2", "c3")
    assert candidates("apart") == ("c2", "c4")
