"""What only a cluster can do to a store: write on two nodes at once, and be cut in two."""

from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from threading import Barrier, Thread

import pytest
from sqlalchemy import Connection, create_engine, event, text, update
from tests.cloud.cloud_client import until

from ninelives.adapters.sql import SqlStore, open_store
from ninelives.adapters.sql_schema import head
from ninelives.engine.errors import StoreUnavailable
from ninelives.engine.ports import Committed, LeaseRow, TermLost

from .galera_cluster import Cluster, cluster
from .store_servers import Server
from .test_store import NOBODY, batch

pytestmark = pytest.mark.server

REVISIONS = 10
WAITING = """\
SELECT 1 FROM information_schema.processlist
WHERE command = 'Query' AND user = 'root' AND id != connection_id() AND time_ms > 200"""


@pytest.fixture(scope="module")
def nodes() -> Generator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def stores(nodes: Cluster) -> Generator[tuple[SqlStore, SqlStore]]:
    """One store, by way of each of the nodes, led by "a"."""
    first, second = nodes.new_database()
    with closing(open_store(first)) as ours, closing(open_store(second)) as theirs:
        ours.take(NOBODY, "a")
        yield ours, theirs


def just_before_commit(store: SqlStore, happens: Callable[[], object]) -> None:
    """Let something happen once, between the writes of the next transaction and its COMMIT."""
    left = [happens]

    def once(_: Connection) -> None:
        if left:
            left.pop()()

    event.listen(store._engine, "commit", once)  # pyright: ignore[reportPrivateUsage] - no port for it


def test_a_node_knows_what_another_one_acknowledged(stores: tuple[SqlStore, SqlStore]) -> None:
    ours, theirs = stores

    for expect in range(REVISIONS):
        assert (ours, theirs)[expect % 2].commit(batch(expect)) == Committed(expect + 1)
        assert (theirs, ours)[expect % 2].identity().revision == expect + 1


@contextmanager
def applies_nothing(node: Server) -> Generator[Connection]:
    """Let a node take what others committed into its queue, and no further."""
    engine = create_engine(node.url("ninelives"))
    with engine.connect() as held:
        held.execute(text("FLUSH TABLES WITH READ LOCK"))
        yield held
        held.execute(text("UNLOCK TABLES"))
    engine.dispose()


def test_a_node_that_is_behind_answers_only_once_it_has_caught_up(
    nodes: Cluster, stores: tuple[SqlStore, SqlStore]
) -> None:
    """Without `wsrep_sync_wait` it says at once what it had before: a leader's commit is lost."""
    ours, theirs = stores
    said = list[int]()
    reader = Thread(target=lambda: said.append(theirs.identity().revision))

    with applies_nothing(nodes.second) as held:
        assert ours.commit(batch(0)) == Committed(1)
        reader.start()
        until(lambda: bool(said) or waits_for_the_others(held))
    reader.join()

    assert said == [1]


def waits_for_the_others(held: Connection) -> bool:
    """Say whether a statement of somebody else's is under way on that node."""
    return bool(held.execute(text(WAITING)).all())


def test_a_commit_that_fails_its_certification_wrote_nothing(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    ours, theirs = stores
    just_before_commit(ours, lambda: theirs.take(LeaseRow("a", 1, 0), "b"))

    assert ours.commit(batch(0, h1=b"zombie")) == TermLost(2)
    assert (theirs.lease(), theirs.load()) == (LeaseRow("b", 2, 0), {})


def test_a_renewal_that_fails_its_certification_is_lost(stores: tuple[SqlStore, SqlStore]) -> None:
    ours, theirs = stores
    just_before_commit(ours, lambda: theirs.take(LeaseRow("a", 1, 0), "b"))

    assert ours.renew(LeaseRow("a", 1, 0)) is None
    assert ours.lease() == LeaseRow("b", 2, 0)


def test_a_conflict_is_error_1213_and_no_damage(stores: tuple[SqlStore, SqlStore]) -> None:
    ours, theirs = stores
    write = ours.transaction()
    write.__enter__().execute(update(head).values(disarmed="ours"))
    theirs.set_disarmed("theirs")

    with pytest.raises(StoreUnavailable, match=r"(?s)1213.*hint: another node"):
        write.__exit__(None, None, None)
    assert ours.disarmed() == "theirs"


def test_of_writers_on_both_nodes_one_commits_each_revision(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    answers, start = list[object](), Barrier(2)

    def race(store: SqlStore) -> None:
        start.wait()
        for expect in range(REVISIONS):
            try:
                answers.append(store.commit(batch(expect)))
            except StoreUnavailable:  # more conflicts in a row than are borne
                continue

    threads = [Thread(target=race, args=[store]) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    won = [answer.revision for answer in answers if isinstance(answer, Committed)]
    assert sorted(won) == [*range(1, stores[0].identity().revision + 1)]
    assert stores[0].journal(0, 100) == stores[1].journal(0, 100)


def test_a_node_without_the_majority_is_no_store(
    nodes: Cluster, stores: tuple[SqlStore, SqlStore]
) -> None:
    _, theirs = stores
    nodes.first.freeze()
    try:
        said = {str(_refusal(theirs)) for _ in range(10)}
    finally:
        nodes.first.thaw()

    assert any("1047" in each and "hint: this node of Galera is cut off" in each for each in said)


def _refusal(store: SqlStore) -> StoreUnavailable | None:
    try:
        store.commit(batch(0))
    except StoreUnavailable as error:
        return error
    return None
