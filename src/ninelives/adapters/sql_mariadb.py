"""A store in MariaDB or a Galera cluster, through PyMySQL: how it is reached, when refused.

READ COMMITTED is enough, and named: an UPDATE reads the head row as it is now, whatever the
transaction saw before. Between nodes of Galera no lock is seen at all; there the same UPDATE is
what certification compares, and whoever comes second fails at COMMIT with error 1213.
"""

from sqlalchemy import URL, Connection, Engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from ninelives.engine.errors import StoreUnsafe

from .sql_limits import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    IDLE_TIMEOUT_S,
    LOCK_TIMEOUT_S,
    STATEMENT_TIMEOUT_S,
    pooled,
)

SETTINGS = {
    "innodb_lock_wait_timeout": LOCK_TIMEOUT_S,
    "max_statement_time": STATEMENT_TIMEOUT_S,
    # A controller that is frozen in the middle of a write keeps the head row locked.
    "idle_transaction_timeout": IDLE_TIMEOUT_S,
    # Reads, updates and inserts wait until this node has applied what others committed before: a
    # leader that changes nodes must not be told that its own last commit is not there.
    "wsrep_sync_wait": 1 | 2 | 4,
}


def engine_for(url: URL) -> Engine:
    """Reach the database that `url` names. Nothing is sent yet."""
    engine = pooled(
        url.set(drivername="mariadb+pymysql"),
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "read_timeout": ANSWER_TIMEOUT_S,
            "write_timeout": ANSWER_TIMEOUT_S,
            "charset": "utf8mb4",
        },
    )
    event.listen(engine, "connect", _set_limits)
    return engine


def _set_limits(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    wanted = ", ".join(f"SESSION {name} = {value}" for name, value in SETTINGS.items())
    # TRADITIONAL: a value that does not fit is an error, and not cut short.
    cursor.execute(f"SET {wanted}, SESSION sql_mode = 'TRADITIONAL'")
    cursor.close()


def refuse_unsafe(connection: Connection) -> None:
    """Refuse a server whose acknowledged commits could be lost."""
    settings = _rows(connection, "SHOW VARIABLES")
    for name, wanted in SETTINGS.items():
        if name in settings and float(settings[name]) != wanted:
            raise StoreUnsafe(
                f"{name} is {settings[name]} here, not {wanted}",
                "a proxy between us must leave the settings of a session alone",
            )
    for name, needed in _durable(settings):
        if settings[name] != needed:
            raise StoreUnsafe(
                f"{name} is {settings[name]}: a power loss would undo commits",
                f"set {name} = {needed} in the configuration of the server",
            )
    is_clustered = settings.get("wsrep_on") == "ON"
    if not is_clustered and int(_rows(connection, "SHOW STATUS")["Slaves_connected"]):
        raise StoreUnsafe(
            "a replica follows this MariaDB asynchronously: promoted, it would lack commits",
            "use Galera, or keep the store where nothing is promoted",
        )


def _durable(settings: dict[str, str]) -> list[tuple[str, str]]:
    """List what must be set. A recovery undoes what is in InnoDB and not in the binary log."""
    flushed = [("innodb_flush_log_at_trx_commit", "1")]
    return [*flushed, ("sync_binlog", "1")] if settings["log_bin"] == "ON" else flushed


def _rows(connection: Connection, statement: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(text(statement))}
