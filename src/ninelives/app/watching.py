"""Looking again and again: on a terminal one picture that changes, elsewhere each change."""

import time
from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from .exits import Complaint, Exit

EVERY_S = 1.0


class Look(NamedTuple):
    """One look: what to show, and whether anything more will come."""

    shown: RenderableType
    is_over: bool = False
    last: RenderableType | None = None  # what was shown when somebody answered


def watch(console: Console, look: Callable[[], Look], every_s: float = EVERY_S) -> None:
    """Look until it is over, or somebody presses Ctrl-C."""
    found = look()
    if not console.is_terminal:
        _print_changes(console, look, found, every_s)
        return
    with Live(found.shown, console=console, auto_refresh=False) as live:
        while not found.is_over:
            time.sleep(every_s)
            found = again(look, found)
            live.update(found.shown, refresh=True)


def _print_changes(console: Console, look: Callable[[], Look], found: Look, every_s: float) -> None:
    before = ""
    while True:
        with console.capture() as capture:
            console.print(found.shown)
        if capture.get() != before:
            before = capture.get()
            print(before, end="", flush=True)
        if found.is_over:
            return
        time.sleep(every_s)
        found = again(look, found)


def again(look: Callable[[], Look], before: Look) -> Look:
    """Look again; while nobody leads, or answers, what was seen last stays, and that is said."""
    try:
        return look()
    except Complaint as error:
        if error.code is not Exit.AGAIN:
            raise
        last = before.last or before.shown
        return Look(Group(last, Text(error.message, "red")), last=last)
