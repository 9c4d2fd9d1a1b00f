"""The embedded store: one SQLite file on a local disk, for controllers of one machine."""

import ctypes
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from ninelives.engine.errors import StoreUnavailable, StoreUnknown, StoreUnsafe

BUSY_TIMEOUT_S = 2.0  # a renewal that waits longer behind another writer is one without answer
WAL_TRIES_MAX = 20  # each after waiting for another writer, BUSY_TIMEOUT_S at most
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


def engine_for(url: URL, filesystem: Callable[[Path], int], exists: bool) -> Engine:
    """Reach the file that `url` names, made if it may be."""
    # A name that begins with "file:" may be a URI with mode=memory, or with no locks at all.
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise StoreUnsafe("a store in memory forgets everything", "name a plain file")
    if exists and not Path(url.database).is_file():
        raise StoreUnknown(f"there is no store at {url.database}", "is the name right?")
    _make_private(Path(url.database), filesystem)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _make_durable)
    return engine


def refuse_unsafe(connection: Connection) -> None:
    """Read back what the connection will really do: a pragma that fails says nothing."""
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    if synchronous < SYNCHRONOUS_FULL:
        raise StoreUnsafe(f"PRAGMA synchronous is {synchronous}: a power loss would undo commits")
    if mode != "wal":
        raise StoreUnsafe(f"PRAGMA journal_mode is {mode}, not wal")


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
    for tries in range(1, WAL_TRIES_MAX + 1):
        # While another connection switches too, SQLite refuses this one without waiting: both hold
        # a read lock and want the exclusive one, which no busy timeout could end
        # (sqlite.org/c3ref/busy_handler.html). A write lock it does wait for.
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or tries == WAL_TRIES_MAX:
                raise
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()
