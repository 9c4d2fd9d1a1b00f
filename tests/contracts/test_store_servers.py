"""What only a database server can do to a store: hang, fall, be shared, be set up carelessly."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from sqlalchemy import update

from ninelives.adapters import sql_limits
from ninelives.adapters.sql import SqlStore, open_store
from ninelives.adapters.sql_board import SqlBoard
from ninelives.adapters.sql_schema import head
from ninelives.core.model import WitnessId
from ninelives.engine.errors import StoreUnavailable, StoreUnknown, StoreUnsafe
from ninelives.engine.ports import Committed, Conflict, LeaseRow, Pin, TermLost

from .store_servers import KINDS, Server
from .test_store import NOBODY, batch, entry

pytestmark = pytest.mark.server

CONTROLLERS = 4
Open = Callable[[], SqlStore]


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def url(server: Server) -> str:
    return server.new_database()


@pytest.fixture
def reopen(url: str, request: pytest.FixtureRequest) -> Open:
    def again() -> SqlStore:
        opened = open_store(url)
        request.addfinalizer(opened.close)
        return opened

    return again


class TestShared:
    def test_two_controllers_share_one_store(self, reopen: Open) -> None:
        ours, theirs = reopen(), reopen()
        ours.take(NOBODY, "a")
        theirs.take(theirs.lease(), "b")

        assert ours.commit(batch(0)) == TermLost(2)
        assert theirs.commit(batch(0, term=2)) == Committed(1)
        assert ours.journal(0, 10) == [entry(1, 2)]

    def test_of_two_leaders_of_one_term_one_commits(self, reopen: Open) -> None:
        ours, theirs = reopen(), reopen()
        ours.take(NOBODY, "a")

        assert ours.commit(batch(0, h1=b"first")) == Committed(1)
        assert theirs.commit(batch(0, h1=b"second")) == Conflict(1)
        assert theirs.load() == {"h1": b"first"}

    def test_all_who_open_an_empty_database_at_once_get_the_same(self, url: str) -> None:
        barrier = Barrier(CONTROLLERS)

        def opened(number: int) -> str:
            barrier.wait()
            store = open_store(url)
            SqlBoard(store).pin(WitnessId(f"c{number}"), Pin(1, b""))
            found = store.identity().store_id
            store.close()
            return found

        with ThreadPoolExecutor(CONTROLLERS) as threads:
            assert len(set(threads.map(opened, range(CONTROLLERS)))) == 1

    def test_the_board_shows_the_last_pin_of_each(self, reopen: Open) -> None:
        ours, theirs = SqlBoard(reopen()), SqlBoard(reopen())
        ours.pin(WitnessId("a"), Pin(1, b"old"))
        ours.pin(WitnessId("a"), Pin(2, b"\x00new"))
        theirs.pin(WitnessId("A"), Pin(1, b""))

        assert theirs.pins() == {"a": Pin(2, b"\x00new"), "A": Pin(1, b"")}

    def test_whoever_only_looks_makes_no_store(self, url: str) -> None:
        with pytest.raises(StoreUnknown, match="no store"):
            open_store(url, exists=True)


class TestFailures:
    def test_what_was_acknowledged_outlives_the_server(self, server: Server, reopen: Open) -> None:
        store = reopen()
        store.take(NOBODY, "a")
        store.commit(batch(0, 2, h1=b"fenced"))
        store.set_disarmed("why")
        server.kill()
        try:
            with pytest.raises(StoreUnavailable, match="hint: is the database running"):
                store.commit(batch(2))
        finally:
            server.start()

        assert store.lease() == LeaseRow("a", 1, 0)
        assert store.journal(0, 10) == [entry(1), entry(2)]
        assert (store.load(), store.disarmed()) == ({"h1": b"fenced"}, "why")
        assert store.commit(batch(2)) == Committed(3)

    def test_who_froze_in_the_middle_of_a_write_keeps_nobody_from_leading(
        self, reopen: Open
    ) -> None:
        frozen, other = reopen(), reopen()
        frozen.take(NOBODY, "a")
        seen, write = other.lease(), frozen.transaction()
        write.__enter__().execute(update(head).values(beat=7))

        with pytest.raises(StoreUnavailable, match="hint: somebody holds"):
            other.take(seen, "b")
        assert _taken_at_last(other, seen) == LeaseRow("b", 2, 0)
        with pytest.raises(StoreUnavailable):
            write.__exit__(None, None, None)
        assert other.lease() == LeaseRow("b", 2, 0)

    def test_a_server_that_hangs_is_not_waited_for(self, server: Server, reopen: Open) -> None:
        store = reopen()
        server.freeze()
        try:
            with pytest.raises(StoreUnavailable):
                store.take(NOBODY, "a")
        finally:
            server.thaw()

        assert store.lease() == NOBODY


def _taken_at_last(other: SqlStore, seen: LeaseRow) -> LeaseRow | None:
    """Take the lease as soon as the server lets go of its row, by its own limit."""
    for _ in range(sql_limits.IDLE_TIMEOUT_S // sql_limits.LOCK_TIMEOUT_S):
        with suppress(StoreUnavailable):
            return other.take(seen, "b")
    return None


class TestPostgres:
    @pytest.fixture
    def url(self, postgresql: Server) -> str:
        return postgresql.new_database()

    @pytest.mark.parametrize("careless", ["fsync = off"])
    def test_refuses_what_a_power_loss_undoes(
        self, postgresql: Server, url: str, careless: str
    ) -> None:
        reload = "SELECT pg_reload_conf()"
        postgresql.execute(url, f"ALTER SYSTEM SET {careless}", reload)
        try:
            with pytest.raises(StoreUnsafe, match="fsync is off"):
                open_store(url)
        finally:
            postgresql.execute(url, "ALTER SYSTEM RESET ALL", reload)

    def test_refuses_a_standby_that_follows_asynchronously(
        self, postgresql: Server, url: str
    ) -> None:
        postgresql.execute(url, "SELECT pg_create_physical_replication_slot('standby')")
        try:
            with pytest.raises(StoreUnsafe, match="asynchronously"):
                open_store(url)
        finally:
            postgresql.execute(url, "SELECT pg_drop_replication_slot('standby')")

    def test_waits_for_the_disk_whatever_the_database_says(
        self, postgresql: Server, url: str
    ) -> None:
        postgresql.execute(url, "ALTER ROLE ninelives SET synchronous_commit = off")
        try:
            open_store(url).close()
        finally:
            postgresql.execute(url, "ALTER ROLE ninelives RESET synchronous_commit")

    def test_says_that_it_reached_a_standby(self, postgresql: Server, url: str) -> None:
        only, ends = "default_transaction_read_only", "SET default_transaction_read_only = off"
        postgresql.execute(url, f"ALTER ROLE ninelives SET {only} = on")
        try:
            with pytest.raises(StoreUnavailable, match="hint: this server only reads"):
                open_store(url)
        finally:
            postgresql.execute(url, ends, f"ALTER ROLE ninelives RESET {only}")

    @pytest.mark.parametrize("wrong", ["nobody@/postgres", "ninelives@/nowhere"])
    def test_says_that_it_cannot_log_in(self, url: str, wrong: str) -> None:
        with pytest.raises(StoreUnavailable, match="hint: is the database running, and are its"):
            open_store(url.replace("ninelives@/postgres", wrong))


class TestMariaDb:
    @pytest.fixture
    def url(self, mariadb: Server) -> str:
        return mariadb.new_database()

    @pytest.mark.parametrize("value", [0, 2])
    def test_refuses_what_a_power_loss_undoes(self, mariadb: Server, url: str, value: int) -> None:
        name = "innodb_flush_log_at_trx_commit"
        mariadb.execute(url, f"SET GLOBAL {name} = {value}")
        try:
            with pytest.raises(StoreUnsafe, match=f"{name} is {value}"):
                open_store(url)
        finally:
            mariadb.execute(url, f"SET GLOBAL {name} = 1")

    @pytest.mark.parametrize(
        ("right", "wrong", "hint"),
        [
            ("root@localhost/ninelives", "root@localhost/nowhere", "make the database first"),
            ("root@localhost", "nobody:wrong@localhost", "check the user and the password"),
        ],
    )
    def test_says_what_to_do(self, url: str, right: str, wrong: str, hint: str) -> None:
        with pytest.raises(StoreUnavailable, match=f"hint: {hint}"):
            open_store(url.replace(right, wrong))

    def test_takes_the_url_of_openstack_services(self, url: str) -> None:
        open_store(url.replace("mariadb+pymysql", "mysql+pymysql")).close()
