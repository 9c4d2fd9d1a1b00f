"""What the mind is told of sightings: only news, all of it, and nothing stale."""

from pathlib import Path

import pytest

from ninelives.adapters.sql import open_store
from ninelives.adapters.sql_board import SqlBoard
from ninelives.app.witness import STALE_S, Heard, Scene, Told, read, scene_of, written
from ninelives.core.events import Change, Sighted
from ninelives.core.model import HostId, Plane, Sign, WitnessId
from ninelives.engine.errors import Garbled
from ninelives.engine.ports import Pin

C1, C2, N2 = HostId("c1"), HostId("c2"), WitnessId("n2")
PLANE = Plane.MANAGEMENT
BOTH = Scene({(C1, PLANE): Sign.WEAK, (C2, PLANE): Sign.SILENT}, ((PLANE, 1, 2),), 0)


def change(host: HostId, sign: Sign) -> Change:
    return Change(host, PLANE, sign)


def test_only_what_changed_is_told() -> None:
    told = Told(N2)
    first = told.news(BOTH)
    again = told.news(BOTH)
    then = told.news(Scene({**BOTH.signs, (C1, PLANE): Sign.SILENT}, ((PLANE, 2, 2),), 0))

    both = (change(C1, Sign.WEAK), change(C2, Sign.SILENT))
    assert first == Sighted(N2, both, ((PLANE, 1, 2),))
    assert again is None
    assert then == Sighted(N2, (change(C1, Sign.SILENT),), ((PLANE, 2, 2),))


def test_a_freeze_is_told_once() -> None:
    told = Told(N2)
    told.news(BOTH)

    frozen = Scene(BOTH.signs, BOTH.references, 1)
    assert told.news(frozen) == Sighted(N2, (), (), was_frozen=True)
    assert told.news(frozen) is None


def test_a_scene_comes_back_from_its_pin() -> None:
    assert read(written(BOTH)) == BOTH


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"signs": {"c1": {"moon": "weak"}}}'])
def test_a_pin_that_makes_no_sense_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        read(body)


def test_a_pin_counts_from_its_second_beat_on() -> None:
    """The first may be that of a controller that died last year."""
    one = Heard(Told(N2))

    first = one.told.news(scene_of(one, Pin(7, written(BOTH)), 100.0))
    second = one.told.news(scene_of(one, Pin(8, written(BOTH)), 102.0))

    assert first is None
    assert second is not None
    assert len(second.changes) == 2
    assert not second.was_frozen


def test_a_pin_that_beats_no_more_says_nothing() -> None:
    one = Heard(Told(N2))
    for number in range(2):
        one.told.news(scene_of(one, Pin(number, written(BOTH)), 100.0 + number))

    quiet = one.told.news(scene_of(one, Pin(1, written(BOTH)), 101.0 + STALE_S - 0.1))
    stale = one.told.news(scene_of(one, None, 101.0 + STALE_S))
    back = one.told.news(scene_of(one, Pin(2, written(BOTH)), 102.0 + STALE_S))

    assert quiet is None
    assert stale == Sighted(N2, (change(C1, Sign.UNKNOWN), change(C2, Sign.UNKNOWN)))
    assert back is not None
    assert len(back.changes) == 2


def test_the_board_keeps_one_pin_a_controller(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    board, same = SqlBoard(store), SqlBoard(store)

    board.pin(N2, Pin(1, b"one"))
    same.pin(N2, Pin(2, b"two"))
    same.pin(WitnessId("n1"), Pin(1, b"else"))

    assert board.pins() == {"n1": Pin(1, b"else"), "n2": Pin(2, b"two")}
    board.unpin(N2)
    assert set(board.pins()) == {"n1"}
    store.close()
