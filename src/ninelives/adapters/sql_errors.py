"""What a database says when it fails, in our own words: which errors mean what, and what to do.

PostgreSQL names its errors by SQLSTATE (five characters; its manual, appendix A), MariaDB by number
(mariadb.com/kb/en/mariadb-error-codes). The drivers put them in classes, which are too coarse.
"""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ninelives.engine.errors import StoreBroken, StoreError, StoreUnavailable

# All of the transaction was rolled back, because of somebody else's. Galera says 1213 also at
# COMMIT: the write set met one of another node that it had not seen, and failed its certification.
CONFLICTS = frozenset[object]({"40001", "40P01", 1213, 1020})

_BUSY = "somebody holds the store's row for long: another controller that hangs, or a backup"
_LOGIN = "check the user and the password of the store, and what it was granted"
_MISSING = "make the database first: CREATE DATABASE, and grant it to our user"
_STANDBY = "this server only reads: a standby, or a cluster that closed itself. Name the writer"
_CUT_OFF = "this node of Galera is cut off from the majority: name a node, or a proxy, that is not"
_PAUSED = "this controller paused in the middle of a write: look at its machine"
_RACED = "another node of the cluster wrote at the same time, again and again; try again"
_SILENT = "is the database running, and are its address, user, password and name right?"

HINTS: dict[object, str] = {
    "55P03": _BUSY,  # lock_timeout
    "57014": _BUSY,  # statement_timeout
    1205: _BUSY,  # innodb_lock_wait_timeout; on Galera also a wait for the other nodes' writes
    1969: _BUSY,  # max_statement_time
    "42501": _LOGIN,
    1044: _LOGIN,
    1045: _LOGIN,
    1142: _LOGIN,
    1698: _LOGIN,
    1049: _MISSING,
    "25006": _STANDBY,  # psycopg calls it an internal error; it is one of the wrong server
    "25P03": _PAUSED,  # idle_in_transaction_session_timeout; also an "internal error"
    1290: _STANDBY,
    1836: _STANDBY,
    1047: _CUT_OFF,
}


def code_of(error: SQLAlchemyError) -> object:
    """Return SQLSTATE, MariaDB's number, or None where there is neither."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return None
    number: object = next(iter(error.orig.args), None)
    # PyMySQL tells SQLSTATE, too, which for MariaDB is mostly "HY000".
    return number if isinstance(number, int) else getattr(error.orig, "sqlstate", None)


def is_conflict(error: SQLAlchemyError) -> bool:
    """Whether certainly nothing was written, because of another transaction."""
    return code_of(error) in CONFLICTS


def store_error(error: SQLAlchemyError) -> StoreError:
    """Say what happened, without the statement: its parameters are no message for people."""
    code, said = code_of(error), _first_line(error)
    is_known = code in HINTS or code in CONFLICTS
    if is_known or isinstance(error, OperationalError | InterfaceError | PoolTimeoutError):
        hint = HINTS.get(code, _RACED if code in CONFLICTS else _SILENT)
        return StoreUnavailable(f"the store does not answer: {said}", hint)
    return StoreBroken(f"the store cannot be relied upon: {said}", "see `ninelives db check`")


def _first_line(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    lines = str(cause).splitlines()
    return lines[0] if lines else type(cause).__name__
