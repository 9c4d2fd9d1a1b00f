"""From where a journal can be replayed: the records as a term found them, and what was cut off.

    bases   one row for some terms: every record as it was before the term's first decision

Laws:
  - The journal is cut at a base and nowhere else: what is left begins with the row in which that
    term began, and its records stand here.
  - A cut first makes its base the lowest one and then deletes rows, oldest first and a few at a
    time. Whoever reads in the middle of it, or after a crash there, starts at the lowest base.
  - It is no part of the history: a store of an older version gets the table when first needed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    MetaData,
    Table,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.schema import CreateTable

from .sql import SqlStore
from .sql_schema import BODY, journal

ROWS_AT_ONCE = 1_000  # deleted in one transaction, so that a renewal never waits long behind it

bases = Table(
    "bases",
    MetaData(),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("wall", Double, nullable=False),
    Column("body", BODY, nullable=False),
)

SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_total_relation_size('journal') + pg_total_relation_size('records')",
    "mariadb": "SELECT SUM(data_length + index_length) FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name IN ('journal', 'records')",
}
SIZES["mysql"] = SIZES["mariadb"]


class BaseRow(NamedTuple):
    """The records before the decision that follows `revision`."""

    revision: int
    wall: float  # when they were kept, in seconds since the epoch
    body: bytes


class Extent(NamedTuple):
    """How much is kept."""

    rows: int
    oldest: float | None  # wall seconds of the first row
    size_bytes: int


class SqlBases:
    """The bases of one store. Safe to use from several threads."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def keep(self, base: BaseRow) -> None:
        """Keep one; that of another controller at the same revision is the same."""
        with self._store.transaction() as connection:
            # Not before: whoever only looks at a store changes nothing in it.
            connection.execute(CreateTable(bases, if_not_exists=True))
            here = bases.c.revision == base.revision
            if connection.execute(select(bases.c.revision).where(here)).first() is None:
                connection.execute(insert(bases).values(base._asdict()))

    def all(self) -> Sequence[BaseRow]:
        """All of them, the lowest first."""
        with self._store.transaction() as connection:
            if not inspect(connection).has_table(bases.name):
                return []
            rows = connection.execute(select(bases).order_by(bases.c.revision)).all()
        return [BaseRow(row.revision, row.wall, row.body) for row in rows]

    def floor(self) -> BaseRow | None:
        """Return from where the journal is to be read; None: from its first row."""
        lowest = select(bases).order_by(bases.c.revision).limit(1)
        with self._store.transaction() as connection:
            row = connection.execute(lowest).first() if _is_cut(connection) else None
        return None if row is None else BaseRow(row.revision, row.wall, row.body)

    def floor_revision(self) -> int:
        """Return after which revision the journal is to be read, without the records there."""
        with self._store.transaction() as connection:
            lowest = select(func.min(bases.c.revision))
            found = connection.execute(lowest).scalar() if _is_cut(connection) else None
        return int(found or 0)

    def cut(self, base: BaseRow) -> int:
        """Cut the journal off at a base that is kept. Returns how many rows went; may be cut short.

        Safe to repeat: what was left is deleted then.
        """
        with self._store.transaction() as connection:
            here = bases.c.revision == base.revision
            connection.execute(update(bases).where(here).values(body=base.body))
            connection.execute(delete(bases).where(bases.c.revision < base.revision))
        gone = 0
        while some := self.delete_some(base.revision):
            gone += some
        return gone

    def delete_some(self, up_to: int) -> int:
        """Delete the oldest rows, at most `ROWS_AT_ONCE`. Returns how many there were."""
        with self._store.transaction() as connection:
            first = connection.execute(select(func.min(journal.c.revision))).scalar()
            if first is None or first > up_to:
                return 0
            last = min(up_to, first + ROWS_AT_ONCE - 1)
            connection.execute(delete(journal).where(journal.c.revision <= last))
        return int(last - first + 1)

    def extent(self) -> Extent:
        """Say how much is kept. Revisions are dense, so that no row is counted."""
        ends = select(func.min(journal.c.revision), func.max(journal.c.revision))
        with self._store.transaction() as connection:
            first, last = connection.execute(ends).one()
            size = _size_bytes(connection)
            oldest = select(journal.c.wall).where(journal.c.revision == first)
            wall = None if first is None else connection.execute(oldest).scalar()
        return Extent(0 if first is None else last - first + 1, wall, size)


def _is_cut(connection: Connection) -> bool:
    first = connection.execute(select(func.min(journal.c.revision))).scalar()
    return first is not None and first > 1 and inspect(connection).has_table(bases.name)


def _size_bytes(connection: Connection) -> int:
    return int(connection.execute(text(SIZES[connection.dialect.name])).scalar() or 0)
