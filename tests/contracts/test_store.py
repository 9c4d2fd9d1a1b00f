"""The laws of `ports.Store`, one class for every database and for the stand-in of the simulator."""

import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.schema import CreateTable

from ninelives.adapters.sql import open_store
from ninelives.adapters.sql_schema import metadata, upsert_record
from ninelives.engine.ports import (
    Batch,
    Committed,
    Conflict,
    Entry,
    LeaseRow,
    Store,
    StoreIdentity,
    TermLost,
)
from ninelives.sim.memory_store import MemoryStore

from .store_servers import SERVERS, database_named

NOBODY = LeaseRow("", 0, 0)


def entry(revision: int, term: int = 1) -> Entry:
    return Entry(revision, term, revision / 8, 1e9 + revision, b"event %d" % revision, b"\x00\xff")


def batch(expect: int, count: int = 1, term: int = 1, **records: bytes) -> Batch:
    entries = tuple(entry(expect + n, term) for n in range(1, count + 1))
    return Batch(term, expect, entries, records)


@pytest.fixture(params=["memory", "sqlite", *SERVERS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Store]:
    match request.param:
        case "memory":
            yield MemoryStore()
        case name:
            with closing(open_store(database_named(name, request, tmp_path))) as opened:
                yield opened


@pytest.fixture
def led(store: Store) -> Store:
    """The same store, with "a" the leader of term 1."""
    assert store.take(NOBODY, "a") == LeaseRow("a", 1, 0)
    return store


class TestStore:
    def test_begins_empty_unled_and_armed(self, store: Store) -> None:
        assert store.identity()[1:] == (0, 0)
        assert store.lease() == NOBODY
        assert store.load() == {}
        assert store.journal(0, 1000) == []
        assert store.disarmed() is None

    def test_keeps_its_name(self, led: Store) -> None:
        before = led.identity()

        led.commit(batch(0))

        assert before.store_id
        assert led.identity() == StoreIdentity(before.store_id, 1, 1)

    def test_writes_entries_and_records_together(self, led: Store) -> None:
        written = led.commit(batch(0, 3, h1=b"fenced", h2=b""))

        assert written == Committed(3)
        assert led.journal(0, 1000) == [entry(1), entry(2), entry(3)]
        assert led.load() == {"h1": b"fenced", "h2": b""}

    def test_replaces_and_drops_records(self, led: Store) -> None:
        led.commit(batch(0, h1=b"old", h2=b"old", h3=b"old"))
        led.commit(Batch(1, 1, (entry(2),), {"h1": b"new"}, frozenset({"h2", "never there"})))

        assert led.load() == {"h1": b"new", "h3": b"old"}

    def test_tells_keys_apart_by_case(self, led: Store) -> None:
        led.commit(batch(0, host=b"lower", Host=b"upper"))

        assert led.load() == {"host": b"lower", "Host": b"upper"}

    @pytest.mark.parametrize("expect", [0, 2, 7])
    def test_writes_nothing_at_another_revision(self, led: Store, expect: int) -> None:
        led.commit(batch(0, h1=b"first"))

        assert led.commit(batch(expect, h1=b"second")) == Conflict(1)
        assert led.journal(0, 1000) == [entry(1)]
        assert led.load() == {"h1": b"first"}

    def test_writes_nothing_for_a_leader_of_the_past(self, led: Store) -> None:
        led.take(led.lease(), "b")

        assert led.commit(batch(0, term=1, h1=b"zombie")) == TermLost(2)
        assert led.identity()[1:] == (0, 2)
        assert led.load() == {}

    def test_writes_nothing_in_a_term_that_nobody_won(self, led: Store) -> None:
        assert led.commit(batch(0, term=2)) == TermLost(1)

    def test_a_lost_term_is_said_before_a_wrong_revision(self, led: Store) -> None:
        led.take(led.lease(), "b")

        assert led.commit(batch(5, term=1)) == TermLost(2)

    def test_goes_on_in_the_next_term(self, led: Store) -> None:
        led.commit(batch(0, 2))
        led.take(led.lease(), "b")

        assert led.commit(batch(2, term=2)) == Committed(3)
        assert [(e.revision, e.term) for e in led.journal(0, 1000)] == [(1, 1), (2, 1), (3, 2)]

    def test_gives_the_journal_in_pages(self, led: Store) -> None:
        led.commit(batch(0, 5))

        assert led.journal(0, 2) == [entry(1), entry(2)]
        assert led.journal(2, 2) == [entry(3), entry(4)]
        assert led.journal(4, 2) == [entry(5)]
        assert led.journal(5, 2) == []

    @pytest.mark.parametrize("limit", [0, 1001])
    def test_refuses_a_page_without_bounds(self, led: Store, limit: int) -> None:
        with pytest.raises(AssertionError):
            led.journal(0, limit)

    def test_a_renewal_beats_once(self, led: Store) -> None:
        assert led.renew(LeaseRow("a", 1, 0)) == LeaseRow("a", 1, 1)
        assert led.lease() == LeaseRow("a", 1, 1)

    @pytest.mark.parametrize("row", [("b", 1, 0), ("a", 2, 0), ("a", 1, 1), ("a", 0, 0)])
    def test_renews_only_exactly_this_lease(self, led: Store, row: tuple[str, int, int]) -> None:
        assert led.renew(LeaseRow(*row)) is None
        assert led.lease() == LeaseRow("a", 1, 0)

    def test_nobody_takes_a_lease_that_beat(self, led: Store) -> None:
        seen = led.lease()
        led.renew(seen)

        assert led.take(seen, "b") is None
        assert led.lease() == LeaseRow("a", 1, 1)

    def test_of_two_challengers_one_wins(self, led: Store) -> None:
        seen = led.lease()

        assert led.take(seen, "b") == LeaseRow("b", 2, 0)
        assert led.take(seen, "c") is None
        assert led.lease() == LeaseRow("b", 2, 0)

    def test_who_lets_go_leaves_nobody_in_the_same_term(self, led: Store) -> None:
        seen = led.lease()

        assert led.release(seen)
        assert (led.lease().holder, led.lease().term) == ("", 1)
        assert led.lease() != seen
        assert led.renew(seen) is None
        assert led.take(seen, "b") is None
        assert led.take(led.lease(), "b") == LeaseRow("b", 2, 0)

    @pytest.mark.parametrize("row", [("b", 1, 0), ("a", 2, 0), ("a", 1, 1), ("a", 0, 0)])
    def test_lets_go_only_of_exactly_this(self, led: Store, row: tuple[str, int, int]) -> None:
        assert not led.release(LeaseRow(*row))
        assert led.lease() == LeaseRow("a", 1, 0)

    def test_nobody_has_nothing_to_let_go(self, store: Store) -> None:
        with pytest.raises(AssertionError):
            store.release(NOBODY)

    def test_terms_never_decrease(self, led: Store) -> None:
        terms = [led.lease().term]
        for holder in "bab":
            led.take(led.lease(), holder)
            led.take(LeaseRow("a", 1, 0), "a")
            terms.append(led.lease().term)

        assert terms == [1, 2, 3, 4]
        assert led.identity().term == 4

    def test_disarms_everybody_until_armed(self, led: Store) -> None:
        led.set_disarmed("I6: a fence in spite of life")
        assert led.disarmed() == "I6: a fence in spite of life"

        led.take(led.lease(), "b")
        assert led.disarmed() == "I6: a fence in spite of life"

        led.set_disarmed(None)
        assert led.disarmed() is None

    def test_one_of_many_threads_commits_each_revision(self, led: Store) -> None:
        answers: list[object] = []
        start = threading.Barrier(4)

        def race() -> None:
            start.wait()
            answers.extend(led.commit(batch(expect)) for expect in range(10))

        threads = [threading.Thread(target=race) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert led.identity().revision == 10
        assert sorted(a.revision for a in answers if isinstance(a, Committed)) == [*range(1, 11)]


class TestBatch:
    def test_is_never_without_a_decision(self) -> None:
        with pytest.raises(AssertionError, match="without a decision"):
            Batch(1, 0, (), {"h1": b""})

    def test_is_dense(self) -> None:
        with pytest.raises(AssertionError, match="dense"):
            Batch(1, 0, (entry(1), entry(3)))

    def test_is_of_one_term(self) -> None:
        with pytest.raises(AssertionError, match="another term"):
            Batch(2, 0, (entry(1, term=1),))

    def test_does_not_put_what_it_drops(self) -> None:
        with pytest.raises(AssertionError, match="put and dropped"):
            Batch(1, 0, (entry(1),), {"h1": b""}, frozenset({"h1"}))


@pytest.mark.parametrize("url", ["postgresql+psycopg://db", "mysql+pymysql://db"])
def test_the_schema_is_valid_for_other_databases(url: str) -> None:
    dialect = make_url(url).get_dialect()()
    tables = [str(CreateTable(t).compile(dialect=dialect)) for t in metadata.sorted_tables]
    upsert = str(upsert_record(dialect.name).compile(dialect=dialect))

    assert any("BIGINT NOT NULL" in table for table in tables)
    assert "UPDATE" in upsert
