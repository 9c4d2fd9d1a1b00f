"""Leave for N more shots in a storm is N hosts more, however long it lasts, whoever leads."""

from tests.core.arrangements import C1, NOW, both, control, fresh, record
from tests.core.small_cloud import K1

from ninelives.core import events as on
from ninelives.core import states as at
from ninelives.core.brakes import Brake, holding
from ninelives.core.draft import Draft
from ninelives.core.model import DomainId, HostId
from ninelives.core.policy import BALANCED
from ninelives.core.states import Class
from ninelives.core.storms import calm, forget
from ninelives.core.terms import began

ALL = DomainId("all")
DEAD = Class.DEAD_OR_FROZEN
COUNTED_S = BALANCED.off_timeout_s + BALANCED.storm_window_s


def in_a_storm(leave: int, *shots: tuple[str, float]) -> Draft:
    """c1 needs a shot, others were shot so many seconds ago. A domain of four takes one."""
    draft = fresh()
    both(
        record(state=at.Suspect(NOW - 5, DEAD, NOW - 5)),
        control(
            shots=tuple((NOW - ago_s, HostId(host)) for host, ago_s in shots),
            storm_allowed=tuple((domain, leave) for domain in draft.site(C1).domains),
        ),
    )(draft)
    return draft


def left(draft: Draft) -> int:
    return dict(draft.control.storm_allowed)[ALL]


def test_leave_that_was_used_up_does_not_come_back_with_the_next_window() -> None:
    draft = in_a_storm(2, ("c2", COUNTED_S), ("c3", 60.0), ("c4", 60.0))
    forget(draft)

    assert left(draft) == 1
    assert holding(draft, C1, DEAD) is Brake.STORM


def test_the_shot_that_needed_no_leave_takes_none_with_it() -> None:
    draft = in_a_storm(1, ("c2", COUNTED_S))
    forget(draft)

    assert (draft.control.shots, left(draft)) == ((), 1)


def test_who_shoots_by_the_next_window_asks_with_what_is_left() -> None:
    draft = in_a_storm(1, ("c2", COUNTED_S), ("c3", 60.0))
    assert holding(draft, C1, DEAD) is None  # as if the leave had not been used

    forget(draft)
    assert holding(draft, C1, DEAD) is Brake.STORM


def test_a_new_leader_has_no_leave_that_was_used_up() -> None:
    draft = in_a_storm(2, ("c2", 300.0), ("c3", 60.0))
    began(draft, on.TermBegan(2, K1))

    assert {host for _, host in draft.control.shots} == {"c2", "c3"}
    assert left(draft) == 1


def test_a_new_leader_keeps_what_was_not_used() -> None:
    draft = in_a_storm(2, ("c2", 300.0))
    began(draft, on.TermBegan(2, K1))

    assert left(draft) == 2


def test_leave_for_a_domain_whose_last_host_left_the_inventory_is_over() -> None:
    draft = in_a_storm(2, ("c2", 60.0))
    gone = (DomainId("rack:sold"), 1)
    control(storm_allowed=(*draft.control.storm_allowed, gone))(draft)
    calm(draft)

    assert gone not in draft.control.storm_allowed
    assert left(draft) == 2
