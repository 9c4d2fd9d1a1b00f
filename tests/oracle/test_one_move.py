"""I16: one move of a server is in flight, and no open record of it that anybody may go on with."""

from dataclasses import replace

import pytest
from tests.oracle.history import C1, C2, C3, C4, S1, History, record, seen, story

from ninelives.core import actions as do
from ninelives.core import events as on
from ninelives.core.model import HostId
from ninelives.sim import happenings as so

FIRST = do.Evacuate(S1, C1, C2, 1, 1)


@pytest.mark.parametrize("outcome", [on.Outcome.UNKNOWN, on.Outcome.DONE])
def test_a_second_move_before_the_end_of_the_first_is_seen_breaks_i16(outcome: on.Outcome) -> None:
    told = story().evacuating().sent().replied(FIRST, outcome)
    told.decided(on.DomainsSeen(do.LookForDomain(S1, (C2,), 1), ((C2, False),)))

    assert told.sent(target=C3, attempt=2).laws == {"I16"}


def test_a_record_without_an_end_breaks_i16() -> None:
    told = story().evacuating().watched(seen(S1, C1, record("accepted", target=C3)))
    told.decided(on.DomainsSeen(do.LookForDomain(S1, (C3,), 1), ((C3, False),)))

    assert told.sent().laws == {"I16"}


def left_open(status: str, condition: str, target: HostId = C3) -> History:
    """Tell of an old evacuation to c3 that is still open when c3 died, and was looked at."""
    told = story().evacuating().watched(seen(S1, C1, record(status, target=target)))
    told.truly(so.HostChanged(C3, condition, None), so.HostChanged(C3, "running", None))
    return told.decided(on.DomainsSeen(do.LookForDomain(S1, (target,), 1), ((target, False),)))


def test_a_record_whose_work_died_with_its_host_is_over() -> None:
    assert left_open("pre-migrating", "off").sent().laws == set()


@pytest.mark.parametrize(
    ("status", "condition", "target"),
    [("accepted", "off", C3), ("pre-migrating", "frozen", C3), ("pre-migrating", "off", C4)],
)
def test_a_record_that_somebody_may_go_on_with_breaks_i16(
    status: str, condition: str, target: HostId
) -> None:
    assert left_open(status, condition, target).sent().laws == {"I16"}


def seen_open_after_a_boot(starts: bool) -> History:
    """Tell of a host that boots, and of its old live migration of which nobody had heard."""
    told = story().truly(so.HostChanged(C3, "off", None), so.HostChanged(C3, "running", None))
    if starts:
        told.truly(so.ComputeStarted(C3))
    cut_short = replace(record("preparing", target=C4), kind="live-migration", source=C3)
    told.evacuating().watched(seen(S1, C1, cut_short))
    return told.decided(
        on.DomainsSeen(do.LookForDomain(S1, (C3, C4), 1), ((C3, False), (C4, False)))
    )


def test_what_a_gate_holds_back_is_at_no_work() -> None:
    assert seen_open_after_a_boot(starts=False).sent().laws == set()


def test_what_runs_may_be_at_work_on_a_record_that_is_seen_only_now() -> None:
    assert seen_open_after_a_boot(starts=True).sent().laws == {"I16"}


def test_a_send_that_died_with_its_target_may_be_followed_by_another() -> None:
    told = story().evacuating().sent().replied(FIRST)
    told.watched(seen(S1, C1, record("pre-migrating")))
    told.decided(on.DomainsSeen(do.LookForDomain(S1, (C2,), 1), ((C2, False),)))
    told.truly(so.HostChanged(C2, "off", None), so.HostChanged(C2, "running", None))

    assert told.sent(target=C3, attempt=2).laws == set()


def test_after_the_record_failed_it_may_go_elsewhere() -> None:
    told = story().evacuating().sent().replied(FIRST)
    told.watched(seen(S1, C1, record("failed")))
    told.decided(on.DomainsSeen(do.LookForDomain(S1, (C2,), 1), ((C2, False),)))

    assert told.sent(target=C3, attempt=2).laws == set()


def migrated_on(source: HostId) -> History:
    """Tell of our live migration to c3 that ended, and of another to c1, which died."""
    told = story().acted(do.LiveMigrate(S1, C2, 1, 1)).evacuating()
    ended = replace(record("completed", target=C3), kind="live-migration", source=C2)
    cut_short = replace(record("running", 2, target=C1), kind="live-migration", source=source)
    return told.watched(seen(S1, C1, ended, cut_short)).decided(
        on.DomainsSeen(do.LookForDomain(S1, (C3,), 1), ((C3, False),))
    )


def test_a_live_migration_that_ended_is_over_whatever_a_user_began_after_it() -> None:
    assert "I16" not in migrated_on(C3).sent(target=C4).laws


def test_a_live_migration_from_where_it_was_asked_may_be_the_one_that_was_asked() -> None:
    assert "I16" in migrated_on(C2).sent(target=C4).laws


def arrived_and_died(at_home: HostId = C1) -> History:
    """Tell of a live migration to c1 that stands open at Nova when c1 dies."""
    told = story().acted(do.LiveMigrate(S1, C2, 1, 1)).evacuating()
    open_record = replace(record("running", target=C1), kind="live-migration", source=C2)
    return told.watched(seen(S1, at_home, open_record))


def test_a_live_migration_is_over_when_its_target_died_and_its_source_has_no_domain() -> None:
    told = arrived_and_died()
    told.decided(on.DomainsSeen(do.LookForDomain(S1, (C2,), 1), ((C2, False),)))

    assert told.sent(target=C3).laws == set()


def test_a_live_migration_whose_source_nobody_looked_at_is_not_over() -> None:
    assert "I16" in arrived_and_died().sent(target=C3).laws


def test_a_live_migration_that_had_not_arrived_is_not_over() -> None:
    told = arrived_and_died(at_home=C2)
    told.decided(on.DomainsSeen(do.LookForDomain(S1, (C2,), 1), ((C2, False),)))

    assert "I16" in told.sent(target=C3).laws


def test_a_reboot_is_over_when_its_host_died_after_it() -> None:
    told = story().acted(do.HardReboot(S1, C1, 0, 1)).evacuating()

    assert told.sent().laws == set()


def test_a_reboot_in_place_is_not_over_by_the_proof_that_led_its_host_back() -> None:
    told = story().evacuating().acted(do.HardReboot(S1, C1, 1, 1))

    assert "I16" in told.sent(attempt=2).laws


def unknown_and_gone(settle_s: float) -> History:
    told = story().evacuating().sent().replied(FIRST, on.Outcome.UNKNOWN).after(settle_s)
    told.watched(seen()).after(2).watched(seen())
    return told.decided(on.DomainsSeen(do.LookForDomain(S1, (C2,), 1), ((C2, False),)))


def test_no_record_counts_only_late_enough() -> None:
    assert unknown_and_gone(100).sent(target=C2, attempt=2).laws == {"I16"}


def test_no_record_read_twice_allows_the_same_target_again() -> None:
    assert unknown_and_gone(310).sent(target=C2, attempt=2).laws == set()


def test_no_record_read_twice_allows_no_other_target() -> None:
    assert unknown_and_gone(310).sent(target=C3, attempt=2).laws == {"I16"}


def test_no_record_read_twice_allows_another_target_while_the_first_is_proved_dead() -> None:
    told = unknown_and_gone(310).died(C2).proved(C2)

    assert told.sent(target=C3, attempt=2).laws == set()
