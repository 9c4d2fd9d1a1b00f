"""Does a store keep its laws? Read from the first row to the last, changing nothing."""

from collections.abc import Iterator

from ninelives.engine.errors import CodecError
from ninelives.engine.journal import read_records, row_of
from ninelives.engine.ports import JOURNAL_PAGE_MAX, Entry, Store

FINDINGS_MAX = 100  # a store that is wrong throughout is told of without filling a screen


def findings(store: Store) -> Iterator[str]:
    """Yield what is wrong, one sentence each. A leader may write meanwhile."""
    # The head first: what is committed while we read lies above it, and is judged all the same.
    identity = store.identity()
    last = Entry(0, 0, 0.0, 0.0, b"", b"")
    while page := store.journal(last.revision, JOURNAL_PAGE_MAX):
        for entry in page:
            yield from _of_entry(last, entry)
            last = entry
    if last.revision < identity.revision:
        yield f"the head says revision {identity.revision}, the journal ends at {last.revision}"
    if last.term > store.identity().term:
        yield f"the journal ends in term {last.term}, the lease is in term {identity.term}"
    try:
        read_records(store.load())
    except CodecError as error:
        yield f"a record cannot be read: {error}"


def _of_entry(before: Entry, entry: Entry) -> Iterator[str]:
    # The oldest rows may have been pruned: the first one there is begins the count.
    if before.revision and entry.revision != before.revision + 1:
        yield f"revisions {before.revision + 1} to {entry.revision - 1} are missing"
    if entry.term < before.term:
        yield f"revision {entry.revision} is of term {entry.term}, after one of {before.term}"
    try:
        row_of(entry)
    except CodecError as error:
        yield f"revision {entry.revision} cannot be read: {error}"
