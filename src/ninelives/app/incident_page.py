"""An incident as a page for people who were not there: its phases, its proofs, who is back.

Every figure is a difference of instants in the journal; the phases tile the incident without a gap.
"""

import time
from collections.abc import Iterator
from typing import cast

from .views import Document

HEADINGS = {
    "suspect": "looked at",
    "held": "held, for a reason or a person",
    "repairing": "a service was repaired",
    "fencing": "being proved off",
    "fenced": "Nova was told, servers were listed",
    "evacuating": "servers were resurrected",
    "vacated": "empty, waiting to be led back",
    "returning": "led back",
    "quarantined": "in quarantine",
}


def markdown(incident: Document) -> str:
    """Write one incident as Markdown. Pure, but for the local time zone."""
    return "\n".join(_lines(incident)) + "\n"


def _lines(incident: Document) -> Iterator[str]:
    began, ended = cast("float", incident["began"]), cast("float | None", incident["ended"])
    yield f"# {incident['host']}, {clock(began)}: {incident['why']}"
    yield ""
    yield f"It is {incident['state']} now. " + ("" if ended is None else f"Over at {clock(ended)}.")
    yield ""
    yield "| phase | seconds |"
    yield "|---|---|"
    for name, took_s in phases(incident):
        yield f"| {HEADINGS.get(name, name)} | {took_s:.1f} |"
    yield ""
    timeline = cast("list[Document]", incident["timeline"])
    proofs = [line for line in timeline if str(line["what"]).startswith("proof.")]
    yield "Proofs, in the order in which they were made or fell:"
    yield ""
    for line in proofs:
        after_s = cast("float", line["wall"]) - began
        yield f"- {after_s:.1f} s: {line['what']} {line['why']} {line['detail']}".rstrip()
    if not proofs:
        yield "- none"
    yield ""
    yield "| server | outcome |"
    yield "|---|---|"
    for server, what in cast("dict[str, str]", incident["outcomes"]).items():
        yield f"| {server} | {what} |"
    yield ""
    yield "```text"
    for line in timeline:
        words = " ".join(str(line[part]) for part in ("about", "what", "why", "detail"))
        yield f"{cast('float', line['wall']) - began:8.1f} s  {words}".rstrip()
    yield "```"


def phases(incident: Document) -> list[tuple[str, float]]:
    """Return how long the host was in each state, in order: together the whole incident. Pure."""
    marks: list[tuple[str, float]] = []
    for line in cast("list[Document]", incident["timeline"]):
        if line["about"] == incident["host"] and line["what"] == "host.moved":
            into = str(line["detail"]).partition("→ ")[2].partition(" ")[0]
            marks.append((into, cast("float", line["wall"])))
    ends = [wall for _, wall in marks[1:]]
    spans = zip(marks, ends, strict=False)  # the last state goes on, or is the end
    return [(name, until - since) for (name, since), until in spans]


def clock(wall: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall))
