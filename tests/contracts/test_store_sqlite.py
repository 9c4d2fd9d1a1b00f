"""What the embedded store owes beyond the laws of all: its file, its pragmas, its version."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event

from ninelives.adapters.sql import SqlStore, open_store
from ninelives.adapters.sql_sqlite import SHARED_FILESYSTEMS, filesystem_type
from ninelives.engine.errors import (
    ConfigError,
    StoreBroken,
    StoreUnavailable,
    StoreUnknown,
    StoreUnsafe,
)
from ninelives.engine.ports import Committed, LeaseRow, TermLost

from .test_store import NOBODY, batch, entry


class TestSqlite:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "store.db"

    @pytest.fixture
    def reopen(self, path: Path, request: pytest.FixtureRequest) -> Callable[[], SqlStore]:
        def again() -> SqlStore:
            opened = open_store(f"sqlite:///{path}")
            request.addfinalizer(opened.close)
            return opened

        return again

    def test_remembers(self, reopen: Callable[[], SqlStore]) -> None:
        first = reopen()
        first.take(NOBODY, "a")
        first.commit(batch(0, 2, h1=b"fenced"))
        first.set_disarmed("why")
        first.close()

        second = reopen()

        assert second.identity() == first.identity()
        assert second.lease() == LeaseRow("a", 1, 0)
        assert second.load() == {"h1": b"fenced"}
        assert second.journal(0, 10) == [entry(1), entry(2)]
        assert second.disarmed() == "why"

    def test_two_controllers_share_one_store(self, reopen: Callable[[], SqlStore]) -> None:
        ours, theirs = reopen(), reopen()
        ours.take(NOBODY, "a")
        theirs.take(theirs.lease(), "b")

        assert ours.commit(batch(0)) == TermLost(2)
        assert theirs.commit(batch(0, term=2)) == Committed(1)

    def test_a_batch_that_fails_half_way_leaves_nothing(
        self, reopen: Callable[[], SqlStore], path: Path
    ) -> None:
        store = reopen()
        store.take(NOBODY, "a")
        with sqlite3.connect(path) as intruder:
            intruder.execute("CREATE TRIGGER full BEFORE INSERT ON records BEGIN "
                             "SELECT RAISE(ABORT, 'no more'); END")  # fmt: skip
        intruder.close()

        with pytest.raises(StoreBroken):
            store.commit(batch(0, 2, h1=b"lost"))

        assert store.identity().revision == 0
        assert store.journal(0, 10) == []

    def test_says_when_it_does_not_answer(self, reopen: Callable[[], SqlStore], path: Path) -> None:
        store = reopen()
        store.take(NOBODY, "a")
        intruder = sqlite3.connect(path, isolation_level=None)
        intruder.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailable):
            store.commit(batch(0))

        intruder.close()
        assert store.commit(batch(0)) == Committed(1)

    def test_is_readable_by_its_owner_only(
        self, reopen: Callable[[], SqlStore], path: Path
    ) -> None:
        reopen().take(NOBODY, "a")

        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}

    @pytest.mark.parametrize("version", [0, 3, 99])
    def test_refuses_another_version(
        self, reopen: Callable[[], SqlStore], path: Path, version: int
    ) -> None:
        reopen().close()
        with sqlite3.connect(path) as intruder:
            intruder.execute("UPDATE head SET schema_version = ?", [version])
        intruder.close()

        with pytest.raises(StoreUnknown, match=f"version {version}"):
            reopen()

    def test_refuses_a_journal_without_a_head(
        self, reopen: Callable[[], SqlStore], path: Path
    ) -> None:
        store = reopen()
        store.take(NOBODY, "a")
        store.commit(batch(0))
        store.close()
        with sqlite3.connect(path) as intruder:
            intruder.execute("DELETE FROM head")
        intruder.close()

        with pytest.raises(StoreBroken):
            reopen()

    @pytest.mark.parametrize("pragma", ["synchronous=NORMAL", "synchronous=OFF"])
    def test_refuses_commits_that_a_power_loss_undoes(self, path: Path, pragma: str) -> None:
        def set_pragmas(connection: sqlite3.Connection, _: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA {pragma}")

        careless = create_engine(f"sqlite:///{path}")
        event.listen(careless, "connect", set_pragmas)

        with pytest.raises(StoreUnsafe, match="synchronous"):
            SqlStore(careless)

        careless.dispose()

    def test_refuses_a_journal_mode_other_than_wal(self, path: Path) -> None:
        careless = create_engine(f"sqlite:///{path}")

        with pytest.raises(StoreUnsafe, match="journal_mode"):
            SqlStore(careless)

        careless.dispose()

    @pytest.mark.parametrize("magic", SHARED_FILESYSTEMS)
    def test_refuses_a_file_that_several_machines_see(self, path: Path, magic: int) -> None:
        with pytest.raises(StoreUnsafe, match="shared between machines"):
            open_store(f"sqlite:///{path}", filesystem=lambda _: magic)

        assert not path.exists()

    def test_knows_a_filesystem_by_its_magic(self) -> None:
        assert filesystem_type(Path("/proc")) == 0x9FA0

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:"])
    def test_refuses_to_live_in_memory(
        self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(StoreUnsafe):
            open_store(url)

    @pytest.mark.parametrize("url", ["nonsense", "oracle://db", "mssql+pyodbc://db"])
    def test_refuses_what_it_does_not_know(self, url: str) -> None:
        with pytest.raises(ConfigError):
            open_store(url)

    def test_refuses_a_file_that_is_no_database(
        self, reopen: Callable[[], SqlStore], path: Path
    ) -> None:
        path.write_bytes(b"not a database " * 100)

        with pytest.raises(StoreBroken):
            reopen()

    def test_says_that_its_directory_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable):
            open_store(f"sqlite:///{tmp_path}/nowhere/store.db")
