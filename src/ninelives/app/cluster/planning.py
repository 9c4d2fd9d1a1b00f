"""What `build` would do: each change, in steps that are safe to stop after.

    settings ▶ power devices, levels ▶ services, rules ▶ hosts ▶ roles ▶ … ▶ what goes, in reverse

Laws:
  - A host is connected only when it can be fenced, and when nothing may run there unasked.
  - A role comes last and goes first: what runs on a host is stopped before the host goes.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ninelives.adapters.pacemaker.cib.changes import Change, differences
from ninelives.adapters.pacemaker.cib.pieces import RESOURCES, Key, Kind, Pieces
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
    changes, after = _changes(live, declared, said)
    for _ in range(ROUNDS_MAX):
        # What could not be said may be sayable afterwards (a device, once nobody else's level names
        # it): a second build would take it away, so this one has to show it.
        more = _said(after)[0] - declared.keys()
        if not more:
            break
        said |= more
        changes, after = _changes(live, declared, said)
    taken = {each.key for each in changes if each.is_removal}
    overwritten = [
        each.key for each in changes
        if each.before and each.after and each.key not in said and each.key.kind in WHOLE
    ]  # fmt: skip
    lost = (*(each.key for each in changes if each.is_removal), *overwritten)
    left = tuple(key for key in unmanaged if key not in declared and key not in taken)
    return Plan(tuple(_steps(changes)), left, tuple(lost), after, declared)


WHOLE = frozenset({Kind.RESOURCE, Kind.ALERT, Kind.LEVEL})
ROUNDS_MAX = 5


def _changes(
    live: Pieces, declared: Pieces, mine: frozenset[Key]
) -> tuple[tuple[Change, ...], Pieces]:
    """Return the changes when `mine` may be taken away, and what is there afterwards."""
    changes = differences(live, declared, mine)
    changes = (*changes, *_orphans(live, changes))
    taken = {each.key for each in changes if each.is_removal}
    return changes, {key: live[key] for key in live if key not in taken} | dict(declared)


def _orphans(live: Pieces, changes: tuple[Change, ...]) -> Iterator[Change]:
    """Take away the rules, whoever wrote them, of a resource that goes: they would name nothing."""
    gone, named = _gone(changes), {each.key for each in changes}
    for key, piece in live.items():
        if key.kind is Kind.CONSTRAINT and key not in named and _names(piece) & gone:
            yield Change(key, piece, None)


def _gone(changes: tuple[Change, ...]) -> set[str]:
    """List the resources that go, and what is inside them."""
    return {
        name
        for each in changes
        if each.is_removal and each.key.kind is Kind.RESOURCE
        for name in _inside(_piece(each))
    }


def _inside(piece: Element) -> Iterator[str]:
    if piece.tag in RESOURCES:
        yield piece.get("id")
    for child in piece.children:
        yield from _inside(child)


def _names(piece: Element) -> set[str]:
    """List the resources that a rule is about."""
    ends = {
        piece.get(name) for name in ("rsc", "with-rsc", "first", "then", "id") if piece.get(name)
    }
    return ends.union(*map(_names, piece.children)) if piece.tag in RULES else set()


RULES = frozenset(
    {
        *("rsc_location", "rsc_order", "rsc_colocation", "rsc_ticket"),
        *("resource_set", "resource_ref"),
    }
)


def _said(live: Pieces) -> tuple[frozenset[Key], tuple[Key, ...]]:
    """Find out what of the live cluster a file could say: that alone may be taken away."""
    try:
        found = exported(live)
    except ConfigError:
        return frozenset(), tuple(sorted(live))  # not even a member: everything in it is foreign
    return frozenset(pieces_from(found.cluster)), found.unmanaged


def runs(change: Change) -> bool:
    """Say whether it is about something that is started and stopped, and is no power device."""
    return change.key.kind is Kind.RESOURCE and not _is_device(change)


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
    is_service = runs(change) and not _is_remote(change)
    return is_service or change.key.kind is Kind.CONSTRAINT


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
    """Group the changes.

    A rule that is replaced goes when its heir comes; one of a resource that goes, with it.
    """
    leaving = _gone(changes)
    at_once = [
        each
        for each in changes
        if each.is_removal and each.key.kind is Kind.CONSTRAINT
        if not _names(_piece(each)) & leaving
    ]
    removed = [each for each in changes if each.is_removal and each not in at_once]
    for title, kind in ADDING:
        added = [each for each in (*at_once, *changes) if kind(each) and each not in removed]
        added = list(dict.fromkeys(added))
        if added:
            yield Step(title, tuple(added))
    gone = {each.key.name for each in removed if _is_host(each)}
    for title, kind in REMOVING:
        parting = tuple(each for each in removed if _leaves_with(each, gone, kind))
        if parting:
            yield Step(f"{title} that go", parting)


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
