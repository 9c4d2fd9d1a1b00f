"""What a leader is told of Nova's services: signs of life in Nova's own time, and canaries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ninelives.adapters.nova.health import Health, answers_of
from ninelives.adapters.nova.services import Roll
from ninelives.adapters.nova.views import Names, ServiceRow
from ninelives.adapters.nova.watch import Records, Watched
from ninelives.core.events import NovaSeen
from ninelives.core.model import HostId

C1 = HostId("c1")
THERE = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)
UP = ServiceRow(
    id="1",
    host="c1",
    binary="nova-compute",
    zone="nova",
    is_known=True,
    is_up=True,
    is_disabled=False,
    reason="",
    is_forced_down=False,
    reported_at=THERE,
)
AGENTLESS = Watched(frozenset({C1}), lambda _: 30.0)
WITH_AGENT = Watched(frozenset(), lambda _: 30.0)


USUAL = (C1, True, False, False, False, True)


def roll(*rows: ServiceRow, at_s: float | None = 0.0) -> Roll:
    return Roll(rows, None if at_s is None else THERE + timedelta(seconds=at_s))


def reported(at_s: float, **changes: bool) -> ServiceRow:
    row = replace(UP, reported_at=THERE + timedelta(seconds=at_s))
    return replace(row, is_up=changes.get("is_up", True))


def lives(*looks: tuple[float, Roll | None], watched: Watched = AGENTLESS) -> list[bool | None]:
    """Return what was told after each look: life, none, or nothing new (None)."""
    records = Records(Names(), watched)
    told = [records.seen(seen, now) for now, seen in looks]
    return [events[-1].has_advanced if events else None for events in told]


def test_nothing_is_told_of_a_host_in_service() -> None:
    assert Records(Names(), WITH_AGENT).seen(roll(UP), 0.0) == []


def test_a_record_at_its_first_sight_is_no_sign_of_life() -> None:
    assert lives((0.0, roll(UP))) == [None]


def test_a_record_that_grew_twice_is_a_sign_of_life_and_told_once() -> None:
    looks = [(5.0 * n, roll(reported(5.0 * n), at_s=5.0 * n)) for n in range(5)]

    assert lives(*looks) == [None, None, True, None, None]


ALIVE: list[tuple[float, Roll | None]] = [
    (5.0 * n, roll(reported(5.0 * n), at_s=5.0 * n)) for n in range(3)
]


def test_a_record_that_stands_still_is_no_sign_after_its_silence() -> None:
    stands = [(now, roll(reported(10.0), at_s=now)) for now in (15.0, 39.0, 41.0)]

    assert lives(*ALIVE, *stands) == [None, None, True, None, None, False]


def test_the_age_of_a_report_is_counted_by_novas_clock() -> None:
    # Nova's clock is an hour ahead of the database's that writes the reports: all are stale.
    ahead = [(5.0 * n, roll(reported(5.0 * n), at_s=5.0 * n + 3600.0)) for n in range(4)]

    assert lives(*ahead) == [None, None, None, None]


def test_without_a_date_the_newest_report_tells_the_time() -> None:
    other = replace(UP, host="c9", reported_at=THERE + timedelta(seconds=60))
    looks = [(5.0 * n, roll(reported(5.0 * n), at_s=None)) for n in range(3)]
    looks += [(15.0, roll(reported(10.0), other, at_s=None))]

    assert lives(*looks) == [None, None, True, False]


def test_a_list_that_a_cache_repeats_keeps_nobody_alive() -> None:
    same = [(now, ALIVE[-1][1]) for now in (20.0, 39.0, 41.0)]

    assert lives(*ALIVE, *same) == [None, None, True, None, None, False]


def test_nobody_is_alive_for_long_while_nova_does_not_answer() -> None:
    away: list[tuple[float, Roll | None]] = [(now, None) for now in (20.0, 39.0, 41.0, 46.0)]

    assert lives(*ALIVE, *away) == [None, None, True, None, None, False, None]


def test_a_host_in_a_cell_that_is_down_is_not_alive_for_long() -> None:
    unknown = replace(UP, is_known=False, reported_at=None)

    assert lives(*ALIVE, (45.0, roll(unknown, at_s=45.0))) == [None, None, True, False]


def test_a_write_of_somebody_else_is_no_sign_of_life() -> None:
    # Measured with a real Nova: disabling and forcing down a dead host made its record grow.
    disabled = replace(reported(60.0), is_disabled=True, reason="ninelives:7")
    forced = replace(disabled, is_forced_down=True, reported_at=THERE + timedelta(seconds=65))
    quiet = [(now, roll(forced, at_s=now)) for now in (70.0, 75.0)]

    told = lives(
        (0.0, roll(reported(0.0))),
        (60.0, roll(disabled, at_s=60.0)),
        (65.0, roll(forced, at_s=65.0)),
        *quiet,
    )

    assert told == [None, False, False, None, None]


FORCED: list[tuple[float, Roll | None]] = [
    (now, roll(replace(reported(at_s, is_up=False), is_forced_down=True), at_s=now))
    for now, at_s in (
        (0.0, 0.0),
        (5.0, 0.0),
        (10.0, 10.0),
        (20.0, 20.0),
        (49.0, 20.0),
        (51.0, 20.0),
    )
]


def test_who_is_forced_down_and_reports_all_the_same_is_told_until_it_stands_still() -> None:
    records = Records(Names(), WITH_AGENT)

    told = [records.seen(seen, now) for now, seen in FORCED]

    news = [each.still_reports for events in told for each in events]
    assert [len(events) for events in told] == [1, 0, 0, 1, 0, 1]
    assert news == [False, True, False]
    assert not any(each.has_advanced for events in told for each in events)


def test_nobody_who_is_forced_down_reports_for_long_while_nova_does_not_answer() -> None:
    records = Records(Names(), WITH_AGENT)
    away: list[tuple[float, Roll | None]] = [(now, None) for now in (30.0, 49.0, 51.0, 60.0)]

    told = [records.seen(seen, now) for now, seen in (*FORCED[:4], *away)]

    assert [[each.still_reports for each in events] for events in told[3:]] == [
        *([True], [], []),
        *([False], []),
    ]


def test_a_change_that_was_undone_between_two_looks_revives_nobody() -> None:
    looks = [(0.0, roll(reported(0.0))), (60.0, roll(reported(57.0), at_s=60.0))]
    looks += [(now, roll(reported(57.0), at_s=now)) for now in (65.0, 70.0)]

    assert lives(*looks) == [None, None, None, None]


def test_two_such_changes_an_hour_apart_revive_nobody_either() -> None:
    undone = [(at, roll(reported(at), at_s=at)) for at in (60.0, 3660.0)]

    assert lives((0.0, roll(reported(0.0))), *undone) == [None, None, None]


def test_a_host_that_lives_stays_alive_while_it_is_disabled() -> None:
    rows = [replace(reported(at), is_disabled=True, reason="x") for at in (15.0, 25.0, 35.0)]
    looks = [(15.0 + 10.0 * n, roll(row, at_s=15.0 + 10.0 * n)) for n, row in enumerate(rows)]

    assert lives(*ALIVE, *looks) == [None, None, True, True, None, None]


def test_where_an_agent_signs_only_the_way_back_up_is_a_sign() -> None:
    down, up = roll(reported(0.0, is_up=False)), roll(reported(5.0), at_s=5.0)

    assert lives((0.0, down), (5.0, up), watched=WITH_AGENT) == [False, True]


@pytest.mark.parametrize(
    ("row", "is_ours"),
    [
        (replace(UP, is_disabled=True, reason="ninelives:7"), True),
        (replace(UP, is_disabled=True, reason="disk is failing"), False),
        (replace(UP, is_disabled=True, reason="AUTO: Connection to libvirt lost: 1"), True),
        (replace(UP, is_forced_down=True), False),
        (replace(UP, is_forced_down=True, is_disabled=True, reason="ninelives:7"), True),
        (replace(UP, is_forced_down=True, is_disabled=True, reason="AUTO: x"), False),
        (replace(UP, is_forced_down=True, is_disabled=True, reason="mine"), False),
    ],
)
def test_what_an_operator_did_is_not_ours(row: ServiceRow, is_ours: bool) -> None:
    [seen] = Records(Names(), WITH_AGENT).seen(roll(row), 0.0)

    assert seen == NovaSeen(C1, True, False, row.is_forced_down, row.is_disabled, is_ours)


@pytest.mark.parametrize(
    ("row", "is_reserve"),
    [
        (replace(UP, is_disabled=True, reason="ninelives:reserve"), True),
        (replace(UP, is_disabled=True, reason="Reserved for failover"), True),
        (replace(UP, is_disabled=True, reason="disk is failing"), False),
        (replace(UP, is_disabled=True, reason="ninelives:7"), False),
        (replace(UP, reason="ninelives:reserve"), False),
    ],
)
def test_the_reason_says_what_is_kept_in_reserve(row: ServiceRow, is_reserve: bool) -> None:
    [seen] = Records(Names(), WITH_AGENT).seen(roll(row), 0.0) or [NovaSeen(*USUAL)]

    assert seen.is_reserve is is_reserve


# Canaries.


def service(binary: str, host: str = "ctl", at_s: float = 0.0, is_up: bool = True) -> ServiceRow:
    at = THERE + timedelta(seconds=at_s)
    return replace(UP, binary=binary, host=host, reported_at=at, is_up=is_up)


def computes(at_s: float) -> list[ServiceRow]:
    return [service("nova-compute", f"c{n}", at_s) for n in range(3)]


def ill(*looks: tuple[float, Roll | None]) -> list[str]:
    """Return who is ill after the last look."""
    health = Health()
    answers = [answers_of(health, seen, now) for now, seen in looks]
    return sorted(name for name, is_ok in answers[-1].items() if not is_ok)


def test_an_api_that_does_not_answer_is_ill() -> None:
    assert ill((0.0, None)) == ["nova"]


def test_one_scheduler_and_one_conductor_are_enough() -> None:
    two = [service("nova-scheduler", "a", is_up=False), service("nova-scheduler", "b")]

    assert ill((0.0, roll(*two, service("nova-conductor", is_up=False)))) == ["conductor"]


def test_what_is_not_shown_is_not_judged() -> None:
    assert ill((0.0, roll())) == []


def test_a_database_into_which_nobody_writes_is_ill() -> None:
    rows = [service("nova-conductor"), *computes(0.0)]

    assert ill((0.0, roll(*rows)), (44.0, roll(*rows))) == []
    assert ill((0.0, roll(*rows)), (46.0, roll(*rows))) == ["bus", "database"]


def test_a_bus_over_which_no_report_comes_is_ill() -> None:
    looks = [
        (now, roll(service("nova-conductor", at_s=now), *computes(0.0))) for now in (0.0, 46.0)
    ]

    assert ill(*looks) == ["bus"]


def test_two_computes_may_well_be_down_together() -> None:
    few = computes(0.0)[:2]
    looks = [(now, roll(service("nova-conductor", at_s=now), *few)) for now in (0.0, 46.0)]

    assert ill(*looks) == []


def test_only_changes_are_told() -> None:
    health = Health()

    told = [health.changed({"nova": is_ok}) for is_ok in (True, False, False, True)]

    assert told == [[], [("nova", False)], [], [("nova", True)]]
