"""A store that went back is noticed by whoever remembers it, and disarmed stays disarmed."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ninelives.engine.errors import StoreBehind
from ninelives.engine.high_water import (
    Behind,
    HighWater,
    adopted,
    changed,
    check_high_water,
    disarmed_because,
    disarmed_here,
    raised,
    read_high_water,
    write_high_water,
)
from ninelives.engine.ports import StoreIdentity
from ninelives.sim.memory_store import MemoryStore

SEEN = HighWater("store-1", revision=70, term=4)


@pytest.mark.parametrize(
    ("revision", "term", "reason"),
    [
        (70, 4, None),
        (71, 5, None),
        (69, 4, "store_behind"),
        (70, 3, "store_behind"),
        (900, 3, "store_behind"),
        (69, 9, "store_behind"),
    ],
)
def test_a_store_that_went_back_is_noticed(revision: int, term: int, reason: str | None) -> None:
    found = StoreIdentity("store-1", revision, term)

    assert check_high_water(SEEN, found) == (reason and Behind(reason, SEEN, found))


def test_another_store_is_noticed_however_far_it_came() -> None:
    found = StoreIdentity("store-2", 1000, 1000)

    assert check_high_water(SEEN, found) == Behind("another_store", SEEN, found)


def test_a_restored_backup_is_noticed() -> None:
    store = MemoryStore()
    store.take(store.lease(), "a")
    backup = store.fork()
    store.take(store.lease(), "b")
    mark = raised(None, store.identity())

    assert check_high_water(mark, store.identity()) is None
    assert check_high_water(mark, backup.identity()) is not None


def test_the_first_store_is_accepted() -> None:
    assert check_high_water(None, StoreIdentity("store-1", 0, 0)) is None


def test_a_step_back_is_never_remembered_by_itself() -> None:
    with pytest.raises(AssertionError):
        raised(SEEN, StoreIdentity("store-1", 1, 1))

    assert adopted(SEEN, StoreIdentity("store-2", 1, 1)) == HighWater("store-2", 1, 1)


@pytest.mark.parametrize("change", [raised, adopted])
def test_disarmed_outlives_progress_and_adoption(
    change: Callable[[HighWater, StoreIdentity], HighWater],
) -> None:
    disarmed = disarmed_here(SEEN, "I6")

    assert change(disarmed, StoreIdentity("store-1", 71, 5)).disarmed == "I6"


@pytest.mark.parametrize(
    ("local", "store", "cause"),
    [
        (None, None, None),
        ("I6", None, "I6"),
        (None, "I1", "I1"),
        ("I6", "I1", "I1"),
        ("", None, ""),
    ],
)
def test_either_word_disarms(local: str | None, store: str | None, cause: str | None) -> None:
    assert disarmed_because(disarmed_here(SEEN, local), store) == cause


def test_without_a_memory_the_store_alone_disarms() -> None:
    assert disarmed_because(None, "I1") == "I1"
    assert disarmed_because(None, None) is None


def test_the_memory_survives(tmp_path: Path) -> None:
    path = tmp_path / "high-water.json"
    assert read_high_water(path) is None

    write_high_water(path, SEEN)
    write_high_water(path, disarmed_here(SEEN, "I6: “life”"))

    assert read_high_water(path) == disarmed_here(SEEN, "I6: “life”")
    assert [file.name for file in tmp_path.iterdir()] == ["high-water.json"]


def test_two_who_change_it_at_once_do_not_undo_each_other(tmp_path: Path) -> None:
    path = tmp_path / "high-water.json"
    write_high_water(path, SEEN)
    inside, disarmer = threading.Event(), list[threading.Thread]()

    def slow(mark: HighWater | None) -> HighWater:
        disarmer.append(threading.Thread(target=disarm))
        disarmer[0].start()
        inside.wait(0.1)  # it cannot come in while we are; without a lock it would
        return raised(mark, StoreIdentity("store-1", 71, 5))

    def disarm() -> None:
        changed(path, lambda mark: disarmed_here(mark or SEEN, "I6"))
        inside.set()

    changed(path, slow)
    disarmer[0].join()

    assert read_high_water(path) == HighWater("store-1", 71, 5, "I6")


def test_adoption_ends_what_only_the_store_was_to_blame_for() -> None:
    found = StoreIdentity("store-2", 1, 1)

    assert adopted(disarmed_here(SEEN, "store_behind"), found).disarmed is None
    assert adopted(disarmed_here(SEEN, "drill"), found).disarmed == "drill"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'{"store_id": "s", "revision": 1, "term": 1}',
        b'{"store_id": "s", "revision": "1", "term": 1, "disarmed": null}',
        b'{"store_id": "s", "revision": 1, "term": 1, "disarmed": false}',
    ],
)
def test_a_memory_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "high-water.json"
    path.write_bytes(content)

    with pytest.raises(StoreBehind):
        read_high_water(path)
