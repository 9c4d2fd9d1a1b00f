"""A plan as people read it: a sign, what it is, and what of it changes."""

from collections.abc import Iterable, Iterator

from ninelives.adapters.pacemaker.cib.changes import Change
from ninelives.adapters.pacemaker.cib.pieces import Kind
from ninelives.adapters.pacemaker.cib.tree import Element
from ninelives.app.findings import Grade

from .dangers_found import Danger
from .planning import Plan
from .resources import agent_of
from .yaml_lines import Text


def of_plan(plan: Plan) -> Iterator[str]:
    """Yield a line for each change, under the step in which it is made."""
    for number, step in enumerate(plan.steps, start=1):
        yield f"{number}. {step.title}"
        for change in step.changes:
            yield from (f"   {line}" for line in of_change(change))
    if plan.unmanaged:
        yield f"{len(plan.unmanaged)} more in the cluster that the file cannot say: left alone"
    if not plan.steps:
        yield "nothing to change"


def of_change(change: Change) -> Iterator[str]:
    """Yield the line of one change, and one for each thing in it that differs."""
    name = _named(change)
    match change.before, change.after:
        case None, after if after is not None:
            yield f"+ {name}{_brief(change, after)}"
        case before, None if before is not None:
            yield f"- {name}"
        case before, after if before is not None and after is not None:
            yield f"~ {name}"
            yield from (f"    {line}" for line in _differing(before, after))
        case _:
            raise AssertionError("a change is from something or to something")


def _named(change: Change) -> str:
    if change.key.kind is not Kind.CONSTRAINT:
        return str(change.key)
    piece = change.after or change.before
    assert piece is not None, "a change is from something or to something"
    return f"rule {_sentence(piece)}"


def _sentence(piece: Element) -> str:
    """Say what a constraint demands."""
    if piece.tag == "rsc_order":
        return f"{piece.get('first')} before {piece.get('then')}, {piece.get('kind').lower()}"
    rule = piece.one("rule")
    if piece.tag != "rsc_location" or rule is None:
        return " ".join(text for _, text in piece.attributes)
    where = " and ".join(
        " ".join(filter(None, (each.get("attribute"), each.get("operation"), each.get("value"))))
        for each in rule.children
    )
    verb = "never" if rule.get("score") == "-INFINITY" else "only"
    return f"{piece.get('rsc')} {verb} where {where}"


def _brief(change: Change, after: Element) -> str:
    match change.key.kind:
        case Kind.RESOURCE if after.tag == "primitive":
            return f": {agent_of(after)}"
        case Kind.PROPERTY | Kind.ATTRIBUTE | Kind.DEFAULT:
            return f": {after.get('value')}"
        case Kind.LEVEL:
            return f": {after.get('devices')}"
        case _:
            return ""


def _differing(before: Element, after: Element) -> Iterator[str]:
    old, new = dict(_flat(before)), dict(_flat(after))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{name}: {old.get(name, 'nothing')} → {new.get(name, 'nothing')}"


def _flat(piece: Element, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value in a piece, with a name by which it is known again."""
    if piece.tag == "nvpair":
        yield f"{path}{piece.get('name')}", piece.get("value")
        return
    words = [piece.get("id") or piece.get("name") or piece.tag]
    own = path if piece.tag in {"instance_attributes", "operations"} else f"{path}{words[0]} "
    for name, text in piece.attributes:
        if name not in {"id", "name"}:
            yield f"{own}{name}", text
    for child in piece.children:
        yield from _flat(child, own)


def of_dangers(found: Iterable[Danger], text: Text) -> Iterator[str]:
    """Yield each danger with its place, its reason and its remedy."""
    for each in found:
        place = f"{text.place(each.path)}: " if each.path else ""
        sign = "refused" if each.grade is Grade.ERROR else "warning"
        yield f"{sign} {each.name}: {place}{each.what}"
        yield f"    why: {each.reason}"
        yield f"    do:  {each.remedy}"
