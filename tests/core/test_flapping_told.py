"""L2: a host that falls and rises again and again is told of, whatever it was each time."""

from tests.core.arrangements import C1, fresh

from ninelives.core import actions as do
from ninelives.core.draft import Draft
from ninelives.core.episode import begin, end
from ninelives.core.states import Class


def falls_and_rises(draft: Draft, times: int) -> list[str]:
    for _ in range(times):
        begin(draft, C1, Class.LIBVIRT_HUNG, "R14")
        end(draft, C1, "repaired")
    return [action.what for action in draft.actions if isinstance(action, do.Tell)]


def test_a_host_that_is_repaired_again_and_again_is_told_of() -> None:
    draft = fresh()

    assert falls_and_rises(draft, draft.policy(C1).flap_max) == []
    assert falls_and_rises(draft, 1) == ["flapping"]


def test_what_is_long_past_is_no_flapping() -> None:
    draft = fresh()
    falls_and_rises(draft, draft.policy(C1).flap_max)
    draft.now += draft.policy(C1).flap_window_s

    assert falls_and_rises(draft, 1) == []
