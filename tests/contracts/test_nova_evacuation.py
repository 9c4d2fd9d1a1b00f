"""What Nova was seen to do with servers of a dead host: the rows that end in a move."""

from tests.cloud.cloud_client import until

from .nova_under_test import MOVED_S, UnderTest, is_open, message, place, task

NO_HOST = "No valid host was found."


class TestAnActiveServer:
    def test_runs_at_its_new_host_below_2_95(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        assert under_test.evacuate(server, "2.94").status == 200
        moved = under_test.ended(server)

        status, host = place(moved)
        assert status == "ACTIVE"
        assert host != "c1"
        assert under_test.machines.runs_on(server) == {host}

    def test_is_stopped_at_its_new_host_from_2_95(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        assert under_test.evacuate(server, "2.95").status == 200
        moved = under_test.ended(server)

        status, host = place(moved)
        assert status == "SHUTOFF"
        assert host != "c1"
        assert under_test.machines.runs_on(server) == set()

    def test_goes_where_it_is_sent(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        assert under_test.evacuate(server, host="c4").status == 200

        assert place(under_test.ended(server)) == ("SHUTOFF", "c4")

    def test_is_answered_without_a_body_from_2_14(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        assert under_test.evacuate(server).body is None


class TestTheWayThere:
    def test_shows_active_without_a_task_while_it_is_still_on_the_source(
        self, under_test: UnderTest
    ) -> None:
        """Whoever waits for ACTIVE alone believes too early."""
        server = under_test.booted()
        under_test.die()
        under_test.machines.take_time()
        under_test.evacuate(server)

        seen = under_test.wait_for(server, lambda it: it["status"] == "ACTIVE" and not task(it))

        assert place(seen) == ("ACTIVE", "c1")
        assert is_open(under_test.records(server)[0])

    def test_is_a_record_from_accepted_to_done_that_names_its_destination(
        self, under_test: UnderTest
    ) -> None:
        server = under_test.booted()
        under_test.die()
        with under_test.machines.nobody_scheduled():
            under_test.evacuate(server)
            [first] = under_test.records(server)

        moved = under_test.ended(server)
        [last] = under_test.records(server)

        assert (first["status"], first["dest_compute"]) == ("accepted", None)
        assert first["migration_type"] == "evacuation"
        assert (last["status"], last["dest_compute"]) == ("done", place(moved)[1])


class TestAStoppedServer:
    def test_stays_stopped(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.acted(server, "os-stop", None, "SHUTOFF")
        under_test.die()

        assert under_test.evacuate(server, "2.94").status == 200
        moved = under_test.ended(server)

        assert moved["status"] == "SHUTOFF"
        assert place(moved)[1] != "c1"


class TestAServerInError:
    def test_is_active_afterwards_even_from_2_95(self, under_test: UnderTest) -> None:
        """Nobody knows what it was before, so nothing stops it."""
        server = under_test.booted()
        under_test.acted(server, "os-resetState", {"state": "error"}, "ERROR")
        under_test.die()

        assert under_test.evacuate(server, "2.95").status == 200
        moved = under_test.ended(server)

        assert moved["status"] == "ACTIVE"
        assert under_test.machines.runs_on(server) == {place(moved)[1]}


class TestALockedServer:
    def test_is_moved_for_an_admin_and_stays_locked(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.nova.act(server, "lock", {"locked_reason": "backup"})
        under_test.die()

        assert under_test.evacuate(server).status == 200
        moved = under_test.ended(server)

        assert place(moved)[1] != "c1"
        assert (moved["locked"], moved["locked_reason"]) == (True, "backup")


class TestAServerThatWasAskedToReboot:
    def test_is_moved_all_the_same(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.machines.power_off("c1")
        assert under_test.nova.act(server, "reboot", {"type": "SOFT"}).status == 202
        assert task(under_test.nova.server(server)) == "rebooting"
        under_test.force_down("c1")

        assert under_test.evacuate(server).status == 200

        assert place(under_test.ended(server))[1] != "c1"


class TestAServerBeingDeleted:
    def test_comes_back(self, under_test: UnderTest) -> None:
        """Its user deleted it after the host died: an evacuation resurrects it."""
        server = under_test.booted()
        under_test.machines.power_off("c1")
        assert under_test.nova("DELETE", f"/servers/{server}").status == 204
        assert task(under_test.nova.server(server)) == "deleting"
        under_test.force_down("c1")

        assert under_test.evacuate(server).status == 200

        assert place(under_test.ended(server))[0] == "SHUTOFF"


class TestWithoutCapacity:
    def test_is_accepted_and_ends_in_error_on_the_source(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()
        under_test.disable("c2", "c3", "c4", "c5")

        assert under_test.evacuate(server).status == 200
        failed = under_test.ended(server)

        assert place(failed) == ("ERROR", "c1")
        assert failed["fault"]["message"].startswith(NO_HOST)
        [record] = under_test.records(server)
        assert (record["status"], record["dest_compute"]) == ("error", None)

    def test_works_again_once_a_host_is_free(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()
        under_test.disable("c2", "c3", "c4", "c5")
        under_test.evacuate(server)
        under_test.ended(server)
        under_test.disable("c3", disabled=False)

        assert under_test.evacuate(server).status == 200

        assert place(under_test.ended(server)) == ("ACTIVE", "c3")

    def test_a_disabled_target_is_accepted_and_ends_in_error(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()
        under_test.disable("c2")

        assert under_test.evacuate(server, host="c2").status == 200
        failed = under_test.ended(server)

        assert place(failed) == ("ERROR", "c1")
        assert failed["fault"]["message"].startswith(NO_HOST)


class TestASpawnThatFails:
    def test_ends_in_error_on_the_source_and_no_other_host_is_tried(
        self, under_test: UnderTest
    ) -> None:
        server = under_test.booted()
        under_test.machines.fail_spawns("c2")
        under_test.die()

        assert under_test.evacuate(server, host="c2").status == 200
        failed = under_test.ended(server)

        assert place(failed) == ("ERROR", "c1")
        assert failed["fault"]["message"]
        assert under_test.statuses(server) == ["failed"]

    def test_works_on_another_host(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.machines.fail_spawns("c2")
        under_test.die()
        under_test.evacuate(server, host="c2")
        under_test.ended(server)

        assert under_test.evacuate(server, host="c3").status == 200

        assert place(under_test.ended(server)) == ("ACTIVE", "c3")
        assert under_test.statuses(server) == ["failed", "done"]


class TestOnlyNovaComputeDied:
    def test_the_guest_runs_twice_afterwards(self, under_test: UnderTest) -> None:
        """Nova does not ask whether the host is off. Who evacuates has to know."""
        server = under_test.booted()
        under_test.machines.kill_compute("c1")
        under_test.force_down("c1")

        assert under_test.evacuate(server, "2.94").status == 200
        moved = under_test.ended(server)

        assert under_test.machines.runs_on(server) == {"c1", place(moved)[1]}


class TestASecondEvacuationWhileTheFirstRuns:
    def test_is_accepted_and_opens_a_second_record(self, under_test: UnderTest) -> None:
        """Nova has no guard, for its save expects any task state: so a send is never repeated.

        How the two end differs from run to run on a real one, and a record may stay open for ever.
        """
        server = under_test.booted()
        under_test.die()
        under_test.machines.take_time()
        first = under_test.evacuate(server, host="c4")
        under_test.wait_for(server, lambda it: task(it) is not None)

        second = under_test.evacuate(server, host="c5")
        until(lambda: not all(is_open(each) for each in under_test.records(server)), MOVED_S)

        assert (first.status, second.status) == (200, 200)
        assert len(under_test.records(server)) == 2
        assert set(under_test.statuses(server)) != {"done"}


class TestStopWhileEvacuating:
    def test_is_refused(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()
        under_test.machines.take_time()
        under_test.evacuate(server)

        refused = under_test.nova.act(server, "os-stop", None)

        assert refused.status == 409
        assert message(refused) == (
            f"Cannot 'stop' instance {server} while it is in task_state rebuilding"
        )
        under_test.ended(server)


class TestPlacement:
    def test_holds_the_server_on_both_hosts_until_the_source_is_back(
        self, under_test: UnderTest
    ) -> None:
        server = under_test.booted()
        assert under_test.allocated_on(server) == 1
        under_test.die()
        under_test.evacuate(server)
        under_test.ended(server)

        assert under_test.allocated_on(server) == 2
