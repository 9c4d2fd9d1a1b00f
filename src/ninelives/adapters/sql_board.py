"""The board on which controllers show each other what they see, in the store's own database."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select, update
from sqlalchemy.schema import CreateTable

from ninelives.core.model import WitnessId
from ninelives.engine.ports import Pin

from .sql import SqlStore
from .sql_schema import pins


class SqlBoard:
    """A `ports.Board`. Safe to use from several threads."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        with store.transaction() as connection:
            connection.execute(CreateTable(pins, if_not_exists=True))

    def pin(self, witness: WitnessId, pin: Pin) -> None:
        # One controller writes one row, so that nobody comes between the two statements.
        own = pins.c.witness == witness
        with self._store.transaction() as connection:
            found = connection.execute(update(pins).where(own).values(pin._asdict()))
            if not found.rowcount:
                connection.execute(insert(pins).values(witness=witness, **pin._asdict()))

    def unpin(self, witness: WitnessId) -> None:
        """Take down what a controller shows that ends."""
        with self._store.transaction() as connection:
            connection.execute(delete(pins).where(pins.c.witness == witness))

    def pins(self) -> Mapping[WitnessId, Pin]:
        with self._store.transaction() as connection:
            rows = connection.execute(select(pins)).all()
        return {WitnessId(row.witness): Pin(row.beat, row.body) for row in rows}
