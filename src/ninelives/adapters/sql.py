"""The store in a SQL database, through SQLAlchemy Core: SQLite today, others by URL.

Every write is one transaction whose first statement is a conditional UPDATE of the head row.
That takes the write lock before anything was read, so no transaction can be decided on what
another has changed meanwhile, and whoever comes second updates no row and writes nothing.
"""

import ctypes
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    Update,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateTable

from ninelives.engine.errors import (
    ConfigError,
    StoreBroken,
    StoreUnavailable,
    StoreUnknown,
    StoreUnsafe,
)
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

from .sql_schema import HEAD_ROW, SCHEMA_VERSION, head, journal, records, upsert_record

BUSY_TIMEOUT_S = 2.0  # a renewal that waits longer behind another writer is one without answer
SYNCHRONOUS_FULL = 2  # PRAGMA synchronous: OFF 0, NORMAL 1, FULL 2, EXTRA 3

# f_type of statfs(2), from include/uapi/linux/magic.h; glusterfs and sshfs are mounted by FUSE,
# OCFS2 and GFS2 are seen by several machines at once although they look like disks.
SHARED_FILESYSTEMS = {
    0x00006969: "nfs",
    0x0000517B: "smb",
    0xFF534D42: "cifs",
    0xFE534D42: "smb2",
    0x00C36400: "ceph",
    0x65735546: "fuse",
    0x5346414F: "afs",
    0x6B414653: "afs",
    0x73757245: "coda",
    0x01021997: "9p",
    0x7461636F: "ocfs2",
    0x01161970: "gfs2",
}


def filesystem_type(path: Path) -> int:
    """The `f_type` that statfs(2) gives for `path`: a magic number a kind of filesystem."""
    libc = ctypes.CDLL(None, use_errno=True)
    # struct statfs is 120 bytes on 64-bit Linux and begins with f_type as a long.
    buffer = (ctypes.c_long * 64)()
    if libc.statfs(os.fsencode(path), ctypes.byref(buffer)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), str(path))
    return int(buffer[0]) & 0xFFFFFFFF


def open_store(
    url: str, filesystem: Callable[[Path], int] = filesystem_type, *, exists: bool = False
) -> "SqlStore":
    """Open the store at `url`, made if it is not there. Refuses what would not be durable.

    `exists`: it must be there already, so that whoever only looks makes none by a slip.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            raise ConfigError(f"no store for {parsed.get_backend_name()} in this version")
        # A name that begins with "file:" may be a URI with mode=memory, or with no locks at all.
        if not parsed.database or parsed.database.startswith((":memory:", "file:")):
            raise StoreUnsafe("a store in memory forgets everything", "name a plain file")
        if exists and not Path(parsed.database).is_file():
            raise StoreUnknown(f"there is no store at {parsed.database}", "is the name right?")
        _make_private(Path(parsed.database), filesystem)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S})
    except (SQLAlchemyError, NoSuchModuleError) as error:
        raise ConfigError(f"not a store URL: {error}") from error
    event.listen(engine, "connect", _make_durable)
    return SqlStore(engine, exists)


def _make_private(path: Path, filesystem: Callable[[Path], int]) -> None:
    """Make the file, readable by its owner only, unless its filesystem is shared."""
    try:
        kind = SHARED_FILESYSTEMS.get(filesystem(path.resolve().parent))
        if kind is not None:
            # SQLite's WAL needs memory shared by all its users, and network locks lie
            # (sqlite.org/wal.html, "All processes using a database must be on the same host").
            raise StoreUnsafe(
                f"{path} is on {kind}: SQLite shared between machines",
                "use a local disk, or a database server for several controllers",
            )
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"cannot open the store: {error}") from error


def _make_durable(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


class SqlStore:
    """A `ports.Store` in the database behind `engine`. Safe to use from several threads."""

    def __init__(self, engine: Engine, exists: bool = False) -> None:
        self._engine = engine
        self._upsert = upsert_record(engine.dialect.name)
        with self._connection() as connection:
            _refuse_unsafe(connection)
            _open_schema(connection, exists)

    def close(self) -> None:
        """Let go of every connection that is not in use."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """One transaction, for what stands beside the store and is no part of its history."""
        with self._connection() as connection:
            yield connection

    def identity(self) -> StoreIdentity:
        with self._connection() as connection:
            row = connection.execute(select(head.c.store_id, head.c.revision, head.c.term)).one()
        return StoreIdentity(row.store_id, row.revision, row.term)

    def load(self) -> Mapping[str, bytes]:
        with self._connection() as connection:
            rows = connection.execute(select(records.c.key, records.c.body)).all()
        return {row.key: row.body for row in rows}

    def commit(self, batch: Batch) -> Committed | Conflict | TermLost:
        with self._connection() as connection:
            # Both conditions belong in this one statement. Checked beforehand, they could have
            # changed by the time of the write, and a leader of the past would write on.
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

    def journal(self, after: int, limit: int) -> Sequence[Entry]:
        assert after >= 0
        assert 1 <= limit <= JOURNAL_PAGE_MAX
        page = (
            select(journal)
            .where(journal.c.revision > after)
            .order_by(journal.c.revision)
            .limit(limit)
        )
        with self._connection() as connection:
            rows = connection.execute(page).all()
        return [Entry(r.revision, r.term, r.at, r.wall, r.event, r.notes) for r in rows]

    def lease(self) -> LeaseRow:
        with self._connection() as connection:
            row = connection.execute(select(head.c.holder, head.c.term, head.c.beat)).one()
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
        with self._connection() as connection:
            cause: str | None = connection.execute(select(head.c.disarmed)).scalar_one()
        return cause

    def set_disarmed(self, cause: str | None) -> None:
        with self._connection() as connection:
            connection.execute(update(head).values(disarmed=cause))

    def _swap(self, seen: LeaseRow, wanted: LeaseRow) -> LeaseRow | None:
        unchanged = (head.c.holder == seen.holder, head.c.term == seen.term)
        swap = update(head).where(*unchanged, head.c.beat == seen.beat).values(wanted._asdict())
        with self._connection() as connection:
            return wanted if _changed_one(connection, swap) else None

    def _write(self, connection: Connection, batch: Batch) -> None:
        connection.execute(insert(journal), [_row(entry) for entry in batch.entries])
        if batch.puts:
            puts = [{"key": key, "body": body} for key, body in batch.puts.items()]
            connection.execute(self._upsert, puts)
        for key in batch.drops:
            connection.execute(records.delete().where(records.c.key == key))

    @contextmanager
    def _connection(self) -> Generator[Connection]:
        """One transaction, committed at the end; what the database raises becomes ours."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            raise StoreUnavailable(f"the store does not answer: {error}") from error
        except SQLAlchemyError as error:
            raise StoreBroken(
                f"the store cannot be relied upon: {error}", "see `ninelives db check`"
            ) from error


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
    """Read back what the connection will really do: a pragma that fails says nothing."""
    if connection.dialect.name != "sqlite":
        return
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    if synchronous < SYNCHRONOUS_FULL:
        raise StoreUnsafe(f"PRAGMA synchronous is {synchronous}: a power loss would undo commits")
    if mode != "wal":
        raise StoreUnsafe(f"PRAGMA journal_mode is {mode}, not wal")


def _open_schema(connection: Connection, exists: bool) -> None:
    """Make the tables in an empty database, or refuse those of another version."""
    if not inspect(connection).has_table(head.name):
        if exists:
            raise StoreUnknown("this database holds no store of ninelives", "is the name right?")
        # Another controller may be making the same ones this instant. The head comes last: where
        # tables are not made in one transaction, whoever sees it sees all of them.
        for table in (journal, records, head):
            connection.execute(CreateTable(table, if_not_exists=True))
    if connection.execute(select(head.c.id)).first() is None:
        if connection.execute(select(journal.c.revision).limit(1)).first() is not None:
            raise StoreBroken("the store has a journal but no head: it was damaged")
        _begin_history(connection)
    version = connection.execute(select(head.c.schema_version)).scalar_one()
    if version != SCHEMA_VERSION:
        raise StoreUnknown(
            f"the store has schema version {version}, this is {SCHEMA_VERSION}",
            "run `ninelives db upgrade`, or the newer ninelives that wrote it",
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
