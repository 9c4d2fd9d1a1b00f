"""An incident as one HTML file that needs nothing beside it: to mail, to keep, to print."""

from collections.abc import Iterator
from html import escape
from typing import cast

from .incident_page import HEADINGS, clock, phases
from .views import Document

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --quiet: #667085; --paper: #fff; --line: #e4e7ec;
  --card: #f8f9fb; --good: #1a7f4b; --bad: #c0362c; --wait: #b7791f }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --quiet: #98a2b3; --paper: #14181f;
  --line: #2a313c; --card: #1b2029; --good: #4cc38a; --bad: #ff6f61; --wait: #e5b454 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.5rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1rem; margin: 2.2rem 0 .6rem }
.quiet { color: var(--quiet) } .good { color: var(--good) } .bad { color: var(--bad) }
.wait { color: var(--wait) }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin-top: 1.4rem }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .7rem 1rem; min-width: 9rem }
.card b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums }
.bar { display: flex; height: 1.4rem; border-radius: .4rem; overflow: hidden; gap: 2px }
.bar i { min-width: 3px }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .28rem .8rem .28rem 0;
  border-bottom: 1px solid var(--line) }
th { color: var(--quiet); font-weight: 500 } td:first-child { white-space: nowrap }
.number { text-align: right; width: 1%; font-variant-numeric: tabular-nums; white-space: nowrap }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere }
.dot { display: inline-block; width: .7rem; height: .7rem; border-radius: .2rem;
  margin-right: .5rem }
@media print { body { max-width: none; padding: 0 } tr { break-inside: avoid } }
"""
COLOURS = {
    "suspect": "#f0b429",
    "held": "#9aa5b1",
    "repairing": "#7cc4fa",
    "fencing": "#e12d39",
    "fenced": "#b44d9d",
    "evacuating": "#2f80ed",
    "vacated": "#3ebd93",
    "returning": "#8eedc7",
    "quarantined": "#627d98",
}
OUTCOMES = {
    "move.done": ("good", "is back"),
    "move.failed": ("bad", "failed"),
    "move.given_up": ("bad", "given up"),
    "move.waits": ("wait", "waits for its host"),
    "move.retry": ("wait", "is tried again"),
    "move.held": ("wait", "is held"),
    "move.cancelled": ("quiet", "left to its user"),
}


def page(incident: Document) -> str:
    """Write one incident as HTML. Pure, but for the local time zone."""
    began = cast("float", incident["began"])
    title = f"{incident['host']}/{incident['number']}, {clock(began)}"
    body = "\n".join(_body(incident))
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n{body}\n</html>\n"
    )


def _body(incident: Document) -> Iterator[str]:
    began, ended = cast("float", incident["began"]), cast("float | None", incident["ended"])
    over = "not over yet" if ended is None else f"over at {clock(ended)}"
    yield f"<h1>{_text(incident['host'])}: {_text(incident['why'])}</h1>"
    yield f'<div class="quiet">{clock(began)}, {over}; it is {_text(incident["state"])}</div>'
    yield '<div class="cards">'
    for name, figure in _figures(incident):
        yield f'<div class="card"><span class="quiet">{name}</span><b>{figure}</b></div>'
    yield "</div>"
    yield from _phases(incident)
    yield from _proofs(incident)
    yield from _servers(incident)
    yield from _timeline(incident)


def _figures(incident: Document) -> Iterator[tuple[str, str]]:
    began, ended = cast("float", incident["began"]), cast("float | None", incident["ended"])
    yield "servers back", f"{incident['done']} of {incident['servers']}"
    for name, what in (("first proof", "proof.made"), ("first server sent for", "move.sent")):
        if walls := _walls(incident, what):
            yield name, seconds(walls[0] - began)
    if walls := _walls(incident, "move.done"):
        yield "last server back", seconds(walls[-1] - began)
    if ended is not None:
        yield "in all", seconds(ended - began)


def _walls(incident: Document, what: str) -> list[float]:
    lines = cast("list[Document]", incident["timeline"])
    return [cast("float", line["wall"]) for line in lines if line["what"] == what]


def seconds(took_s: float) -> str:
    """Write a length of time as people read it. Pure."""
    if took_s < 120:
        return f"{took_s:.1f} s"
    minutes, rest = divmod(round(took_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _phases(incident: Document) -> Iterator[str]:
    found = phases(incident)
    if not found:
        return
    yield '<h2>Where the time went</h2><div class="bar">'
    for name, took_s in found:
        style = f"flex:{max(took_s, 0.1):.1f} 0 0;background:{_colour(name)}"
        yield f'<i style="{style}" title="{_text(name)}: {seconds(took_s)}"></i>'
    yield "</div><table>"
    for name, took_s in found:
        dot = f'<span class="dot" style="background:{_colour(name)}"></span>'
        words = _text(HEADINGS.get(name, name))
        yield f'<tr><td>{dot}{words}<td class="number">{seconds(took_s)}'
    yield "</table>"


def _colour(phase: str) -> str:
    return COLOURS.get(phase, "#9aa5b1")


def _proofs(incident: Document) -> Iterator[str]:
    lines = cast("list[Document]", incident["timeline"])
    proofs = [line for line in lines if str(line["what"]).startswith("proof.")]
    yield "<h2>Proofs that it could write no more</h2>"
    if not proofs:
        yield '<p class="quiet">None: nothing was started elsewhere.</p>'
        return
    yield "<table>"
    for line in proofs:
        style = "good" if line["what"] == "proof.made" else "bad"
        what = str(line["what"]).removeprefix("proof.")
        after = _after(incident, line)
        yield f'<tr>{after}<td class="{style}">{_text(what)}<td>{_text(line["why"])}'
        yield f"<td>{_text(line['detail'])}"
    yield "</table>"


def _servers(incident: Document) -> Iterator[str]:
    outcomes = cast("dict[str, str]", incident["outcomes"])
    if not outcomes:
        return
    last = {str(line["about"]): line for line in cast("list[Document]", incident["timeline"])}
    yield "<h2>What became of each server</h2><table>"
    for server, what in outcomes.items():
        style, words = OUTCOMES.get(what, ("quiet", what))
        line = last[server]
        said = " ".join(str(line[part]) for part in ("why", "detail") if line[part])
        yield f'<tr><td><code>{_text(server)}</code><td class="{style}">{_text(words)}'
        yield f"<td>{_text(said)}{_after(incident, line)}"
    yield "</table>"


def _timeline(incident: Document) -> Iterator[str]:
    yield "<h2>All of it</h2><table>"
    for line in cast("list[Document]", incident["timeline"]):
        words = " ".join(str(line[part]) for part in ("what", "why", "detail") if line[part])
        about = f"<td><code>{_text(line['about'])}</code>"
        yield f"<tr>{_after(incident, line)}{about}<td>{_text(words)}"
    yield "</table>"


def _after(incident: Document, line: Document) -> str:
    after_s = cast("float", line["wall"]) - cast("float", incident["began"])
    return f'<td class="number quiet">{after_s:.1f} s'


def _text(value: object) -> str:
    return escape(str(value))
