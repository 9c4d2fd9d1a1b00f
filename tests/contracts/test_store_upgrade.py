"""Controllers of this version and of the one before on one store, and its way to this version."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from ninelives.adapters.sql import open_store
from ninelives.adapters.sql_board import SqlBoard
from ninelives.adapters.sql_schema import SCHEMA_VERSION
from ninelives.adapters.sql_upgrade import STEPS
from ninelives.core.model import WitnessId
from ninelives.engine.errors import StoreUnknown
from ninelives.engine.ports import Committed, Pin

from .store_servers import SERVERS, database_named
from .test_store import NOBODY, batch, entry


@pytest.fixture(params=["sqlite", *SERVERS])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of the version before, in which something was decided."""
    url = database_named(request.param, request, tmp_path)
    with closing(open_store(url)) as store:
        store.take(NOBODY, "a")
        store.commit(batch(0, 2, h1=b"fenced"))
    administer(url, "DROP TABLE pins", "UPDATE head SET schema_version = 1")
    return url


def administer(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_works_on_a_store_of_the_version_before(old: str) -> None:
    with closing(open_store(old)) as store:
        board = SqlBoard(store)
        board.pin(WitnessId("a"), Pin(1, b"seen"))

        assert store.commit(batch(2)) == Committed(3)
        assert board.pins() == {"a": Pin(1, b"seen")}
        assert version(old) == 1


def test_is_upgraded_while_a_controller_works(old: str) -> None:
    with closing(open_store(old)) as at_work, closing(open_store(old)) as operator:
        assert operator.upgrade() == (SCHEMA_VERSION,)
        assert at_work.commit(batch(2)) == Committed(3)
        assert operator.upgrade() == ()
    with closing(open_store(old)) as again:
        assert again.journal(0, 10) == [entry(1), entry(2), entry(3)]
        assert again.load() == {"h1": b"fenced"}


def test_an_upgrade_that_was_cut_short_is_ended_by_the_next(old: str) -> None:
    with closing(open_store(old)) as operator:
        operator.upgrade()
        administer(old, "UPDATE head SET schema_version = 1")

        assert operator.upgrade() == (SCHEMA_VERSION,)
        assert version(old) == SCHEMA_VERSION


def test_a_store_that_was_upgraded_has_the_tables_of_a_new_one(old: str, tmp_path: Path) -> None:
    new = f"sqlite:///{tmp_path}/new.db"
    open_store(new).close()
    with closing(open_store(old)) as operator:
        operator.upgrade()

    assert tables(old) == tables(new)


@pytest.mark.parametrize(("found", "hint"), [(3, "a newer ninelives"), (0, "releases between")])
def test_refuses_what_it_cannot_read(old: str, found: int, hint: str) -> None:
    administer(old, f"UPDATE head SET schema_version = {found}")

    with pytest.raises(StoreUnknown, match=f"hint: .*{hint}"):
        open_store(old)


def test_there_is_a_step_to_every_version() -> None:
    assert sorted(STEPS) == list(range(2, SCHEMA_VERSION + 1))


def version(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        found: int = connection.execute(text("SELECT schema_version FROM head")).scalar_one()
    engine.dispose()
    return found


def tables(url: str) -> dict[str, list[tuple[str, bool]]]:
    engine = create_engine(url)
    known = inspect(engine)
    found = {
        table: [(column["name"], column["nullable"]) for column in known.get_columns(table)]
        for table in known.get_table_names()
    }
    engine.dispose()
    return found
