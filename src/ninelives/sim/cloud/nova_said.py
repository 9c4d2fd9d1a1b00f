"""What the model replied, as HTTP; and pages of a list."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from ninelives.sim import nova

from .calls import Call, Document, HangUp, Said, Saying, nova_fault

PAGE_MAX = 1000  # [api] max_limit

Thing = TypeVar("Thing")


def said(reply: nova.Reply, view: Callable[[nova.Body], object | None] | None = None) -> Saying:
    """Say what the model replied; `view` makes the JSON of an answer's body."""
    match reply:
        case nova.Answer(status, body, after_s):
            return Said(status, view(body) if view else None, after_s=after_s)
        case nova.Fault(status, message, after_s):
            return nova_fault(status, message, after_s)
        case nova.NoAnswer(_, after_s):
            return HangUp(after_s)


def page(
    call: Call, found: Sequence[Thing], key: Callable[[Thing], str], name: str
) -> tuple[Sequence[Thing], Document] | Said:
    """Cut one page out of a list, and link to the next one if there is one."""
    limit, marker = call.first("limit"), call.first("marker")
    if limit is not None and not limit.isdigit():
        return nova_fault(400, f"Invalid input for query parameters limit. Value: {limit}.")
    size = min(int(limit), PAGE_MAX) if limit else PAGE_MAX
    start = 0
    if marker is not None:
        at = next((nth for nth, each in enumerate(found) if key(each) == marker), None)
        if at is None:
            return nova_fault(400, f"marker [{marker}] not found")
        start = at + 1
    cut = found[start : start + size]
    if not cut or len(cut) < size:
        return cut, {}
    rest = [each for each in call.query if each[0] != "marker"]
    query = urlencode([*rest, ("marker", key(cut[-1]))])
    return cut, {f"{name}_links": [{"rel": "next", "href": f"{call.url}{call.path}?{query}"}]}
