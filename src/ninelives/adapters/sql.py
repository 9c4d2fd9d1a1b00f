"""The store in a SQL database, through SQLAlchemy Core: SQLite, or a server, by URL.

Every write is one transaction whose first statement is a conditional UPDATE of the head row.
That takes the write lock before anything was read, so no transaction can be decided on what
another has changed meanwhile, and whoever comes second updates no row and writes nothing.
"""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Engine,
    Update,
    insert,
    inspect,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from ninelives.engine.errors import ConfigError, StoreBroken, StoreError, StoreUnknown
from ninelives.engine.ports import (
    JOURNAL_PAGE_MAX,
    Batch,
    Committed,
    Conflict,
    Entry,
    LeaseRow,
    StoreIdentity,
    TermLost,
)

from . import sql_sqlite
from .sql_errors import is_conflict, store_error
from .sql_limits import CONFLICTS_MAX
from .sql_schema import (
    HEAD_ROW,
    OLDEST_VERSION,
    SCHEMA_VERSION,
    head,
    journal,
    pins,
    records,
    upsert_record,
)
from .sql_sqlite import filesystem_type

Done = TypeVar("Done")


def open_store(
    url: str, filesystem: Callable[[Path], int] = filesystem_type, *, exists: bool = False
) -> "SqlStore":
    """Open the store at `url`, made if it is not there. Refuses what would not be durable.

    `exists`: it must be there already, so that whoever only looks makes none by a slip.
    """
    try:
        engine = _engine(make_url(url), filesystem, exists)
    except (SQLAlchemyError, NoSuchModuleError) as error:
        raise ConfigError(f"not a store URL: {error}") from error
    except ModuleNotFoundError as error:
        hint = "install ninelives[postgres] or ninelives[mariadb]"
        raise ConfigError(f"the driver of this database is missing: {error.name}", hint) from error
    try:
        return SqlStore(engine, exists)
    except StoreError:
        engine.dispose()
        raise


def _engine(url: URL, filesystem: Callable[[Path], int], exists: bool) -> Engine:
    # A driver is imported by whoever uses it; the embedded store needs none.
    match url.get_backend_name():
        case "sqlite":
            return sql_sqlite.engine_for(url, filesystem, exists)
        case "postgresql":
            from . import sql_postgres

            return sql_postgres.engine_for(url)
        case "mysql" | "mariadb":
            from . import sql_mariadb

            return sql_mariadb.engine_for(url)
        case other:
            raise ConfigError(f"no store for {other} in this version")


class SqlStore:
    """A `ports.Store` in the database behind `engine`. Safe to use from several threads."""

    def __init__(self, engine: Engine, exists: bool = False) -> None:
        self._engine = engine
        self._upsert = upsert_record(engine.dialect.name)
        # What `load` returned last, and its revision: a new term starts from it.
        self.loaded: tuple[int, Mapping[str, bytes]] | None = None
        self._run(_refuse_unsafe)
        self._run(lambda connection: _open_schema(connection, exists))

    def close(self) -> None:
        """Let go of every connection that is not in use."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """One transaction, for what stands beside the store and is no part of its history."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise store_error(error) from error

    def identity(self) -> StoreIdentity:
        query = select(head.c.store_id, head.c.revision, head.c.term)
        row = self._run(lambda connection: connection.execute(query).one())
        return StoreIdentity(row.store_id, row.revision, row.term)

    def load(self) -> Mapping[str, bytes]:
        query = select(records.c.key, records.c.body)

        def read(connection: Connection) -> tuple[int, Mapping[str, bytes]]:
            revision = connection.execute(select(head.c.revision)).scalar_one()
            rows = connection.execute(query).all()
            return revision, {row.key: row.body for row in rows}

        self.loaded = self._run(read)
        return self.loaded[1]

    def commit(self, batch: Batch) -> Committed | Conflict | TermLost:
        return self._run(lambda connection: self._commit(connection, batch))

    def journal(self, after: int, limit: int) -> Sequence[Entry]:
        assert after >= 0
        assert 1 <= limit <= JOURNAL_PAGE_MAX
        above = select(journal).where(journal.c.revision > after)
        page = above.order_by(journal.c.revision).limit(limit)
        rows = self._run(lambda connection: connection.execute(page).all())
        return [Entry(r.revision, r.term, r.at, r.wall, r.event, r.notes) for r in rows]

    def lease(self) -> LeaseRow:
        query = select(head.c.holder, head.c.term, head.c.beat)
        row = self._run(lambda connection: connection.execute(query).one())
        return LeaseRow(row.holder, row.term, row.beat)

    def renew(self, row: LeaseRow) -> LeaseRow | None:
        assert row.holder, "nobody cannot renew"
        return self._swap(row, row._replace(beat=row.beat + 1))

    def take(self, seen: LeaseRow, holder: str) -> LeaseRow | None:
        assert holder, "nobody cannot lead"
        return self._swap(seen, LeaseRow(holder, seen.term + 1, 0))

    def release(self, row: LeaseRow) -> bool:
        assert row.holder, "nobody has nothing to let go"
        return self._swap(row, LeaseRow("", row.term, row.beat + 1)) is not None

    def disarmed(self) -> str | None:
        query = select(head.c.disarmed)
        cause: str | None = self._run(lambda connection: connection.execute(query).scalar_one())
        return cause

    def set_disarmed(self, cause: str | None) -> None:
        self._run(lambda connection: connection.execute(update(head).values(disarmed=cause)))

    def upgrade(self) -> tuple[int, ...]:
        """Take the tables to this version, and say through which. Controllers may be at work."""
        from .sql_upgrade import upgraded

        return self._run(upgraded)

    def _swap(self, seen: LeaseRow, wanted: LeaseRow) -> LeaseRow | None:
        unchanged = (head.c.holder == seen.holder, head.c.term == seen.term)
        swap = update(head).where(*unchanged, head.c.beat == seen.beat).values(wanted._asdict())
        return wanted if self._run(lambda connection: _changed_one(connection, swap)) else None

    def _commit(self, connection: Connection, batch: Batch) -> Committed | Conflict | TermLost:
        # Both conditions belong in this one statement. Checked beforehand, they could have changed
        # by the time of the write, and a leader of the past would write on.
        claim = (
            update(head)
            .where(head.c.term == batch.term, head.c.revision == batch.expect)
            .values(revision=batch.revision)
        )
        if _changed_one(connection, claim):
            self._write(connection, batch)
            return Committed(batch.revision)
        now = connection.execute(select(head.c.term, head.c.revision)).one()
        return TermLost(now.term) if now.term != batch.term else Conflict(now.revision)

    def _write(self, connection: Connection, batch: Batch) -> None:
        connection.execute(insert(journal), [_row(entry) for entry in batch.entries])
        if batch.puts:
            puts = [{"key": key, "body": body} for key, body in batch.puts.items()]
            connection.execute(self._upsert, puts)
        for key in batch.drops:
            connection.execute(records.delete().where(records.c.key == key))

    def _run(self, work: Callable[[Connection], Done]) -> Done:
        """Do `work` in one transaction, committed at the end; what the database raises is ours.

        Again only where the database says that all of it was rolled back because of another's. Its
        conditions are then judged anew. After any other failure it may have been written, and
        whether it was is for the caller to read.
        """
        for conflicts in range(1, CONFLICTS_MAX + 1):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except SQLAlchemyError as error:
                if not is_conflict(error) or conflicts == CONFLICTS_MAX:
                    raise store_error(error) from error
        raise AssertionError("the last one was raised")


def _changed_one(connection: Connection, statement: Update) -> bool:
    result = connection.execute(statement)
    assert isinstance(result, CursorResult)
    assert result.rowcount in (0, 1), "there is one head row"
    return bool(result.rowcount)


def _row(entry: Entry) -> dict[str, object]:
    return {
        "revision": entry.revision,
        "term": entry.term,
        "at": entry.at,
        "wall": entry.wall,
        "event": entry.event,
        "notes": entry.notes,
    }


def _refuse_unsafe(connection: Connection) -> None:
    match connection.dialect.name:
        case "sqlite":
            sql_sqlite.refuse_unsafe(connection)
        case "postgresql":
            from . import sql_postgres

            sql_postgres.refuse_unsafe(connection)
        case _:
            from . import sql_mariadb

            sql_mariadb.refuse_unsafe(connection)


def _open_schema(connection: Connection, exists: bool) -> None:
    """Make the tables in an empty database, or refuse those of another version."""
    if not inspect(connection).has_table(head.name):
        if exists:
            raise StoreUnknown("this database holds no store of ninelives", "is the name right?")
        # Another controller may be making the same ones this instant. The head comes last: where
        # tables are not made in one transaction, whoever sees it sees all of them.
        if connection.dialect.name == "postgresql":
            from . import sql_postgres

            sql_postgres.alone(connection)
        for table in (journal, records, pins, head):
            connection.execute(CreateTable(table, if_not_exists=True))
    if connection.execute(select(head.c.id)).first() is None:
        if connection.execute(select(journal.c.revision).limit(1)).first() is not None:
            raise StoreBroken("the store has a journal but no head: it was damaged")
        _begin_history(connection)
    version = connection.execute(select(head.c.schema_version)).scalar_one()
    if not OLDEST_VERSION <= version <= SCHEMA_VERSION:
        newer = "a newer ninelives upgraded it: install that one"
        older = "upgrade with the releases between, one after the other: `ninelives db upgrade`"
        raise StoreUnknown(
            f"the store has schema version {version}, this is {SCHEMA_VERSION}",
            newer if version > SCHEMA_VERSION else older,
        )


def _begin_history(connection: Connection) -> None:
    first = {"id": HEAD_ROW, "schema_version": SCHEMA_VERSION, "store_id": os.urandom(16).hex()}
    nobody = LeaseRow("", 0, 0)._asdict()
    try:
        with connection.begin_nested():
            connection.execute(insert(head).values(**first, revision=0, **nobody))
    except IntegrityError:
        # Another controller opened the same empty store this instant; its row is the one.
        return
