"""Where a journal is cut: the same in every database, also when the cut itself is cut short."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from ninelives.adapters import sql_bases
from ninelives.adapters.sql import SqlStore, open_store
from ninelives.adapters.sql_bases import BaseRow, SqlBases

from .store_servers import SERVERS, database_named
from .test_store import NOBODY, batch

DECIDED = 25


@pytest.fixture(params=["sqlite", *SERVERS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[SqlStore]:
    """A store with some decisions."""
    url = database_named(request.param, request, tmp_path)
    with closing(open_store(url)) as opened:
        opened.take(NOBODY, "a")
        for number in range(DECIDED):
            opened.commit(batch(number, h1=b"%d" % number))
        yield opened


def revisions(store: SqlStore) -> list[int]:
    return [entry.revision for entry in store.journal(0, 1_000)]


def test_a_journal_that_was_never_cut_has_no_floor(store: SqlStore) -> None:
    bases = SqlBases(store)
    assert bases.all() == []  # nor any table: to look changes nothing
    bases.keep(BaseRow(10, 1.0, b"ten"))

    assert (bases.floor(), bases.floor_revision()) == (None, 0)


def test_a_cut_leaves_what_follows_its_base_and_no_lower_base(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_bases, "ROWS_AT_ONCE", 4)
    bases = SqlBases(store)
    for revision in (5, 10, 20):
        bases.keep(BaseRow(revision, float(revision), b"%d" % revision))

    gone = bases.cut(BaseRow(10, 10.0, b"with numbers"))

    assert gone == 10
    assert revisions(store) == list(range(11, DECIDED + 1))
    assert bases.floor() == BaseRow(10, 10.0, b"with numbers")
    assert bases.floor_revision() == 10
    assert [each.revision for each in bases.all()] == [10, 20]
    assert bases.extent().rows == DECIDED - 10
    assert bases.extent().size_bytes > 0
    assert bases.cut(BaseRow(10, 10.0, b"with numbers")) == 0


def test_a_cut_that_was_cut_short_reads_from_its_base_and_ends_later(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bases = SqlBases(store)
    bases.keep(BaseRow(10, 10.0, b"ten"))
    monkeypatch.setattr(sql_bases, "ROWS_AT_ONCE", 4)
    assert bases.delete_some(10) == 4

    assert revisions(store)[0] == 5
    assert bases.floor() == BaseRow(10, 10.0, b"ten")
    assert bases.cut(BaseRow(10, 10.0, b"ten")) == 6


def test_what_was_loaded_last_is_remembered_with_its_revision(store: SqlStore) -> None:
    loaded = store.load()

    assert store.loaded == (DECIDED, loaded)
