"""The requests to evacuate that a real Nova was seen to refuse, each with its message."""

import pytest
from tests.nova.five_hosts import HOSTS, dead_host, records, refusal, server_in, status

from ninelives.sim.nova import (
    Cloud,
    ComputeStopped,
    Evacuate,
    Server,
    Spec,
    VmState,
)


def test_a_service_that_is_still_up_refuses() -> None:
    cloud = Cloud(HOSTS, [Server("s", "c1")])
    cloud.run(1)
    cloud.tell(ComputeStopped("c1"))  # killed, and within service_down_time

    reply = cloud.request(Evacuate("s"))

    assert refusal(reply) == (400, "Compute service of c1 is still in use.")
    assert records(cloud) == []


def test_a_killed_service_counts_as_down_a_minute_after_its_last_report() -> None:
    cloud = dead_host(forced_down=False)
    reported = cloud.nova.last_report("c1", cloud.now)

    assert cloud.nova.is_up("c1", reported + 60)
    assert not cloud.nova.is_up("c1", reported + 60.1)


def test_before_2_14_shared_storage_must_be_stated() -> None:
    reply = dead_host().request(Evacuate("s", microversion=(2, 13)))

    assert refusal(reply) == (400, "'onSharedStorage' is a required property")


def test_before_2_14_stating_it_is_enough() -> None:
    reply = dead_host().request(Evacuate("s", microversion=(2, 13), on_shared_storage=True))

    assert status(reply) == 200


def test_from_2_14_shared_storage_must_not_be_stated() -> None:
    reply = dead_host().request(Evacuate("s", microversion=(2, 14), on_shared_storage=True))

    message = "Additional properties are not allowed ('onSharedStorage' was unexpected)"
    assert refusal(reply) == (400, message)


@pytest.mark.parametrize(("version", "expected"), [((2, 67), 200), ((2, 68), 400), ((2, 28), 400)])
def test_force_is_known_from_2_29_to_2_67(version: tuple[int, int], expected: int) -> None:
    reply = dead_host().request(Evacuate("s", "c2", microversion=version, force=True))

    assert status(reply) == expected


def test_force_of_2_68_is_named_as_unexpected() -> None:
    reply = dead_host().request(Evacuate("s", "c2", microversion=(2, 68), force=True))

    assert refusal(reply) == (400, "Additional properties are not allowed ('force' was unexpected)")


def test_the_source_is_no_target() -> None:
    reply = dead_host().request(Evacuate("s", "c1"))

    assert refusal(reply) == (400, "The target host can't be the same one.")


def test_an_unknown_host_is_not_found() -> None:
    reply = dead_host().request(Evacuate("s", "nope"))

    assert refusal(reply) == (404, "Compute host nope not found.")


@pytest.mark.parametrize(
    "vm_state", [VmState.PAUSED, VmState.SUSPENDED, VmState.RESCUED, VmState.RESIZED]
)
def test_states_that_cannot_be_evacuated_are_a_conflict(vm_state: VmState) -> None:
    cloud = dead_host(server_in(vm_state))

    reply = cloud.request(Evacuate("s"))

    message = f"Cannot 'evacuate' instance s while it is in vm_state {vm_state}"
    assert refusal(reply) == (409, message)
    assert records(cloud) == []


def test_a_shelved_server_without_a_host_gets_the_misleading_answer() -> None:
    cloud = dead_host(Server("s", None, vm_state=VmState.SHELVED_OFFLOADED))

    reply = cloud.request(Evacuate("s"))

    assert refusal(reply) == (400, "The target host can't be the same one.")


def test_a_server_with_a_virtual_tpm_is_a_conflict() -> None:
    cloud = dead_host(Server("s", "c1", Spec(has_vtpm=True)))

    assert status(cloud.request(Evacuate("s"))) == 409


def test_a_server_already_evacuated_is_safe_on_its_new_host() -> None:
    cloud = dead_host()
    cloud.request(Evacuate("s", "c3"))
    cloud.run(5)

    reply = cloud.request(Evacuate("s"))

    assert refusal(reply) == (400, "Compute service of c3 is still in use.")
