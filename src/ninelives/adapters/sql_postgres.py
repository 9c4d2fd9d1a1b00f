"""A store in PostgreSQL, through psycopg: how it is reached, and when it is refused.

READ COMMITTED is enough, and named, whatever the server's default is: the first statement of every
write is the conditional UPDATE of the head row. Whoever finds that row locked waits, and then
PostgreSQL judges the condition anew on the row as it has become (its manual, 13.2.1).
"""

from typing import TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, Dialect, Engine, event, text
from sqlalchemy.pool import ConnectionPoolEntry

from ninelives.engine.errors import StoreUnavailable, StoreUnsafe

from .sql_limits import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    IDLE_TIMEOUT_S,
    LOCK_TIMEOUT_S,
    STATEMENT_TIMEOUT_S,
    pooled,
)

MAKING_TABLES = 0x6E696E65  # the advisory lock under which one controller makes them: "nine"
LOOK_EVERY_S = 0.1  # how often a wait for an answer looks at its limit

Answer = TypeVar("Answer")

# As start-up options they cost no round trip and hold from the first statement on. Whether they
# arrived is read back: a pooler between us may swallow them.
_SETTINGS = {
    "synchronous_commit": "on",
    "lock_timeout": f"{LOCK_TIMEOUT_S * 1000:.0f}",
    "statement_timeout": f"{STATEMENT_TIMEOUT_S * 1000:.0f}",
    # A controller that is frozen in the middle of a write keeps the head row locked; without this
    # nobody else could lead until its connection dies, which may take hours.
    "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT_S * 1000:.0f}",
}


class Impatient(psycopg.Connection[tuple[object, ...]]):
    """A connection whose every wait ends. libpq has no limit of its own for an answer."""

    def wait(
        self, gen: PQGen[Answer], interval: float = LOOK_EVERY_S, timeout: float | None = None
    ) -> Answer:
        try:
            return super().wait(_within(gen, ANSWER_TIMEOUT_S), interval, timeout)
        except TimeoutError as error:
            # Whatever still comes would be taken for the answer to the next question.
            self.close()
            raise psycopg.OperationalError(str(error)) from error


def _within(gen: PQGen[Answer], limit_s: float) -> PQGen[Answer]:
    """Hand `gen` on. It is resumed with "nothing ready" once an interval of silence."""
    silence_s = 0.0
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            silence_s = 0.0 if ready else silence_s + LOOK_EVERY_S
            if silence_s >= limit_s:
                raise TimeoutError(f"no answer within {limit_s:.0f} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        answer: Answer = end.value
        return answer


def engine_for(url: URL) -> Engine:
    """Reach the database that `url` names. Nothing is sent yet."""
    options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
    engine = pooled(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "ninelives",
            "options": options,
        },
    )
    event.listen(engine, "do_connect", _connect)
    return engine


def _connect(
    _dialect: Dialect,
    _record: ConnectionPoolEntry,
    arguments: list[str],
    parameters: dict[str, str | int],
) -> Impatient:
    return Impatient.connect(*arguments, **parameters)  # type: ignore[arg-type]  # its own fields


def refuse_unsafe(connection: Connection) -> None:
    """Refuse a server whose acknowledged commits could be lost, or that cannot write."""
    if _read(connection, "pg_is_in_recovery()"):
        raise StoreUnavailable("this PostgreSQL is a standby", "name the primary")
    found = connection.execute(text("SELECT name, setting FROM pg_settings")).all()
    settings = {row.name: row.setting for row in found}
    for name, wanted in {"fsync": "on", **_SETTINGS}.items():
        if settings[name] != wanted:
            raise StoreUnsafe(
                f"{name} is {settings[name]} here, not {wanted}",
                f"set {name} = {wanted}; a pooler between us must be in session mode and let "
                "start-up options through",
            )
    if not settings["synchronous_standby_names"] and _is_followed(connection):
        raise StoreUnsafe(
            "a standby follows this PostgreSQL asynchronously: promoted, it would lack commits",
            "set synchronous_standby_names, or keep the store where nothing is promoted",
        )


def _is_followed(connection: Connection) -> bool:
    """Whether somebody takes the write-ahead log: now, or with a slot that waits for it."""
    standbys = _read(connection, "count(*) FROM pg_stat_replication")
    slots = _read(connection, "count(*) FROM pg_replication_slots WHERE slot_type = 'physical'")
    return bool(standbys or slots)


def _read(connection: Connection, what: str) -> object:
    found: object = connection.execute(text(f"SELECT {what}")).scalar_one()
    return found


def alone(connection: Connection) -> None:
    """Wait until nobody else makes tables: IF NOT EXISTS of two at once fails in one of them."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({MAKING_TABLES})"))
