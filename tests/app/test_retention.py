"""A pruned journal still replays, still says why, and still counts its incidents."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from ninelives.adapters.sql import SqlStore, open_store
from ninelives.adapters.sql_bases import SqlBases
from ninelives.app import host_why, recording
from ninelives.app.incident_log import Book
from ninelives.app.retention import (
    DAY_S,
    Beginning,
    floor_of,
    is_well,
    keep,
    place_to_cut,
    prune,
    read,
    written,
)
from ninelives.core.decide import decide
from ninelives.core.model import HostId
from ninelives.engine import journal
from ninelives.engine.ports import Store
from ninelives.engine.replay import first_difference
from ninelives.engine.store_check import findings
from ninelives.sim.scenario import parse, play
from ninelives.sim.scenario_parse import Scenario

H1 = HostId("h1")
STORY = """\
# Two outages, and a leader that dies between them.
hosts        h1 h2 h3 h4
servers      h1: a b
controllers  2
policy       power_on_after_vacated=yes soak_s=10

at  10 power h1 off
at 400 leader crash
at 500 power h2 off
at 520 controllers restart
until 700
never: a runs twice
"""


class Remembering:
    """A store that remembers every `load`, as each leader began with one."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.loads: list[tuple[int, Mapping[str, bytes]]] = []

    def load(self) -> Mapping[str, bytes]:
        found = self._store.load()
        assert self._store.loaded is not None
        self.loads.append(self._store.loaded)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def all_well(base: Beginning) -> bool:
    return all(is_well(host) for host in journal.read_records(base.records).hosts)


@pytest.fixture(scope="module")
def told_story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Beginning]]:
    """Two outages, three terms; the bases that their leaders would have kept."""
    path = tmp_path_factory.mktemp("retention") / "store.db"
    scenario = parse(STORY)
    assert isinstance(scenario, Scenario), scenario
    with closing(open_store(f"sqlite:///{path}")) as store:
        remembering = Remembering(store)
        played = play(scenario, store=cast("Store", cast("object", remembering)))
        assert played.violations == ()
        walls = {row.revision: row.wall for row in journal.rows(store)}
        loads = [Beginning(r, walls.get(r, 0.0), records, {}) for r, records in remembering.loads]
    return path, loads


@pytest.fixture
def story(told_story: tuple[Path, list[Beginning]], tmp_path: Path) -> tuple[Path, list[Beginning]]:
    """A copy that may be cut."""
    source, bases = told_story
    copy = tmp_path / "store.db"
    with closing(open_store(f"sqlite:///{source}")) as store, store.transaction() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    copy.write_bytes(source.read_bytes())
    return copy, bases


def test_a_term_begins_between_two_outages(
    told_story: tuple[Path, list[Beginning]],
) -> None:
    path, bases = told_story
    with closing(open_store(f"sqlite:///{path}")) as store:
        found = Book().told(store, SqlBases(store), None, None)

    assert isinstance(found, list)
    assert len(found) >= 2
    assert [all_well(base) for base in bases if base.revision] == [True, False]


def test_what_is_left_of_a_journal_decides_and_explains_as_before(
    story: tuple[Path, list[Beginning]],
) -> None:
    path, loads = story
    quiet = next(base for base in loads if base.revision and all_well(base))
    why_before = host_why.why(recording.read(path), decide, HostId("h2"), None)
    with closing(open_store(f"sqlite:///{path}")) as store:
        bases = SqlBases(store)
        reader = Book()
        before = reader.told(store, bases, None, None)
        assert keep(bases, quiet.revision, quiet.records, quiet.wall, days=90.0)

        gone = prune(store, bases, wall=quiet.wall + 1.0 + DAY_S, days=1.0)

        floor = floor_of(bases)
        rows = list(journal.rows(store, floor.revision))
        after = Book().told(store, bases, None, None)
        assert reader.told(store, bases, None, None) == before  # it had read on already
        assert list(findings(store)) == []
    assert gone == quiet.revision == floor.revision
    assert rows[0].revision == gone + 1
    assert first_difference(rows, decide, floor.records) is None
    assert isinstance(before, list)
    assert isinstance(after, list)
    assert after == before[-len(after) :]  # also their numbers
    assert len(after) < len(before)
    base = recording.base_of(path)
    why_after = host_why.why(recording.read(path), decide, HostId("h2"), None, base)
    assert isinstance(why_before, host_why.HostWhy)
    assert isinstance(why_after, host_why.HostWhy)
    assert (why_after.rows, why_after.proofs) == (why_before.rows, why_before.proofs)


def test_who_had_not_read_what_was_pruned_begins_anew_at_the_floor(
    story: tuple[Path, list[Beginning]],
) -> None:
    path, loads = story
    quiet = next(base for base in loads if base.revision and all_well(base))
    with closing(open_store(f"sqlite:///{path}")) as store:
        bases, late = SqlBases(store), Book()
        late.fold(next(journal.rows(store)))
        keep(bases, quiet.revision, quiet.records, quiet.wall, days=90.0)
        prune(store, bases, wall=quiet.wall + 1.0 + DAY_S, days=1.0)

        assert late.told(store, bases, None, None) == Book().told(store, bases, None, None)
        assert late.found[0].number == 1  # of h2, which had none before


def test_an_outage_that_goes_on_keeps_the_journal_from_before_it(
    story: tuple[Path, list[Beginning]],
) -> None:
    path, loads = story
    within = next(base for base in loads if not all_well(base))  # h2 is out, and stays so
    with closing(open_store(f"sqlite:///{path}")) as store:
        bases = SqlBases(store)
        keep(bases, within.revision, within.records, within.wall, days=90.0)
        now = journal.read_records(within.records)

        assert place_to_cut(bases, now, older_than=1e9) is None
        assert place_to_cut(bases, now, older_than=within.wall) is None


def test_a_young_base_is_not_kept_beside_one_that_is_nearly_as_young(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/store.db")) as store:
        bases = SqlBases(store)

        terms = ((0, 0.0), (7, 3_600.0), (9, DAY_S))
        kept = [keep(bases, revision, {}, wall, days=50.0) for revision, wall in terms]

        assert kept == [True, False, True]
        assert [row.revision for row in bases.all()] == [0, 9]


def test_a_base_is_read_as_it_was_written() -> None:
    base = Beginning(7, 12.5, {"host/h1": b'{"v":2}', "control": b"\x00\xff"}, {"h1": 3})

    assert read(written(base)) == base
