"""One writer thread: everything in order, everything once, and an end that somebody hears of."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninelives.adapters.sql import open_store
from ninelives.engine import writer as writing
from ninelives.engine.errors import StoreUnavailable
from ninelives.engine.ports import Batch, Committed, Conflict, Entry, LeaseRow, TermLost
from ninelives.engine.writer import Report, Writer, WriterClosed, merged
from ninelives.sim.memory_store import Answers, MemoryStore

NOBODY = LeaseRow("", 0, 0)
PATIENCE_S = 20.0


def batch(
    expect: int, puts: dict[str, bytes] | None = None, drops: frozenset[str] = frozenset()
) -> Batch:
    return Batch(1, expect, (Entry(expect + 1, 1, 0.0, 0.0, b"event", b""),), puts or {}, drops)


class GatedStore(MemoryStore):
    """A disk that syncs when told: commits wait at the gate. It keeps the batches it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.batches: list[Batch] = []
        self.take(NOBODY, "a")

    def commit(self, batch: Batch) -> Committed | Conflict | TermLost:
        self.entered.set()
        assert self.gate.wait(PATIENCE_S)
        self.batches.append(batch)
        return super().commit(batch)


CHANGES = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abc"), st.binary(max_size=2), max_size=2),
        st.frozensets(st.sampled_from("abc"), max_size=1),
    ),
    min_size=1,
    max_size=8,
)


@given(CHANGES)
def test_one_merged_batch_leaves_what_its_parts_would(
    changes: list[tuple[dict[str, bytes], frozenset[str]]],
) -> None:
    one, many = GatedStore(), GatedStore()
    one.gate.set()
    many.gate.set()
    batches = [
        batch(n, {k: v for k, v in puts.items() if k not in drops}, drops)
        for n, (puts, drops) in enumerate(changes)
    ]

    for each in batches:
        many.commit(each)
    one.commit(merged(batches))

    assert one.load() == many.load()
    assert one.journal(0, 100) == many.journal(0, 100)


def test_a_gap_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="gap"):
        merged([batch(0), batch(2)])


def test_what_waits_is_one_commit() -> None:
    store, reports = GatedStore(), list[Report]()
    writer = Writer(store, reports.append)
    writer.offer(batch(0, {"h1": b"first"}))
    assert store.entered.wait(PATIENCE_S)
    for expect in range(1, 6):
        writer.offer(batch(expect, {"h1": b"%d" % expect}))

    store.gate.set()
    assert writer.close(PATIENCE_S)

    assert [len(b.entries) for b in store.batches] == [1, 5]
    assert reports == [Committed(1), Committed(6), WriterClosed()]
    assert store.load() == {"h1": b"5"}


def test_a_group_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "GROUP_BATCHES_MAX", 2)
    store, reports = GatedStore(), list[Report]()
    writer = Writer(store, reports.append)
    writer.offer(batch(0))
    assert store.entered.wait(PATIENCE_S)
    for expect in range(1, 6):
        writer.offer(batch(expect))

    store.gate.set()
    assert writer.close(PATIENCE_S)

    assert [len(b.entries) for b in store.batches] == [1, 2, 2, 1]


def test_a_full_queue_takes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "QUEUE_BATCHES_MAX", 2)
    store = GatedStore()
    writer = Writer(store, lambda _: None)
    writer.offer(batch(0))
    assert store.entered.wait(PATIENCE_S)

    assert [writer.offer(batch(expect)) for expect in (1, 2, 3)] == [True, True, False]

    store.gate.set()
    assert writer.close(PATIENCE_S)
    assert store.identity().revision == 3


@pytest.mark.parametrize("answers", [Answers.NEVER, Answers.REPLY_LOST])
def test_no_answer_ends_the_writer(answers: Answers) -> None:
    store, reports = GatedStore(), list[Report]()
    store.answers = answers
    writer = Writer(store, reports.append)
    writer.offer(batch(0))
    assert store.entered.wait(PATIENCE_S)
    writer.offer(batch(1))

    store.gate.set()
    assert writer.close(PATIENCE_S)

    assert [type(report) for report in reports] == [StoreUnavailable]
    assert len(store.batches) == 1
    assert not writer.offer(batch(1))


def test_a_lost_term_ends_the_writer() -> None:
    store, reports = GatedStore(), list[Report]()
    store.take(store.lease(), "b")
    store.gate.set()
    writer = Writer(store, reports.append)

    writer.offer(batch(0))
    assert writer.close(PATIENCE_S)

    assert reports == [TermLost(2)]
    assert store.journal(0, 10) == []


def test_another_writer_ends_the_writer() -> None:
    store, reports = GatedStore(), list[Report]()
    store.gate.set()
    store.commit(batch(0))
    writer = Writer(store, reports.append)

    writer.offer(batch(0))
    assert writer.close(PATIENCE_S)

    assert reports == [Conflict(1)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_is_heard_of() -> None:
    store, reports = GatedStore(), list[Report]()
    writer = Writer(store, reports.append)
    writer.offer(batch(0))
    assert store.entered.wait(PATIENCE_S)
    writer.offer(batch(1))
    writer.offer(batch(7))

    store.gate.set()
    assert writer.close(PATIENCE_S)

    assert reports == [Committed(1), WriterClosed()]
    assert not writer.offer(batch(1))


def test_through_sqlite_all_becomes_durable_in_order(tmp_path: Path) -> None:
    store, reports = open_store(f"sqlite:///{tmp_path}/store.db"), list[Report]()
    store.take(NOBODY, "a")
    writer = Writer(store, reports.append)

    offered = [writer.offer(batch(expect, {"h1": b"%d" % expect})) for expect in range(500)]
    assert writer.close(PATIENCE_S)

    assert all(offered)
    revisions = [report.revision for report in reports if isinstance(report, Committed)]
    assert revisions == sorted(revisions)
    assert revisions[-1] == store.identity().revision == 500
    assert len(revisions) < 500, "every event had a commit of its own"
    assert store.load() == {"h1": b"499"}
    store.close()
