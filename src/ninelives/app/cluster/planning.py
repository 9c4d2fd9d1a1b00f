"""What `build` would do: each change, in steps that are safe to stop after.

    settings ▶ power devices, levels ▶ services, rules ▶ hosts ▶ roles ▶ … ▶ what goes, in reverse

Laws:
  - A host is connected only when it can be fenced, and when nothing may run there unasked.
  - A role comes last and goes first: what runs on a host is stopped before the host goes.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ninelives.adapters.pacemaker.cib.changes import Change, differences
from ninelives.adapters.pacemaker.cib.pieces import Key, Kind, Pieces
from ninelives.adapters.pacemaker.cib.tree import Element
from ninelives.engine.errors import ConfigError

from .declared import pieces_from
from .exported import exported
from .model import Cluster
from .resources import hosts_of


class Step(NamedTuple):
    """Changes that are made at once."""

    title: str
    changes: tuple[Change, ...]


class Plan(NamedTuple):
    """What leads from a cluster to the declared one."""

    steps: tuple[Step, ...]
    unmanaged: tuple[Key, ...]  # what is left alone
    lost: tuple[Key, ...]  # what would be taken away, or overwritten without being understood
    after: Pieces  # the cluster as it would be, foreign parts included
    declared: Pieces

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(change for step in self.steps for change in step.changes)


def planned(live: Pieces, cluster: Cluster) -> Plan:
    """Compare a cluster with the declared one. Pure."""
    declared = pieces_from(cluster)
    said, unmanaged = _said(live)
    changes = differences(live, declared, said)
    after = {key: piece for key, piece in live.items() if key not in said} | dict(declared)
    overwritten = [
        each.key for each in changes
        if each.before and each.after and each.key not in said and each.key.kind in WHOLE
    ]  # fmt: skip
    lost = (*(each.key for each in changes if each.is_removal), *overwritten)
    left = tuple(key for key in unmanaged if key not in declared)
    return Plan(tuple(_steps(changes)), left, tuple(lost), after, declared)


WHOLE = frozenset({Kind.RESOURCE, Kind.ALERT})


def _said(live: Pieces) -> tuple[frozenset[Key], tuple[Key, ...]]:
    """Find out what of the live cluster a file could say: that alone may be taken away."""
    try:
        found = exported(live)
    except ConfigError:
        return frozenset(), tuple(sorted(live))  # not even a member: everything in it is foreign
    return frozenset(pieces_from(found.cluster)), found.unmanaged


def _is_device(change: Change) -> bool:
    return _piece(change).get("class") == "stonith"


def _is_remote(change: Change) -> bool:
    return _piece(change).get("type") == "remote"


def _piece(change: Change) -> Element:
    piece = change.after or change.before
    assert piece is not None, "a change is from something or to something"
    return piece


def _is_setting(change: Change) -> bool:
    return change.key.kind in {Kind.PROPERTY, Kind.DEFAULT, Kind.NODE}


def _is_fencing(change: Change) -> bool:
    return change.key.kind is Kind.LEVEL or (
        change.key.kind is Kind.RESOURCE and _is_device(change)
    )


def _is_host(change: Change) -> bool:
    return change.key.kind is Kind.RESOURCE and _is_remote(change)


def _is_service(change: Change) -> bool:
    is_resource = change.key.kind is Kind.RESOURCE and not _is_device(change)
    return (is_resource and not _is_remote(change)) or change.key.kind is Kind.CONSTRAINT


def _is_role(change: Change) -> bool:
    return change.key.kind is Kind.ATTRIBUTE


def _is_alert(change: Change) -> bool:
    return change.key.kind is Kind.ALERT


ADDING: tuple[tuple[str, Callable[[Change], bool]], ...] = (
    ("settings of the cluster", _is_setting),
    ("power devices and levels", _is_fencing),
    ("services and their rules", _is_service),
    ("compute hosts", _is_host),
    ("roles", _is_role),
    ("alerts", _is_alert),
)
REMOVING = tuple((title, kind) for title, kind in reversed(ADDING))


def _steps(changes: tuple[Change, ...]) -> Iterator[Step]:
    """Group the changes. A constraint that is replaced goes in the step in which its heir comes."""
    at_once = [each for each in changes if each.is_removal and each.key.kind is Kind.CONSTRAINT]
    removed = [each for each in changes if each.is_removal and each not in at_once]
    for title, kind in ADDING:
        added = [each for each in (*at_once, *changes) if kind(each) and each not in removed]
        added = list(dict.fromkeys(added))
        if added:
            yield Step(title, tuple(added))
    gone = {each.key.name for each in removed if _is_host(each)}
    for title, kind in REMOVING:
        leaving = tuple(each for each in removed if _leaves_with(each, gone, kind))
        if leaving:
            yield Step(f"{title} that go", leaving)


def _leaves_with(change: Change, gone: set[str], kind: Callable[[Change], bool]) -> bool:
    """Say whether a change belongs to this kind of removal.

    What is a host's alone goes with it, at once: without its host nobody could tell whose it was,
    and a build that is cut short there would leave it behind.
    """
    if not _is_fencing(change) or not gone:
        return kind(change)
    if change.key.kind is Kind.LEVEL:
        is_alone = change.key.of in gone
    else:
        is_alone = bool(hosts_of(_piece(change))) and gone.issuperset(hosts_of(_piece(change)))
    return (kind is _is_host) if is_alone else kind(change)
