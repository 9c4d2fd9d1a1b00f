"""R8a needs as many witnesses as a plane that is down: one alone proves no hung kernel."""

import pytest
from tests.core.arrangements import C1, MGMT, NOW, STORAGE, TENANT, both, fresh, plane, sees

from ninelives.core.model import Sign, WitnessId
from ninelives.core.rules import judge


@pytest.mark.parametrize(
    ("by", "watching", "rule"),
    [
        (("k1",), ("k1",), "R19"),
        (("k1", "c2"), ("k1", "c2", "c3"), "R19"),
        (("k1", "c2"), ("k1", "c2"), "R8a"),
        (("k1", "c2", "c3"), ("k1", "c2", "c3", "c4"), "R8a"),
    ],
    ids=["never one", "two of three", "two, and no more there are", "three"],
)
def test_a_kernel_is_called_hung_by_as_many_as_a_fence_needs(
    by: tuple[str, ...], watching: tuple[str, ...], rule: str
) -> None:
    draft = fresh(witnesses=tuple(map(WitnessId, watching)))
    weak = plane(Sign.WEAK, MGMT, STORAGE, TENANT, by=by)

    both(sees(heard={}), weak, sees(strong_until=NOW - 60))(draft)

    assert judge(draft, C1).rule == rule
