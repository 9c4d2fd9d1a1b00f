"""What Nova was seen to refuse of a host that died, word for word."""

import pytest

from .nova_under_test import UnderTest, message, place

IN_USE = "Compute service of {host} is still in use."


class TestAServiceThatStillCountsAsUp:
    @pytest.mark.parametrize("version", ["2.14", "2.95"])
    def test_is_refused_while_it_is_alive(self, under_test: UnderTest, version: str) -> None:
        server = under_test.booted()

        refused = under_test.evacuate(server, version)

        assert (refused.status, message(refused)) == (400, IN_USE.format(host="c1"))

    def test_is_refused_when_killed_within_its_time(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.machines.power_off("c1")

        refused = under_test.evacuate(server)

        assert (refused.status, message(refused)) == (400, IN_USE.format(host="c1"))
        assert under_test.records(server) == []


class TestOnSharedStorage:
    def test_is_demanded_below_2_14(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        refused = under_test.evacuate(server, "2.13")

        assert refused.status == 400
        assert "'onSharedStorage' is a required property" in message(refused)

    def test_is_answered_with_a_password_below_2_14(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        accepted = under_test.evacuate(server, "2.13", onSharedStorage=True)

        assert accepted.status == 200
        assert set(accepted.body) == {"adminPass"}

    def test_is_refused_from_2_14(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        refused = under_test.evacuate(server, "2.14", onSharedStorage=True)

        assert refused.status == 400
        assert "('onSharedStorage' was unexpected)" in message(refused)


class TestForce:
    def test_is_refused_from_2_68(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        refused = under_test.evacuate(server, "2.68", host="c2", force=True)

        assert refused.status == 400
        assert "('force' was unexpected)" in message(refused)

    def test_is_accepted_between_2_29_and_2_67(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        assert under_test.evacuate(server, "2.67", host="c2", force=True).status == 200
        assert place(under_test.ended(server))[1] == "c2"


class TestTheTarget:
    def test_cannot_be_the_source(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        refused = under_test.evacuate(server, host="c1")

        assert (refused.status, message(refused)) == (400, "The target host can't be the same one.")

    def test_must_be_known(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()

        refused = under_test.evacuate(server, host="nope")

        assert (refused.status, message(refused)) == (404, "Compute host nope not found.")


class TestStatesThatCannotBeEvacuated:
    @pytest.mark.parametrize(
        ("verb", "arguments", "status", "vm_state"),
        [
            ("pause", None, "PAUSED", "paused"),
            ("suspend", None, "SUSPENDED", "suspended"),
            ("rescue", {}, "RESCUE", "rescued"),
            ("migrate", None, "VERIFY_RESIZE", "resized"),
        ],
    )
    def test_are_a_conflict(
        self, under_test: UnderTest, verb: str, arguments: object, status: str, vm_state: str
    ) -> None:
        server = under_test.booted()
        under_test.acted(server, verb, arguments, status)
        host = place(under_test.nova.server(server))[1]
        under_test.die(host)

        refused = under_test.evacuate(server)

        assert refused.status == 409
        assert message(refused) == (
            f"Cannot 'evacuate' instance {server} while it is in vm_state {vm_state}"
        )


class TestAShelvedServer:
    def test_is_refused_with_a_misleading_message(self, under_test: UnderTest) -> None:
        """It has no host, and neither has the request: they are the same."""
        server = under_test.booted()
        under_test.acted(server, "shelve", None, "SHELVED_OFFLOADED")
        under_test.die()

        refused = under_test.evacuate(server)

        assert (refused.status, message(refused)) == (400, "The target host can't be the same one.")


class TestAServerThatWasEvacuated:
    def test_is_safe_from_a_second_evacuation(self, under_test: UnderTest) -> None:
        server = under_test.booted()
        under_test.die()
        under_test.evacuate(server)
        host = place(under_test.ended(server))[1]

        refused = under_test.evacuate(server)

        assert (refused.status, message(refused)) == (400, IN_USE.format(host=host))
