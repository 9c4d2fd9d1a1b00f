"""The laws of `ports.Compute`, kept by the adapter that speaks to Nova over HTTP.

What happens behind Nova's back is done by the `cloud` fixture; all else is asked of the port.
"""

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud, until

from ninelives.core.events import Outcome
from ninelives.core.model import HostId, ServerId, ServerSeen, VmState
from ninelives.engine.errors import PortError
from ninelives.engine.ports import Compute

from .compute_site import C1, C2, C3, Site3, arrived, one

NOBODY = ServerId("00000000-0000-0000-0000-000000000000")


@pytest.fixture
def site(cloud: Cloud, tmp_path: Path) -> Generator[Site3]:
    yield Site3(cloud, tmp_path)
    assert cloud.ran_twice() == {}


class TestListing:
    def test_shows_everybody_on_a_host(self, site: Site3) -> None:
        expected = site.servers_on(C1)

        servers, is_complete = site.ask(lambda compute: compute.list_servers(C1))

        assert sorted(seen.id for seen in servers) == sorted(expected)
        assert is_complete
        assert {(seen.host, seen.vm_state, seen.is_running) for seen in servers} == {
            (C1, VmState.ACTIVE, True)
        }

    def test_shows_who_moves_there(self, site: Site3) -> None:
        site.cloud.reset(live_migration_s=60.0)
        coming = site.servers_on(C2)[0]
        site.nova.act(coming, "os-migrateLive", {"host": "c1", "block_migration": "auto"})
        until(lambda: bool(site.nova("GET", "/os-migrations?status=running").body["migrations"]))

        servers, _ = site.ask(lambda compute: compute.list_servers(C1))

        [seen] = [each for each in servers if each.id == coming]
        [record] = seen.records
        assert (record.kind, record.source, record.target) == ("live-migration", C2, C1)
        assert not record.is_final

    def test_shows_who_still_holds_room_there(self, site: Site3) -> None:
        async def story(compute: Compute) -> tuple[ServerSeen, ...]:
            await compute.evacuate(moved, C2)
            await arrived(compute, moved, C2)
            servers, _ = await compute.list_servers(C1)
            return servers

        moved, stays = site.kill(C1)

        servers = site.ask(story)

        assert {seen.id: seen.host for seen in servers} == {moved: C2, stays: C1}

    def test_raises_where_nova_does_not_answer(self, site: Site3) -> None:
        async def story(compute: Compute) -> object:
            site.cloud.set_faults(api="error_500")
            return await compute.list_servers(C1)

        with pytest.raises(PortError):
            site.ask(story)

    def test_raises_where_placement_does_not_answer(self, site: Site3) -> None:
        site.cloud.control("PUT", "/apis/placement", {"api": "error_500"})

        with pytest.raises(PortError):
            site.ask(lambda compute: compute.list_servers(C1))


class TestShowing:
    def test_a_server_that_is_no_more_is_shown_deleted(self, site: Site3) -> None:
        server = site.servers_on(C1)[0]
        site.nova("DELETE", f"/servers/{server}")
        until(lambda: site.nova("GET", f"/servers/{server}").status == 404)

        seen = site.ask(lambda compute: one(compute, server))

        assert (seen.id, seen.vm_state) == (server, VmState.DELETED)

    def test_many_are_shown_as_each_alone_would_be(self, site: Site3) -> None:
        async def story(compute: Compute) -> tuple[list[ServerSeen], list[ServerSeen]]:
            everybody = tuple(each for host in (C1, C2, C3) for each in before[host])
            await compute.show(everybody)
            await asyncio.to_thread(happens)
            await asyncio.sleep(3.1)  # Nova counts changes, and its own time, in seconds
            together = list(await compute.show(everybody))
            return together, [await one(compute, each) for each in everybody]

        def happens() -> None:
            site.kill(C1)
            site.cloud.login("demo").act(before[C2][0], "os-stop")
            site.nova("DELETE", f"/servers/{before[C3][0]}")
            site.nova.act(before[C1][0], "evacuate", {"host": "c2"})
            site.settled(before[C2][0], C2)
            site.settled(before[C1][0], C2)
            until(lambda: site.nova("GET", f"/servers/{before[C3][0]}").status == 404)

        before = {host: site.servers_on(host) for host in (C1, C2, C3)}

        together, alone = site.ask(story)

        assert together == alone
        states = {seen.id: seen for seen in together}
        assert states[before[C3][0]].vm_state is VmState.DELETED
        assert states[before[C2][0]].user_action == "stop"
        assert [record.status for record in states[before[C1][0]].records] == ["done"]

    def test_raises_where_nova_does_not_answer(self, site: Site3) -> None:
        async def story(compute: Compute) -> object:
            site.cloud.set_faults(api="unavailable_503")
            return await one(compute, server)

        server = site.servers_on(C1)[0]

        with pytest.raises(PortError):
            site.ask(story)


class TestEvacuating:
    def test_goes_to_the_target_that_was_named_and_stays_stopped(self, site: Site3) -> None:
        async def story(compute: Compute) -> tuple[Outcome, ServerSeen]:
            answer = await compute.evacuate(server, C3)
            return answer.outcome, await arrived(compute, server, C3)

        server, _ = site.kill(C1)

        outcome, seen = site.ask(story)

        assert (outcome, seen.vm_state, seen.is_running) == (Outcome.DONE, VmState.STOPPED, False)
        [record] = seen.records
        assert (record.kind, record.source, record.target) == ("evacuation", C1, C3)
        assert record.status == "done"

    @pytest.mark.parametrize(
        ("target", "reason"), [("c1", "same_host"), ("nope", "unknown_host")], ids=str
    )
    def test_refuses_a_target_that_cannot_be(self, site: Site3, target: str, reason: str) -> None:
        server, _ = site.kill(C1)

        answer = site.ask(lambda compute: compute.evacuate(server, HostId(target)))

        assert (answer.outcome, answer.reason) == (Outcome.REFUSED, reason)

    def test_refuses_while_the_source_is_in_use(self, site: Site3) -> None:
        server = site.servers_on(C1)[0]

        answer = site.ask(lambda compute: compute.evacuate(server, C2))

        assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "still_in_use")
        assert "[req-" in answer.detail

    def test_refuses_who_is_no_more(self, site: Site3) -> None:
        answer = site.ask(lambda compute: compute.evacuate(NOBODY, C2))

        assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "no_such_server")

    @pytest.mark.parametrize("state", ["paused", "suspended", "rescued", "resized"])
    def test_refuses_what_nova_cannot_rebuild_until_its_state_is_reset(
        self, site: Site3, state: str
    ) -> None:
        async def story(compute: Compute) -> list[tuple[Outcome, str]]:
            answers = [
                await compute.evacuate(server, C2),
                await compute.reset_state(server),
                await compute.evacuate(server, C2),
            ]
            return [(answer.outcome, answer.reason) for answer in answers]

        server = ServerId(site.cloud.add_server("odd", "c1", vm_state=state))
        site.kill(C1)

        assert site.ask(story) == [
            (Outcome.REFUSED, "bad_state"),
            (Outcome.DONE, ""),
            (Outcome.DONE, ""),
        ]

    @pytest.mark.parametrize(
        ("fault", "outcome", "reason"),
        [
            ("error_500", Outcome.UNKNOWN, "http_5xx"),
            ("timeout_504", Outcome.UNKNOWN, "timeout"),
            ("unavailable_503", Outcome.REFUSED, "http_5xx"),
        ],
    )
    def test_says_what_is_known_when_nova_is_ill(
        self, site: Site3, fault: str, outcome: Outcome, reason: str
    ) -> None:
        async def story(compute: Compute) -> tuple[Outcome, str]:
            site.cloud.set_faults(api=fault)
            answer = await compute.evacuate(server, C2)
            return answer.outcome, answer.reason

        server, _ = site.kill(C1)

        assert site.ask(story) == (outcome, reason)
        site.cloud.set_faults()
        records = site.nova("GET", "/os-migrations").body["migrations"]
        assert len(records) == (fault == "timeout_504"), "sent once, and taken or not"


class TestActing:
    def test_a_server_is_stopped_started_and_rebooted(self, site: Site3) -> None:
        async def story(compute: Compute) -> list[VmState]:
            states: list[VmState] = []
            for order in (compute.stop, compute.start, compute.hard_reboot):
                answer = await order(server)
                assert answer.outcome is Outcome.DONE, answer
                states.append((await arrived(compute, server, C1)).vm_state)
            return states

        server = site.servers_on(C1)[0]

        assert site.ask(story) == [VmState.STOPPED, VmState.ACTIVE, VmState.ACTIVE]

    def test_a_server_is_migrated_alive(self, site: Site3) -> None:
        async def story(compute: Compute) -> ServerSeen:
            answer = await compute.live_migrate(server)
            assert answer.outcome is Outcome.DONE, answer
            return await arrived(compute, server, C2, C3)

        server = site.servers_on(C1)[0]

        seen = site.ask(story)

        assert (seen.vm_state, seen.is_running) == (VmState.ACTIVE, True)

    def test_what_a_state_does_not_allow_is_refused(self, site: Site3) -> None:
        server = site.servers_on(C1)[0]

        answer = site.ask(lambda compute: compute.start(server))

        assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "bad_state")


class TestServices:
    def test_disabling_carries_our_reason_and_is_undone(self, site: Site3) -> None:
        async def story(compute: Compute) -> None:
            assert (await compute.disable(C1, 7)).outcome is Outcome.DONE
            await asyncio.to_thread(says, "disabled", "ninelives:7")
            assert (await compute.enable(C1)).outcome is Outcome.DONE
            await asyncio.to_thread(says, "enabled", None)
            assert (await compute.enable(C1)).outcome is Outcome.DONE, "safe to repeat"

        def says(status: str, reason: str | None) -> None:
            shown = site.nova.service("c1")
            assert (shown["status"], shown["disabled_reason"]) == (status, reason)

        site.ask(story)

    def test_what_an_operator_disabled_stays_the_operators(self, site: Site3) -> None:
        async def story(compute: Compute) -> list[tuple[Outcome, str]]:
            answers = [await compute.disable(C1, 7), await compute.enable(C1)]
            return [(answer.outcome, answer.reason) for answer in answers]

        site.nova.set_service("c1", status="disabled", disabled_reason="disk is failing")

        assert site.ask(story) == [(Outcome.REFUSED, "not_ours")] * 2
        assert site.nova.service("c1")["disabled_reason"] == "disk is failing"

    def test_a_reserved_host_is_taken_into_service_and_given_back(self, site: Site3) -> None:
        async def story(compute: Compute) -> None:
            assert (await compute.reserve(C3, enabled=True)).outcome is Outcome.DONE
            await asyncio.to_thread(says, "enabled")
            assert (await compute.reserve(C3, enabled=False)).outcome is Outcome.DONE
            await asyncio.to_thread(says, "disabled")

        def says(status: str) -> None:
            assert site.nova.service("c3")["status"] == status

        site.nova.set_service("c3", status="disabled", disabled_reason="Reserved, ask ops first")

        site.ask(story)
        assert site.nova.service("c3")["disabled_reason"] == "ninelives:reserve"

    def test_a_reserved_host_that_is_disabled_for_another_reason_is_left_alone(
        self, site: Site3
    ) -> None:
        async def story(compute: Compute) -> list[tuple[Outcome, str]]:
            answers = [await compute.reserve(C3, enabled=enabled) for enabled in (True, False)]
            return [(answer.outcome, answer.reason) for answer in answers]

        site.nova.set_service("c3", status="disabled", disabled_reason="disk is failing")

        assert site.ask(story) == [(Outcome.REFUSED, "not_ours")] * 2
        assert site.nova.service("c3")["disabled_reason"] == "disk is failing"

    def test_what_rests_in_the_reserve_is_not_touched_by_an_outage_of_its_own(
        self, site: Site3
    ) -> None:
        async def story(compute: Compute) -> list[tuple[Outcome, str]]:
            answers = [await compute.disable(C3, 7), await compute.enable(C3)]
            return [(answer.outcome, answer.reason) for answer in answers]

        site.nova.set_service("c3", status="disabled", disabled_reason="ninelives:reserve")

        assert site.ask(story) == [(Outcome.REFUSED, "not_ours"), (Outcome.DONE, "")]
        assert site.nova.service("c3")["disabled_reason"] == "ninelives:reserve"

    def test_forcing_up_waits_for_the_source_to_clean_up(self, site: Site3) -> None:
        async def story(compute: Compute) -> list[tuple[Outcome, str]]:
            answers = [await compute.force_down(C1)]
            await compute.evacuate(server, C2)
            await arrived(compute, server, C2)
            answers.append(await compute.force_up(C1))
            await asyncio.to_thread(comes_back)
            answers.append(await compute.force_up(C1))
            return [(answer.outcome, answer.reason) for answer in answers]

        def comes_back() -> None:
            site.cloud.drive("c1", "on")
            until(lambda: site.nova("GET", "/os-migrations?status=completed").body["migrations"])

        server = site.servers_on(C1)[0]
        site.cloud.drive("c1", "off")

        assert site.ask(story) == [
            (Outcome.DONE, ""),
            (Outcome.REFUSED, "records_done"),
            (Outcome.DONE, ""),
        ]

    def test_an_unknown_host_is_refused(self, site: Site3) -> None:
        answer = site.ask(lambda compute: compute.force_down(HostId("nope")))

        assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "unknown_host")


class TestTargets:
    def test_every_other_host_in_service_is_one(self, site: Site3) -> None:
        server, _ = site.kill(C1)

        found = site.ask(lambda compute: compute.targets(server))

        assert {candidate.host for candidate in found} == {C2, C3}
        assert all(candidate.room > 0 for candidate in found)

    def test_who_is_disabled_or_down_is_none(self, site: Site3) -> None:
        server, _ = site.kill(C1)
        site.nova.set_service("c2", status="disabled", disabled_reason="mine")
        site.nova.set_service("c3", forced_down=True)

        assert site.ask(lambda compute: compute.targets(server)) == ()

    def test_who_is_full_is_none(self, site: Site3) -> None:
        server, _ = site.kill(C1)
        site.cloud.drive("c2", "room", vcpus=2, ram_mb=262_144)

        found = site.ask(lambda compute: compute.targets(server))

        assert [candidate.host for candidate in found] == [C3]

    def test_room_says_how_many_more_fit(self, site: Site3) -> None:
        server, _ = site.kill(C1)
        site.cloud.drive("c2", "room", vcpus=5, ram_mb=262_144)

        found = site.ask(lambda compute: compute.targets(server))

        assert {candidate.host: candidate.room for candidate in found}[C2] == 3

    def test_another_zone_is_none_where_nova_does_not_tell_who_asked_for_one(
        self, site: Site3
    ) -> None:
        site.cloud.reset(zones={"c1": "az1", "c2": "az2", "c3": "az1"})
        server, _ = site.kill(C1)

        found = site.ask(lambda compute: compute.targets(server))

        assert [candidate.host for candidate in found] == [C3]
