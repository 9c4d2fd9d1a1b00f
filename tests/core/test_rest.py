"""An empty host that is proved off rests; what a proof, or somebody else, rests on does not."""

import pytest
from tests.core.arrangements import (
    C1,
    MGMT,
    NOW,
    OLD,
    STORAGE,
    TENANT,
    Arrange,
    both,
    dark,
    fresh,
    plane,
    record,
    storage,
)
from tests.core.small_cloud import CEPH

from ninelives.core import states as at
from ninelives.core.host import look
from ninelives.core.model import EVERYTHING, Covers, Method, Proof, Sign
from ninelives.core.policy import BALANCED
from ninelives.core.states import Stage

OFF = Proof(Method.POWER_OFF, C1, 1, 1, NOW - 900, OLD, EVERYTHING, "off twice")
SHUT_OUT = Proof(
    Method.STORAGE_REVOKED, C1, 1, 1, NOW - 900, OLD, Covers(backends=frozenset({CEPH})), "shut out"
)
REVOKED = at.Revocation(CEPH, in_force=True, asked_at=NOW)


def next_look_s(state: at.HostState, *arrange: Arrange) -> float | None:
    """Return after how long a host of 15 minutes ago is looked at again without news."""
    draft = fresh()
    held = record(epoch=1, state=state, boot=OLD, revocations=(REVOKED,), last_off_at=NOW - 900)
    both(held, dark, *arrange)(draft)
    look(draft, C1)
    due = draft.wakes.get(f"host/{C1}")
    return None if due is None else due - NOW


VACATED = at.Vacated(NOW - 800)
SOAKING = at.Returning(NOW - 90, Stage.SOAKING, NOW - 10, OLD)


def test_an_empty_host_that_is_proved_off_rests() -> None:
    assert next_look_s(VACATED, record(proofs=(OFF,))) == BALANCED.vacated_look_s


@pytest.mark.parametrize(
    "why", [record(proofs=(SHUT_OUT,)), record(proofs=(OFF,), zombie_risk="it lives")]
)
def test_one_that_only_its_storage_shuts_out_does_not(why: Arrange) -> None:
    after_s = next_look_s(VACATED, why)

    assert after_s is not None
    assert after_s <= BALANCED.storage_poll_s


def test_one_that_is_heard_does_not() -> None:
    heard = plane(Sign.WEAK, MGMT)

    assert next_look_s(VACATED, record(proofs=(OFF,)), heard) == BALANCED.look_again_s


@pytest.mark.parametrize(("is_watched", "rests"), [(True, False), (None, False), (False, True)])
def test_one_whose_group_waits_for_its_storage_does_not(
    is_watched: bool | None, *, rests: bool
) -> None:
    group = record(proofs=(OFF,), group="rack:r1@1.5")
    after_s = next_look_s(VACATED, group, storage(is_watched, revoked=True))

    assert (after_s == BALANCED.vacated_look_s) is rests


def test_a_host_that_soaks_well_is_left_alone_until_its_soak_is_over() -> None:
    well = plane(Sign.STRONG, MGMT, STORAGE, TENANT)

    assert next_look_s(SOAKING, well) == BALANCED.soak_s - 10


def test_a_host_that_soaks_and_is_not_well_is_looked_at_again() -> None:
    half_heard = plane(Sign.STRONG, MGMT, STORAGE)

    assert next_look_s(SOAKING, half_heard) == BALANCED.attest_retry_s
