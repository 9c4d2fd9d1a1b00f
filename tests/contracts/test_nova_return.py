"""How Nova was seen to let a dead host in again."""

from tests.cloud.cloud_client import until

from .nova_under_test import MOVED_S, UnderTest, message, place, task

DONE_RECORDS = (
    "Unable to force up host c1 as `done` evacuation migration records remain associated with the "
    "host. Ensure the compute service has been restarted, allowing these records to move to "
    "`completed` before retrying this request."
)


def evacuated(under_test: UnderTest) -> str:
    server = under_test.booted()
    under_test.die()
    assert under_test.evacuate(server, "2.94").status == 200
    under_test.ended(server)
    return server


class TestForcingUpBeforeNovaComputeRestarted:
    def test_is_refused(self, under_test: UnderTest) -> None:
        evacuated(under_test)

        refused = under_test.nova.set_service("c1", forced_down=False)

        assert (refused.status, message(refused)) == (400, DONE_RECORDS)


class TestARestartOfTheSource:
    def test_completes_the_records_and_frees_the_source(self, under_test: UnderTest) -> None:
        server = evacuated(under_test)

        under_test.machines.start_compute("c1")

        until(lambda: under_test.statuses(server) == ["completed"], MOVED_S)
        until(lambda: under_test.allocated_on(server) == 1, MOVED_S)

    def test_lets_it_be_forced_up_and_be_up(self, under_test: UnderTest) -> None:
        server = evacuated(under_test)
        under_test.machines.start_compute("c1")
        until(lambda: under_test.statuses(server) == ["completed"], MOVED_S)

        assert under_test.nova.set_service("c1", forced_down=False).status == 200

        until(lambda: bool(under_test.nova.service("c1")["state"] == "up"), MOVED_S)

    def test_destroys_what_still_ran_there(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.machines.kill_compute("c1")
        under_test.force_down("c1")
        under_test.evacuate(server, "2.94")
        host = place(under_test.ended(server))[1]
        assert under_test.machines.runs_on(server) == {"c1", host}

        under_test.machines.start_compute("c1")

        until(lambda: under_test.machines.runs_on(server) == {host}, MOVED_S)

    def test_leaves_the_record_of_who_was_not_evacuated(self, under_test: UnderTest) -> None:
        """Nova goes on saying ACTIVE of a server that nothing runs of any more."""
        moved, left = under_test.booted(name="moved"), under_test.booted(name="left")
        under_test.die()
        under_test.evacuate(moved)
        under_test.ended(moved)

        under_test.machines.start_compute("c1")
        until(lambda: under_test.statuses(moved) == ["completed"], MOVED_S)

        assert place(under_test.nova.server(left)) == ("ACTIVE", "c1")
        assert under_test.machines.runs_on(left) == set()


class TestTheSourceComesBackInTheMiddle:
    def test_its_record_stays_done_and_a_second_restart_is_needed(
        self, under_test: UnderTest
    ) -> None:
        server = under_test.booted()
        under_test.die()
        under_test.machines.take_time()
        under_test.evacuate(server)
        until(lambda: under_test.statuses(server) == ["pre-migrating"], MOVED_S)
        under_test.wait_for(server, lambda it: task(it) == "rebuild_spawning")

        under_test.machines.start_compute("c1")
        until(lambda: under_test.statuses(server) == ["done"], MOVED_S)
        refused = under_test.nova.set_service("c1", forced_down=False)
        under_test.machines.kill_compute("c1")
        under_test.machines.start_compute("c1")
        until(lambda: under_test.statuses(server) == ["completed"], MOVED_S)

        assert (refused.status, message(refused)) == (400, DONE_RECORDS)
        assert under_test.nova.set_service("c1", forced_down=False).status == 200
