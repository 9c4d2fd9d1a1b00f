"""One incident while it goes on: where it is, how far its servers are, what was said last."""

from collections.abc import Mapping
from typing import cast

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .incident_page import HEADINGS, clock
from .views import Document

LINES = 12
SERVERS = 20
STYLES = {"done": "green", "failed": "bold red", "waiting": "yellow", "skipped": "yellow"}


def incident_picture(incident: Document, moves: Mapping[str, str]) -> RenderableType:
    """Draw it; `moves` is how each server stands just now. Pure, but for the local time zone."""
    began = cast("float", incident["began"])
    state = str(incident["state"])
    words = HEADINGS.get(state.partition(" ")[0], state)
    title = Text(f"{incident['host']}, {clock(began)}: {incident['why']}", "bold")
    now = {**cast("dict[str, str]", incident["outcomes"]), **moves}
    return Group(
        title, Text(f"{state}: {words}"), progress(incident), servers(now), last_words(incident)
    )


def progress(incident: Document) -> RenderableType:
    done, total = cast("int", incident["done"]), cast("int", incident["servers"])
    table = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(1, total), completed=done, width=40)
    table.add_row(bar, f"{done} of {total} servers are back")
    return table


def servers(now: Mapping[str, str]) -> RenderableType:
    table = Table(box=None, show_header=False)
    for server, state in list(now.items())[:SERVERS]:
        word = state.removeprefix("move.").partition(" ")[0].partition("_")[0]
        table.add_row(server, Text(state, STYLES.get(word, "")))
    if len(now) > SERVERS:
        table.add_row(f"and {len(now) - SERVERS} more", "")
    return table


def last_words(incident: Document) -> RenderableType:
    began, lines = cast("float", incident["began"]), list[str]()
    for line in cast("list[Document]", incident["timeline"])[-LINES:]:
        said = " ".join(str(line[part]) for part in ("about", "what", "why", "detail"))
        lines.append(f"{cast('float', line['wall']) - began:8.1f} s  {said}".rstrip())
    return Text("\n".join(lines), "dim")
