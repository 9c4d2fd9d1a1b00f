"""The ways in which the stand-in of the store can be made to fail."""

import pytest

from ninelives.engine.errors import StoreUnavailable
from ninelives.engine.ports import Batch, Entry, LeaseRow, StoreIdentity
from ninelives.sim.memory_store import Answers, MemoryStore

NOBODY = LeaseRow("", 0, 0)
BATCH = Batch(1, 0, (Entry(1, 1, 0.0, 0.0, b"event", b""),), {"h1": b"new"})


def test_can_be_silent() -> None:
    store = MemoryStore()
    store.answers = Answers.NEVER

    with pytest.raises(StoreUnavailable):
        store.take(NOBODY, "a")

    store.answers = Answers.ALWAYS
    assert store.lease() == NOBODY


def test_can_lose_the_reply_of_what_it_wrote() -> None:
    store = MemoryStore()
    store.take(NOBODY, "a")
    store.answers = Answers.REPLY_LOST

    with pytest.raises(StoreUnavailable):
        store.commit(BATCH)

    assert store.identity().revision == 1


def test_a_fork_is_another_world() -> None:
    store = MemoryStore()
    store.take(NOBODY, "a")
    backup = store.fork()

    store.commit(BATCH)

    assert backup.identity() == StoreIdentity("memory", 0, 1)
    assert backup.load() == {}
    assert backup.journal(0, 10) == []
