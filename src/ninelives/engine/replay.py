"""The journal fed to `decide` again: the same decisions (I24), or the first that differs.

    rows ──▶ Node.offer ──▶ Ready ──▶ the same notes and digests?
               ▲
               └── at each TermBegan anew, from the records as they were: so a leader began

Under which configuration each term decided stands in the journal itself; `instead` asks what would
have been decided under another one.

`host why --at`, `what-if` and incident reports stand on it: they show the state in which a
decision was made, not one that was put together afterwards.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ninelives.core.cluster import Cluster
from ninelives.core.events import TermBegan
from ninelives.core.setting import Setting
from ninelives.engine.errors import NinelivesError
from ninelives.engine.journal import (
    Row,
    changes_of,
    digest_of,
    restored,
    setting_of,
    stored_setting,
)
from ninelives.engine.node import Decide, Node, Ready, lawless

PARTS = ("records", "actions", "wakes")  # in the order of `digest_of`


class Step(NamedTuple):
    """One row decided again. `node` has the state after it, until the next step."""

    row: Row
    ready: Ready
    digest: str
    node: Node


class Difference(NamedTuple):
    """The first row that is decided differently now."""

    row: Row
    part: str  # "notes" | "records" | "actions" | "wakes"
    written: str
    decided: str

    def __str__(self) -> str:
        return (
            f"revision {self.row.revision} ({self.row.event}): other {self.part}\n"
            f"  written: {self.written}\n"
            f"  decided: {self.decided}"
        )


def steps(
    rows: Iterable[Row],
    decide: Decide,
    stored: Mapping[str, bytes] | None = None,
    instead: Setting | None = None,
) -> Iterator[Step]:
    """Decide each row again. `stored`: the records before the first, which begins a term."""
    records = dict(stored or {})
    setting = instead or stored_setting(records)
    node: Node | None = None
    for row in rows:
        if isinstance(row.event, TermBegan):
            setting = instead or row.event.setting or setting
            node = Node(restored(records, _known(setting)), decide, row.revision - 1, lawless)
        if node is None or row.revision != node.revision + 1:
            raise NinelivesError(
                f"the journal cannot be replayed from revision {row.revision}",
                "begin with a row in which a term began, and leave none out",
            )
        ready = node.offer(row.event, row.at)
        changes = changes_of(ready.decision)
        records.update({**changes.puts, **setting_of(row.event)})
        for key in changes.drops:
            records.pop(key, None)
        yield Step(row, ready, digest_of(ready.decision, changes), node)


def _known(setting: Setting | None) -> Setting:
    if setting is None:
        raise NinelivesError(
            "the journal does not say under which configuration it was decided",
            "an older ninelives wrote it: record it again with this one",
        )
    return setting


def first_difference(
    rows: Iterable[Row],
    decide: Decide,
    stored: Mapping[str, bytes] | None = None,
    instead: Setting | None = None,
) -> Difference | None:
    """Return the first row that would be decided differently now; None if there is none."""
    found = (difference(step) for step in steps(rows, decide, stored, instead))
    return next((each for each in found if each is not None), None)


def difference(step: Step) -> Difference | None:
    """Compare one decision with what the journal says of it."""
    row, decision = step.row, step.ready.decision
    if row.notes != decision.notes:
        return Difference(row, "notes", _lines(row.notes), _lines(decision.notes))
    shown = {"actions": _lines(decision.actions), "wakes": _lines(decision.wakes.items())}
    written, decided = row.digest.split("."), step.digest.split(".")
    for part, before, now in zip(PARTS, written, decided, strict=True):
        if before != now:
            # Of these the journal keeps the digest alone; what is decided now can be shown.
            return Difference(row, part, before, f"{now} {shown.get(part, '')}".rstrip())
    return None


def state_at(
    rows: Iterable[Row],
    decide: Decide,
    revision: int,
    stored: Mapping[str, bytes] | None = None,
    instead: Setting | None = None,
) -> Cluster:
    """Return the state in which `revision` left the leader."""
    for step in steps(rows, decide, stored, instead):
        if step.row.revision == revision:
            return step.node.cluster
    raise NinelivesError(f"the journal has no revision {revision}", "see `incident list`")


def _lines(things: Iterable[object]) -> str:
    return "; ".join(map(str, things)) or "none"
