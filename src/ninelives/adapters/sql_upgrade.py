"""The way of a store from one version of its tables to the next, with Alembic's operations.

Laws, so that controllers of this version and of the one before work on one store together:

  - A step only adds: what the version before reads and writes is still there, and means the same.
  - This version works on a store of the version before. `db upgrade` is run when every controller
    is of this version; one that still is not refuses the store at its next start.
  - A step may be done twice. MariaDB commits each change of a table by itself, so that a crash can
    leave the tables changed and the number not; the number is written last.

The number stands in the head row and not in a table of Alembic's: whoever reads the head has it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, Connection, select, update

from .sql_schema import BODY, NAME, SCHEMA_VERSION, head

Step = Callable[[Operations], None]


def _pins(tables: Operations) -> None:
    """Make the board of the controllers part of every store."""
    tables.create_table(
        "pins",
        Column("witness", NAME, primary_key=True),
        Column("beat", BigInteger, nullable=False),
        Column("body", BODY, nullable=False),
        if_not_exists=True,
    )


STEPS: Mapping[int, Step] = MappingProxyType({2: _pins})


def upgraded(connection: Connection) -> tuple[int, ...]:
    """Take the store to this version. Returns the versions that it went through; safe to repeat."""
    version = connection.execute(select(head.c.schema_version)).scalar_one()
    tables = Operations(MigrationContext.configure(connection))
    ahead = tuple(range(version + 1, SCHEMA_VERSION + 1))
    for number in ahead:
        STEPS[number](tables)
        here = head.c.schema_version == number - 1
        connection.execute(update(head).where(here).values(schema_version=number))
    return ahead
